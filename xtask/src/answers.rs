//! What a face answers to builds that ask for it: pkg-config files, and `krb5-config` where the original has one.
//!
//! Each finds its folder by its own place, so that the face can be copied anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::Failure;
use crate::shell::root;

/// What builds ask for.
pub(crate) struct Answers {
    /// What is linked with, `-lNAME`.
    pub(crate) library: &'static str,
    /// The version of the original whose symbols the face has.
    pub(crate) version: &'static str,
    /// The original's name, for people.
    pub(crate) original: &'static str,
    /// The files that pkg-config is asked for, each with the name that stands in it.
    pub(crate) packages: &'static [(&'static str, &'static str)],
    /// What `krb5-config` says of the maker and the version, where the original has such a script.
    pub(crate) krb5_config: Option<(&'static str, &'static str)>,
}

impl Answers {
    /// Puts the answers into a face's folder.
    pub(crate) fn write(&self, face: &Path) -> Result<(), Failure> {
        let folder = face.join("lib/pkgconfig");
        fs::create_dir_all(&folder)?;
        for (file, name) in self.packages {
            fs::write(folder.join(file).with_extension("pc"), self.package(name))?;
        }
        let Some((vendor, version)) = self.krb5_config else { return Ok(()) };
        let text = fs::read_to_string(root().join("crates/capi/faces/krb5-config"))?;
        let text = text.replace("@VENDOR@", vendor).replace("@VERSION@", version);
        fs::create_dir_all(face.join("bin"))?;
        let script = face.join("bin/krb5-config");
        fs::write(&script, text.replace("@LIBRARY@", self.library))?;
        Ok(fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?)
    }

    fn package(&self, name: &str) -> String {
        let Self { library, version, original, .. } = self;
        format!(
            "prefix=${{pcfiledir}}/../..\n\
             libdir=${{prefix}}/lib\n\
             includedir=${{prefix}}/include\n\
             \n\
             Name: {name}\n\
             Description: GSS-API with Kerberos V5: Orthros in the place of {original}\n\
             Version: {version}\n\
             Libs: -L${{libdir}} -l{library}\n\
             Cflags: -I${{includedir}}\n"
        )
    }
}
