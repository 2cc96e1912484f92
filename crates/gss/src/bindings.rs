//! Channel bindings (RFC 2743 §1.1.6): facts about the channel beneath, which both ends must see alike.

use md5::{Digest, Md5};

/// Channel bindings as `gss_channel_bindings_struct` has them. Absent bindings and empty ones differ: with
/// absent ones nothing is compared.
///
/// ```
/// use orthros_gss::ChannelBindings;
/// let tls = ChannelBindings::from_application_data(b"tls-exporter:...");
/// assert_eq!(tls.application_data, b"tls-exporter:...");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelBindings {
    /// The kind of the initiator's address (`GSS_C_AF_*`); 0: none given.
    pub initiator_address_type: u32,
    /// The initiator's address.
    pub initiator_address: Vec<u8>,
    /// The kind of the acceptor's address.
    pub acceptor_address_type: u32,
    /// The acceptor's address.
    pub acceptor_address: Vec<u8>,
    /// What the application binds: for TLS the prefix and octets of RFC 5929 or RFC 9266.
    pub application_data: Vec<u8>,
}

impl ChannelBindings {
    /// Bindings without addresses, which is what programs use today.
    pub fn from_application_data(application_data: &[u8]) -> Self {
        Self { application_data: application_data.to_vec(), ..Self::default() }
    }

    /// The MD5 digest that the krb5 mechanism carries (RFC 4121 §4.1.1.2). MD5 is no weakness here: the
    /// digest travels inside the authenticator.
    pub(crate) fn digest(&self) -> [u8; 16] {
        let mut md5 = Md5::new();
        let mut counted = |kind: Option<u32>, octets: &[u8]| {
            if let Some(kind) = kind {
                md5.update(kind.to_le_bytes());
            }
            // Lengths are four octets here; what is longer has no digest that a peer could compute either.
            md5.update(u32::try_from(octets.len()).unwrap_or(u32::MAX).to_le_bytes());
            md5.update(octets);
        };
        counted(Some(self.initiator_address_type), &self.initiator_address);
        counted(Some(self.acceptor_address_type), &self.acceptor_address);
        counted(None, &self.application_data);
        md5.finalize().into()
    }
}
