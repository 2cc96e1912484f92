//! Names of credential caches and keytabs: a type, a colon, and the rest.

use std::fmt;
use std::path::PathBuf;

/// A credential cache's name.
///
/// ```
/// use orthros::CacheName;
/// assert_eq!(CacheName::from("FILE:/tmp/cc"), CacheName::from("/tmp/cc"));
/// assert_eq!(CacheName::from("MEMORY:a").to_string(), "MEMORY:a");
/// assert_eq!(CacheName::from("DIR::/run/cc/tkt"), CacheName::DirectoryFile("/run/cc/tkt".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheName {
    /// The cache in use of a folder that holds several: `DIR:folder`.
    Directory(PathBuf),
    /// One cache of such a folder: `DIR::folder/tktNAME`.
    DirectoryFile(PathBuf),
    /// A file in the format of MIT krb5.
    File(PathBuf),
    /// In the memory of one [`Orthros`](crate::Orthros) and its clones.
    Memory(String),
    /// A type that is known and not supported here yet; the whole name.
    Unsupported(String),
}

/// A keytab's name.
///
/// ```
/// use orthros::KeytabName;
/// assert_eq!(KeytabName::from("/etc/krb5.keytab").to_string(), "FILE:/etc/krb5.keytab");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeytabName {
    /// A file in the format of MIT krb5.
    File(PathBuf),
    /// In the memory of one [`Orthros`](crate::Orthros) and its clones.
    Memory(String),
    /// A type that is known and not supported here yet; the whole name.
    Unsupported(String),
}

/// The type before the colon, if there is one, and the rest. A path is no type: types have letters only.
fn split(text: &str) -> (&str, &str) {
    match text.split_once(':') {
        Some((kind, rest)) if kind.len() > 1 && kind.bytes().all(|letter| letter.is_ascii_alphanumeric()) => {
            (kind, rest)
        }
        _ => ("FILE", text),
    }
}

macro_rules! names {
    ($($name:ident: $($file:literal)|+ $(, $prefix:literal => $variant:ident)*;)*) => { $(
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $(if let Some(path) = text.strip_prefix($prefix) {
                    return Self::$variant(path.into());
                })*
                match split(text) {
                    ($($file)|+, path) => Self::File(path.into()),
                    ("MEMORY", name) => Self::Memory(name.to_owned()),
                    _ => Self::Unsupported(text.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(path) => write!(f, "{}{}", $prefix, path.display()),)*
                    Self::File(path) => write!(f, "FILE:{}", path.display()),
                    Self::Memory(name) => write!(f, "MEMORY:{name}"),
                    Self::Unsupported(text) => f.write_str(text),
                }
            }
        }
    )* };
}

names! {
    CacheName: "FILE" | "WRFILE", "DIR::" => DirectoryFile, "DIR:" => Directory;
    KeytabName: "FILE" | "WRFILE";
}
