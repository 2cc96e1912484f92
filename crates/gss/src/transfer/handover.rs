//! Handover: a context goes to a peer that is there, at most once, without a sealing key and without a ledger.
//!
//! Whoever carries these octets must know who is at the other end, and that nobody else reads along: a Unix socket does
//! (floor 5 has the driver). Here are the two ends as states:
//!
//! ```text
//! giver                                   taker
//! Giving::offer      ── state ──────────> Taking::read
//! Giving::confirmed  <─ acknowledgement── Taking::acknowledgement
//!   the context dies here
//! Given::commit      ── one octet ──────> Taking::committed
//!                                           the context lives here
//! ```
//!
//! Up to the acknowledgement the giver has the context, untouched, whatever happens. From then on it is gone here; the
//! taker has it once the last octet came, and can't use it before. If that octet is lost, so is the context: that is the
//! price of at most once.
//!
//! A frame is 8 octets and a body: `OH`, version 1, type, length of the body(4, big-endian). The last octet has no frame,
//! so that it can't come in halves.
//!
//! | type | body |
//! |---|---|
//! | 1 offer | id(16, random), state as `state.rs` has it |
//! | 2 acknowledgement | id(16) |
//! | 3 refusal | why, for people (at most 1024 octets) |

use std::fmt;

use orthros_wire::{Reader, SecretBytes};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Kept, TransferRefusal, state};
use crate::context::Settings;
use crate::context::established::Established;
use crate::{Context, Error, Flags};

/// Octets of a frame before its body.
pub const FRAME: usize = 8;
/// What the giver's last octet is.
pub const COMMIT: u8 = b'C';
/// No body is longer than this many octets: 1 MiB.
pub const LONGEST_BODY: u32 = 1 << 20;
/// No refusal's text is longer than this many octets.
const LONGEST_REFUSAL: usize = 1024;

const MAGIC: [u8; 3] = *b"OH\x01";

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    /// The state.
    Offer,
    /// The taker has it whole.
    Acknowledgement,
    /// The taker does not want it.
    Refusal,
}

impl FrameType {
    const fn octet(self) -> u8 {
        match self {
            Self::Offer => 1,
            Self::Acknowledgement => 2,
            Self::Refusal => 3,
        }
    }

    /// The longest body, in octets.
    const fn longest(self) -> u32 {
        match self {
            Self::Offer => LONGEST_BODY,
            Self::Acknowledgement => 16,
            Self::Refusal => 1024,
        }
    }
}

/// The type of a frame and the length of the body behind it, in octets. So much a driver may read: at most
/// [`LONGEST_BODY`].
///
/// # Errors
/// [`TransferRefusal::Peer`] if it is no frame, or its body would be too long.
pub fn frame(head: [u8; FRAME]) -> Result<(FrameType, u32), TransferRefusal> {
    let [m0, m1, m2, octet, length @ ..] = head;
    let known = [FrameType::Offer, FrameType::Acknowledgement, FrameType::Refusal];
    let kind = known.into_iter().find(|kind| [m0, m1, m2] == MAGIC && kind.octet() == octet);
    let kind = kind.ok_or_else(|| TransferRefusal::Peer("it sends something else than a handover".into()))?;
    let length = u32::from_be_bytes(length);
    if length > kind.longest() {
        return Err(TransferRefusal::Peer(format!("it announces {length} octets, more than there can be")));
    }
    Ok((kind, length))
}

fn framed(kind: FrameType, parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, TransferRefusal> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let announced = u32::try_from(length).ok().filter(|length| *length <= kind.longest());
    let announced = announced.ok_or(TransferRefusal::TooLarge)?;
    let mut whole = Zeroizing::new(Vec::with_capacity(FRAME + length));
    whole.extend_from_slice(&MAGIC);
    whole.push(kind.octet());
    whole.extend_from_slice(&announced.to_be_bytes());
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    Ok(whole)
}

impl Context {
    /// Begins to hand the context over. Until [`Giving::confirmed`] it can be had back, untouched.
    ///
    /// ```
    /// # use orthros_gss::{Context, Error, Settings, transfer::{handover::Taking, Kept}};
    /// // What goes to and fro between two processes, here in one.
    /// fn moved(context: Context, settings: &Settings) -> Result<Context, Box<dyn std::error::Error>> {
    ///     let giving = context.hand_over()?;
    ///     let taking = Taking::read(giving.body(), settings)?;
    ///     let given = giving.confirmed(&taking.acknowledgement_body())?;
    ///     Ok(taking.committed(given.commit())?)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Context::export`].
    pub fn hand_over(self) -> Result<Giving, Kept> {
        let mut id = [0; 16];
        self.0.env.random.fill(&mut id);
        let offer = self.check_exportable().and_then(|()| {
            let state = state::write(&self.0)?;
            Ok(framed(FrameType::Offer, &[&id, state.expose_octets()])?)
        });
        match offer {
            Ok(offer) => Ok(Giving { context: self, id, offer: offer.into() }),
            Err(error) => Err(Kept { context: self, error }),
        }
    }
}

/// A context that is being given away, and can still be kept.
#[must_use]
pub struct Giving {
    context: Context,
    id: [u8; 16],
    offer: SecretBytes,
}

impl Giving {
    /// The frame for the taker. Whoever reads it can do everything that the context can.
    pub fn offer(&self) -> &[u8] {
        self.offer.expose_octets()
    }

    /// The body of that frame.
    pub fn body(&self) -> &[u8] {
        self.offer.expose_octets().get(FRAME..).unwrap_or_default()
    }

    /// The body of the taker's acknowledgement came: the context dies here.
    ///
    /// # Errors
    /// [`Kept`] gives the context back, untouched, if it acknowledges something else.
    pub fn confirmed(self, acknowledgement: &[u8]) -> Result<Given, Kept> {
        if bool::from(acknowledgement.ct_eq(&self.id)) {
            // Dropping the context wipes its keys.
            return Ok(Given(()));
        }
        Err(self.kept(TransferRefusal::Peer("it acknowledges something else".into()).into()))
    }

    /// The body of a taker's refusal came.
    pub fn refused(self, reason: &[u8]) -> Kept {
        let text: String =
            String::from_utf8_lossy(reason).chars().filter(|letter| !letter.is_control()).collect();
        self.kept(TransferRefusal::Peer(format!("it refuses: {text}")).into())
    }

    /// It came to nothing: the context goes on here. Nothing may be sent to the taker any more.
    pub fn kept(self, error: Error) -> Kept {
        Kept { context: self.context, error }
    }
}

impl fmt::Debug for Giving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Giving({:?})", self.context)
    }
}

/// The context is not here any more: only a confirmed [`Giving`] becomes one.
#[derive(Debug)]
#[must_use]
pub struct Given(());

impl Given {
    /// What is left to send. Sent twice or not at all it does no harm here.
    pub fn commit(&self) -> u8 {
        COMMIT
    }
}

/// A context that has come and must not be used yet.
#[must_use]
pub struct Taking {
    id: [u8; 16],
    established: Established,
}

impl Taking {
    /// Reads the body of an offer.
    ///
    /// # Errors
    /// [`TransferRefusal`]: damaged, expired, or transfer is switched off here.
    pub fn read(body: &[u8], settings: &Settings) -> Result<Self, TransferRefusal> {
        if !settings.transfer {
            return Err(TransferRefusal::Unavailable);
        }
        let mut reader = Reader::new(body);
        let id = reader.array()?;
        let mut established = state::read(reader.rest(), settings.env.clone())?;
        let ended = established.end.into();
        if ended <= settings.env.clock.now() {
            return Err(TransferRefusal::Expired { ended });
        }
        established.protection.flags = established.protection.flags | Flags::TRANSFERABLE;
        Ok(Self { id, established })
    }

    /// The frame that acknowledges it.
    pub fn acknowledgement(&self) -> Vec<u8> {
        [&MAGIC[..], &[FrameType::Acknowledgement.octet()], &16_u32.to_be_bytes(), &self.id].concat()
    }

    /// The body of that frame.
    pub fn acknowledgement_body(&self) -> [u8; 16] {
        self.id
    }

    /// The giver's last octet came: the context lives here now.
    ///
    /// # Errors
    /// [`TransferRefusal::Peer`] if it is another octet.
    pub fn committed(self, octet: u8) -> Result<Context, TransferRefusal> {
        if octet != COMMIT {
            return Err(TransferRefusal::Peer(
                "it does not commit, and has the context still or has lost it".into(),
            ));
        }
        Ok(Context(self.established))
    }
}

impl fmt::Debug for Taking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Taking({} -> {})", self.established.initiator, self.established.acceptor)
    }
}

/// The frame of a refusal, which says why as far as there is room.
pub fn refusal(why: &str) -> Vec<u8> {
    let room = why.len().min(LONGEST_REFUSAL);
    let end = (0..=room).rev().find(|end| why.is_char_boundary(*end)).unwrap_or(0);
    let (text, _) = why.as_bytes().split_at(end);
    let length = u32::try_from(end).unwrap_or(0).to_be_bytes();
    [&MAGIC[..], &[FrameType::Refusal.octet()], &length, text].concat()
}
