//! Contexts move (RFC 2744 §5.14, §5.18): by tokens, on their way up by cookies, over sockets (`gssapi_orthros.h`).

use std::sync::Arc;
use std::thread;

use orthros::sys::socket::stream_of;
use orthros::transfer::{Header, KeptWaiting, Kind, NotGiven, Peers, Policy};
use orthros::{Accept, Context, Kept, Major, Orthros};
use orthros_gss::context::AwaitToken;
use orthros_wire::Oid;

use super::contexts::{Body, CONTEXTS, Cookie, State, body, no_context};
use super::insert;
use crate::abi::{GssBuffer, Handle, OmUint32};
use crate::boundary::boundary;
use crate::extensions::{HANDOVER, SUSPEND, TOKEN, TRANSFER_POLICY};
use crate::handles::Held;
use crate::library;
use crate::plugins;
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};

/// Moves a context out of this process: the token brings it to life in another, once (§5.14). On success the handle is dead
/// and `GSS_C_NO_CONTEXT` stands in its place. On failure the context goes on, and there is no token.
#[unsafe(no_mangle)]
pub extern "C" fn gss_export_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Out<Handle>,
    interprocess_token: Out<GssBuffer>,
) -> OmUint32 {
    interprocess_token.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        context_handle.require()?;
        interprocess_token.require()?;
        if let Some(done) = plugins::contexts::export(context_handle, interprocess_token)? {
            return Ok(done.tell(minor_status));
        }
        let handle = context_handle.get().unwrap_or(Handle::NONE);
        let body = body(handle)?;
        let given = |token: &Vec<u8>| interprocess_token.give(token);
        if let Some(waiting) = take_waiting(&body) {
            return suspend(context_handle, &body, waiting, given);
        }
        let policy = body.policy.get().cloned();
        drop(body);
        let make = |orthros: &Orthros, context| match &policy {
            Some(policy) => orthros.export_under(context, policy),
            None => orthros.export(context),
        };
        // Nobody has a token that could not be handed out, so the context comes back by it.
        let undo = |orthros: &Orthros, token: Vec<u8>| match &policy {
            Some(policy) => orthros.import_under(&token, policy).ok(),
            None => orthros.import(&token).ok(),
        };
        spend(context_handle, make, given, undo)?;
        Ok(COMPLETE)
    })
}

/// An acceptor's context on its way up, taken out of its handle, if it may leave as a cookie.
fn take_waiting(body: &Body) -> Option<AwaitToken> {
    let mut state = body.state();
    if !matches!(*state, State::Half(_))
        || body.initiates
        || !(body.suspends.get().is_some() || is_configured(body))
    {
        return None;
    }
    match std::mem::replace(&mut *state, State::Busy) {
        State::Half(waiting) => Some(waiting),
        other => {
            *state = other;
            None
        }
    }
}

fn is_configured(body: &Body) -> bool {
    body.orthros.config().transfer.suspend
}

/// Gives up a context on its way up for its cookie. Nobody has a cookie that could not be handed out: the context goes on.
fn suspend(
    place: Out<Handle>,
    body: &Body,
    waiting: AwaitToken,
    give: impl FnOnce(&Vec<u8>) -> Result<(), Failed>,
) -> Result<OmUint32, Failed> {
    let made = match body.policy.get() {
        Some(policy) => body.orthros.suspend_under(waiting, policy),
        None => body.orthros.suspend(waiting),
    };
    let cookie = match made {
        Ok(cookie) => cookie,
        Err(KeptWaiting { waiting, error }) => {
            body.put(State::Half(waiting));
            return Err(error.into());
        }
    };
    if let Err(failed) = give(&cookie) {
        body.put(State::Suspended(Box::new(Cookie(cookie))));
        return Err(failed);
    }
    body.put(State::Over);
    CONTEXTS.remove(place.get().unwrap_or(Handle::NONE));
    place.set(Handle::NONE);
    Ok(COMPLETE)
}

/// Gives a context up for what can be made of it, and hands that to the caller. On success the handle is dead; if nothing
/// can be made or handed out, the context goes on, as far as it can be undone.
pub(super) fn spend<T>(
    place: Out<Handle>,
    make: impl FnOnce(&Orthros, Context) -> Result<T, Kept>,
    give: impl FnOnce(&T) -> Result<(), Failed>,
    undo: impl FnOnce(&Orthros, T) -> Option<Context>,
) -> Result<(), Failed> {
    let handle = place.get().unwrap_or(Handle::NONE);
    let body = body(handle)?;
    let context = give_up(&body)?;
    let made = match make(&body.orthros, context) {
        Ok(made) => made,
        Err(Kept { context, error }) => {
            body.put(State::Up(Arc::new(context)));
            return Err(error.into());
        }
    };
    if let Err(failed) = give(&made) {
        let context = undo(&body.orthros, made);
        body.put(context.map_or(State::Over, |context| State::Up(Arc::new(context))));
        return Err(failed);
    }
    body.put(State::Over);
    CONTEXTS.remove(handle);
    place.set(Handle::NONE);
    Ok(())
}

/// Takes the context out of its handle, once every other call that is at work with it has ended.
fn give_up(body: &Body) -> Result<Context, Failed> {
    let mut state = body.state();
    let mut shared = match std::mem::replace(&mut *state, State::Busy) {
        State::Up(context) => context,
        other => {
            *state = other;
            return Err(no_context("only a context that is up can be exported"));
        }
    };
    drop(state);
    loop {
        match Arc::try_unwrap(shared) {
            Ok(context) => return Ok(context),
            Err(still) => shared = still,
        }
        // Whoever holds it wraps or unwraps one message, and can't begin another.
        thread::yield_now();
    }
}

/// Brings a context to life that another process has exported (§5.18). A token is taken once.
#[unsafe(no_mangle)]
pub extern "C" fn gss_import_sec_context(
    minor_status: Out<OmUint32>,
    interprocess_token: In<GssBuffer>,
    context_handle: Out<Handle>,
) -> OmUint32 {
    context_handle.set(Handle::NONE);
    boundary(minor_status, || {
        context_handle.require()?;
        if let Some(done) = plugins::contexts::import(interprocess_token.octets()?, context_handle)? {
            return Ok(done.tell(minor_status));
        }
        let (orthros, token) = (library::orthros()?, interprocess_token.octets()?);
        let (initiates, state) = imported(&orthros, token, None)?;
        context_handle.set(insert(&CONTEXTS, Body::moved(orthros, initiates, state))?);
        Ok(COMPLETE)
    })
}

/// What a token brings: a context that is up, or, by a cookie, one that goes on when the initiator's next token is
/// accepted, for only then is there the credential that it goes on with. The cookie is checked now, and spent then.
fn imported(orthros: &Orthros, token: &[u8], policy: Option<&Policy>) -> Result<(bool, State), Failed> {
    if Header::parse(token).is_ok_and(|header| header.kind == Kind::HalfOpen) {
        orthros.check_cookie(token, policy)?;
        return Ok((false, State::Suspended(Box::new(Cookie(token.to_vec())))));
    }
    let context = match policy {
        Some(policy) => orthros.import_under(token, policy)?,
        None => orthros.import(token)?,
    };
    Ok((context.is_initiator(), State::Up(Arc::new(context))))
}

/// Whether the handle's context goes on by a cookie.
pub(super) fn is_suspended(handle: Handle) -> bool {
    body(handle).is_ok_and(|body| matches!(*body.state(), State::Suspended(_)))
}

/// The cookie, taken out of the handle for a step.
pub(super) fn cookie(handle: Handle) -> Result<(Held<'static, Box<Body>>, Vec<u8>), Failed> {
    let body = body(handle)?;
    let mut state = body.state();
    match std::mem::replace(&mut *state, State::Busy) {
        State::Suspended(cookie) => {
            drop(state);
            Ok((body, cookie.0))
        }
        other => {
            *state = other;
            Err(no_context("another thread is at work on the context"))
        }
    }
}

/// Goes on with a context from its cookie.
pub(super) fn resume(body: &Body, cookie: &[u8], accept: Accept) -> Result<AwaitToken, Failed> {
    Ok(match body.policy.get() {
        Some(policy) => body.orthros.resume_under(cookie, accept, policy)?,
        None => body.orthros.resume(cookie, accept)?,
    })
}

/// The options of contexts that move. `false`: the option is none of them.
pub(super) fn set_option(place: Out<Handle>, option: &Oid, value: &[u8]) -> Result<bool, Failed> {
    if *option == TRANSFER_POLICY {
        set_policy(place, words(value)?)?;
    } else if *option == SUSPEND {
        let _ = body(place.get().unwrap_or(Handle::NONE))?.suspends.set(());
    } else if *option == TOKEN {
        let (orthros, policy) = coming(place)?;
        let (initiates, state) = imported(&orthros, value, policy.as_deref())?;
        arrive(place, Body::moved(orthros, initiates, state), policy)?;
    } else if *option == HANDOVER {
        hand_or_take(place, words(value)?)?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn words(value: &[u8]) -> Result<&str, Failed> {
    std::str::from_utf8(value).map_err(|_| Failed::plain(Major::Failure, "the option is said in UTF-8"))
}

/// What the context's token shall demand of its importer: once, by words as in `transfer_policy`. Of no context yet: what
/// the one that comes shall have been sealed for.
fn set_policy(place: Out<Handle>, words: &str) -> Result<(), Failed> {
    let policy = Box::new(Policy::parse(words).map_err(|wrong| Failed::told(Major::Failure, wrong))?);
    let handle = place.get().unwrap_or(Handle::NONE);
    if handle != Handle::NONE {
        return body(handle)?.policy.set(policy).map_err(|_| {
            Failed::plain(Major::Unavailable, "what the context's token demands was said before")
        });
    }
    let body = Body::moved(library::orthros()?, false, State::Coming);
    let _ = body.policy.set(policy);
    place.set(insert(&CONTEXTS, body)?);
    Ok(())
}

/// Where a context is to come: behind the handle that there is, or none yet. What it shall have been sealed for.
fn coming(place: Out<Handle>) -> Result<(Orthros, Option<Box<Policy>>), Failed> {
    let handle = place.get().unwrap_or(Handle::NONE);
    if handle == Handle::NONE {
        return Ok((library::orthros()?, None));
    }
    let body = body(handle)?;
    if !matches!(*body.state(), State::Coming) {
        return Err(Failed::plain(Major::Unavailable, "the handle has a context already"));
    }
    Ok((body.orthros.clone(), body.policy.get().cloned()))
}

/// Puts what has come where the caller waits for it. What token it makes later demands what is configured.
fn arrive(place: Out<Handle>, arrived: Body, policy: Option<Box<Policy>>) -> Result<(), Failed> {
    if let (State::Suspended(_), Some(policy)) = (&*arrived.state(), policy) {
        // Its cookie is opened later.
        let _ = arrived.policy.set(policy);
    }
    let before = place.get().unwrap_or(Handle::NONE);
    place.set(insert(&CONTEXTS, arrived)?);
    if before != Handle::NONE {
        CONTEXTS.remove(before);
    }
    Ok(())
}

/// Over the socket that the words name: an established context goes to its other end, and where there is none yet the
/// other's comes.
fn hand_or_take(place: Out<Handle>, words: &str) -> Result<(), Failed> {
    let wrong = |what: String| Failed::told(Major::Failure, what);
    let (socket, peers) = words.split_once(',').unwrap_or((words, ""));
    let number = socket.trim().strip_prefix("socket=").and_then(|number| number.parse().ok());
    let number =
        number.ok_or_else(|| wrong(format!("{socket:?} is not socket=NUMBER, which must come first")))?;
    let peers = Peers::parse(peers).map_err(wrong)?;
    let stream = stream_of(number).map_err(|error| wrong(format!("socket={number}: {error}")))?;

    let handle = place.get().unwrap_or(Handle::NONE);
    if handle == Handle::NONE {
        let orthros = library::orthros()?;
        let context = orthros.take_over(&stream, &peers)?;
        let (initiates, state) = (context.is_initiator(), State::Up(Arc::new(context)));
        place.set(insert(&CONTEXTS, Body::moved(orthros, initiates, state))?);
        return Ok(());
    }
    let mut lost = None;
    let make = |orthros: &Orthros, context| match orthros.hand_over(context, &stream, &peers) {
        Ok(()) => Ok(()),
        Err(NotGiven::Kept(kept)) => Err(*kept),
        Err(other) => {
            lost = Some(other.to_string());
            Ok(())
        }
    };
    spend(place, make, |()| Ok(()), |_, ()| None)?;
    match lost {
        // The context is nowhere, and its handle is dead.
        Some(story) => Err(wrong(story)),
        None => Ok(()),
    }
}
