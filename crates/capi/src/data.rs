//! The object identifiers that MIT krb5's library exports as data.
//!
//! Each is a pointer to a description, as the original's, and right before any code has run: programs that are no
//! position-independent code copy the pointers into memory of their own before a constructor could set them. Nothing in
//! this library reads them, so that two copies are no matter. What they point to is there once for each identifier, and
//! is what calls hand out: some programs compare pointers (kadmind does).
//!
//! Deliberately without docs of their own: a symbol's name says what it is, and RFC 2744, RFC 5587 and the headers of MIT
//! krb5 what for.
#![allow(missing_docs, non_upper_case_globals, reason = "the names and the meanings are the original's")]

use std::ffi::c_void;

use crate::abi::{OidDesc, OidSetDesc};

/// Data that nothing changes.
#[repr(transparent)]
#[derive(Debug)]
pub struct Constant<T>(T);

// SAFETY: what is in a `Constant`, and what it points to, is constant data of the library, which nobody may write to.
unsafe impl<T> Sync for Constant<T> {}

const fn describe(octets: &'static [u8]) -> OidDesc {
    // An identifier of this file has a few octets.
    #[allow(clippy::cast_possible_truncation, reason = "checked by a test: all are shorter than 256")]
    let length = octets.len() as u32;
    OidDesc { length, elements: octets.as_ptr().cast_mut().cast::<c_void>() }
}

macro_rules! identifiers {
    ($($name:ident $octets:expr;)+) => {
        $(
            #[unsafe(no_mangle)]
            pub static $name: Constant<*const Constant<OidDesc>> = Constant(description($octets));
        )+

        /// Every identifier by its symbol's name, with its octets.
        pub const IDENTIFIERS: &[(&str, &[u8])] = &[$((stringify!($name), $octets)),+];

        /// A description for each name; of those with the same octets, only the first is pointed to.
        static DESCRIPTIONS: [Constant<OidDesc>; IDENTIFIERS.len()] = [$(Constant(describe($octets))),+];
    };
}

/// The description of an identifier; past the last one if none of the names is its.
const fn description(octets: &[u8]) -> *const Constant<OidDesc> {
    let (mut place, mut rows) = ((&raw const DESCRIPTIONS).cast::<Constant<OidDesc>>(), IDENTIFIERS);
    while let [(_, known), rest @ ..] = rows {
        if are_same(known, octets) {
            break;
        }
        (place, rows) = (place.wrapping_add(1), rest);
    }
    place
}

/// Equality that the compiler can work out.
const fn are_same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
        if *first != *second {
            return false;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty() && right.is_empty()
}

/// The description of an identifier that has a symbol.
pub(crate) fn known(octets: &[u8]) -> Option<*const OidDesc> {
    let is_known = IDENTIFIERS.iter().any(|(_, known)| *known == octets);
    is_known.then(|| description(octets).cast())
}

identifiers! {
    GSS_C_ATTR_LOCAL_LOGIN_USER b"local-login-user";
    GSS_C_INQ_NEGOEX_KEY &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x05, 0x10];
    GSS_C_INQ_NEGOEX_VERIFY_KEY &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x05, 0x11];
    GSS_C_INQ_SSPI_SESSION_KEY &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x05, 0x05];
    GSS_C_MA_AUTH_INIT &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x0a];
    GSS_C_MA_AUTH_INIT_ANON &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x0e];
    GSS_C_MA_AUTH_INIT_INIT &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x0c];
    GSS_C_MA_AUTH_TARG &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x0b];
    GSS_C_MA_AUTH_TARG_ANON &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x0f];
    GSS_C_MA_AUTH_TARG_INIT &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x0d];
    GSS_C_MA_CBINDINGS &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x18];
    GSS_C_MA_COMPRESS &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x1a];
    GSS_C_MA_CONF_PROT &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x12];
    GSS_C_MA_CTX_TRANS &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x1b];
    GSS_C_MA_DELEG_CRED &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x10];
    GSS_C_MA_DEPRECATED &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x07];
    GSS_C_MA_INTEG_PROT &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x11];
    GSS_C_MA_ITOK_FRAMED &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x09];
    GSS_C_MA_MECH_COMPOSITE &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x03];
    GSS_C_MA_MECH_CONCRETE &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x01];
    GSS_C_MA_MECH_GLUE &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x05];
    GSS_C_MA_MECH_NEGO &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x04];
    GSS_C_MA_MECH_PSEUDO &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x02];
    GSS_C_MA_MIC &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x13];
    GSS_C_MA_NEGOEX_AND_SPNEGO &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x05, 0x12];
    GSS_C_MA_NOT_DFLT_MECH &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x08];
    GSS_C_MA_NOT_MECH &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x06];
    GSS_C_MA_OOS_DET &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x17];
    GSS_C_MA_PFS &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x19];
    GSS_C_MA_PROT_READY &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x15];
    GSS_C_MA_REPLAY_DET &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x16];
    GSS_C_MA_WRAP &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, 0x14];
    GSS_C_NT_ANONYMOUS &[0x2b, 0x06, 0x01, 0x05, 0x06, 0x03];
    GSS_C_NT_COMPOSITE_EXPORT &[0x2b, 0x06, 0x01, 0x05, 0x06, 0x06];
    GSS_C_NT_EXPORT_NAME &[0x2b, 0x06, 0x01, 0x05, 0x06, 0x04];
    GSS_C_NT_HOSTBASED_SERVICE &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];
    GSS_C_NT_HOSTBASED_SERVICE_X &[0x2b, 0x06, 0x01, 0x05, 0x06, 0x02];
    GSS_C_NT_MACHINE_UID_NAME &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x02];
    GSS_C_NT_STRING_UID_NAME &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x03];
    GSS_C_NT_USER_NAME &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x01];
    GSS_C_SEC_CONTEXT_SASL_SSF &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x05, 0x0f];
    GSS_KRB5_CRED_NO_CI_FLAGS_X &[0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x1d];
    GSS_KRB5_GET_CRED_IMPERSONATOR &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x05, 0x0e];
    GSS_KRB5_NT_ENTERPRISE_NAME &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x06];
    GSS_KRB5_NT_PRINCIPAL_NAME &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01];
    GSS_KRB5_NT_X509_CERT &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x07];
    gss_mech_iakerb &[0x2b, 0x06, 0x01, 0x05, 0x02, 0x05];
    gss_mech_krb5 &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
    gss_mech_krb5_old &[0x2b, 0x05, 0x01, 0x05, 0x02];
    gss_mech_krb5_wrong &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02];
    gss_nt_exported_name &[0x2b, 0x06, 0x01, 0x05, 0x06, 0x04];
    gss_nt_krb5_name &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01];
    gss_nt_krb5_principal &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x02];
    gss_nt_machine_uid_name &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x02];
    gss_nt_service_name &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];
    gss_nt_service_name_v2 &[0x2b, 0x06, 0x01, 0x05, 0x06, 0x02];
    gss_nt_string_uid_name &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x03];
    gss_nt_user_name &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x01];
}

macro_rules! sets {
    ($($name:ident $($octets:expr),+;)+) => {
        $(
            #[unsafe(no_mangle)]
            pub static $name: Constant<*const Constant<OidSetDesc>> = Constant({
                static ROWS: Constant<[OidDesc; [$($octets),+].len()]> = Constant([$(describe($octets)),+]);
                static SET: Constant<OidSetDesc> = Constant(OidSetDesc {
                    count: [$($octets),+].len(),
                    elements: (&raw const ROWS).cast_mut().cast::<OidDesc>(),
                });
                &raw const SET
            });
        )+
    };
}

const KRB5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
const KRB5_OLD: &[u8] = &[0x2b, 0x05, 0x01, 0x05, 0x02];
const KRB5_WRONG: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02];

sets! {
    gss_mech_set_krb5 KRB5;
    gss_mech_set_krb5_both KRB5, KRB5_OLD, KRB5_WRONG;
    gss_mech_set_krb5_old KRB5_OLD;
}

/// A switch of MIT krb5's own tests; never read here either.
#[unsafe(no_mangle)]
pub static krb5_gss_dbg_client_expcreds: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use orthros::mechanism::attribute::ATTRIBUTES;
    use orthros_wire::Oid;

    #[test]
    fn an_identifier_is_in_one_place_under_all_its_names() {
        let oid: Oid = "1.2.840.113554.1.2.2.1".parse().unwrap();
        let place = gss_nt_krb5_name.0.cast();
        assert_eq!(GSS_KRB5_NT_PRINCIPAL_NAME.0.cast(), place);
        assert_eq!(crate::oids::interned(&oid), place);
        // SAFETY: a description in static memory.
        let length = unsafe { (*place).length };
        assert_eq!(length, 10);
        assert_eq!(GSS_C_NT_USER_NAME.0, gss_nt_user_name.0);
        assert_ne!(gss_nt_krb5_principal.0.cast(), place);
    }

    #[test]
    fn every_identifier_is_short_and_the_ones_of_our_tables_are_theirs() {
        let find =
            |name: &str| IDENTIFIERS.iter().find(|(known, _)| *known == name).map(|(_, octets)| *octets);
        assert!(IDENTIFIERS.iter().all(|(_, octets)| octets.len() < 256));
        for row in &ATTRIBUTES {
            assert_eq!(find(row.name), Some(row.oid.content()), "{}", row.name);
        }
        let krb5: Oid = "1.2.840.113554.1.2.2".parse().unwrap();
        assert_eq!(find("gss_mech_krb5"), Some(krb5.content()));
    }
}
