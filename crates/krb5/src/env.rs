//! What an exchange takes from outside at any moment: the clock and randomness, together.

use std::fmt;
use std::sync::Arc;

use orthros_wire::{Clock, Random, Timestamp};

/// A clock and a source of randomness. Cheap to clone: both are shared.
#[derive(Clone)]
pub struct Env {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives octets that nobody can predict.
    pub random: Arc<dyn Random>,
}

impl Env {
    /// Both together.
    pub fn new(clock: impl Clock + 'static, random: impl Random + 'static) -> Self {
        Self { clock: Arc::new(clock), random: Arc::new(random) }
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
