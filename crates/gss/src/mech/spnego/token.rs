//! The tokens of a negotiation, as octets (RFC 4178 §4.2).
//!
//! The initiator's first token is framed (RFC 2743 §3.1) and holds `[0] NegTokenInit`; all others are `[1] NegTokenResp`
//! alone. Deliberately not here: what the fields mean.

use orthros_wire::Oid;
use orthros_wire::der::{
    AnyTlv, Decode, DerError, DerReader, DerWriter, Encode, Enumerated, GeneralString, Raw, Tag,
};
use orthros_wire::sequence;

use crate::error::BadToken;
use crate::framing;
use crate::mechanism::SPNEGO_OID;

const INIT: Tag = Tag::context(0);
const RESPONSE: Tag = Tag::context(1);

sequence! {
    /// The initiator's first token (§4.2.1).
    pub struct NegTokenInit<'a> {
        /// The mechanisms that the initiator offers, the preferred one first. Its octets are what the MICs cover.
        0 => mech_types: Raw<'a, Vec<Oid>>,
        /// Flags that nobody protects, so that nobody uses them.
        1 => req_flags: Option<AnyTlv<'a>>,
        /// The first token of the preferred mechanism.
        2 => mech_token: Option<&'a [u8]>,
        /// A MIC over `mech_types`.
        3 => mech_list_mic: Option<&'a [u8]>,
        => later
    }
}

sequence! {
    /// Every other token (§4.2.2).
    pub struct NegTokenResp<'a> {
        /// How far the negotiation is; see [`NegState`].
        0 => neg_state: Option<Enumerated>,
        /// The mechanism that the acceptor chose; in its first token.
        1 => supported_mech: Option<Oid>,
        /// A token of that mechanism.
        2 => response_token: Option<&'a [u8]>,
        /// A MIC over the list of mechanisms.
        3 => mech_list_mic: Option<&'a [u8]>,
        => later
    }
}

sequence! {
    /// What an acceptor says that speaks first (MS-SPNG §2.2.1).
    pub struct Hints<'a> {
        /// A text that the protocol ignores.
        0 => hint_name: GeneralString<'a>,
    }
}

sequence! {
    /// The first token of an acceptor that speaks first.
    pub struct NegTokenInit2<'a> {
        /// The mechanisms that it has.
        0 => mech_types: Vec<Oid>,
        /// Its hints.
        3 => hints: Hints<'a>,
    }
}

/// How far a negotiation is, by the sender's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NegState {
    /// The context is up; nothing more is expected.
    Completed,
    /// A token of the peer's is expected.
    Incomplete,
    /// It failed.
    Reject,
    /// As `Incomplete`, and the list must be proved by MICs.
    RequestMic,
}

impl NegState {
    const ALL: [(Self, i32); 4] =
        [(Self::Completed, 0), (Self::Incomplete, 1), (Self::Reject, 2), (Self::RequestMic, 3)];

    /// The state that a token tells. One without is incomplete: initiators need not name a state, and old acceptors
    /// do not.
    pub(crate) fn of(token: &NegTokenResp<'_>) -> Result<Self, BadToken> {
        let Some(Enumerated(number)) = token.neg_state else { return Ok(Self::Incomplete) };
        let known = Self::ALL.into_iter().find(|(_, known)| *known == number);
        known.map(|(state, _)| state).ok_or(BadToken::Malformed)
    }

    pub(crate) fn number(self) -> Enumerated {
        let known = Self::ALL.into_iter().find(|(state, _)| *state == self);
        Enumerated(known.map_or(1, |(_, number)| number))
    }
}

/// The list of mechanisms, as the MICs cover it.
pub(crate) fn list(mechanisms: &[Oid]) -> Vec<u8> {
    mechanisms.to_vec().to_der()
}

impl<'a> NegTokenInit<'a> {
    /// Reads what is in a framed token.
    pub(crate) fn read(inner: &'a [u8]) -> Result<Self, BadToken> {
        read(inner, INIT)
    }

    /// A framed token that offers the mechanisms of `list` and bears a token of the first one.
    pub(crate) fn write(list: &[u8], mech_token: &[u8]) -> Result<Vec<u8>, BadToken> {
        let mech_types = Raw::from_der(list).map_err(|_| BadToken::Malformed)?;
        let init =
            NegTokenInit { mech_types, req_flags: None, mech_token: Some(mech_token), mech_list_mic: None };
        Ok(framing::frame(&SPNEGO_OID, &[&write(INIT, &init)]))
    }
}

impl<'a> NegTokenResp<'a> {
    /// Reads a token.
    pub(crate) fn read(token: &'a [u8]) -> Result<Self, BadToken> {
        let response: Self = read(token, RESPONSE)?;
        // Windows 2000 repeats the mechanism's token where the MIC belongs (MS-SPNG, appendix).
        let repeated = response.mech_list_mic.is_some() && response.mech_list_mic == response.response_token;
        Ok(Self { mech_list_mic: response.mech_list_mic.filter(|_| !repeated), ..response })
    }

    /// The token's octets.
    pub(crate) fn write(&self) -> Vec<u8> {
        write(RESPONSE, self)
    }
}

/// A token after the offer.
pub(crate) fn respond(
    state: NegState,
    chosen: Option<&Oid>,
    token: Option<&[u8]>,
    mic: Option<&[u8]>,
) -> Vec<u8> {
    NegTokenResp {
        neg_state: Some(state.number()),
        supported_mech: chosen.cloned(),
        response_token: token,
        mech_list_mic: mic,
    }
    .write()
}

/// The first token of an acceptor that speaks first: which mechanisms it has.
pub(crate) fn hints(mechanisms: &[Oid]) -> Vec<u8> {
    let hints = Hints { hint_name: GeneralString("not_defined_in_RFC4178@please_ignore") };
    let init = NegTokenInit2 { mech_types: mechanisms.to_vec(), hints };
    framing::frame(&SPNEGO_OID, &[&write(INIT, &init)])
}

fn read<'a, T: Decode<'a>>(octets: &'a [u8], tag: Tag) -> Result<T, BadToken> {
    let value = |octets: &'a [u8]| -> Result<T, DerError> {
        let mut reader = DerReader::new(octets);
        let content = reader.expect(tag)?;
        reader.finish()?;
        T::from_der(content)
    };
    value(octets).map_err(|_| BadToken::Malformed)
}

fn write(tag: Tag, value: &impl Encode) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.value(tag, |writer| value.encode(writer));
    writer.finish()
}
