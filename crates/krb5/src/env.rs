//! What an exchange takes from outside at any moment: the clock and randomness, together; and who watches it.

use std::fmt;
use std::sync::Arc;

use orthros_wire::{Clock, Random, Timestamp};

use crate::watch::{Fact, Watch};

/// A clock and a source of randomness. Cheap to clone: all is shared.
#[derive(Clone)]
pub struct Env {
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
        Self { clock: Arc::new(clock), random: Arc::new(random), watch: None }
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

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env(..)")
    }
}
