//! The name types that can be imported, by their object identifiers (RFC 2743 §4, RFC 2744 §4, RFC 1964 §2.1).

use orthros_wire::Oid;

/// `GSS_C_NT_ANONYMOUS`: nobody in particular.
pub const ANONYMOUS: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 6, 3]);
/// `GSS_C_NT_COMPOSITE_EXPORT`: an exported name with attributes (RFC 6680 §8).
pub const COMPOSITE_EXPORTED: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 6, 6]);
/// `GSS_KRB5_NT_ENTERPRISE_NAME`: a name that the KDC maps to a principal (RFC 6806 §5).
pub const ENTERPRISE: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 6]);
/// `GSS_C_NT_EXPORT_NAME`: a mechanism name in the form of RFC 2743 §3.2.
pub const EXPORTED: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 6, 4]);
/// `GSS_C_NT_HOSTBASED_SERVICE`: `service@host`.
pub const HOSTBASED_SERVICE: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 4]);
/// `GSS_C_NT_HOSTBASED_SERVICE_X`: the same by an older identifier, taken and never given (RFC 2744 §4.8).
pub const HOSTBASED_SERVICE_X: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 6, 2]);
/// `GSS_KRB5_NT_PRINCIPAL_NAME`: a principal's text form.
pub const KRB5_PRINCIPAL: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 1]);
/// `GSS_C_NT_MACHINE_UID_NAME`: the number of a user of this machine, four octets in its order.
pub const MACHINE_UID: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 2]);
/// `GSS_C_NT_STRING_UID_NAME`: the number of a user of this machine, in digits.
pub const STRING_UID: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 3]);
/// `GSS_C_NT_USER_NAME`: a user of this machine or of the default realm.
pub const USER_NAME: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 1]);
