//! Initiating by a cache, and by a keytab where the cache does not do.
//!
//! The rule is MIT krb5's (1.11 and later), so that its programs and ours keep one cache fresh together: a ticket got
//! by a client keytab goes into the cache, with a note `refresh_time` at half of its life. Who finds that time gone
//! by gets a new ticket; the note is put off by 30 seconds first, so that others do not ask at the same time. If
//! the KDC does not answer, the old ticket goes on until it ends.
//!
//! A cache that belongs to somebody else, or that is damaged, is left alone: the ticket then stays in memory.

use std::sync::Arc;

use orthros_gss::credential::Lifetime;
use orthros_gss::error::NoCredential;
use orthros_gss::{Error, InitiatorCredential};
use orthros_krb5::{CredentialCache, Keytab, Principal};

use super::store::Place;
use super::{Login, cache_of};
use crate::Orthros;
use crate::stores::{CacheName, CacheSnapshot, KeytabName, StoreError, StoreFault};

/// The note that says when a ticket got by a client keytab is to be replaced: seconds since 1970, in digits.
const REFRESH_TIME: &str = "refresh_time";
/// For how many seconds others are kept from refreshing what one refreshes.
const PUT_OFF: i64 = 30;

/// A cache, the keytab that stands in for it, and who is wanted.
pub(super) struct Initiating<'a> {
    pub(super) orthros: &'a Orthros,
    pub(super) cache: &'a CacheName,
    pub(super) keytab: &'a Place<KeytabName, Keytab>,
    /// `None`: whoever the cache belongs to, else the first of the keytab.
    pub(super) client: Option<&'a Principal>,
    pub(super) login: Login,
}

impl Initiating<'_> {
    /// The credential: the cache's if it is of use, refreshed if it is time; else one by the keytab.
    pub(super) fn credential(&self) -> Result<Arc<InitiatorCredential>, Error> {
        let snapshot = self.orthros.snapshot_of(self.cache);
        match snapshot.as_ref().map(|snapshot| (snapshot, &snapshot.credential)) {
            Ok((_, cached)) if self.client.is_some_and(|wanted| wanted != cached.client()) => {
                let report = format!("{}: it belongs to {}", self.cache, cached.client());
                self.by_keytab(None, self.client, &report)
            }
            Ok((_, cached)) if cached.lifetime(self.orthros.env().now()) == Lifetime::Expired => {
                self.instead_of_ended(cached)
            }
            Ok((snapshot, cached)) => Ok(self.refreshed(snapshot).unwrap_or_else(|| Arc::clone(cached))),
            Err(error) => {
                let place = matches!(error.fault, StoreFault::Missing).then_some(self.cache);
                self.by_keytab(place, self.client, &error.to_string())
            }
        }
    }

    /// The cache's ticket has ended: the keytab may have a key of the same client, or of another.
    fn instead_of_ended(&self, ended: &Arc<InitiatorCredential>) -> Result<Arc<InitiatorCredential>, Error> {
        let own = self.keytab().is_ok_and(|keytab| keytab.keys_for(ended.client()).next().is_some());
        if own {
            return self.by_keytab(Some(self.cache), Some(ended.client()), "");
        }
        let by_keytab = match self.client {
            Some(_) => None,
            None => self.by_keytab(None, None, "").ok(),
        };
        // An ended ticket tells more than a keytab that was never meant to be there.
        Ok(by_keytab.unwrap_or_else(|| Arc::clone(ended)))
    }

    /// A new ticket in the place of one that still lives, if it is time and a key is there.
    fn refreshed(&self, cached: &CacheSnapshot) -> Option<Arc<InitiatorCredential>> {
        let orthros = self.orthros;
        let due = cached.cache.configuration_value(REFRESH_TIME, None)?;
        let due: i64 = std::str::from_utf8(due).ok()?.parse().ok()?;
        if self.login == Login::Deferred || orthros.env().now().seconds < due {
            return None;
        }
        let cached = &cached.credential;
        let keytab = self.keytab().ok()?;
        keytab.keys_for(cached.client()).next()?;
        let mut content = orthros.read_cache(self.cache).ok()?;
        note(&mut content, due.saturating_add(PUT_OFF));
        let refreshed = orthros
            .write_cache(self.cache, content)
            .map_err(Error::from)
            .and_then(|()| self.obtain(Some(self.cache), cached.client(), &keytab));
        refreshed
            .map_err(|error| tracing::warn!(%error, cache = %self.cache, "the ticket could not be refreshed"))
            .ok()
    }

    /// A ticket by the keytab, put into `place` (`None`: into memory). `report` says what the cache lacked.
    fn by_keytab(
        &self,
        place: Option<&CacheName>,
        client: Option<&Principal>,
        report: &str,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let none = |why: String| -> Error {
            let report = if report.is_empty() { String::new() } else { format!("{report}; ") };
            NoCredential::None(format!("{report}{why}")).into()
        };
        let who = self.client.map_or_else(String::new, |client| format!(" {client}"));
        let keytab = self.keytab().map_err(|keytab| none(format!("{keytab}; run kinit{who}")))?;
        let name = match self.keytab {
            Place::Named(name) => name.to_string(),
            Place::Given(_) => "the keytab".to_owned(),
        };
        let first = || keytab.entries().next().map(|entry| entry.principal().clone());
        let client = match client {
            Some(client) if keytab.keys_for(client).next().is_none() => {
                return Err(none(format!("{name}: it has no key of {client}")));
            }
            Some(client) => client.clone(),
            None => first().ok_or_else(|| none(format!("{name}: it is empty")))?,
        };
        self.obtain(place, &client, &keytab)
    }

    fn obtain(
        &self,
        place: Option<&CacheName>,
        client: &Principal,
        keytab: &Keytab,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        if self.login == Login::Deferred {
            return self.orthros.acquire(&client.to_string()).keytab(keytab).deferred();
        }
        let key = format!("client keytab: {client}");
        let memory = CacheName::Memory(key.clone());
        if place.is_none() {
            // What was got before, while it lasts.
            let again = Initiating { cache: &memory, client: Some(client), ..*self };
            if let Ok(kept) = self.orthros.snapshot_of(&memory)
                && kept.credential.lifetime(self.orthros.env().now()) != Lifetime::Expired
            {
                return Ok(again.refreshed(&kept).unwrap_or_else(|| Arc::clone(&kept.credential)));
            }
        }
        let credential = self.orthros.acquire(&client.to_string()).keytab(keytab).blocking()?;
        let mut content = cache_of(&credential);
        if let Lifetime::Seconds(seconds) = credential.lifetime(self.orthros.env().now()) {
            note(&mut content, self.orthros.env().now().seconds.saturating_add(seconds / 2));
        }
        if let Some(place) = place {
            match self.orthros.write_cache(place, content.clone()) {
                Ok(()) => return Ok(self.orthros.credential_from_store(place)?),
                Err(error) => tracing::warn!(%error, "the ticket stays in memory"),
            }
        }
        let timesync = self.orthros.config().kdc_timesync;
        Ok(Arc::clone(&self.orthros.stores().keep_in_memory(&key, content, timesync).credential))
    }

    fn keytab(&self) -> Result<Arc<Keytab>, StoreError> {
        match self.keytab {
            Place::Named(name) => self.orthros.read_keytab(name),
            Place::Given(keytab) => Ok(Arc::clone(keytab)),
        }
    }
}

fn note(content: &mut CredentialCache, refresh_time: i64) {
    content.set_configuration(REFRESH_TIME, None, Some(refresh_time.to_string().as_bytes()));
}
