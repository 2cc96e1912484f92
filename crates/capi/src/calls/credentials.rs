//! Credentials (RFC 2744 §5.2, §5.21, §5.22, §5.26).

use std::sync::Arc;

use orthros::credential::{CredentialSet, Usage};
use orthros::mechanism::{IAKERB, KRB5, Mechanism, SPNEGO};
use orthros::{CredentialStore, Major, Name, Orthros};
use orthros_crypto::Enctype;
use orthros_gss::credential::{Facts, Lifetime};
use orthros_wire::{Oid, Timestamp};

use super::stores::{by_password, store_of};
use super::{NAMES, chosen, insert, known, name};
use crate::abi::{
    Handle, INDEFINITE, OidDesc, OidSetDesc, OmUint32, USAGE_ACCEPT, USAGE_BOTH, USAGE_INITIATE, USAGE_NO_UI,
};
use crate::boundary::boundary;
use crate::copies::Copies;
use crate::handles::{Kind, Table};
use crate::library;
use crate::memory::OidSet;
use crate::plugins::credentials::{Source, Wish};
use crate::plugins::{self, Element};
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};

/// The credentials of the process.
pub(crate) static CREDENTIALS: Table<Arc<Credential>> = Table::new(Kind::Credential);

/// Those of threads that make contexts with them again and again.
static COPIES: Copies<Credential, 7> = Copies::new();

/// What a credential's handle stands for. Contexts that are made with it are as the process was configured when it was
/// got.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) set: CredentialSet,
    pub(crate) orthros: Orthros,
    pub(crate) options: Options,
    /// Its elements of mechanisms of others.
    pub(crate) foreign: Vec<Arc<Element>>,
}

/// What was set for the contexts that will be made with a credential.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// Flags of protection go to the peer only where the program asks for them.
    pub(crate) only_asked_protection: bool,
    /// The enctypes of session keys.
    pub(crate) enctypes: Option<Vec<Enctype>>,
    /// What may be negotiated.
    pub(crate) negotiable: Option<Vec<Oid>>,
    /// Contexts stay in this process.
    pub(crate) stays: bool,
    /// The program carries messages to KDCs.
    pub(crate) carries: bool,
}

impl Credential {
    /// The mechanisms that contexts can be made of with it.
    fn mechanisms(&self) -> impl Iterator<Item = &Oid> {
        // What is negotiated may be a plug-in's.
        let negotiated = self.set.mechanisms().any(|mechanism| *mechanism == KRB5)
            || self.foreign.iter().any(|element| element.plugin().is_by_default());
        let own = self.set.mechanisms().map(|mechanism| &mechanism.oid);
        let foreign = self.foreign.iter().map(|element| element.plugin().oid());
        own.chain(negotiated.then_some(&SPNEGO.oid)).chain(foreign)
    }

    /// How long all of it can be used.
    fn left(&self, facts: &Facts) -> OmUint32 {
        let own = (!self.set.is_empty()).then(|| seconds(facts.lifetime()));
        let foreign = self.foreign.iter().map(|element| element.known().left);
        own.into_iter().chain(foreign).min().unwrap_or(0)
    }

    /// A copy for another thread.
    fn apart(&self) -> Self {
        let (options, foreign) = (self.options.clone(), self.foreign.clone());
        Self { set: self.set.apart(), orthros: self.orthros.apart(), options, foreign }
    }

    /// A credential without options.
    pub(crate) fn new(set: CredentialSet, orthros: Orthros) -> Self {
        Self { set, orthros, options: Options::default(), foreign: Vec::new() }
    }
}

/// The credential of a handle; `None` for `GSS_C_NO_CREDENTIAL`.
pub(crate) fn credential(handle: Handle) -> Result<Option<Arc<Credential>>, Failed> {
    if handle == Handle::NONE {
        return Ok(None);
    }
    CREDENTIALS.find(handle).map(Some).ok_or_else(released)
}

fn released() -> Failed {
    Failed::plain(Major::NoCredential, "the handle is no credential, or was released")
}

/// Puts another credential behind a handle.
pub(super) fn replace(handle: Handle, credential: Credential) -> Result<(), Failed> {
    let is_there = CREDENTIALS.replace(handle, credential);
    COPIES.forget(handle.0);
    match is_there {
        true => Ok(()),
        false => Err(Failed::plain(Major::NoCredential, "the credential was released meanwhile")),
    }
}

/// Ends a credential. Whether it lived.
fn release(handle: Handle) -> bool {
    let is_there = CREDENTIALS.remove(handle);
    COPIES.forget(handle.0);
    is_there
}

/// The credential of a handle, or the default one for this use: to be read, for it may be this thread's copy.
pub(crate) fn held(handle: Handle, usage: Usage) -> Result<Arc<Credential>, Failed> {
    held_for(handle, usage, &KRB5)
}

/// The same, the default one for this use and mechanism.
pub(crate) fn held_for(
    handle: Handle,
    usage: Usage,
    mechanism: &'static Mechanism,
) -> Result<Arc<Credential>, Failed> {
    if handle == Handle::NONE {
        return default_for(mechanism, usage).map(Arc::new);
    }
    let find = || CREDENTIALS.find(handle);
    COPIES.own(handle.0, || Some(find()?.apart())).or_else(find).ok_or_else(released)
}

/// The same; where no use is named, the default is what initiates, if there is something, else what accepts.
fn held_for_any(handle: Handle) -> Result<Arc<Credential>, Failed> {
    held(handle, Usage::Initiate).or_else(|failed| match handle {
        Handle::NONE => default_for(&KRB5, Usage::Accept).map(Arc::new).map_err(|_| failed),
        _ => Err(failed),
    })
}

fn default_for(mechanism: &'static Mechanism, usage: Usage) -> Result<Credential, Failed> {
    let orthros = library::orthros()?;
    let store = library::with_defaults(CredentialStore::new());
    Ok(Credential::new(orthros.acquire_for(mechanism, &store, None, usage)?, orthros))
}

pub(crate) fn usage(number: i32) -> Result<Usage, Failed> {
    match number & !USAGE_NO_UI {
        USAGE_BOTH => Ok(Usage::Both),
        USAGE_INITIATE => Ok(Usage::Initiate),
        USAGE_ACCEPT => Ok(Usage::Accept),
        _ => Err(Failed::plain(
            Major::Failure,
            "the usage is none of GSS_C_BOTH, GSS_C_INITIATE and GSS_C_ACCEPT",
        )),
    }
}

fn usage_number(usage: Usage) -> i32 {
    match usage {
        Usage::Both => USAGE_BOTH,
        Usage::Initiate => USAGE_INITIATE,
        Usage::Accept => USAGE_ACCEPT,
    }
}

/// The present second, which lifetimes are told by.
pub(super) fn now(orthros: &Orthros) -> Timestamp {
    Timestamp::from_seconds(orthros.env().clock.seconds())
}

pub(crate) fn seconds(lifetime: Lifetime) -> OmUint32 {
    match lifetime {
        Lifetime::Expired => 0,
        Lifetime::Indefinite => INDEFINITE,
        Lifetime::Seconds(seconds) => u32::try_from(seconds).unwrap_or(INDEFINITE - 1),
    }
}

/// Gets credentials that are there: a cache's, a keytab's (§5.2). Without a name the default ones.
#[unsafe(no_mangle)]
pub extern "C" fn gss_acquire_cred(
    minor_status: Out<OmUint32>,
    desired_name: Handle,
    time_req: OmUint32,
    desired_mechs: In<OidSetDesc>,
    cred_usage: i32,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    time_rec: Out<OmUint32>,
) -> OmUint32 {
    let acquired = Acquired { handle: output_cred_handle, mechanisms: actual_mechs, time: time_rec };
    acquired.clear();
    boundary(minor_status, || {
        acquire(
            Wish { source: Source::Default, name: desired_name, time: time_req, usage: cred_usage },
            desired_mechs,
            acquired,
        )
    })
}

/// Where the caller wants to be told of a new credential.
#[derive(Clone, Copy)]
pub(crate) struct Acquired {
    pub(crate) handle: Out<Handle>,
    pub(crate) mechanisms: Out<OidSet>,
    pub(crate) time: Out<OmUint32>,
}

impl Acquired {
    pub(crate) fn clear(self) {
        self.handle.set(Handle::NONE);
        self.mechanisms.set(std::ptr::null_mut());
        self.time.set(0);
    }

    /// Hands out a new credential, and what is known of it.
    pub(super) fn give(self, made: Credential) -> Result<OmUint32, Failed> {
        // By the exact clock, for a lifetime may have been asked for.
        let facts = made.set.inquire(made.orthros.env().now());
        self.mechanisms.give(made.mechanisms())?;
        self.time.set(made.left(&facts));
        self.handle.set(insert(&CREDENTIALS, made)?);
        Ok(COMPLETE)
    }
}

/// Gets elements of our mechanisms and of others', as far as they are wanted; one is enough (§5.2).
pub(crate) fn acquire(
    wish: Wish,
    desired_mechs: In<OidSetDesc>,
    acquired: Acquired,
) -> Result<OmUint32, Failed> {
    acquired.handle.require()?;
    let named = desired_mechs.identifiers()?.filter(|named| !named.is_empty());
    let plugins = plugins::credentials::wanted(named.as_deref())?;
    let only_foreign =
        !plugins.is_empty() && named.is_some_and(|named| named.iter().all(|oid| known(oid).is_err()));
    let own = (!only_foreign).then(|| own(&wish, desired_mechs)).transpose();
    let (mut foreign, mut failed) = (Vec::new(), None);
    for plugin in plugins {
        match wish.acquire(plugin) {
            Ok(element) => foreign.push(element),
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    let made = match (own, failed) {
        (Ok(Some(own)), _) => own,
        (Err(failure), _) | (Ok(None), Some(failure)) if foreign.is_empty() => return Err(failure),
        _ => Credential::new(CredentialSet::empty(), library::orthros()?),
    };
    acquired.give(Credential { foreign, ..made })
}

/// Gets what a store names, and what the process and the thread have set where it names nothing.
fn own(wish: &Wish, desired_mechs: In<OidSetDesc>) -> Result<Credential, Failed> {
    let store = own_store(wish.source, wish.time)?;
    let named = if wish.name == Handle::NONE { None } else { Some(name(wish.name)?) };
    let name = named.as_ref().map(|named| &***named);
    let (first, second) = wanted(desired_mechs)?;
    let orthros = library::orthros()?;
    let (store, usage) = (library::with_defaults(store), usage(wish.usage)?);
    let element = |mechanism| orthros.acquire_for(mechanism, &store, name, usage);
    // An element is enough (§5.2).
    let set = match (element(first), second.map(element)) {
        (Ok(set), Some(Ok(other))) => joined(set, &other, usage)?,
        (Ok(set), _) | (Err(_), Some(Ok(set))) => set,
        (Err(error), _) => return Err(error.into()),
    };
    Ok(Credential::new(set, orthros))
}

/// What our mechanisms are told of where credentials come from, and for how long they are wanted. MIT krb5 asks for the
/// configured time whatever is wanted.
pub(super) fn own_store(source: Source, time: OmUint32) -> Result<CredentialStore, Failed> {
    let store = match source {
        Source::Default => CredentialStore::new(),
        Source::Store(store) => store_of(store)?,
        Source::Password(password) => by_password(password)?,
    };
    Ok(if time == 0 || time == INDEFINITE { store } else { store.lifetime_seconds(time) })
}

/// The mechanisms whose elements are wanted: Kerberos, which a negotiation needs too, or IAKERB, or both. One of the set
/// that is here is enough (§5.2); IAKERB is only got where it is named.
pub(super) fn wanted(
    mechanisms: In<OidSetDesc>,
) -> Result<(&'static Mechanism, Option<&'static Mechanism>), Failed> {
    let Some(named) = mechanisms.identifiers()?.filter(|named| !named.is_empty()) else {
        return Ok((&KRB5, None));
    };
    let here: Vec<_> = named.iter().filter_map(|oid| known(oid).ok()).collect();
    let carried = here.contains(&&IAKERB).then_some(&IAKERB);
    match (here.iter().any(|mechanism| **mechanism != IAKERB), carried) {
        (true, carried) => Ok((&KRB5, carried)),
        (false, Some(carried)) => Ok((carried, None)),
        (false, None) => Ok((known(named.first().ok_or_else(Failed::no_memory)?)?, None)),
    }
}

/// A set with the element of IAKERB beside its own.
fn joined(mut set: CredentialSet, other: &CredentialSet, usage: Usage) -> Result<CredentialSet, Failed> {
    if usage.initiates() {
        set.add_initiator(&IAKERB.oid, Arc::clone(other.initiator(&IAKERB.oid)?))?;
    }
    if usage.accepts() {
        set.add_acceptor(&IAKERB.oid, other.acceptor(&IAKERB.oid)?.clone())?;
    }
    Ok(set)
}

/// Ends a credential and leaves `GSS_C_NO_CREDENTIAL` (§5.26). Contexts that were made with it live on.
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_cred(minor_status: Out<OmUint32>, cred_handle: Out<Handle>) -> OmUint32 {
    boundary(minor_status, || {
        let handle = cred_handle.get().unwrap_or(Handle::NONE);
        cred_handle.set(Handle::NONE);
        if handle != Handle::NONE && !release(handle) {
            return Err(Failed::plain(
                Major::NoCredential,
                "the handle is no credential, or was released before",
            ));
        }
        Ok(COMPLETE)
    })
}

/// Tells whose a credential is. One that accepts for whichever service there is a key of goes by the first of them, as with
/// MIT krb5: mod_auth_gssapi takes that for a target.
fn tell_name(set: &CredentialSet, facts: Facts, name: Out<Handle>) -> Result<(), Failed> {
    if !name.is_present() {
        return Ok(());
    }
    let first = || set.acceptor(&KRB5.oid).ok()?.first_principal().map(Name::Principal);
    if let Some(known) = facts.name.or_else(first) {
        name.set(insert(&NAMES, known)?);
    }
    Ok(())
}

/// What is known of a credential (§5.21); of the default one where none is named.
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_cred(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    name: Out<Handle>,
    lifetime: Out<OmUint32>,
    cred_usage: Out<i32>,
    mechanisms_out: Out<OidSet>,
) -> OmUint32 {
    name.set(Handle::NONE);
    lifetime.set(0);
    cred_usage.set(USAGE_BOTH);
    mechanisms_out.set(std::ptr::null_mut());
    boundary(minor_status, || {
        let held = held_for_any(cred_handle)?;
        let facts = held.set.inquire(now(&held.orthros));
        lifetime.set(held.left(&facts));
        mechanisms_out.give(held.mechanisms())?;
        match held.foreign.first().filter(|_| held.set.is_empty()) {
            Some(element) => {
                cred_usage.set(element.known().usage);
                element.tell_name(name)?;
            }
            None => {
                cred_usage.set(usage_number(facts.usage));
                tell_name(&held.set, facts, name)?;
            }
        }
        Ok(COMPLETE)
    })
}

/// What is known of a credential for one mechanism (§5.22).
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_cred_by_mech(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    mech_type: In<OidDesc>,
    name: Out<Handle>,
    initiator_lifetime: Out<OmUint32>,
    acceptor_lifetime: Out<OmUint32>,
    cred_usage: Out<i32>,
) -> OmUint32 {
    name.set(Handle::NONE);
    initiator_lifetime.set(0);
    acceptor_lifetime.set(0);
    cred_usage.set(USAGE_BOTH);
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(mech_type)? {
            let told = plugins::credentials::ByMechanism {
                name,
                initiator_left: initiator_lifetime,
                acceptor_left: acceptor_lifetime,
                usage: cred_usage,
            };
            let done = plugins::credentials::inquire_by_mechanism(plugin, cred_handle, &told)?;
            return Ok(done.tell(minor_status));
        }
        let mechanism = chosen(mech_type)?;
        let held = held_for_any(cred_handle)?;
        let facts = held.set.inquire_for(&mechanism.oid, now(&held.orthros))?;
        initiator_lifetime.set(facts.initiator_lifetime.map_or(0, seconds));
        // As MIT krb5 tells it: what is for both lasts no longer than its tickets.
        acceptor_lifetime.set(facts.acceptor_lifetime.map_or(0, |_| seconds(facts.lifetime())));
        cred_usage.set(usage_number(facts.usage));
        tell_name(&held.set, facts, name)?;
        Ok(COMPLETE)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use orthros::sys::gate;
    use orthros::{AcceptorCredential, Principal};
    use orthros_crypto::LongTermKey;
    use orthros_krb5::ap::AcceptorKeys;

    use super::*;

    /// Keys that tell how many of them there are.
    struct Counted(Arc<()>);

    impl AcceptorKeys for Counted {
        fn find(
            &self,
            _: &Principal,
            _: Enctype,
            _: Option<u32>,
        ) -> Result<(Arc<LongTermKey>, Principal), String> {
            Err("there are none".into())
        }

        fn apart(&self) -> Option<Arc<dyn AcceptorKeys + Send + Sync>> {
            Some(Arc::new(Self(Arc::clone(&self.0))))
        }
    }

    #[test]
    fn threads_that_come_again_have_keys_of_their_own_until_the_credential_is_released() {
        const THREADS: usize = 3;
        let keys = Arc::new(());
        let alive = || Arc::strong_count(&keys) - 1;
        let set = CredentialSet::accepting(AcceptorCredential::any(Arc::new(Counted(Arc::clone(&keys)))));
        let made = Credential::new(set, Orthros::builder().build());
        let handle = insert(&CREDENTIALS, made).unwrap();
        let come = |times: usize| {
            let both = Barrier::new(THREADS);
            let found = || held(handle, Usage::Accept).map(|held| held.options.stays);
            thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|_| {
                        scope.spawn(|| {
                            let _inside = gate::enter();
                            both.wait();
                            let found: Vec<_> = (0..times).map(|_| found().ok()).collect();
                            both.wait();
                            found
                        })
                    })
                    .collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            })
        };
        assert_eq!(come(4), [Some(false); 4 * THREADS]);
        assert_eq!(alive(), 1 + THREADS);
        let mut changed = Credential::clone(&credential(handle).unwrap().unwrap());
        changed.options.stays = true;
        replace(handle, changed).unwrap();
        assert_eq!(alive(), 1, "copies of what was there before");
        assert_eq!(come(4), [Some(true); 4 * THREADS], "nobody goes on with what was there before");
        assert_eq!(alive(), 1 + THREADS);
        assert!(release(handle) && !release(handle));
        assert_eq!(alive(), 0, "keys of a credential that was released");
        assert!(held(handle, Usage::Accept).is_err());
    }
}
