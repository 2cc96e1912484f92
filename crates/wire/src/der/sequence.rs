//! The table form of a message.

/// Declares a struct for an ASN.1 SEQUENCE with explicitly tagged fields, and its [`Decode`](crate::der::Decode)
/// and [`Encode`](crate::der::Encode). `[APPLICATION n]` after the name wraps it in that tag. A field of type
/// `Option` is OPTIONAL. Fields come in the order of the grammar; an unknown one is an error, unless the grammar has an
/// extension marker, which is `=> later` here: then whatever a later version put behind is read over.
///
/// ```
/// use orthros_wire::der::{Decode, Encode};
/// orthros_wire::sequence! {
///     /// An example.
///     pub struct Example<'a> [APPLICATION 7] {
///         /// A number.
///         0 => number: i32,
///         /// Perhaps some octets.
///         1 => octets: Option<&'a [u8]>,
///     }
/// }
/// let value = Example { number: 5, octets: None };
/// assert_eq!(value.to_der(), [0x67, 7, 0x30, 5, 0xa0, 3, 2, 1, 5]);
/// assert_eq!(Example::from_der(&value.to_der()), Ok(value));
/// ```
#[macro_export]
macro_rules! sequence {
    ($(#[$meta:meta])* pub struct $name:ident<$lt:lifetime> $([APPLICATION $app:literal])? { $($fields:tt)* }) => {
        $crate::sequence!(@emit [$(#[$meta])*] $name [<$lt>] $lt [$($app)?] { $($fields)* });
    };
    ($(#[$meta:meta])* pub struct $name:ident $([APPLICATION $app:literal])? { $($fields:tt)* }) => {
        $crate::sequence!(@emit [$(#[$meta])*] $name [] 'der [$($app)?] { $($fields)* });
    };
    (@emit [$($meta:tt)*] $name:ident [$($generics:tt)*] $lt:lifetime [$($app:literal)?]
        { $($(#[$field_meta:meta])* $number:literal => $field:ident : $type:ty),* $(,)? $(=> $later:ident)? }) => {
        $($meta)*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name $($generics)* {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl<$lt> $crate::der::Decode<$lt> for $name $($generics)* {
            fn decode(reader: &mut $crate::der::DerReader<$lt>) -> Result<Self, $crate::der::DerError> {
                $crate::sequence!(@open reader outer $($app)?);
                let mut fields = $crate::der::DerReader::new(outer);
                $(
                    let $field = match fields.optional($crate::der::Tag::context($number))? {
                        Some(content) => <$type as $crate::der::Decode<'_>>::from_der(content)?,
                        None => <$type as $crate::der::Decode<'_>>::absent()
                            .ok_or($crate::der::DerError::Missing(stringify!($field)))?,
                    };
                )*
                $crate::sequence!(@end fields $($later)?);
                Ok(Self { $($field),* })
            }
        }

        impl $($generics)* $crate::der::Encode for $name $($generics)* {
            fn encode(&self, writer: &mut $crate::der::DerWriter) {
                let fields = |writer: &mut $crate::der::DerWriter| {
                    writer.value($crate::der::Tag::SEQUENCE, |writer| {
                        $(if !$crate::der::Encode::is_absent(&self.$field) {
                            writer.value($crate::der::Tag::context($number), |writer| {
                                $crate::der::Encode::encode(&self.$field, writer);
                            });
                        })*
                    });
                };
                $crate::sequence!(@wrap writer fields $($app)?);
            }
        }
    };
    (@open $reader:ident $content:ident $app:literal) => {
        let mut inner = $crate::der::DerReader::new($reader.expect($crate::der::Tag::application($app))?);
        let $content = inner.expect($crate::der::Tag::SEQUENCE)?;
        inner.finish()?;
    };
    (@open $reader:ident $content:ident) => {
        let $content = $reader.expect($crate::der::Tag::SEQUENCE)?;
    };
    (@end $fields:ident) => {
        $fields.finish()?;
    };
    (@end $fields:ident later) => {
        while !$fields.is_empty() {
            $fields.any()?;
        }
    };
    (@wrap $writer:ident $fields:ident $app:literal) => {
        $writer.value($crate::der::Tag::application($app), $fields);
    };
    (@wrap $writer:ident $fields:ident) => { $fields($writer); };
}
