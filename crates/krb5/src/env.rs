//! What an exchange takes from outside at any moment: the clock and randomness, together; and who watches it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use orthros_wire::{Clock, Random, Timestamp};

use crate::watch::{Fact, Watch};

/// A clock and a source of randomness. Cheap to clone and to keep: all of it is shared.
#[derive(Clone)]
pub struct Env(Arc<Sources>);

/// What is behind an [`Env`]: beside no count of who has it, which every thread writes that clones one.
#[derive(Clone)]
#[repr(align(128))]
pub struct Sources {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives octets that nobody can predict.
    pub random: Arc<dyn Random>,
    /// Is told what exchanges learn.
    pub watch: Option<Arc<dyn Watch>>,
}

impl Env {
    /// Both together; nobody watches.
    pub fn new(clock: impl Clock + 'static, random: impl Random + 'static) -> Self {
        Self(Arc::new(Sources { clock: Arc::new(clock), random: Arc::new(random), watch: None }))
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(&self, clock: impl Clock + 'static) -> Self {
        Self(Arc::new(Sources { clock: Arc::new(clock), ..Sources::clone(self) }))
    }

    /// With another source of randomness.
    #[must_use]
    pub fn with_random(&self, random: impl Random + 'static) -> Self {
        Self(Arc::new(Sources { random: Arc::new(random), ..Sources::clone(self) }))
    }

    /// With somebody else, or nobody, who watches.
    #[must_use]
    pub fn with_watch(&self, watch: Option<Arc<dyn Watch>>) -> Self {
        Self(Arc::new(Sources { watch, ..Sources::clone(self) }))
    }

    /// The same for another thread, which counts its users by itself.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self(Arc::new(Sources::clone(self)))
    }

    /// Tells whoever watches.
    pub fn tell(&self, fact: Fact<'_>) {
        if let Some(watch) = &self.watch {
            watch.saw(&fact);
        }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Deref for Env {
    type Target = Sources;

    fn deref(&self) -> &Sources {
        &self.0
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env(..)")
    }
}
