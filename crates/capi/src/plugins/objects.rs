//! Contexts, credentials and names of plug-ins, behind handles of ours: programs never see a plug-in's pointer, and what
//! is released twice, or used after its end, does not reach the plug-in.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orthros::Major;

use super::Plugin;
use super::functions::{Done, Object};
use super::negotiation::Negotiation;
use crate::abi::Handle;
use crate::handles::{Kind, Table};
use crate::pointers::Out;
use crate::status::Failed;

/// The contexts and names of plug-ins. Their credentials are elements of ours.
pub(crate) static FOREIGN: Table<Foreign> = Table::new(Kind::Plugin);

/// What a handle stands for.
pub(crate) enum Foreign {
    Context(Arc<ForeignContext>),
    Name(Arc<Element>),
}

/// What an object is.
#[derive(Clone, Copy)]
pub(super) enum What {
    Context,
    Credential,
    Name,
}

/// An object of a plug-in's, which is released when this ends.
pub(crate) struct Element {
    plugin: &'static Plugin,
    what: What,
    object: AtomicPtr<std::ffi::c_void>,
}

impl Element {
    /// Takes charge of what a plug-in has made; `None` if it has made nothing.
    pub(super) fn new(plugin: &'static Plugin, what: What, object: Object) -> Option<Self> {
        (object != Object::NONE).then(|| Self { plugin, what, object: AtomicPtr::new(object.0) })
    }

    pub(crate) fn plugin(&self) -> &'static Plugin {
        self.plugin
    }

    pub(super) fn object(&self) -> Object {
        Object(self.object.load(Ordering::Acquire))
    }

    /// Lends the object's place to a call that may put another there.
    pub(super) fn change(
        &self,
        call: impl FnOnce(&mut Object) -> Result<Done, Failed>,
    ) -> Result<Done, Failed> {
        let mut object = self.object();
        let outcome = call(&mut object);
        self.object.store(object.0, Ordering::Release);
        outcome
    }

    /// Gives the object up: whoever calls is in charge of it.
    fn into_object(self) -> Object {
        Object(self.object.swap(std::ptr::null_mut(), Ordering::AcqRel))
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        let mut object = self.object();
        if object == Object::NONE {
            return;
        }
        // What a plug-in says when it is left has no consequence.
        let _ = match self.what {
            What::Context => self.plugin.gss_delete_sec_context(&mut object, Out::nowhere()),
            What::Credential => self.plugin.gss_release_cred(&mut object),
            What::Name => self.plugin.gss_release_name(&mut object),
        };
    }
}

/// A context of a plug-in's.
pub(crate) struct ForeignContext {
    plugin: &'static Plugin,
    initiates: bool,
    state: Mutex<State>,
}

enum State {
    /// The plug-in has it.
    There(Arc<Element>),
    /// It is negotiated: not up, whatever the plug-in says, which may not have begun.
    Negotiated(Box<(Option<Element>, Negotiation)>),
    /// A call is at work that may change it, which holds no lock meanwhile.
    Busy,
    /// It failed, or was given away: nothing is left but the handle.
    Over,
}

impl State {
    /// Why it can't be used as it is asked for.
    fn story(&self) -> &'static str {
        match self {
            Self::There(_) => "the context is up already",
            Self::Negotiated(_) => "the context is not up yet",
            Self::Busy => "another thread is at work on the context",
            Self::Over => "the context failed, and can only be deleted",
        }
    }
}

fn no_context(story: &str) -> Failed {
    Failed::plain(Major::NoContext, story)
}

impl ForeignContext {
    fn new(plugin: &'static Plugin, initiates: bool, state: State) -> Self {
        Self { plugin, initiates, state: Mutex::new(state) }
    }

    pub(super) fn plugin(&self) -> &'static Plugin {
        self.plugin
    }

    pub(super) fn initiates(&self) -> bool {
        self.initiates
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The context, for a call that does not end it. It is there until the last such call has ended.
    pub(super) fn element(&self) -> Result<Arc<Element>, Failed> {
        match &*self.state() {
            State::There(element) => Ok(Arc::clone(element)),
            other => Err(no_context(other.story())),
        }
    }

    /// Lends the context to a call that may change or end it, and that no other call is at work beside.
    pub(super) fn step(
        &self,
        call: impl FnOnce(&mut Object) -> Result<Done, Failed>,
    ) -> Result<Done, Failed> {
        let mut object = self.take()?;
        let outcome = call(&mut object);
        self.come_up(Element::new(self.plugin, What::Context, object));
        outcome
    }

    /// The plug-in has it alone, or has given it up.
    pub(super) fn come_up(&self, element: Option<Element>) {
        *self.state() = element.map_or(State::Over, |element| State::There(Arc::new(element)));
    }

    /// It failed.
    pub(super) fn end(&self) {
        *self.state() = State::Over;
    }

    /// Whether it is negotiated still.
    pub(super) fn is_negotiated(&self) -> bool {
        matches!(&*self.state(), State::Negotiated(_))
    }

    /// Takes the context and its negotiation out for a step; [`wait`](Self::wait), [`come_up`](Self::come_up) or
    /// [`end`](Self::end) follow.
    pub(super) fn take_negotiation(&self) -> Result<(Object, Negotiation), Failed> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Busy) {
            State::Negotiated(negotiated) => {
                let (element, negotiation) = *negotiated;
                Ok((element.map_or(Object::NONE, Element::into_object), negotiation))
            }
            other => {
                let story = other.story();
                *state = other;
                Err(no_context(story))
            }
        }
    }

    /// Awaits the peer's next token.
    pub(super) fn wait(&self, element: Option<Element>, negotiation: Negotiation) {
        *self.state() = State::Negotiated(Box::new((element, negotiation)));
    }

    fn take(&self) -> Result<Object, Failed> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Busy) {
            State::There(element) => match Arc::try_unwrap(element) {
                Ok(element) => Ok(element.into_object()),
                Err(element) => {
                    *state = State::There(element);
                    Err(no_context("another thread is at work on the context"))
                }
            },
            other => {
                let story = other.story();
                *state = other;
                Err(no_context(story))
            }
        }
    }
}

/// The plug-in's context of a handle, for a call that does not end it; `None` if the handle is no plug-in's.
pub(crate) fn context(handle: Handle) -> Result<Option<Arc<Element>>, Failed> {
    stepped(handle)?.map(|found| found.element()).transpose()
}

/// The plug-in's context of a handle, for a call that may end it; `None` if the handle is no plug-in's.
pub(super) fn stepped(handle: Handle) -> Result<Option<Arc<ForeignContext>>, Failed> {
    if !FOREIGN.is_of(handle) {
        return Ok(None);
    }
    match FOREIGN.hold(handle).as_deref() {
        Some(Foreign::Context(context)) => Ok(Some(Arc::clone(context))),
        _ => Err(no_context("the handle is no context: it was deleted, exported, or never one")),
    }
}

/// The plug-in's name of a handle; `None` if the handle is none.
pub(crate) fn foreign_name(handle: Handle) -> Option<Arc<Element>> {
    if !FOREIGN.is_of(handle) {
        return None;
    }
    match FOREIGN.hold(handle).as_deref() {
        Some(Foreign::Name(name)) => Some(Arc::clone(name)),
        _ => None,
    }
}

fn insert(object: Foreign) -> Result<Handle, Failed> {
    FOREIGN.insert(object).ok_or_else(Failed::no_memory)
}

/// A handle for a context.
pub(super) fn keep_context(
    plugin: &'static Plugin,
    initiates: bool,
    element: Element,
) -> Result<Handle, Failed> {
    keep_negotiating(plugin, initiates, Some(element), None)
}

/// A handle for a context that is negotiated, if it is not up.
pub(super) fn keep_negotiating(
    plugin: &'static Plugin,
    initiates: bool,
    element: Option<Element>,
    negotiation: Option<Negotiation>,
) -> Result<Handle, Failed> {
    let state = match (element, negotiation) {
        (element, Some(negotiation)) => State::Negotiated(Box::new((element, negotiation))),
        (Some(element), None) => State::There(Arc::new(element)),
        (None, None) => return Err(Failed::plain(Major::Failure, "the mechanism made no context")),
    };
    insert(Foreign::Context(Arc::new(ForeignContext::new(plugin, initiates, state))))
}

/// A handle for a name.
pub(super) fn keep_name(name: Element) -> Result<Handle, Failed> {
    insert(Foreign::Name(Arc::new(name)))
}

/// Takes a name out of its handle. Whether there was one.
pub(crate) fn release_name(handle: Handle) -> bool {
    foreign_name(handle).is_some() && FOREIGN.remove(handle)
}
