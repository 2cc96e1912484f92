//! How far what one clock said can lie from what another says: what complaints of wrong times are held against.

use crate::ids::End;
use crate::plan::SECOND;
use crate::world::World;

/// Seconds that a request, its repetitions and its reply are on their way, at most.
const WAYS: u64 = 15;

/// The most and the least that any machine's clock was ever ahead of the true time, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extremes {
    known: Option<(i64, i64)>,
}

impl Extremes {
    fn note(&mut self, ahead: i64) {
        let (least, most) = self.known.unwrap_or((ahead, ahead));
        self.known = Some((least.min(ahead), most.max(ahead)));
    }

    fn spread(self) -> u64 {
        self.known.map_or(0, |(least, most)| least.abs_diff(most))
    }
}

impl World {
    /// Notes what the clocks are ahead, whenever one was put.
    pub(crate) fn compare_clocks(&mut self) {
        for host in &self.hosts {
            self.clocks.note(host.ahead);
        }
    }

    /// Whether a time can be off by more than is tolerated.
    pub(crate) fn clocks_wild(&self) -> bool {
        self.apart() > crate::plan::SKEW
    }

    /// Whether a ticket, or what a context asks of one, can be over by somebody's clock.
    pub(crate) fn outlived(&self, end: End) -> bool {
        let asked = self.conversations[end.conversation].style.and_then(|style| style.lifetime);
        let tickets = u64::try_from(self.plan.ticket_lifetime).unwrap_or(0);
        let lifetime = asked.map_or(tickets, |asked| tickets.min(asked.into()));
        self.apart() + self.now / SECOND >= lifetime
    }

    /// Seconds by which a time that was told can be off, at most. A client keeps what its KDC's clock was ahead of its
    /// own, as the reply told it when it came: if both clocks are put afterwards, that counts twice, and whatever the
    /// reply slept on its way comes to it.
    fn apart(&self) -> u64 {
        (2 * self.clocks.spread() + self.slept) / SECOND + WAYS
    }
}
