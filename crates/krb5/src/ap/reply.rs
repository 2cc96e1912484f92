//! The AP-REP: the server proves that it could read the ticket (RFC 4120 §3.2.4, §3.2.5).

use orthros_crypto::{Enctype, KeyUsage, SessionKey};
use orthros_wire::der::KerberosTime;
use orthros_wire::secret::SecretBuffer;
use orthros_wire::{Random, Timestamp};

use super::{ApRefusal, key_from_wire, key_to_wire, microseconds};
use crate::sealed::open_message;
use crate::wire::{ApRep, Decode, EncApRepPart, Encode, EncryptedData, PVNO, msg_type};

/// What an AP-REP told the client.
#[derive(Debug)]
pub struct ReplyOpened {
    /// The key that the acceptor chose.
    pub subkey: Option<SessionKey>,
    /// The acceptor's first sequence number; 0 where it named none.
    pub sequence: u32,
}

/// Makes the AP-REP for a request of this `time`.
pub fn make_reply(
    session_key: &SessionKey,
    time: Timestamp,
    subkey: Option<&SessionKey>,
    sequence: Option<u32>,
    random: &dyn Random,
) -> Vec<u8> {
    let plain = EncApRepPart {
        ctime: KerberosTime::from(time),
        cusec: microseconds(time),
        subkey: subkey.map(|key| key_to_wire(key)),
        seq_number: sequence,
    }
    .to_secret_der();
    let cipher = session_key.encrypt(KeyUsage::AP_REP_ENC_PART, random, plain.expose_octets());
    ApRep {
        pvno: PVNO,
        msg_type: msg_type::AP_REP,
        enc_part: EncryptedData { etype: session_key.enctype().number(), kvno: None, cipher: &cipher },
    }
    .to_der()
}

/// Opens the last token of a context in DCE style: the client's AP-REP, which repeats the acceptor's `sequence`
/// and so proves that the client could read the acceptor's (MS-KILE §3.4.5.1).
///
/// # Errors
/// [`ApRefusal::ReplyIntegrity`] whether it can't be opened or repeats another number.
pub fn open_echo(message: &[u8], session_key: &SessionKey, sequence: u32) -> Result<(), ApRefusal> {
    let plain = open(message, session_key)?;
    let part = EncApRepPart::from_der(&plain)?;
    if part.seq_number == Some(sequence) { Ok(()) } else { Err(ApRefusal::ReplyIntegrity) }
}

/// Opens the AP-REP to a request that was sent with this `time`. The acceptor's subkey must be of a `permitted`
/// enctype.
///
/// # Errors
/// [`ApRefusal::ReplyIntegrity`] whether it can't be opened or answers another request: the two must look
/// alike.
pub fn open_reply(
    message: &[u8],
    session_key: &SessionKey,
    time: Timestamp,
    permitted: &[Enctype],
) -> Result<ReplyOpened, ApRefusal> {
    let plain = open(message, session_key)?;
    let part = EncApRepPart::from_der(&plain)?;
    if part.ctime.0 != time.seconds || part.cusec != microseconds(time) {
        return Err(ApRefusal::ReplyIntegrity);
    }
    let subkey = part.subkey.as_ref().map(|key| key_from_wire(key, permitted)).transpose()?;
    Ok(ReplyOpened { subkey: subkey.map(SessionKey::from), sequence: part.seq_number.unwrap_or(0) })
}

/// The sealed part of an AP-REP.
fn open(message: &[u8], session_key: &SessionKey) -> Result<SecretBuffer, ApRefusal> {
    let reply = ApRep::from_der(message)?;
    if reply.pvno != PVNO || reply.msg_type != msg_type::AP_REP {
        return Err(ApRefusal::Version);
    }
    if reply.enc_part.etype != session_key.enctype().number() {
        return Err(ApRefusal::ReplyIntegrity);
    }
    open_message(session_key, KeyUsage::AP_REP_ENC_PART, reply.enc_part.cipher)
        .map_err(|_| ApRefusal::ReplyIntegrity)
}
