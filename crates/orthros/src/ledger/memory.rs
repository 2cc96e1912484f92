//! A ledger in this process's memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use orthros_wire::Timestamp;

use super::{ID_LEN, Ledger, SpendRefusal};
use crate::sys::{fork, process};

/// How long an id is kept beyond its token's end, in seconds, should the clock be put back.
pub(super) const MARGIN: i64 = 900;

/// Keeps spent ids in memory. In a forked child it refuses: parent and child could each spend an id once.
pub struct MemoryLedger {
    generation: u64,
    spent: Mutex<Spent>,
}

#[derive(Default)]
struct Spent {
    ids: HashMap<[u8; ID_LEN], Entry>,
    /// The second at which to look for entries past their time.
    sweep_at: i64,
}

#[derive(Clone, Copy)]
struct Entry {
    at: Timestamp,
    until: Timestamp,
}

impl MemoryLedger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self { generation: fork::generation(), spent: Mutex::default() }
    }
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryLedger(..)")
    }
}

impl Ledger for MemoryLedger {
    fn spend(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        if self.generation != fork::generation() {
            return Err(SpendRefusal::Unavailable(
                "it lives in memory and this process was forked from the one that made it, so each of the two \
                 could spend a token; use the file ledger, or make a ledger after forking"
                    .into(),
            ));
        }
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = spent.ids.get(id) {
            return Err(SpendRefusal::AlreadySpent { at: entry.at, pid: process::id() });
        }
        if now.seconds >= spent.sweep_at {
            spent.ids.retain(|_, entry| entry.until.plus_seconds(MARGIN) >= now);
            spent.sweep_at = now.seconds.saturating_add(60);
        }
        spent.ids.insert(*id, Entry { at: now, until });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_eight_threads_one_spends_an_id() {
        let ledger = MemoryLedger::new();
        let (now, until) = (Timestamp::from_seconds(1_000), Timestamp::from_seconds(2_000));
        let won: usize = std::thread::scope(|scope| {
            let racers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| ledger.spend(&[7; 16], until, now).is_ok())).collect();
            racers.into_iter().map(|racer| usize::from(racer.join().unwrap())).sum()
        });
        assert_eq!(won, 1);
        let refusal = ledger.spend(&[7; 16], until, now.plus_seconds(5)).unwrap_err();
        assert_eq!(refusal, SpendRefusal::AlreadySpent { at: now, pid: std::process::id() });
        assert!(ledger.spend(&[8; 16], until, now).is_ok());
    }

    #[test]
    fn a_forked_child_is_refused_with_the_reason() {
        let ledger = MemoryLedger::new();
        let said = fork::tests::in_a_child(|| {
            ledger
                .spend(&[7; 16], Timestamp::from_seconds(2), Timestamp::from_seconds(1))
                .map_or_else(|refusal| refusal.to_string(), |()| "spent".into())
                .into_bytes()
        });
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("forked") && said.contains("file ledger"), "{said}");
    }
}
