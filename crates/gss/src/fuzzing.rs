//! Bodies of the fuzz targets of this crate; plain tests run them on the kept corpus.

/// The header of RFC 2743 §3.1: what is taken must come back the same.
pub fn framing(data: &[u8]) {
    if let Ok((mechanism, inner)) = crate::framing::unframe(data) {
        assert_eq!(crate::framing::frame(&mechanism, &[inner]), data);
    }
}

/// An exported name.
pub fn exported_name(data: &[u8]) {
    if let Ok(crate::Name::Principal(principal)) = crate::Name::from_exported(data) {
        let exported = crate::Name::export(&principal);
        assert_eq!(crate::Name::from_exported(&exported), Ok(crate::Name::Principal(principal)));
    }
}
