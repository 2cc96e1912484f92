//! Suspend and resume: an acceptor's context on its way up becomes a cookie, and goes on from it elsewhere.
//!
//! For acceptors behind a load balancer, where the initiator's next token may come to another process, or to another
//! machine: the cookie goes wherever the next token goes, in a session or through the initiator itself. It is sealed as
//! contexts are ([`super::seal`]), of a type of its own, lives [`LONGEST`] seconds at most, and is spent when the context
//! goes on. Contexts on their way up never leave by [`export`](mod@super::export).
//!
//! What lies under the seal, all numbers big-endian:
//!
//! ```text
//! where it stands(1), then:
//!   0  before the first token: nothing
//!   1  DCE style, the initiator's last token is awaited:
//!          number awaited(4)  session key: enctype(1) octets  context(4+n)
//!   2  a negotiation:
//!          proof(1): 1 due, 2 sent, 4 verified    list(4+n)
//!          MIC of the peer's, not verified yet: 0(1), or 1(1) and (2+n)
//!          choice to be told: 0(1), or 1(1) and (2+n)
//!          the mechanism within: 1 as above, 3 Kerberos' first token is awaited, 4 up: context(4+n)
//!   5  IAKERB, requests are carried:
//!          requests(1)  tokens(4+n)
//! context: as `state.rs` has it
//! ```
//!
//! Deliberately not in it: what belongs to the acceptor (keys, channel bindings, what is demanded of the initiator). The
//! [`Accept`] with which it goes on brings them. Initiators are not suspended: no balancer stands before them.

use std::fmt;

use orthros_crypto::SessionKey;
use orthros_wire::{Oid, Reader, SecretBytes, Timestamp};
use zeroize::Zeroizing;

use super::import::{Moved, Opened};
use super::seal::Kind;
use super::{Seal, TransferRefusal, state};
use crate::context::established::Established;
use crate::context::step::Awaiting;
use crate::context::{Accept, After, AwaitToken, Need, NeedSpend, Settings, Step, Within};
use crate::mech::iakerb::acceptor::Carrier;
use crate::mech::krb5::acceptor::{Acceptor, Finishing};
use crate::mech::spnego::acceptor::Chosen;
use crate::mech::spnego::{self, Proof};
use crate::{Context, Error, Flags};

/// For how many seconds a cookie is good at most.
pub const LONGEST: i64 = 120;

/// A suspension that failed: the context is untouched and goes on.
pub struct KeptWaiting {
    /// The context, as it was.
    pub waiting: AwaitToken,
    /// Why it could not be suspended.
    pub error: Error,
}

impl fmt::Debug for KeptWaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptWaiting({:?}, {})", self.waiting, self.error)
    }
}

impl fmt::Display for KeptWaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the context on its way up stays here: {}", self.error)
    }
}

impl std::error::Error for KeptWaiting {}

impl AwaitToken {
    /// Gives up an acceptor's context that waits for the initiator, and returns a cookie with which
    /// [`Accept::resume`] goes on, once, within [`LONGEST`] seconds.
    ///
    /// ```
    /// # use orthros_gss::{Accept, Need, Settings, Step, transfer::SealingKey};
    /// # fn send(_: &[u8]) {} fn answer(_: Need) -> Step { panic!() }
    /// fn turn(
    ///     mut step: Step,
    ///     key: &SealingKey,
    ///     settings: &Settings,
    /// ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    ///     loop {
    ///         step = match step {
    ///             Step::Send(owed) => {
    ///                 send(owed.token());
    ///                 owed.sent()
    ///             }
    ///             Step::Receive(wait) => return Ok(wait.suspend(key, settings)?),
    ///             Step::Need(need) => answer(need),
    ///             Step::Done(_) => return Err("no need to suspend it".into()),
    ///             Step::Failed(error) => return Err(error.into()),
    ///         }
    ///     }
    /// }
    ///
    /// fn next_turn(cookie: &[u8], token: &[u8], key: &SealingKey, accept: Accept) -> Step {
    ///     match accept.resume(cookie, key) {
    ///         Step::Need(need) => match answer(need) {
    ///             Step::Receive(wait) => wait.token(token),
    ///             other => other,
    ///         },
    ///         other => other,
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`KeptWaiting`] gives the context back, untouched: [`TransferRefusal::Initiator`],
    /// [`TransferRefusal::Unavailable`] if transfer is switched off, [`TransferRefusal::TooLarge`].
    pub fn suspend<'s>(self, seal: impl Into<Seal<'s>>, settings: &Settings) -> Result<Vec<u8>, KeptWaiting> {
        match cookie(&self, seal.into(), settings) {
            // Dropping what waits wipes its keys.
            Ok(cookie) => Ok(cookie),
            Err(refusal) => Err(KeptWaiting { waiting: self, error: refusal.into() }),
        }
    }
}

fn cookie(waiting: &AwaitToken, seal: Seal<'_>, settings: &Settings) -> Result<Vec<u8>, TransferRefusal> {
    let mut writer = Writer::default();
    writer.waiting(waiting)?;
    if !settings.transfer || writer.stays {
        return Err(TransferRefusal::Unavailable);
    }
    let now = settings.env.clock.now();
    let latest = Timestamp::from_seconds(now.seconds.saturating_add(LONGEST));
    let until = writer.end.map_or(latest, |end| end.min(latest));
    seal.seal(Kind::HalfOpen, &writer.joined(), until, &*settings.env.random)
}

impl Accept {
    /// Goes on with a context that was [suspended](AwaitToken::suspend), here or elsewhere. If the cookie is whole and
    /// good, the step is a [`Need::Spend`], then [`Step::Receive`]; a cookie that is refused is not spent. Keys, channel
    /// bindings and what is demanded of the initiator are those of this `Accept`.
    pub fn resume<'s>(self, cookie: &[u8], seal: impl Into<Seal<'s>>) -> Step {
        match open(self, cookie, seal.into()) {
            Ok(opened) => {
                Step::Need(Need::Spend(NeedSpend { opened: Box::new(opened), within: Within::default() }))
            }
            Err(refusal) => Step::fail(refusal),
        }
    }
}

/// Whether a cookie is whole and in time, and its key and what it demands are at hand: what can be said before there is an
/// [`Accept`] to go on with. It is not spent, and may have been.
///
/// # Errors
/// What [`Accept::resume`] would answer.
pub fn check<'s>(
    cookie: &[u8],
    seal: impl Into<Seal<'s>>,
    settings: &Settings,
) -> Result<(), TransferRefusal> {
    if !settings.transfer {
        return Err(TransferRefusal::Unavailable);
    }
    seal.into().open(Kind::HalfOpen, cookie, settings.env.clock.now()).map(drop)
}

fn open(accept: Accept, cookie: &[u8], seal: Seal<'_>) -> Result<Opened, TransferRefusal> {
    if !accept.settings.transfer {
        return Err(TransferRefusal::Unavailable);
    }
    let now = accept.settings.env.clock.now();
    let unsealed = seal.open(Kind::HalfOpen, cookie, now)?;
    let waiting = read(unsealed.state(), accept)?;
    Ok(Opened { id: unsealed.id, until: unsealed.until, now, moved: Moved::HalfOpen(waiting) })
}

const FIRST: u8 = 0;
const FINISHING: u8 = 1;
const NEGOTIATING: u8 = 2;
const KERBEROS: u8 = 3;
const UP: u8 = 4;
const CARRYING: u8 = 5;

/// Collects the octets. Parts with keys in them are whole when they come, and are joined once their length is known: no
/// buffer grows and leaves a copy.
#[derive(Default)]
struct Writer {
    parts: Vec<SecretBytes>,
    /// When the context in it ends, of which there is one at most.
    end: Option<Timestamp>,
    /// Whether its acceptor does not want it to move.
    stays: bool,
}

impl Writer {
    fn waiting(&mut self, waiting: &AwaitToken) -> Result<(), TransferRefusal> {
        match &waiting.0 {
            Awaiting::First(accept) => {
                self.plain(&[FIRST]);
                self.asked_of(accept);
                Ok(())
            }
            Awaiting::Finishing(finishing) => self.finishing(finishing),
            Awaiting::Chosen(chosen) => self.chosen(chosen),
            Awaiting::Carrier(carrier) => {
                let (requests, tokens) = carrier.conversation.carried();
                self.plain(&[CARRYING, requests]);
                self.asked_of(&carrier.accept);
                self.counted(SecretBytes::copy_of(tokens))
            }
            Awaiting::Acceptor(acceptor) => {
                self.plain(&[KERBEROS]);
                self.asked_of(&acceptor.accept);
                Ok(())
            }
            Awaiting::Carrying(_)
            | Awaiting::Discovering(_)
            | Awaiting::Initiator(_)
            | Awaiting::Offered(_) => Err(TransferRefusal::Initiator),
        }
    }

    fn asked_of(&mut self, accept: &Accept) {
        self.stays = !accept.settings.transfer;
    }

    fn finishing(&mut self, finishing: &Finishing) -> Result<(), TransferRefusal> {
        let key = &finishing.session_key;
        let enctype = u8::try_from(key.enctype().number()).map_err(|_| TransferRefusal::TooLarge)?;
        self.plain(&[FINISHING]);
        self.plain(&finishing.sequence.to_be_bytes());
        self.plain(&[enctype]);
        self.parts.push(SecretBytes::copy_of(key.expose_octets()));
        self.context(&finishing.context)
    }

    fn chosen(&mut self, chosen: &Chosen) -> Result<(), TransferRefusal> {
        let proof = &chosen.acceptor.proof;
        let bits = u8::from(proof.due) + 2 * u8::from(proof.sent) + 4 * u8::from(proof.verified);
        self.plain(&[NEGOTIATING, bits]);
        self.counted(SecretBytes::copy_of(&proof.list))?;
        self.optional(proof.received.as_deref())?;
        self.optional(chosen.acceptor.chosen.as_ref().map(Oid::content))?;
        match &chosen.inner {
            After::Receive(inner) => self.waiting(inner),
            After::Done(context) => {
                self.plain(&[UP]);
                self.context(context)
            }
            // What has failed waits for nothing.
            After::Failed(_) => Err(TransferRefusal::Damaged),
        }
    }

    fn context(&mut self, context: &Context) -> Result<(), TransferRefusal> {
        self.end = Some(context.end());
        self.stays = !context.flags().contains(Flags::TRANSFERABLE);
        self.counted(state::write(&context.0)?)
    }

    fn optional(&mut self, octets: Option<&[u8]>) -> Result<(), TransferRefusal> {
        let Some(octets) = octets else {
            self.plain(&[0]);
            return Ok(());
        };
        let length = u16::try_from(octets.len()).map_err(|_| TransferRefusal::TooLarge)?;
        self.plain(&[1]);
        self.plain(&length.to_be_bytes());
        self.plain(octets);
        Ok(())
    }

    fn counted(&mut self, octets: SecretBytes) -> Result<(), TransferRefusal> {
        let length = u32::try_from(octets.expose_octets().len()).map_err(|_| TransferRefusal::TooLarge)?;
        self.plain(&length.to_be_bytes());
        self.parts.push(octets);
        Ok(())
    }

    fn plain(&mut self, octets: &[u8]) {
        self.parts.push(SecretBytes::copy_of(octets));
    }

    fn joined(&self) -> Zeroizing<Vec<u8>> {
        let parts = || self.parts.iter().map(SecretBytes::expose_octets);
        let mut joined = Zeroizing::new(Vec::with_capacity(parts().map(<[u8]>::len).sum()));
        parts().for_each(|part| joined.extend_from_slice(part));
        joined
    }
}

fn read(octets: &[u8], accept: Accept) -> Result<AwaitToken, TransferRefusal> {
    let mut reader = Reader::new(octets);
    let waiting = match reader.u8()? {
        FIRST => AwaitToken::accepting(accept),
        FINISHING => AwaitToken::finishing(read_finishing(&mut reader, &accept)?),
        NEGOTIATING => AwaitToken::chosen(read_chosen(&mut reader, accept)?),
        KERBEROS => AwaitToken::krb5(Acceptor::new(accept)),
        CARRYING => {
            // Whether requests are carried is for this acceptor to say.
            if !accept.carries {
                return Err(TransferRefusal::Unavailable);
            }
            let (requests, tokens) = (reader.u8()?, reader.counted_u32()?);
            AwaitToken::carrier(Carrier::resumed(accept, requests, tokens).ok_or(TransferRefusal::Damaged)?)
        }
        _ => return Err(TransferRefusal::Damaged),
    };
    if reader.is_empty() { Ok(waiting) } else { Err(TransferRefusal::Damaged) }
}

fn read_finishing(reader: &mut Reader<'_>, accept: &Accept) -> Result<Finishing, TransferRefusal> {
    let sequence = reader.u32()?;
    let session_key: SessionKey = state::read_key(reader)?.ok_or(TransferRefusal::Damaged)?;
    Ok(Finishing { context: read_context(reader, accept)?, session_key, sequence })
}

fn read_chosen(reader: &mut Reader<'_>, accept: Accept) -> Result<Chosen, TransferRefusal> {
    let bits = reader.u8()?;
    if bits > 7 {
        return Err(TransferRefusal::Damaged);
    }
    let [due, sent, verified] = [1, 2, 4].map(|bit| bits & bit != 0);
    let due = due || accept.offer_proved;
    let list = reader.counted_u32()?.to_vec();
    let received = read_optional(reader)?.map(<[u8]>::to_vec);
    let chosen = read_optional(reader)?
        .map(|octets| Oid::from_content(octets).map_err(|_| TransferRefusal::Damaged))
        .transpose()?;
    let inner = match reader.u8()? {
        FINISHING => After::Receive(AwaitToken::finishing(read_finishing(reader, &accept)?)),
        KERBEROS => After::Receive(AwaitToken::krb5(Acceptor::new(accept))),
        UP => After::Done(read_context(reader, &accept)?),
        _ => return Err(TransferRefusal::Damaged),
    };
    let proof = Proof { list, due, sent, verified, received };
    Ok(Chosen { acceptor: spnego::acceptor::Acceptor { proof, chosen }, inner })
}

fn read_optional<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, TransferRefusal> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(reader.counted_u16()?)),
        _ => Err(TransferRefusal::Damaged),
    }
}

fn read_context(reader: &mut Reader<'_>, accept: &Accept) -> Result<Context, TransferRefusal> {
    let established: Established = state::read(reader.counted_u32()?, accept.settings.env.clone())?;
    Ok(Context(established))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orthros_krb5::{Env, Keytab};
    use orthros_wire::testing::{ManualClock, SeededRandom};

    use super::*;
    use crate::AcceptorCredential;
    use crate::transfer::SealingKey;

    fn settings() -> Settings {
        let env = Env::new(ManualClock::new(0), SeededRandom::new(1));
        Settings { config: Arc::default(), env, transfer: true }
    }

    fn acceptor() -> Accept {
        Accept::new(&settings(), AcceptorCredential::any(Arc::new(Keytab::default())))
    }

    /// In a negotiation, Kerberos' first token is awaited.
    fn negotiating(accept: Accept, proof: Proof) -> AwaitToken {
        let inner = After::Receive(AwaitToken::krb5(Acceptor::new(accept)));
        let acceptor = spnego::acceptor::Acceptor { proof, chosen: None };
        AwaitToken::chosen(Chosen { acceptor, inner })
    }

    fn proof([due, sent, verified]: [bool; 3]) -> Proof {
        Proof { list: b"list".to_vec(), due, sent, verified, received: None }
    }

    #[test]
    fn what_is_due_sent_and_verified_of_a_proof_is_not_forgotten() {
        for bits in 0..8 {
            let facts = [1, 2, 4].map(|bit| bits & bit != 0);
            let mut writer = Writer::default();
            writer.waiting(&negotiating(acceptor(), proof(facts))).unwrap();
            let mut octets = writer.joined();
            assert_eq!(octets[..2], [NEGOTIATING, bits]);
            for (accept, demanded) in [(acceptor(), false), (acceptor().offer_proved(), true)] {
                let Awaiting::Chosen(resumed) = read(&octets, accept).unwrap().0 else { panic!() };
                let Proof { due, sent, verified, .. } = resumed.acceptor.proof;
                assert_eq!([due, sent, verified], [facts[0] || demanded, facts[1], facts[2]]);
            }
            octets[1] |= 8;
            assert_eq!(read(&octets, acceptor()).map(|_| ()), Err(TransferRefusal::Damaged));
        }
    }

    #[test]
    fn an_acceptor_that_stays_is_not_suspended_by_somebody_who_would() {
        let key = SealingKey::new(vec![1; 32].into(), b"boot");
        let carrying = |accept| AwaitToken::carrier(Carrier::resumed(accept, 0, b"").unwrap());
        let all: [fn(Accept) -> AwaitToken; 3] =
            [AwaitToken::accepting, |accept| negotiating(accept, proof([false; 3])), carrying];
        for waiting in all {
            assert!(waiting(acceptor()).suspend(&key, &settings()).is_ok());
            let kept = waiting(acceptor().stays()).suspend(&key, &settings()).unwrap_err();
            assert_eq!(kept.error, Error::Transfer(TransferRefusal::Unavailable));
        }
    }
}
