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

/// `gss_krb5_lucid_key_t`: a key in the clear.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LucidKey {
    /// Its enctype's number.
    pub kind: OmUint32,
    /// How many octets.
    pub length: OmUint32,
    /// The octets.
    pub data: *mut c_void,
}

impl LucidKey {
    /// No key.
    pub const NONE: Self = Self { kind: 0, length: 0, data: std::ptr::null_mut() };
}

/// `gss_krb5_lucid_context_v1_t`: what protects a context's messages, in the clear. The two groups of fields at the end are
/// structures of their own in C, with the same layout.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LucidContext {
    /// 1.
    pub version: OmUint32,
    /// Whether this end initiated.
    pub initiate: OmUint32,
    /// When the context ends, in seconds since 1970.
    pub endtime: OmUint32,
    /// The number of the next message sent.
    pub send_seq: u64,
    /// The number of the next message received.
    pub recv_seq: u64,
    /// 0: tokens of RFC 1964; 1: of RFC 4121.
    pub protocol: OmUint32,
    /// RFC 1964: how messages are signed, how they are sealed, and the key.
    pub rfc1964_kd: LucidOld,
    /// RFC 4121: whether the acceptor chose a key, the initiator's key, and the acceptor's.
    pub cfx_kd: LucidNew,
}

/// `gss_krb5_rfc1964_keydata_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LucidOld {
    /// `SGN_ALG` of RFC 1964 §1.2.1.
    pub sign_alg: OmUint32,
    /// `SEAL_ALG` of RFC 1964 §1.2.2.
    pub seal_alg: OmUint32,
    /// The key.
    pub ctx_key: LucidKey,
}

/// `gss_krb5_cfx_keydata_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LucidNew {
    /// Whether there is a key of the acceptor's.
    pub have_acceptor_subkey: OmUint32,
    /// The initiator's key.
    pub ctx_key: LucidKey,
    /// The acceptor's key.
    pub acceptor_subkey: LucidKey,
}

/// `krb5_keyblock` of Heimdal's libkrb5: a key in the clear.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Keyblock {
    /// Its enctype's number.
    pub kind: i32,
    /// How many octets.
    pub length: usize,
    /// The octets.
    pub data: *mut c_void,
}

/// `gss_context_stream_sizes` of Heimdal: what a sealed message needs beside its data, in octets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamSizes {
    /// Of the header.
    pub header: usize,
    /// Of the trailer.
    pub trailer: usize,
    /// The longest message.
    pub max_msg_size: usize,
    /// How many empty pieces are to be passed beside.
    pub buffers: usize,
    /// The longest padding.
    pub blocksize: usize,
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

/// `GSS_C_CRED_NO_UI` of Heimdal, beside one of them: nobody is to be asked. Nobody is, here.
pub const USAGE_NO_UI: i32 = 0x1_0000;

/// `GSS_C_GSS_CODE`: the status is a major one.
pub const STATUS_MAJOR: i32 = 1;
/// `GSS_C_MECH_CODE`: the status is a minor one.
pub const STATUS_MINOR: i32 = 2;
