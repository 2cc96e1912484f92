//! The server's half: opening an AP-REQ (RFC 4120 §3.2.3).
//!
//! Names, times and keys of an [`Opened`] come from encrypted parts only. The names in the clear choose a
//! key of the keytab, nothing else.

use std::sync::Arc;

use orthros_crypto::{Enctype, KeyUsage, LongTermKey, SessionKey};
use orthros_wire::Timestamp;
use orthros_wire::secret::SecretBuffer;

use super::{ApRefusal, ClientOptions, key_from_wire};
use crate::config::Capaths;
use crate::credential::{TicketTimes, TypedOctets};
use crate::permitted::permit;
use crate::sealed::open_message;
use crate::vouched::Vouched;
use crate::wire::{
    ApOptions, ApReq, Authenticator, Decode, EncTicketPart, EncryptedData, PVNO, Ticket, TicketFlags,
    TransitedEncoding, msg_type,
};
use crate::{Principal, transited};

/// Where an acceptor's long-term keys come from: a keytab, or whatever a caller has.
pub trait AcceptorKeys {
    /// The key of `server` for this enctype and version (`None`: the newest), and the principal that it
    /// really belongs to; or a sentence for people on what is there instead.
    ///
    /// # Errors
    /// The sentence: which principals, versions and enctypes there are.
    fn find(
        &self,
        server: &Principal,
        enctype: Enctype,
        kvno: Option<u32>,
    ) -> Result<(Arc<LongTermKey>, Principal), String>;

    /// Whose the first key is, where keys can be listed. It says nothing of which keys are used.
    fn first(&self) -> Option<Principal> {
        None
    }

    /// The same keys for another thread, which counts their users by itself; `None` where threads may as well share them.
    fn apart(&self) -> Option<Arc<dyn AcceptorKeys + Send + Sync>> {
        None
    }
}

/// An AP-REQ whose ticket and authenticator were opened, agree, and are fresh. Whether it is a replay is
/// still to be asked.
#[derive(Debug)]
pub struct Opened {
    /// Who asks: the ticket's client.
    pub client: Principal,
    /// Whose key opened the ticket.
    pub server: Principal,
    /// How the client wants the request treated.
    pub options: ApOptions,
    /// The ticket's session key.
    pub session_key: SessionKey,
    /// The key that the client chose.
    pub subkey: Option<SessionKey>,
    /// The initiator's first sequence number; 0 where it named none.
    pub sequence: u32,
    /// The client's time, which an AP-REP repeats.
    pub time: Timestamp,
    /// When the ticket is valid.
    pub times: TicketTimes,
    /// What the ticket is good for.
    pub flags: TicketFlags,
    /// The realms that the ticket came through: kind and octets of the encoding (see [`transited`]).
    pub transited: TypedOctets,
    /// Kind and octets of the authenticator's checksum; not checked yet. Secret only in so far as a
    /// delegated ticket lies in it, which is sealed once more.
    pub checksum: Option<TypedOctets>,
    /// What the client says in its authenticator's authorization data.
    pub client_options: ClientOptions,
    /// The ticket's DER, as it came.
    pub ticket: Vec<u8>,
    /// Authorization data of the ticket, from the KDC.
    pub authorization_data: Vec<TypedOctets>,
    /// What of the authorization data the service's own key vouches for.
    pub vouched: Vouched,
    /// What the replay cache files the request under: the last octets of the authenticator's cipher text.
    pub replay_tag: Vec<u8>,
}

/// Opens an AP-REQ. The ticket, its session key and the client's subkey must be of `permitted` enctypes.
///
/// # Errors
/// [`ApRefusal`], in the order in which RFC 4120 §3.2.3 checks.
pub fn open_request(
    message: &[u8],
    keys: &dyn AcceptorKeys,
    now: Timestamp,
    skew_seconds: u32,
    permitted: &[Enctype],
) -> Result<Opened, ApRefusal> {
    let request = ApReq::from_der(message)?;
    let version = (request.pvno, request.msg_type, request.ticket.tkt_vno);
    if version != (PVNO, msg_type::AP_REQ, PVNO) {
        return Err(ApRefusal::Version);
    }
    if request.ap_options.contains(ApOptions::USE_SESSION_KEY) {
        return Err(ApRefusal::UserToUser);
    }
    let OpenedTicket { server, key, plain: ticket_plain } = open_ticket(&request.ticket, keys, permitted)?;
    let ticket = EncTicketPart::from_der(&ticket_plain)?;
    let session_key = SessionKey::from(key_from_wire(&ticket.key, permitted)?);
    let client = Principal::from_wire_beside(&server, &ticket.cname, ticket.crealm.0)
        .map_err(|_| ApRefusal::Mismatch)?;

    let plain = open_authenticator(&request.authenticator, &session_key)?;
    let authenticator = Authenticator::from_der(&plain)?;
    check_agreement(&authenticator, &client)?;
    let time = authenticator_time(&authenticator)?;
    check_times(&ticket, &client, &server, time, now, skew_seconds)?;

    let subkey = authenticator.subkey.as_ref().map(|key| key_from_wire(key, permitted)).transpose()?;
    let client_options =
        ClientOptions::read(authenticator.authorization_data.as_deref().unwrap_or_default())?;
    let elements = ticket.authorization_data.as_deref().unwrap_or_default();
    let vouched = Vouched::of(elements, &key, &client, ticket.authtime.into());
    // As MIT files it, so that caches can be shared: also where the tag lies elsewhere.
    let tag_length = session_key.enctype().tag_len();
    let cipher = request.authenticator.cipher;
    let (_, tag) = cipher.split_at(cipher.len().saturating_sub(tag_length));
    Ok(Opened {
        client,
        server,
        options: request.ap_options,
        sequence: authenticator.seq_number.unwrap_or(0),
        time,
        times: ticket_times(&ticket),
        flags: ticket.flags,
        transited: TypedOctets { number: ticket.transited.tr_type, octets: ticket.transited.contents.into() },
        checksum: authenticator
            .cksum
            .map(|checksum| TypedOctets { number: checksum.cksumtype, octets: checksum.checksum.into() }),
        client_options,
        authorization_data: ticket
            .authorization_data
            .unwrap_or_default()
            .into_iter()
            .map(|element| TypedOctets { number: element.ad_type, octets: element.ad_data.into() })
            .collect(),
        vouched,
        replay_tag: tag.to_vec(),
        ticket: request.ticket.octets().to_vec(),
        session_key,
        subkey: subkey.map(SessionKey::from),
    })
}

/// Only [`Opened::check_transited`] makes one: the realms on the ticket's way are allowed.
#[derive(Debug)]
pub struct TransitedChecked(());

impl Opened {
    /// Demands that a ticket from another realm came through realms that lie on the way, by the check of the KDC
    /// that issued it or by our own (RFC 4120 §2.7).
    ///
    /// # Errors
    /// [`ApRefusal::Transited`] names the realm that does not.
    pub fn check_transited(&self, capaths: &Capaths) -> Result<TransitedChecked, ApRefusal> {
        if self.flags.contains(TicketFlags::TRANSITED_POLICY_CHECKED) {
            return Ok(TransitedChecked(()));
        }
        let encoding = TransitedEncoding { tr_type: self.transited.number, contents: &self.transited.octets };
        transited::check(&encoding, self.client.realm(), self.server.realm(), capaths)
            .map(|()| TransitedChecked(()))
            .map_err(|reason| ApRefusal::Transited {
                client: self.client.clone(),
                server: self.server.clone(),
                reason,
            })
    }
}

/// What is in a ticket, and whose key opened it.
struct OpenedTicket {
    server: Principal,
    key: Arc<LongTermKey>,
    plain: SecretBuffer,
}

fn open_ticket(
    ticket: &Ticket<'_>,
    keys: &dyn AcceptorKeys,
    permitted: &[Enctype],
) -> Result<OpenedTicket, ApRefusal> {
    let named = Principal::from_wire(&ticket.sname, ticket.realm.0).map_err(|_| ApRefusal::Mismatch)?;
    let sealed = &ticket.enc_part;
    let enctype = permit(sealed.etype, permitted)
        .map_err(|refused| ApRefusal::TicketEnctype { server: named.clone(), refused })?;
    let (key, server) = keys.find(&named, enctype, sealed.kvno).map_err(|found| ApRefusal::NoKey {
        server: named.clone(),
        enctype,
        kvno: sealed.kvno,
        found,
    })?;
    let plain = open_message(&key, KeyUsage::TICKET, sealed.cipher)
        .map_err(|_| ApRefusal::TicketIntegrity { server: server.clone(), enctype, kvno: sealed.kvno })?;
    Ok(OpenedTicket { server, key, plain })
}

fn open_authenticator(sealed: &EncryptedData<'_>, key: &SessionKey) -> Result<SecretBuffer, ApRefusal> {
    if sealed.etype != key.enctype().number() {
        return Err(ApRefusal::AuthenticatorIntegrity);
    }
    open_message(key, KeyUsage::AP_REQ_AUTHENTICATOR, sealed.cipher)
        .map_err(|_| ApRefusal::AuthenticatorIntegrity)
}

fn check_agreement(authenticator: &Authenticator<'_>, client: &Principal) -> Result<(), ApRefusal> {
    if authenticator.authenticator_vno != PVNO {
        return Err(ApRefusal::Version);
    }
    if client.is_named(&authenticator.cname, authenticator.crealm.0) {
        Ok(())
    } else {
        Err(ApRefusal::Mismatch)
    }
}

fn authenticator_time(authenticator: &Authenticator<'_>) -> Result<Timestamp, ApRefusal> {
    let microseconds = u32::try_from(authenticator.cusec)
        .ok()
        .filter(|microseconds| *microseconds < 1_000_000)
        .ok_or(ApRefusal::Mismatch)?;
    Ok(Timestamp { seconds: authenticator.ctime.0, microseconds })
}

fn check_times(
    ticket: &EncTicketPart<'_>,
    client: &Principal,
    server: &Principal,
    time: Timestamp,
    now: Timestamp,
    skew_seconds: u32,
) -> Result<(), ApRefusal> {
    let skew = i64::from(skew_seconds);
    if time.seconds.abs_diff(now.seconds) > u64::from(skew_seconds) {
        return Err(ApRefusal::Skew { theirs: time, ours: now, limit_seconds: skew_seconds });
    }
    let times = ticket_times(ticket);
    let names = || (client.clone(), server.clone());
    if ticket.flags.contains(TicketFlags::INVALID) || times.starttime.0.saturating_sub(skew) > now.seconds {
        let (client, server) = names();
        return Err(ApRefusal::NotYetValid { client, server, from: times.starttime.into(), now });
    }
    if times.endtime.0.saturating_add(skew) < now.seconds {
        let (client, server) = names();
        return Err(ApRefusal::Expired { client, server, ended: times.endtime.into(), now });
    }
    Ok(())
}

fn ticket_times(ticket: &EncTicketPart<'_>) -> TicketTimes {
    TicketTimes {
        authtime: ticket.authtime,
        starttime: ticket.starttime.unwrap_or(ticket.authtime),
        endtime: ticket.endtime,
        renew_till: ticket.renew_till.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{EncryptionKey, GeneralString, KerberosTime, SecretOctets};

    fn name(text: &str) -> Principal {
        text.parse().unwrap()
    }

    /// Valid from 1000 to 2000.
    fn ticket(client: &Principal, flags: TicketFlags) -> EncTicketPart<'_> {
        EncTicketPart {
            flags,
            key: EncryptionKey { keytype: 18, keyvalue: SecretOctets(&[0; 32]) },
            crealm: GeneralString(client.realm()),
            cname: client.to_wire(),
            transited: TransitedEncoding { tr_type: 0, contents: &[] },
            authtime: KerberosTime(500),
            starttime: Some(KerberosTime(1000)),
            endtime: KerberosTime(2000),
            renew_till: None,
            caddr: None,
            authorization_data: None,
        }
    }

    #[test]
    fn a_ticket_is_good_from_the_skew_before_its_start_to_the_skew_after_its_end() {
        let (client, server) = (name("alice@TEST"), name("host/x@TEST"));
        let at = |seconds, flags| {
            let now = Timestamp::from_seconds(seconds);
            check_times(&ticket(&client, flags), &client, &server, now, now, 300)
        };
        for seconds in [700, 1000, 1500, 2000, 2299, 2300] {
            assert_eq!(at(seconds, TicketFlags::INITIAL), Ok(()), "{seconds}");
        }
        assert!(matches!(at(699, TicketFlags::INITIAL), Err(ApRefusal::NotYetValid { .. })));
        assert!(matches!(at(2301, TicketFlags::INITIAL), Err(ApRefusal::Expired { .. })));
        assert!(matches!(at(1500, TicketFlags::INVALID), Err(ApRefusal::NotYetValid { .. })));
    }

    #[test]
    fn a_time_with_a_million_microseconds_is_no_time() {
        let client = name("alice@TEST");
        let time = |cusec| {
            authenticator_time(&Authenticator {
                authenticator_vno: PVNO,
                crealm: GeneralString(client.realm()),
                cname: client.to_wire(),
                cksum: None,
                cusec,
                ctime: KerberosTime(7),
                subkey: None,
                seq_number: None,
                authorization_data: None,
            })
        };
        for microseconds in [0, 999_999] {
            let expected = Timestamp { seconds: 7, microseconds };
            assert_eq!(time(i32::try_from(microseconds).unwrap()), Ok(expected));
        }
        for cusec in [-1, 1_000_000, i32::MAX] {
            assert_eq!(time(cusec), Err(ApRefusal::Mismatch), "{cusec}");
        }
    }
}
