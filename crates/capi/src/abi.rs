//! The types and numbers of the C interface (RFC 2744 §3, appendix A), laid out as C lays them out.

use std::ffi::{c_char, c_void};

/// `OM_uint32`.
pub type OmUint32 = u32;

/// `gss_buffer_desc` (§3.2): octets and how many they are.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GssBuffer {
    /// How many octets.
    pub length: usize,
    /// The octets.
    pub value: *mut c_void,
}

impl GssBuffer {
    /// `GSS_C_EMPTY_BUFFER`.
    pub const EMPTY: Self = Self { length: 0, value: std::ptr::null_mut() };
}

/// `gss_OID_desc` (§3.3).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OidDesc {
    /// How many octets.
    pub length: OmUint32,
    /// The content octets of the identifier's DER.
    pub elements: *mut c_void,
}

/// `gss_OID_set_desc` (§3.4).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct OidSetDesc {
    /// How many identifiers.
    pub count: usize,
    /// The identifiers, one behind the other.
    pub elements: *mut OidDesc,
}

/// `gss_buffer_set_desc`, of the extensions that answer with several buffers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BufferSetDesc {
    /// How many buffers.
    pub count: usize,
    /// The buffers, one behind the other.
    pub elements: *mut GssBuffer,
}

/// `gss_iov_buffer_desc`: a piece of a message. Its type has flags in its upper half.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IovBuffer {
    /// What the piece is, and what is to be done for it.
    pub kind: OmUint32,
    /// Its octets.
    pub buffer: GssBuffer,
}

/// `gss_key_value_element_desc`: what a credential store says.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeyValue {
    /// A C string.
    pub key: *const c_char,
    /// A C string.
    pub value: *const c_char,
}

/// `gss_key_value_set_desc`: a credential store.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KeyValueSet {
    /// How many pairs.
    pub count: OmUint32,
    /// The pairs, one behind the other.
    pub elements: *const KeyValue,
}

/// `struct gss_channel_bindings_struct` (§3.11).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ChannelBindingsDesc {
    /// What kind of address the initiator's is.
    pub initiator_addrtype: OmUint32,
    /// The initiator's address.
    pub initiator_address: GssBuffer,
    /// What kind of address the acceptor's is.
    pub acceptor_addrtype: OmUint32,
    /// The acceptor's address.
    pub acceptor_address: GssBuffer,
    /// What the application binds.
    pub application_data: GssBuffer,
}

/// `gss_ctx_id_t`, `gss_cred_id_t`, `gss_name_t`: numbers of the size of a pointer, never addresses. See
/// [`handles`](crate::handles).
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub usize);

impl Handle {
    /// `GSS_C_NO_CONTEXT`, `GSS_C_NO_CREDENTIAL`, `GSS_C_NO_NAME`.
    pub const NONE: Self = Self(0);
}

/// `GSS_C_INDEFINITE`.
pub const INDEFINITE: OmUint32 = u32::MAX;

/// `GSS_C_BOTH`, `GSS_C_INITIATE`, `GSS_C_ACCEPT`.
pub const USAGE_BOTH: i32 = 0;
/// To initiate contexts.
pub const USAGE_INITIATE: i32 = 1;
/// To accept contexts.
pub const USAGE_ACCEPT: i32 = 2;

/// `GSS_C_GSS_CODE`: the status is a major one.
pub const STATUS_MAJOR: i32 = 1;
/// `GSS_C_MECH_CODE`: the status is a minor one.
pub const STATUS_MINOR: i32 = 2;
