//! A context's state as octets: everything that the exporter knew.
//!
//! All numbers are big-endian. Lengths of names and lists have two octets, of tickets four. A name is its type
//! (RFC 4120 §6.2), its realm and its components.
//!
//! ```text
//! kind(1) flags(4) end(8) authtime(8) ticket flags(4)
//! send(8) first(8) next(8) seen(8)
//! base key: enctype(1) octets        acceptor's subkey: enctype(1) octets, or 0(1)
//! initiator: name                    acceptor: name
//! authorization data: count(2) { number(4) octets(4+n) }
//! what of them is vouched for: the PAC: 0(1) or 1(1), indicators: count(2) { text(2+n) }
//! delegated credential: 0(1), or 1(1) credential, or 2(1) credential credential: the client's, and that of the service
//! that acts for it
//! name: type(4) realm(2+n) count(2) { component(2+n) }
//! credential: offset(8) client: name count(2) { ticket }
//! ticket: client: name server: name enctype(1) key times(4 x 8) flags(4) octets(4+n)
//! ```
//!
//! The kind is 0 for an initiator and 1 for an acceptor, by IAKERB 2 and 3.
//! Enctypes have one octet: all that are supported have numbers below 256.

use std::sync::{Arc, OnceLock};

use orthros_crypto::{Enctype, Key, SessionKey};
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::principal::NameType;
use orthros_krb5::vouched::Vouched;
use orthros_krb5::wire::{KerberosTime, TicketFlags};
use orthros_krb5::{Credential, Env, Principal, TicketTimes};
use orthros_wire::{Reader, SecretBytes, Truncated};
use zeroize::Zeroizing;

use super::TransferRefusal;
use crate::context::established::Established;
use crate::mechanism::{IAKERB, KRB5, Mechanism};
use crate::message::protection::{Protection, Role};
use crate::message::window::Window;
use crate::{Flags, InitiatorCredential};

/// Writes the state of a context.
pub(crate) fn write(context: &Established) -> Result<SecretBytes, TransferRefusal> {
    let mut size = StateWriter { octets: None, length: 0 };
    write_to(context, &mut size)?;
    // The size is known before the first secret is written: the buffer never grows and leaves no copy.
    let mut writer = StateWriter { octets: Some(Zeroizing::new(Vec::with_capacity(size.length))), length: 0 };
    write_to(context, &mut writer)?;
    let state = writer.octets.unwrap_or_default();
    debug_assert_eq!(state.capacity(), state.len());
    Ok(state.into())
}

fn write_to(context: &Established, writer: &mut StateWriter) -> Result<(), TransferRefusal> {
    let protection = &context.protection;
    let window = *protection.window();
    writer.octets(&[kind(protection.role, protection.mechanism)]);
    writer.octets(&protection.flags.0.to_be_bytes());
    writer.octets(&context.end.0.to_be_bytes());
    writer.octets(&context.authtime.0.to_be_bytes());
    writer.octets(&context.ticket_flags.0.to_be_bytes());
    for number in [protection.send_sequence(), window.first, window.next, window.seen] {
        writer.octets(&number.to_be_bytes());
    }
    writer.key(&protection.base_key)?;
    match &protection.acceptor_subkey {
        Some(key) => writer.key(key)?,
        None => writer.octets(&[0]),
    }
    writer.principal(&context.initiator)?;
    writer.principal(&context.acceptor)?;
    let elements = context.authorization_data.as_deref().unwrap_or_default();
    writer.count(elements.len())?;
    for element in elements {
        writer.octets(&element.number.to_be_bytes());
        writer.long(&element.octets)?;
    }
    writer.octets(&[u8::from(context.vouched.pac)]);
    writer.count(context.vouched.indicators.len())?;
    for indicator in &context.vouched.indicators {
        writer.short(indicator)?;
    }
    match &context.delegated {
        None => writer.octets(&[0]),
        Some(credential) => {
            let service = credential.service();
            writer.octets(&[if service.is_some() { 2 } else { 1 }]);
            writer.credential(credential, &credential.tickets())?;
            if let Some(service) = service {
                writer.credential(service, &service.granting_tickets())?;
            }
        }
    }
    Ok(())
}

/// Reads what [`write`] wrote.
pub(crate) fn read(state: &[u8], env: Env) -> Result<Established, TransferRefusal> {
    let mut reader = Reader::new(state);
    let octet = reader.u8()?;
    let (role, mechanism) = KINDS
        .into_iter()
        .find(|(role, mechanism)| kind(*role, mechanism) == octet)
        .ok_or(TransferRefusal::Damaged)?;
    let flags = Flags(reader.u32()?);
    let end = KerberosTime(reader.i64()?);
    let authtime = KerberosTime(reader.i64()?);
    let ticket_flags = TicketFlags(reader.u32()?);
    let send = reader.u64()?;
    let window = Window { first: reader.u64()?, next: reader.u64()?, seen: reader.u64()? };
    let base_key = read_key(&mut reader)?.ok_or(TransferRefusal::Damaged)?;
    let acceptor_subkey = read_key(&mut reader)?;
    let initiator = read_principal(&mut reader)?;
    let acceptor = read_principal(&mut reader)?;
    let mut authorization_data = Vec::new();
    for _ in 0..reader.u16()? {
        let number = reader.i32()?;
        authorization_data.push(TypedOctets { number, octets: reader.counted_u32()?.into() });
    }
    let vouched = read_vouched(&mut reader)?;
    let delegated = match reader.u8()? {
        0 => None,
        1 => Some(Arc::new(read_credential(&mut reader)?)),
        2 => {
            let credential = read_credential(&mut reader)?;
            Some(Arc::new(credential.held_by(Arc::new(read_credential(&mut reader)?))))
        }
        _ => return Err(TransferRefusal::Damaged),
    };
    if !reader.is_empty() {
        return Err(TransferRefusal::Damaged);
    }
    let protection = Protection::new(role, flags, base_key, acceptor_subkey, send, window).of(mechanism);
    Ok(Established {
        initiator,
        acceptor,
        end,
        authtime,
        ticket_flags,
        protection,
        delegated,
        authorization_data: Established::shared(authorization_data),
        vouched,
        late_error: OnceLock::new(),
        env,
    })
}

/// What a context may be.
const KINDS: [(Role, &Mechanism); 4] = [
    (Role::Initiator, &KRB5),
    (Role::Acceptor, &KRB5),
    (Role::Initiator, &IAKERB),
    (Role::Acceptor, &IAKERB),
];

fn kind(role: Role, mechanism: &Mechanism) -> u8 {
    u8::from(role == Role::Acceptor) + if *mechanism == IAKERB { 2 } else { 0 }
}

/// Collects octets, or only counts them.
struct StateWriter {
    octets: Option<Zeroizing<Vec<u8>>>,
    length: usize,
}

impl StateWriter {
    fn octets(&mut self, octets: &[u8]) {
        self.length += octets.len();
        if let Some(collected) = &mut self.octets {
            collected.extend_from_slice(octets);
        }
    }

    fn count(&mut self, count: usize) -> Result<(), TransferRefusal> {
        self.octets(&u16::try_from(count).map_err(|_| TransferRefusal::TooLarge)?.to_be_bytes());
        Ok(())
    }

    fn long(&mut self, octets: &[u8]) -> Result<(), TransferRefusal> {
        self.octets(&u32::try_from(octets.len()).map_err(|_| TransferRefusal::TooLarge)?.to_be_bytes());
        self.octets(octets);
        Ok(())
    }

    fn key(&mut self, key: &SessionKey) -> Result<(), TransferRefusal> {
        self.octets(&[u8::try_from(key.enctype().number()).map_err(|_| TransferRefusal::TooLarge)?]);
        self.octets(key.expose_octets());
        Ok(())
    }

    fn principal(&mut self, principal: &Principal) -> Result<(), TransferRefusal> {
        self.octets(&principal.name_type().0.to_be_bytes());
        self.short(principal.realm())?;
        self.count(principal.components().len())?;
        principal.components().iter().try_for_each(|component| self.short(component))
    }

    fn short(&mut self, text: &str) -> Result<(), TransferRefusal> {
        self.count(text.len())?;
        self.octets(text.as_bytes());
        Ok(())
    }

    fn credential(
        &mut self,
        credential: &InitiatorCredential,
        tickets: &[Credential],
    ) -> Result<(), TransferRefusal> {
        self.octets(&credential.offset_seconds().to_be_bytes());
        self.principal(credential.client())?;
        self.count(tickets.len())?;
        tickets.iter().try_for_each(|ticket| self.ticket(ticket))
    }

    fn ticket(&mut self, ticket: &Credential) -> Result<(), TransferRefusal> {
        self.principal(&ticket.client)?;
        self.principal(&ticket.server)?;
        self.key(&ticket.key)?;
        let times = ticket.times;
        for time in [times.authtime, times.starttime, times.endtime, times.renew_till] {
            self.octets(&time.0.to_be_bytes());
        }
        self.octets(&ticket.flags.0.to_be_bytes());
        self.long(&ticket.ticket)
    }
}

/// A key; `None` where an enctype of 0 stands for none.
pub(super) fn read_key(reader: &mut Reader<'_>) -> Result<Option<SessionKey>, TransferRefusal> {
    let number = i32::from(reader.u8()?);
    if number == 0 {
        return Ok(None);
    }
    let enctype = Enctype::from_number(number).ok_or(TransferRefusal::Damaged)?;
    let key = Key::new(enctype, reader.take(enctype.key_len())?).map_err(|_| TransferRefusal::Damaged)?;
    Ok(Some(SessionKey::from(key)))
}

fn read_vouched(reader: &mut Reader<'_>) -> Result<Vouched, TransferRefusal> {
    let pac = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return Err(TransferRefusal::Damaged),
    };
    let mut indicators = Vec::new();
    for _ in 0..reader.u16()? {
        indicators.push(read_text(reader)?.to_owned());
    }
    Ok(Vouched { indicators: indicators.into(), pac })
}

fn read_principal(reader: &mut Reader<'_>) -> Result<Principal, TransferRefusal> {
    let name_type = NameType(reader.i32()?);
    let realm = read_text(reader)?;
    let count = reader.u16()?;
    if count == 0 {
        return Err(TransferRefusal::Damaged);
    }
    let components = (0..count).map(|_| read_text(reader)).collect::<Result<Vec<_>, _>>()?;
    Ok(Principal::new(name_type, components, realm))
}

fn read_text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, TransferRefusal> {
    std::str::from_utf8(reader.counted_u16()?).map_err(|_| TransferRefusal::Damaged)
}

fn read_credential(reader: &mut Reader<'_>) -> Result<InitiatorCredential, TransferRefusal> {
    let offset = reader.i64()?;
    let client = read_principal(reader)?;
    let mut tickets = Vec::new();
    for _ in 0..reader.u16()? {
        tickets.push(read_ticket(reader)?);
    }
    Ok(InitiatorCredential::new(client, tickets, offset))
}

fn read_ticket(reader: &mut Reader<'_>) -> Result<Credential, TransferRefusal> {
    Ok(Credential {
        client: read_principal(reader)?,
        server: read_principal(reader)?,
        key: Arc::new(read_key(reader)?.ok_or(TransferRefusal::Damaged)?),
        times: TicketTimes {
            authtime: KerberosTime(reader.i64()?),
            starttime: KerberosTime(reader.i64()?),
            endtime: KerberosTime(reader.i64()?),
            renew_till: KerberosTime(reader.i64()?),
        },
        flags: TicketFlags(reader.u32()?),
        in_session_key: false,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: reader.counted_u32()?.into(),
        second_ticket: Arc::new([]),
    })
}

impl From<Truncated> for TransferRefusal {
    fn from(_: Truncated) -> Self {
        Self::Damaged
    }
}

#[cfg(test)]
mod tests {
    use orthros_wire::testing::{ManualClock, SeededRandom};

    use super::*;

    fn context() -> Established {
        let key = |octet| SessionKey::from(Key::new(Enctype::Aes128CtsHmacSha1, &[octet; 16]).unwrap());
        let window = Window { first: 1, next: 9, seen: 0b1011 };
        let element = |number, octets: &[u8]| TypedOctets { number, octets: octets.into() };
        let name = |text: &str, kind| text.parse::<Principal>().unwrap().with_name_type(NameType(kind));
        Established {
            initiator: name("al\\/ice/ad\\@min@TEST", -128),
            acceptor: name("host/x@TEST", 3),
            end: KerberosTime(-5),
            authtime: KerberosTime(-7),
            ticket_flags: TicketFlags(0x4080_0000),
            late_error: OnceLock::new(),
            protection: Protection::new(Role::Acceptor, Flags(0x1ff), key(1), Some(key(2)), u64::MAX, window),
            delegated: None,
            // No KDC of the tests puts any in.
            authorization_data: Some(Arc::new([element(128, b"PAC"), element(-1, b"")])),
            vouched: Vouched { indicators: Box::new(["otp".into(), String::new()]), pac: true },
            env: Env::new(ManualClock::new(0), SeededRandom::new(1)),
        }
    }

    #[test]
    fn what_was_written_is_read_whole() {
        let context = context();
        let state = write(&context).unwrap();
        let read = read(state.expose_octets(), context.env.clone()).unwrap();
        assert_eq!(read.authorization_data, context.authorization_data);
        assert_eq!(read.vouched, context.vouched);
        assert_eq!((&read.initiator, read.end), (&context.initiator, context.end));
        assert_eq!(read.initiator.name_type(), NameType(-128));
        assert_eq!(*read.protection.window(), *context.protection.window());
        assert!(write(&read).unwrap().ct_eq(&state));
    }

    #[test]
    fn the_first_octet_is_the_role_and_whether_iakerb_brought_the_context_up() {
        for (octet, role, mechanism) in [
            (0, Role::Initiator, &KRB5),
            (1, Role::Acceptor, &KRB5),
            (2, Role::Initiator, &IAKERB),
            (3, Role::Acceptor, &IAKERB),
        ] {
            let mut context = context();
            (context.protection.role, context.protection.mechanism) = (role, mechanism);
            let state = write(&context).unwrap();
            assert_eq!(state.expose_octets()[0], octet);
            let read = read(state.expose_octets(), context.env.clone()).unwrap().protection;
            assert_eq!((read.role, read.mechanism), (role, mechanism));
        }
    }

    #[test]
    fn a_cut_or_prolonged_state_is_damaged() {
        let context = context();
        let state = write(&context).unwrap();
        let octets = state.expose_octets();
        for length in 0..octets.len() {
            let read = read(&octets[..length], context.env.clone());
            assert_eq!(read.map(|_| ()), Err(TransferRefusal::Damaged), "{length} octets");
        }
        let longer = [octets, &[0]].concat();
        assert_eq!(read(&longer, context.env.clone()).map(|_| ()), Err(TransferRefusal::Damaged));
    }
}
