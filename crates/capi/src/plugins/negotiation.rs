//! Plug-ins beneath SPNEGO (RFC 4178): what is negotiated here is a plug-in's mechanism, alone or where Kerberos was offered
//! beside it.
//!
//! What the negotiation's tokens say is floor 4's business ([`orthros_gss::negotiation`]); here are the calls of the
//! plug-in between them. NTLM, whose MICs use up its RC4 stream, has two requirements of its own, which MIT krb5 answers as
//! here: it is asked whether it wants the list of mechanisms signed, and told to begin its stream anew after each such MIC
//! (MS-SPNG §3.3.5.1).

use std::cell::Cell;
use std::sync::Arc;

use orthros::Major;
use orthros_gss::error::{BadToken, Refusal};
use orthros_gss::negotiation::{
    Acceptor, Choice, Elsewhere, Heard, Initiator, NeedElsewhere, Say, Signs, Standing,
};
use orthros_gss::{Error, Flags};
use orthros_wire::Oid;

use super::contexts::{Acceptance, Initiation, tell_peer};
use super::credentials::{self, Source, Wish};
use super::functions::{Done, Object};
use super::names::Lent;
use super::objects::{Element, ForeignContext, What, keep_negotiating};
use super::{NTLMSSP, Plugin, all, find, load};
use crate::abi::{GssBuffer, Handle, OmUint32, USAGE_ACCEPT, USAGE_INITIATE};
use crate::calls::credentials::credential;
use crate::memory::BufferSet;
use crate::oids::interned;
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, CONTINUE_NEEDED, Failed};

/// Whether a mechanism wants the list of mechanisms signed: 1.3.6.1.4.1.7165.655.1.2.
const WANTS_PROOF: Oid = Oid::from_static(&[0x2b, 6, 1, 4, 1, 0xb7, 0x7d, 0x85, 0x0f, 1, 2]);
/// Begins a stream of NTLM's anew: 1.3.6.1.4.1.7165.655.1.3.
const RESET: Oid = Oid::from_static(&[0x2b, 6, 1, 4, 1, 0xb7, 0x7d, 0x85, 0x0f, 1, 3]);

/// A call of a program's that goes on with a context.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    Initiate(&'a Initiation),
    Accept(&'a Acceptance),
}

impl Call<'_> {
    fn initiates(self) -> bool {
        matches!(self, Self::Initiate(_))
    }

    fn handle(self) -> Out<Handle> {
        match self {
            Self::Initiate(call) => call.handle,
            Self::Accept(call) => call.handle,
        }
    }

    fn output(self) -> Out<GssBuffer> {
        match self {
            Self::Initiate(call) => call.output,
            Self::Accept(call) => call.output,
        }
    }

    fn input(self) -> Result<&'static [u8], Failed> {
        match self {
            Self::Initiate(call) => call.token.octets_or_none(),
            Self::Accept(call) => call.token.octets(),
        }
    }

    /// Hands out a token for the peer and tells of a call that failed.
    fn fail(self, token: Option<&[u8]>, failed: impl Into<Failed>) -> Failed {
        match token.map_or(Ok(()), |token| self.output().give(token)) {
            Ok(()) => failed.into(),
            Err(failed) => failed,
        }
    }
}

/// The plug-ins that may be negotiated: those that the credential holds, or that have a default one. Where the program has
/// said what may be negotiated, those, in its order.
pub(crate) fn candidates(call: Call<'_>) -> Result<Vec<&'static Plugin>, Failed> {
    if load::listed().is_empty() {
        return Ok(Vec::new());
    }
    let (handle, usage) = match call {
        Call::Initiate(call) => (call.credential, USAGE_INITIATE),
        Call::Accept(call) => (call.credential, USAGE_ACCEPT),
    };
    let Some(held) = credential(handle)? else {
        let wish = Wish { source: Source::Default, name: Handle::NONE, time: 0, usage };
        let here = |plugin: &&Plugin| plugin.is_by_default();
        return Ok(all().filter(here).filter(|plugin| wish.acquire(plugin).is_ok()).collect());
    };
    let elements = held.foreign.iter().map(|element| element.plugin());
    Ok(match &held.options.negotiable {
        None => elements.filter(|plugin| plugin.is_by_default()).collect(),
        Some(only) => {
            let place = |plugin: &&Plugin| only.iter().position(|oid| oid == plugin.oid());
            let mut found: Vec<_> = elements.filter(|plugin| place(plugin).is_some()).collect();
            found.sort_by_key(place);
            found
        }
    })
}

/// Their identifiers.
pub(crate) fn oids(plugins: &[&'static Plugin]) -> Vec<Oid> {
    plugins.iter().map(|plugin| plugin.oid().clone()).collect()
}

/// Offers plug-ins alone, the first of them that can begin in front. If none can, what the first says is told.
pub(crate) fn offer(plugins: &[&'static Plugin], call: Call<'_>) -> Result<OmUint32, Failed> {
    let (mut left, mut failed) = (plugins, None);
    while let [plugin, rest @ ..] = left {
        let end = Elsewhere::Initiator(Initiator::offering(oids(left)));
        match begin(plugin, Negotiation::new(end), None, call) {
            Ok(major) => return Ok(major),
            Err(why) => failed = failed.or(Some(why)),
        }
        left = rest;
    }
    Err(failed.unwrap_or_else(|| Error::from(Refusal::NoMechanism(Vec::new())).into()))
}

/// Takes an offer where none but plug-ins can accept.
pub(crate) fn accept_alone(plugins: &[&'static Plugin], call: Call<'_>) -> Result<OmUint32, Failed> {
    let here = |oid: &Oid| plugins.iter().any(|plugin| plugin.oid() == oid);
    match Acceptor::choose(call.input()?, here) {
        Ok(Choice { mechanism, token, negotiation, .. }) => {
            admit(plugin_of(&mechanism)?, negotiation, token.as_deref(), call)
        }
        Err((token, error)) => Err(call.fail(token.as_deref(), error)),
    }
}

/// Goes on where a plug-in's mechanism was agreed on, with Kerberos in the list.
pub(crate) fn take_over(need: NeedElsewhere, call: Call<'_>) -> Result<OmUint32, Failed> {
    let plugin = plugin_of(need.mechanism())?;
    let token = need.token().map(<[u8]>::to_vec);
    match need.into_end() {
        Elsewhere::Acceptor(negotiation) => admit(plugin, negotiation, token.as_deref(), call),
        end @ Elsewhere::Initiator(_) => begin(plugin, Negotiation::new(end), None, call),
    }
}

fn plugin_of(mechanism: &Oid) -> Result<&'static Plugin, Failed> {
    find(mechanism)?.ok_or_else(|| Error::from(Refusal::Mechanism(mechanism.clone())).into())
}

/// Goes on with a negotiation whose context is behind a handle.
pub(super) fn go_on(context: &Arc<ForeignContext>, call: Call<'_>) -> Result<OmUint32, Failed> {
    if context.initiates() != call.initiates() {
        return Err(Failed::plain(Major::NoContext, "the context has the other role"));
    }
    let (mut object, mut negotiation) = context.take_negotiation()?;
    let outcome = negotiation.answer(context.plugin(), &mut object, call);
    let element = Element::new(context.plugin(), What::Context, object);
    match outcome {
        Ok(CONTINUE_NEEDED) => context.wait(element, negotiation),
        Ok(_) => context.come_up(element),
        Err(_) => context.end(),
    }
    outcome
}

/// Begins with the mechanism, or with the token of the peer's that begins it.
fn begin(
    plugin: &'static Plugin,
    mut negotiation: Negotiation,
    token: Option<&[u8]>,
    call: Call<'_>,
) -> Result<OmUint32, Failed> {
    let mut object = Object::NONE;
    let outcome = negotiation.step(plugin, &mut object, token, call);
    let element = Element::new(plugin, What::Context, object);
    let major = outcome?;
    let negotiation = (major == CONTINUE_NEEDED).then_some(negotiation);
    call.handle().set(keep_negotiating(plugin, call.initiates(), element, negotiation)?);
    Ok(major)
}

/// The acceptor has chosen: it takes the mechanism's first token, or asks for that.
fn admit(
    plugin: &'static Plugin,
    mut negotiation: Acceptor,
    token: Option<&[u8]>,
    call: Call<'_>,
) -> Result<OmUint32, Failed> {
    if token.is_some() {
        return begin(plugin, Negotiation::new(Elsewhere::Acceptor(negotiation)), token, call);
    }
    call.output().give(&negotiation.ask())?;
    let negotiation = Negotiation::new(Elsewhere::Acceptor(negotiation));
    negotiation.tell(plugin, call);
    call.handle().set(keep_negotiating(plugin, false, None, Some(negotiation))?);
    Ok(CONTINUE_NEEDED)
}

/// A negotiation around a plug-in's context, and what the plug-in has said of that so far.
pub(super) struct Negotiation {
    end: Elsewhere,
    /// Whether the plug-in's context is up.
    up: bool,
    flags: OmUint32,
    left: OmUint32,
    source: Option<Element>,
    delegated: Option<Element>,
}

impl Negotiation {
    fn new(end: Elsewhere) -> Self {
        Self { end, up: false, flags: 0, left: 0, source: None, delegated: None }
    }

    /// Takes the peer's token.
    fn answer(
        &mut self,
        plugin: &'static Plugin,
        object: &mut Object,
        call: Call<'_>,
    ) -> Result<OmUint32, Failed> {
        let token = call.input()?;
        let heard = self.hear(token)?;
        if heard.rejected {
            return Err(Error::from(Refusal::NegotiationRejected).into());
        }
        if let Some(other) = &heard.other {
            return Err(Error::from(Refusal::Mechanism(other.clone())).into());
        }
        let unsigned = self.up && !call.initiates() && !heard.signed;
        let next = if unsigned { Err(BadToken::WrongKind) } else { heard.next(self.up) };
        self.step(plugin, object, next.map_err(Error::from)?, call)
    }

    fn hear<'t>(&mut self, token: &'t [u8]) -> Result<Heard<'t>, Error> {
        match &mut self.end {
            Elsewhere::Initiator(end) => end.hear(token),
            Elsewhere::Acceptor(end) => end.hear(token),
        }
    }

    /// Makes a step of the plug-in, if its context is not up, and says what the negotiation has to say then.
    fn step(
        &mut self,
        plugin: &'static Plugin,
        object: &mut Object,
        token: Option<&[u8]>,
        call: Call<'_>,
    ) -> Result<OmUint32, Failed> {
        let made = if self.up { Vec::new() } else { self.ask(plugin, object, token, call)? };
        let made = Some(made.as_slice()).filter(|made| !made.is_empty());
        let signer = Signer { plugin, object: Cell::new(*object) };
        let standing = if self.up { Standing::Up(&signer) } else { Standing::Waits };
        let said = match &mut self.end {
            Elsewhere::Initiator(end) => end.say(made, standing),
            Elsewhere::Acceptor(end) => end.say(made, standing),
        };
        *object = signer.object.get();
        self.tell(plugin, call);
        match said {
            Say::Wait(token) => call.output().give(&token).map(|()| CONTINUE_NEEDED),
            Say::Up(token) => {
                token.map_or(Ok(()), |token| call.output().give(&token))?;
                if let Call::Accept(call) = call {
                    tell_peer(call, self.source.take(), self.delegated.take())?;
                }
                Ok(COMPLETE)
            }
            Say::Failed(token, failed) => Err(call.fail(token.as_deref(), failed)),
        }
    }

    /// What the plug-in has said of its context.
    fn tell(&self, plugin: &Plugin, call: Call<'_>) {
        let (actual, got, left) = match call {
            Call::Initiate(call) => (call.actual, call.got, call.left),
            Call::Accept(call) => (call.actual, call.got, call.left),
        };
        actual.set(plugin.oid);
        got.set(self.flags);
        left.set(self.left);
    }

    /// Calls the plug-in with a token of its own: what it wants to send.
    fn ask(
        &mut self,
        plugin: &'static Plugin,
        object: &mut Object,
        token: Option<&[u8]>,
        call: Call<'_>,
    ) -> Result<Vec<u8>, Failed> {
        let (_, (outcome, made)) = Out::ours(GssBuffer::EMPTY, |output| {
            let outcome = self.call(plugin, object, token, output, call);
            (outcome, output.take())
        });
        let done = outcome.map_err(|failed| {
            let made = Some(made.as_slice()).filter(|made| !made.is_empty());
            let told = match &self.end {
                Elsewhere::Initiator(end) => end.give_up(made),
                Elsewhere::Acceptor(end) => Some(end.refuse(made)),
            };
            call.fail(told.as_deref(), failed)
        })?;
        self.up = done.is_complete();
        // To be asked also tells the mechanism that the list can be signed, so that it is asked before it is up too.
        if let Elsewhere::Initiator(end) = &mut self.end
            && wants_proof(plugin, *object)
        {
            end.demand_proof();
        }
        Ok(made)
    }

    fn call(
        &mut self,
        plugin: &'static Plugin,
        object: &mut Object,
        token: Option<&[u8]>,
        output: Out<GssBuffer>,
        call: Call<'_>,
    ) -> Result<Done, Failed> {
        let (flags, (left, outcome)) = Out::ours(0, |got| {
            Out::ours(0, |left| match (call, token) {
                (Call::Initiate(call), None) => {
                    initiate(plugin, object, In::nothing(), output, got, left, call)
                }
                (Call::Initiate(call), Some(token)) => {
                    In::lend(token, |token| initiate(plugin, object, token, output, got, left, call))
                }
                (Call::Accept(call), token) => In::lend(token.unwrap_or_default(), |token| {
                    self.accept(plugin, object, token, output, got, left, call)
                }),
            })
        });
        (self.flags, self.left) = (flags, left);
        outcome
    }

    #[allow(clippy::too_many_arguments, reason = "the plug-in's call has more")]
    fn accept(
        &mut self,
        plugin: &'static Plugin,
        object: &mut Object,
        token: In<GssBuffer>,
        output: Out<GssBuffer>,
        got: Out<OmUint32>,
        left: Out<OmUint32>,
        call: &Acceptance,
    ) -> Result<Done, Failed> {
        let credential = credentials::element(plugin, call.credential)?;
        let (mut source, mut delegated) = (Object::NONE, Object::NONE);
        let outcome = plugin.gss_accept_sec_context(
            object,
            credentials::object(credential.as_ref()),
            token,
            call.bindings,
            Some(&mut source),
            Out::nowhere(),
            output,
            got,
            left,
            call.delegated.is_present().then_some(&mut delegated),
        );
        self.source = Element::new(plugin, What::Name, source);
        self.delegated = Element::new(plugin, What::Credential, delegated);
        outcome
    }
}

/// The plug-in's step of an initiator. What is negotiated is signed, so integrity is asked for.
fn initiate(
    plugin: &'static Plugin,
    object: &mut Object,
    token: In<GssBuffer>,
    output: Out<GssBuffer>,
    got: Out<OmUint32>,
    left: Out<OmUint32>,
    call: &Initiation,
) -> Result<Done, Failed> {
    let credential = credentials::element(plugin, call.credential)?;
    let target = Lent::of(plugin, call.target)?;
    plugin.gss_init_sec_context(
        credentials::object(credential.as_ref()),
        object,
        target.object(),
        plugin.oid,
        call.flags | Flags::INTEGRITY.0,
        call.time,
        call.bindings,
        token,
        Out::nowhere(),
        output,
        got,
        left,
    )
}

/// Whether a plug-in wants the list of mechanisms signed.
fn wants_proof(plugin: &'static Plugin, object: Object) -> bool {
    let (_, wants) = Out::ours(std::ptr::null_mut(), |answers: Out<BufferSet>| {
        let outcome = In::kept(interned(&WANTS_PROOF), |question| {
            plugin.gss_inquire_sec_context_by_oid(object, question, answers)
        });
        let wants = outcome.is_ok() && answers.only_buffer().as_deref() == Some(&[1]);
        answers.release();
        wants
    });
    wants
}

/// A plug-in's context that is up.
struct Signer {
    plugin: &'static Plugin,
    object: Cell<Object>,
}

impl Signer {
    /// NTLM begins its stream anew, that of what it receives or sends. An old plug-in can't, and need not.
    fn reset(&self, receives: bool) -> Result<(), Failed> {
        if *self.plugin.oid() != NTLMSSP {
            return Ok(());
        }
        let mut object = self.object.get();
        let outcome = In::lend(&u32::from(receives).to_ne_bytes(), |value| {
            In::kept(interned(&RESET), |option| {
                self.plugin.gss_set_sec_context_option(&mut object, option, value)
            })
        });
        self.object.set(object);
        match outcome {
            Err(failed) if failed.major() != Major::Unavailable.number() => Err(failed),
            _ => Ok(()),
        }
    }
}

impl Signs for Signer {
    type Error = Failed;

    fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Failed> {
        let (_, (outcome, mic)) = Out::ours(GssBuffer::EMPTY, |place| {
            let outcome =
                In::lend(message, |message| self.plugin.gss_get_mic(self.object.get(), 0, message, place));
            (outcome, place.take())
        });
        outcome?.quietly();
        self.reset(false)?;
        Ok(mic)
    }

    fn verify_mic(&self, message: &[u8], mic: &[u8]) -> Result<(), Failed> {
        let done = In::lend(message, |message| {
            In::lend(mic, |mic| self.plugin.gss_verify_mic(self.object.get(), message, mic, Out::nowhere()))
        })?;
        if !done.is_plain() {
            return Err(Error::from(BadToken::Integrity).into());
        }
        self.reset(true)
    }
}
