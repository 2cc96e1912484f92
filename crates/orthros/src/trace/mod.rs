//! What an [`Orthros`](crate::Orthros) does, told while it does it: the trace that `KRB5_TRACE` asks for.
//!
//! | file | what it holds |
//! |---|---|
//! | here | [`Event`]: what can be told, and [`Trace`]: who is told |
//! | `text` | each event as a line for people |
//! | `file` | [`FileTrace`]: the lines in a file, in the form that MIT krb5's users know |
//!
//! The places that act tell; what the floors beneath learn comes to us as [`Fact`]s. Nothing depends on whether
//! anybody listens. Deliberately not here: keys, passwords, and the octets of tokens.

mod file;
mod text;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orthros_crypto::Enctype;
use orthros_gss::{Error, Name};
use orthros_krb5::Principal;
use orthros_krb5::config::KdcAddress;
pub use orthros_krb5::watch::Fact;
use orthros_krb5::watch::Watch;

use crate::dns::{DnsError, Kind};
use crate::kdc_link::{Attempt, Transport};
use crate::ledger::SpendRefusal;
use crate::replay::ReplayRefusal;
use crate::stores::{CacheName, KeytabName, StoreError};

pub use file::FileTrace;

/// Is told what happens.
///
/// ```
/// use std::sync::mpsc;
/// use orthros::trace::{Event, Trace};
/// use orthros::{Name, Orthros};
///
/// struct Lines(mpsc::Sender<String>);
/// impl Trace for Lines {
///     fn event(&self, event: &Event<'_>) {
///         let _ = self.0.send(event.to_string());
///     }
/// }
/// let (sender, lines) = mpsc::channel();
/// let orthros = Orthros::builder().trace(Lines(sender)).build();
/// assert!(orthros.initiate(Name::hostbased_service("host", "www.example.com")).is_err());
/// assert!(lines.recv()?.contains("MEMORY:default"), "which cache was looked for");
/// # Ok::<(), mpsc::RecvError>(())
/// ```
pub trait Trace: Send + Sync {
    /// Takes note of an event; its text is one line for people. It comes in the middle of the work: what takes long
    /// here holds that up.
    fn event(&self, event: &Event<'_>);
}

/// Something that happened. No event holds a key or a password.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A KDC answered.
    Answered {
        /// Its address.
        kdc: SocketAddr,
        /// How it was asked.
        transport: Transport,
        /// The answer's octets, as they travelled.
        answer: &'a [u8],
    },
    /// A KDC is asked.
    Asking {
        /// Its address.
        kdc: SocketAddr,
        /// How.
        transport: Transport,
    },
    /// A credential cache was looked at.
    Cache {
        /// Which.
        name: &'a CacheName,
        /// Whose it is, or what is wrong with it.
        found: Result<&'a Principal, &'a StoreError>,
    },
    /// A name service was asked what a host is canonically called.
    Canonical {
        /// The host.
        host: &'a str,
        /// Its name.
        found: Result<&'a str, &'a DnsError>,
    },
    /// The configuration was read.
    Configured {
        /// From which files, whether they are there or not.
        files: &'a [PathBuf],
        /// The default realm.
        realm: Option<&'a str>,
        /// The default credential cache.
        cache: &'a CacheName,
        /// The acceptors' default keytab.
        keytab: &'a KeytabName,
    },
    /// A step of an exchange.
    Fact(&'a Fact<'a>),
    /// A context, or a ticket, could not be had.
    Failed(&'a Error),
    /// Addresses were looked for, of a KDC's host.
    Host {
        /// The host.
        host: &'a str,
        /// How many there are, or why there is none.
        found: Result<usize, &'a Attempt>,
    },
    /// A context is to be initiated.
    Initiating {
        /// By whom.
        client: &'a Principal,
        /// With whom.
        target: &'a Name,
        /// The cache of the client's tickets, if they came from one.
        cache: Option<&'a str>,
    },
    /// A keytab was asked for a key.
    Key {
        /// Which keytab.
        keytab: &'a KeytabName,
        /// Whose key was asked for.
        server: &'a Principal,
        /// Of which enctype.
        enctype: Enctype,
        /// Of which version; `None`: the newest.
        kvno: Option<u32>,
        /// Whose key was found, or what the keytab has instead.
        found: Result<&'a Principal, &'a str>,
    },
    /// A keytab was looked at.
    Keytab {
        /// Which.
        name: &'a KeytabName,
        /// How many keys it has, or what is wrong with it.
        found: Result<usize, &'a StoreError>,
    },
    /// A name server was asked.
    NameServer {
        /// Which.
        server: SocketAddr,
        /// About which name.
        name: &'a str,
        /// For what.
        kind: Kind,
        /// What came of it.
        said: &'a str,
    },
    /// A KDC gave no answer that can be used; another way may be tried.
    NoAnswer(&'a Attempt),
    /// Where the KDCs of a realm are.
    Places {
        /// The realm.
        realm: &'a str,
        /// Whether the configuration says so, and not DNS.
        configured: bool,
        /// The KDCs, or why there are none.
        found: Result<&'a [KdcAddress], &'a str>,
    },
    /// A name service was asked for a host's realm.
    RealmOfHost {
        /// The host.
        host: &'a str,
        /// Its realm.
        found: Result<&'a str, &'a DnsError>,
    },
    /// A mechanism of others was loaded into the C library, or was not.
    Plugin {
        /// What the configuration calls it.
        name: &'a str,
        /// The shared object, or the list with a bad line.
        file: &'a Path,
        /// Whether it is there, or why not.
        outcome: Result<(), &'a str>,
    },
    /// The replay cache was asked about a request.
    Replay {
        /// Which cache, if it is not the usual one.
        cache: Option<&'a str>,
        /// Whether the request is new.
        answer: Result<(), &'a ReplayRefusal>,
    },
    /// A request to a realm's KDCs.
    Request {
        /// The realm.
        realm: &'a str,
        /// The request's octets, as they travel.
        request: &'a [u8],
    },
    /// The ledger was asked about a transfer token.
    Spent(Result<(), &'a SpendRefusal>),
    /// A ticket was put into a credential cache.
    Stored {
        /// Which.
        cache: &'a str,
        /// Whom the ticket is for.
        server: &'a Principal,
        /// Whether that worked.
        outcome: Result<(), &'a StoreError>,
    },
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({self})")
    }
}

/// Whoever is told, if anybody is.
#[derive(Clone, Default)]
pub(crate) struct Tracer(Option<Arc<dyn Trace>>);

impl Tracer {
    pub(crate) fn new(trace: impl Trace + 'static) -> Self {
        Self(Some(Arc::new(trace)))
    }

    pub(crate) fn tell(&self, event: Event<'_>) {
        if let Some(trace) = &self.0 {
            trace.event(&event);
        }
    }

    /// For the floors beneath; nothing if nobody is told.
    pub(crate) fn watch(&self) -> Option<Arc<dyn Watch>> {
        self.0.is_some().then(|| Arc::new(self.clone()) as Arc<dyn Watch>)
    }
}

impl Watch for Tracer {
    fn saw(&self, fact: &Fact<'_>) {
        self.tell(Event::Fact(fact));
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Tracer(on)" } else { "Tracer(off)" })
    }
}
