//! Contexts come up and end (RFC 2744 §5.1, §5.9, §5.19).

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use orthros::credential::{CredentialSet, Usage};
use orthros::mechanism::{IAKERB_OID, KRB5_OID, Mechanism, SPNEGO, SPNEGO_OID};
use orthros::trace::Event;
use orthros::transfer::Policy;
use orthros::{Accept, Context, Error, Flags, Initiate, Major, Need, Orthros, Step};
use orthros_gss::context::{AwaitToken, NeedKdc};
use orthros_gss::error::Refusal;
use orthros_gss::framing;
use orthros_gss::negotiation::NeedElsewhere;
use orthros_wire::Timestamp;

use super::credentials::{CREDENTIALS, Credential, Options, held, held_for};
use super::{NAMES, Named, Target, chosen, insert, transfer};
use crate::abi::{ChannelBindingsDesc, GssBuffer, Handle, INDEFINITE, OidDesc, OmUint32};
use crate::boundary::boundary;
use crate::handles::{Held, Kind, Table};
use crate::oids::{StaticOid, interned};
use crate::plugins::contexts::{Acceptance, Initiation};
use crate::plugins::negotiation::{self, Call};
use crate::plugins::{self, Plugin};
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, CONTINUE_NEEDED, Failed};

/// The contexts of the process.
pub(crate) static CONTEXTS: Table<Box<Body>> = Table::new(Kind::Context);

/// What a context's handle stands for.
pub(crate) struct Body {
    pub(super) initiates: bool,
    /// The program carries its messages to KDCs.
    pub(super) carries: bool,
    pub(super) orthros: Orthros,
    pub(super) state: Mutex<State>,
    /// What its token shall demand, if not what is configured.
    pub(super) policy: OnceLock<Box<Policy>>,
    /// That it may leave as a cookie while it is on its way up.
    pub(super) suspends: OnceLock<()>,
}

pub(super) enum State {
    /// A token of the peer's is awaited.
    Half(AwaitToken),
    /// A KDC is asked by the program, which may have brought the reply; an empty one says that none could be reached.
    Asking(Box<(NeedKdc, Option<Vec<u8>>)>),
    /// It is up.
    Up(Arc<Context>),
    /// A context that the program will say how to get, and perhaps for which audience.
    Coming,
    /// An acceptor's on its way up, as a cookie: it goes on at the next token, which brings its credential.
    Suspended(Box<Cookie>),
    /// A call is at work on it, which holds no lock while it waits for the network.
    Busy,
    /// It failed, or was given away: nothing is left but the handle.
    Over,
}

/// A cookie, behind one pointer: the contexts of a process are many, and few of them are suspended.
pub(super) struct Cookie(pub(super) Vec<u8>);

impl Body {
    /// Of a context that comes from elsewhere.
    pub(super) fn moved(orthros: Orthros, initiates: bool, state: State) -> Self {
        Self {
            initiates,
            carries: false,
            orthros,
            state: Mutex::new(state),
            policy: OnceLock::new(),
            suspends: OnceLock::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, state: State) {
        *self.state() = state;
    }
}

pub(super) fn no_context(story: &str) -> Failed {
    Failed::plain(Major::NoContext, story)
}

pub(super) fn body(handle: Handle) -> Result<Held<'static, Box<Body>>, Failed> {
    CONTEXTS
        .hold(handle)
        .ok_or_else(|| no_context("the handle is no context: it was deleted, exported, or never one"))
}

/// The context of a handle, which must be up.
pub(crate) fn context(handle: Handle) -> Result<Arc<Context>, Failed> {
    Ok(Arc::clone(up(&body(handle)?.state())?))
}

pub(super) fn up(state: &State) -> Result<&Arc<Context>, Failed> {
    match state {
        State::Up(context) => Ok(context),
        State::Half(_) | State::Asking(_) | State::Coming | State::Suspended(_) => {
            Err(no_context("the context is not up yet"))
        }
        State::Busy => Err(no_context("another thread is at work on the context")),
        State::Over => Err(no_context("the context failed, and can only be deleted")),
    }
}

/// Where the steps end that need no token of the peer's.
enum Reached {
    Half(AwaitToken),
    Asking(NeedKdc),
    Up(Context),
    Failed(Error),
    /// A plug-in's mechanism was negotiated, or goes first.
    Elsewhere(NeedElsewhere),
}

/// Runs the steps until a token of the peer's is awaited, and hands out what is to be sent, whatever the end is. Where the
/// program carries messages to KDCs, nothing waits for the network: one more end is that a KDC is to be asked, and names
/// stay as they are written.
fn run(
    orthros: &Orthros,
    carries: bool,
    mut step: Step,
    output_token: Out<GssBuffer>,
) -> Result<Reached, Failed> {
    loop {
        step = match step {
            Step::Send(owed) => {
                output_token.give(owed.token())?;
                owed.sent()
            }
            Step::Need(Need::Elsewhere(need)) => return Ok(Reached::Elsewhere(need)),
            Step::Need(Need::Kdc(need)) if carries => return Ok(Reached::Asking(need)),
            Step::Need(Need::Resolve(need)) if carries => need.unavailable(),
            Step::Need(need) => orthros.provide(need),
            Step::Receive(wait) => return Ok(Reached::Half(wait)),
            Step::Done(context) => return Ok(Reached::Up(context)),
            Step::Failed(error) => {
                orthros.tell(Event::Failed(&error));
                return Ok(Reached::Failed(error));
            }
        };
    }
}

/// Where the caller wants to be told of a context on its way.
#[derive(Clone, Copy)]
struct Told {
    handle: Out<Handle>,
    mechanism: Out<StaticOid>,
    output_token: Out<GssBuffer>,
    flags: Out<OmUint32>,
    time: Out<OmUint32>,
}

impl Told {
    fn clear(self) {
        self.mechanism.set(std::ptr::null());
        self.output_token.set(GssBuffer::EMPTY);
        self.flags.set(0);
        self.time.set(0);
    }

    fn check(self) -> Result<(), Failed> {
        self.handle.require()?;
        self.output_token.require()
    }
}

/// Keeps what was reached, behind the handle that there is or a new one, and tells of it. A first call that fails leaves
/// no handle; a later one leaves one that can only be deleted (§5.19).
fn settle(
    orthros: &Orthros,
    known: Option<&Body>,
    (initiates, carries): (bool, bool),
    reached: Reached,
    hoped: Flags,
    told: Told,
) -> Result<(OmUint32, Option<Arc<Context>>), Failed> {
    let hoped_time = match &reached {
        Reached::Half(wait) => wait.end().map_or(0, |end| left_until(orthros, end)),
        _ => 0,
    };
    let (major, mechanism, state, up) = match reached {
        Reached::Half(wait) => (CONTINUE_NEEDED, wait.mechanism().oid.clone(), State::Half(wait), None),
        Reached::Asking(need) => (CONTINUE_NEEDED, KRB5_OID, State::Asking(Box::new((need, None))), None),
        Reached::Up(context) => {
            let context = Arc::new(context);
            (COMPLETE, context.mechanism(), State::Up(Arc::clone(&context)), Some(context))
        }
        Reached::Failed(error) => {
            if let Some(body) = known {
                body.put(State::Over);
            }
            return Err(error.into());
        }
        Reached::Elsewhere(need) => {
            let mechanism = need.mechanism().clone();
            return Err(Error::from(Refusal::Mechanism(mechanism)).into());
        }
    };
    match known {
        Some(body) => body.put(state),
        None => {
            let (orthros, state) = (orthros.clone(), Mutex::new(state));
            let (policy, suspends) = (OnceLock::new(), OnceLock::new());
            let body = Body { initiates, carries, orthros, state, policy, suspends };
            told.handle.set(insert(&CONTEXTS, body)?);
        }
    }
    told.mechanism.set(interned(&mechanism));
    match &up {
        Some(context) => {
            told.flags.set(context.flags().0);
            told.time.set(time_left(context));
        }
        None => {
            told.flags.set(hoped.0);
            told.time.set(hoped_time);
        }
    }
    Ok((major, up))
}

/// How many seconds it is until then.
fn left_until(orthros: &Orthros, end: Timestamp) -> OmUint32 {
    let left = end.seconds.saturating_sub(orthros.env().now().seconds).max(0);
    u32::try_from(left).unwrap_or(INDEFINITE - 1)
}

pub(super) fn time_left(context: &Context) -> OmUint32 {
    u32::try_from(context.lifetime_seconds()).unwrap_or(INDEFINITE - 1)
}

/// The half-built context of a handle, taken out of it for a step: the step that it makes of the peer's token, or of the
/// reply of a KDC that the program has brought.
fn take(handle: Handle, initiates: bool, token: &[u8]) -> Result<(Held<'static, Box<Body>>, Step), Failed> {
    let body = body(handle)?;
    if body.initiates != initiates {
        return Err(no_context("the context has the other role"));
    }
    let mut state = body.state();
    match std::mem::replace(&mut *state, State::Busy) {
        State::Half(wait) => {
            drop(state);
            Ok((body, wait.token(token)))
        }
        State::Asking(asking) if asking.1.is_some() => {
            drop(state);
            let (need, reply) = *asking;
            let step = match reply.as_deref().unwrap_or_default() {
                [] => need.unavailable("the program could reach none"),
                reply => need.reply(reply),
            };
            Ok((body, step))
        }
        other => {
            let story = match &other {
                State::Asking(_) => "a KDC's reply is awaited (GSS_ORTHROS_KDC_MESSAGE)",
                State::Up(_) => "the context is up already",
                State::Busy => "another thread is at work on the context",
                State::Coming => "it is not said yet where the context comes from (GSS_ORTHROS_TOKEN)",
                _ => "the context failed, and can only be deleted",
            };
            *state = other;
            Err(no_context(story))
        }
    }
}

/// The realm and the request of a context that asks a KDC.
pub(super) fn kdc_request(handle: Handle) -> Result<[Vec<u8>; 2], Failed> {
    match &*body(handle)?.state() {
        State::Asking(asking) => Ok([asking.0.realm().as_bytes().to_vec(), asking.0.request().to_vec()]),
        _ => Err(Failed::plain(Major::Unavailable, "the context asks no KDC")),
    }
}

/// The reply of the KDC that a context asks, for its next step.
pub(super) fn bring_kdc_reply(handle: Handle, octets: &[u8]) -> Result<(), Failed> {
    match &mut *body(handle)?.state() {
        State::Asking(asking) => {
            asking.1 = Some(octets.to_vec());
            Ok(())
        }
        _ => Err(Failed::plain(Major::Unavailable, "the context asks no KDC")),
    }
}

/// What an initiator's flags come to before the context is up.
const HOPED: Flags = Flags(
    Flags::MUTUAL.0
        | Flags::REPLAY.0
        | Flags::SEQUENCE.0
        | Flags::CONFIDENTIALITY.0
        | Flags::INTEGRITY.0
        | Flags::DCE_STYLE.0,
);

/// What an initiator says of itself. Programs that seal messages without having asked for it work with the originals, so
/// here too.
const PROTECTION: Flags = Flags(Flags::CONFIDENTIALITY.0 | Flags::INTEGRITY.0);

impl Options {
    fn of_initiator(&self, request: Initiate) -> Initiate {
        let mut request =
            if self.only_asked_protection { request.without_integrity() } else { request.flag(PROTECTION) };
        if let Some(enctypes) = &self.enctypes {
            request = request.enctypes(enctypes);
        }
        if self.stays {
            request = request.stays();
        }
        match &self.negotiable {
            Some(mechanisms) => request.negotiable(mechanisms),
            None => request,
        }
    }

    fn of_acceptor(&self, mut request: Accept) -> Accept {
        if let Some(enctypes) = &self.enctypes {
            request = request.enctypes(enctypes);
        }
        if self.stays {
            request = request.stays();
        }
        match &self.negotiable {
            Some(mechanisms) => request.negotiable(mechanisms),
            None => request,
        }
    }
}

/// Initiates a context, or goes on with the peer's token (§5.19). It waits for KDCs and name servers: never to be called
/// where blocking hurts. A token that is not empty is to be sent whatever the status.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has thirteen")]
pub extern "C" fn gss_init_sec_context(
    minor_status: Out<OmUint32>,
    initiator_cred_handle: Handle,
    context_handle: Out<Handle>,
    target_name: Handle,
    mech_type: In<OidDesc>,
    req_flags: OmUint32,
    time_req: OmUint32,
    input_chan_bindings: In<ChannelBindingsDesc>,
    input_token: In<GssBuffer>,
    actual_mech_type: Out<StaticOid>,
    output_token: Out<GssBuffer>,
    ret_flags: Out<OmUint32>,
    time_rec: Out<OmUint32>,
) -> OmUint32 {
    let told = Told {
        handle: context_handle,
        mechanism: actual_mech_type,
        output_token,
        flags: ret_flags,
        time: time_rec,
    };
    // Before the output is emptied: some programs use one buffer for both.
    let token = input_token.octets_or_none();
    told.clear();
    boundary(minor_status, || {
        told.check()?;
        let token = token?;
        let handle = context_handle.get().unwrap_or(Handle::NONE);
        let call = Initiation {
            handle: context_handle,
            credential: initiator_cred_handle,
            target: target_name,
            flags: req_flags,
            time: time_req,
            bindings: input_chan_bindings,
            token: input_token,
            actual: actual_mech_type,
            output: output_token,
            got: ret_flags,
            left: time_rec,
        };
        if let Some(way) = plugins::contexts::initiating(handle, mech_type)? {
            return Ok(plugins::contexts::initiate(way, &call)?.tell(minor_status));
        }
        let hoped = Flags(req_flags).intersection(HOPED) | PROTECTION;
        if handle != Handle::NONE {
            let (body, step) = take(handle, true, token)?;
            return match run(&body.orthros, body.carries, step, output_token) {
                Ok(Reached::Elsewhere(need)) => leave(&body, handle, need, Call::Initiate(&call)),
                reached => advance(&body, reached, hoped, told).map(|(major, _)| major),
            };
        }
        let mechanism = chosen(mech_type)?;
        let beside = match *mechanism == SPNEGO {
            true => negotiation::candidates(Call::Initiate(&call))?,
            false => Vec::new(),
        };
        let (held, step) = match initiation(&call, mechanism, &beside) {
            // Without a credential for Kerberos the others are offered alone.
            Err(failed) if !beside.is_empty() => {
                return negotiation::offer(&beside, Call::Initiate(&call)).map_err(|_| failed);
            }
            begun => begun?,
        };
        let carries = held.options.carries;
        match run(&held.orthros, carries, step, output_token)? {
            Reached::Elsewhere(need) => {
                let offered = negotiation::offer(&beside, Call::Initiate(&call));
                offered.map_err(|failed| need.failed().cloned().map_or(failed, Failed::from))
            }
            reached => {
                settle(&held.orthros, None, (true, carries), reached, hoped, told).map(|(major, _)| major)
            }
        }
    })
}

/// The first step of a context of ours, and the credential that it is made with. Beside Kerberos plug-ins' mechanisms may be
/// negotiated.
fn initiation(
    call: &Initiation,
    mechanism: &'static Mechanism,
    beside: &[&'static Plugin],
) -> Result<(Arc<Credential>, Step), Failed> {
    let target = Target::of(call.target)?;
    let held = held_for(call.credential, Usage::Initiate, mechanism)?;
    let orthros = &held.orthros;
    let credential = held.set.initiator(&mechanism.oid)?;
    let target = orthros.resolve_service(&target)?;
    let mut request = orthros.initiate_with(credential, target).mechanism(mechanism);
    request = held.options.of_initiator(request).flag(Flags(call.flags)).beside(&negotiation::oids(beside));
    if let Some(bindings) = call.bindings.bindings()? {
        request = request.bindings(bindings);
    }
    if call.time != 0 && call.time != INDEFINITE {
        request = request.lifetime_seconds(call.time);
    }
    let step = request.start();
    Ok((held, step))
}

/// The peer has chosen a plug-in's mechanism: its context takes the place of ours.
fn leave(body: &Body, handle: Handle, need: NeedElsewhere, call: Call<'_>) -> Result<OmUint32, Failed> {
    body.put(State::Over);
    let major = negotiation::take_over(need, call)?;
    CONTEXTS.remove(handle);
    Ok(major)
}

/// Settles a later step; whatever goes wrong, the handle is not busy any more.
fn advance(
    body: &Body,
    reached: Result<Reached, Failed>,
    hoped: Flags,
    told: Told,
) -> Result<(OmUint32, Option<Arc<Context>>), Failed> {
    match reached {
        Ok(reached) => {
            let kind = (body.initiates, body.carries);
            settle(&body.orthros, Some(body), kind, reached, hoped, told)
        }
        Err(failed) => {
            body.put(State::Over);
            Err(failed)
        }
    }
}

/// What an acceptor's first call demands of the context, or the first after it was suspended.
fn acceptance(call: &Acceptance) -> Result<(Orthros, Accept), Failed> {
    let held = held(call.credential, Usage::Accept)?;
    // Requests are carried to KDCs where the program has asked for a credential of IAKERB, as with MIT.
    let carries = held.set.accepts(&IAKERB_OID);
    let element = if carries && !held.set.accepts(&KRB5_OID) { IAKERB_OID } else { KRB5_OID };
    // As with MIT krb5: by a credential of both uses clients delegate, if the caller wants to have it.
    let acceptor = match call.delegated.is_present() {
        true => held.set.acceptor_delegating(&element)?,
        false => held.set.acceptor(&element)?.clone(),
    };
    let mut request = held.options.of_acceptor(held.orthros.accept(&acceptor));
    if carries {
        request = request.carry_to_kdcs();
    }
    if let Some(bindings) = call.bindings.bindings()? {
        request = request.bindings(bindings);
    }
    Ok((held.orthros.clone(), request))
}

/// The first step: it takes the initiator's token, or speaks first where that is empty.
fn heard(request: Accept, token: &[u8]) -> Step {
    if token.is_empty() {
        return request.speak_first();
    }
    match request.start() {
        Step::Receive(wait) => wait.token(token),
        other => other,
    }
}

/// Accepts a context, or goes on with the peer's token (§5.1). An empty first token asks this end to speak first, where the
/// mechanism is negotiated. A token that is not empty is to be sent whatever the status.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eleven")]
pub extern "C" fn gss_accept_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Out<Handle>,
    acceptor_cred_handle: Handle,
    input_token: In<GssBuffer>,
    input_chan_bindings: In<ChannelBindingsDesc>,
    src_name: Out<Handle>,
    mech_type: Out<StaticOid>,
    output_token: Out<GssBuffer>,
    ret_flags: Out<OmUint32>,
    time_rec: Out<OmUint32>,
    delegated_cred_handle: Out<Handle>,
) -> OmUint32 {
    let told =
        Told { handle: context_handle, mechanism: mech_type, output_token, flags: ret_flags, time: time_rec };
    let token = input_token.octets();
    told.clear();
    src_name.set(Handle::NONE);
    delegated_cred_handle.set(Handle::NONE);
    boundary(minor_status, || {
        told.check()?;
        let token = token?;
        let handle = context_handle.get().unwrap_or(Handle::NONE);
        let call = Acceptance {
            handle: context_handle,
            credential: acceptor_cred_handle,
            token: input_token,
            bindings: input_chan_bindings,
            source: src_name,
            actual: mech_type,
            output: output_token,
            got: ret_flags,
            left: time_rec,
            delegated: delegated_cred_handle,
        };
        if let Some(way) = plugins::contexts::accepting(handle, token)? {
            return Ok(plugins::contexts::accept(way, &call)?.tell(minor_status));
        }
        let (major, up) = if handle == Handle::NONE {
            let beside = match is_negotiated(token) {
                true => negotiation::candidates(Call::Accept(&call))?,
                false => Vec::new(),
            };
            let (orthros, request) = match acceptance(&call) {
                // Without a key for Kerberos the others accept alone.
                Err(_) if !beside.is_empty() && !token.is_empty() => {
                    return negotiation::accept_alone(&beside, Call::Accept(&call));
                }
                demanded => demanded?,
            };
            let step = heard(request.beside(&negotiation::oids(&beside)), token);
            match run(&orthros, false, step, output_token)? {
                Reached::Elsewhere(need) => return negotiation::take_over(need, Call::Accept(&call)),
                reached => settle(&orthros, None, (false, false), reached, Flags(0), told)?,
            }
        } else if transfer::is_suspended(handle) {
            let (orthros, request) = acceptance(&call)?;
            let (body, cookie) = transfer::cookie(handle)?;
            let reached = transfer::resume(&body, &cookie, request)
                .and_then(|wait| run(&orthros, false, wait.token(token), output_token));
            advance(&body, reached, Flags(0), told)?
        } else {
            let (body, step) = take(handle, false, token)?;
            match run(&body.orthros, false, step, output_token) {
                Ok(Reached::Elsewhere(need)) => return leave(&body, handle, need, Call::Accept(&call)),
                reached => advance(&body, reached, Flags(0), told)?,
            }
        };
        if let Some(context) = up {
            if src_name.is_present() {
                src_name.set(insert(&NAMES, Named::initiator(&context))?);
            }
            if let Some(delegated) =
                context.delegated_credential().filter(|_| delegated_cred_handle.is_present())
            {
                let set = CredentialSet::initiating(Arc::clone(delegated));
                let orthros = body(told.handle.get().unwrap_or(Handle::NONE))?.orthros.clone();
                delegated_cred_handle.set(insert(&CREDENTIALS, Credential::new(set, orthros))?);
            }
        }
        Ok(major)
    })
}

/// Whether an initiator's first token negotiates a mechanism, or there is none, which asks for one that does.
fn is_negotiated(token: &[u8]) -> bool {
    token.is_empty() || framing::unframe(token).is_ok_and(|(mechanism, _)| mechanism == SPNEGO_OID)
}

/// Ends a context and leaves `GSS_C_NO_CONTEXT` (§5.9). The token, if there is a place for one, is empty: RFC 2743 §2.2.3
/// has given up on telling the peer.
#[unsafe(no_mangle)]
pub extern "C" fn gss_delete_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Out<Handle>,
    output_token: Out<GssBuffer>,
) -> OmUint32 {
    output_token.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        let handle = context_handle.get().unwrap_or(Handle::NONE);
        context_handle.set(Handle::NONE);
        let is_foreign = plugins::contexts::delete(handle)?;
        if !is_foreign && handle != Handle::NONE && !CONTEXTS.remove(handle) {
            return Err(no_context("the handle is no context: it was deleted, exported, or never one"));
        }
        Ok(COMPLETE)
    })
}
