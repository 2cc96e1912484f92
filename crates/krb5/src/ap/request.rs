//! The client's half: an AP-REQ from a ticket (RFC 4120 §3.2.2, §5.5.1).

use orthros_crypto::{KeyUsage, SessionKey};
use orthros_wire::der::KerberosTime;
use orthros_wire::{Random, Timestamp};

use super::{key_to_wire, microseconds};
use crate::wire::{
    ApOptions, ApReq, Authenticator, AuthorizationElement, Checksum, Decode, DerError, Encode, EncryptedData,
    GeneralString, PVNO, Raw, Ticket, msg_type,
};
use crate::{Credential, Principal};

/// What goes into an AP-REQ beside the ticket.
#[derive(Debug)]
pub struct Request<'a> {
    /// Whether an AP-REP is wanted, and so on.
    pub options: ApOptions,
    /// Kind and octets of the authenticator's checksum.
    pub checksum: (i32, &'a [u8]),
    /// A key of the client's choice.
    pub subkey: Option<&'a SessionKey>,
    /// The initiator's first sequence number.
    pub sequence: Option<u32>,
    /// Authorization data of the authenticator.
    pub authorization_data: Option<Vec<AuthorizationElement<'a>>>,
    /// The client's time, as the KDC's clock has it.
    pub now: Timestamp,
}

/// An AP-REQ, and what must be remembered to check the answer.
#[derive(Debug)]
pub struct RequestSent {
    /// The message's DER.
    pub message: Vec<u8>,
    /// The authenticator's time, which the AP-REP must repeat.
    pub time: Timestamp,
    /// Whom the ticket itself names (see [`Credential::ticket_server`]).
    pub server: Principal,
}

impl Request<'_> {
    /// Makes the message with a ticket and its session key.
    ///
    /// # Errors
    /// [`DerError`] if the ticket in `credential` is no ticket.
    pub fn make(self, credential: &Credential, random: &dyn Random) -> Result<RequestSent, DerError> {
        let ticket = Raw::<Ticket<'_>>::from_der(&credential.ticket)?;
        let server = credential.server_of(&ticket);
        let authenticator = Authenticator {
            authenticator_vno: PVNO,
            crealm: GeneralString(credential.client.realm()),
            cname: credential.client.to_wire(),
            cksum: Some(Checksum { cksumtype: self.checksum.0, checksum: self.checksum.1 }),
            cusec: microseconds(self.now),
            ctime: KerberosTime::from(self.now),
            subkey: self.subkey.map(|key| key_to_wire(key)),
            seq_number: self.sequence,
            authorization_data: self.authorization_data,
        };
        let plain = authenticator.to_secret_der();
        let cipher = credential.key.encrypt(KeyUsage::AP_REQ_AUTHENTICATOR, random, plain.expose_octets());
        let message = ApReq {
            pvno: PVNO,
            msg_type: msg_type::AP_REQ,
            ap_options: self.options,
            ticket,
            authenticator: EncryptedData {
                etype: credential.key.enctype().number(),
                kvno: None,
                cipher: &cipher,
            },
        }
        .to_der();
        Ok(RequestSent { message, time: self.now, server })
    }
}
