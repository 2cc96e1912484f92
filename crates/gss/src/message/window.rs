//! Which sequence numbers have been seen: replay and sequence detection (RFC 2743 §1.2.3).
//!
//! Numbers have 64 bits (RFC 4121 §4.2.6) and never wrap round: a sender stops before that.

use crate::Flags;
use crate::status::Order;

/// What is known of the peer's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The peer's first number; smaller ones are old.
    pub(crate) first: u64,
    /// The number that comes next in order: one more than the greatest seen.
    pub(crate) next: u64,
    /// Bit n: the number `next - 1 - n` has been seen.
    pub(crate) seen: u64,
}

impl Window {
    /// How far back a duplicate is recognised.
    const SIZE: u64 = u64::BITS as u64;

    pub(crate) fn new(first: u64) -> Self {
        Self { first, next: first, seen: 0 }
    }

    /// Takes the number of a verified message, and says how it stands, as far as the context's flags want it told.
    /// `None`: the number is the very last one, after which no other could follow; a sender must not use it.
    pub(crate) fn take(&mut self, number: u64, flags: Flags) -> Option<Order> {
        let following = number.checked_add(1)?;
        let sequence = flags.contains(Flags::SEQUENCE);
        if !sequence && !flags.contains(Flags::REPLAY) {
            return Some(Order::InOrder);
        }
        if number >= self.next {
            let skipped = number - self.next;
            let shift = u32::try_from(skipped + 1).ok();
            self.seen = shift.and_then(|shift| self.seen.checked_shl(shift)).unwrap_or(0) | 1;
            self.next = following;
            return Some(if skipped > 0 && sequence { Order::Gap } else { Order::InOrder });
        }
        let back = self.next - following;
        if number < self.first || back >= Self::SIZE {
            return Some(Order::Old);
        }
        let bit = 1_u64 << back;
        if self.seen & bit != 0 {
            return Some(Order::Duplicate);
        }
        self.seen |= bit;
        Some(if sequence { Order::Unsequenced } else { Order::InOrder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Flags = Flags(Flags::REPLAY.0 | Flags::SEQUENCE.0);

    fn orders(window: &mut Window, flags: Flags, numbers: &[u64]) -> Vec<Order> {
        numbers.iter().map(|number| window.take(*number, flags).unwrap()).collect()
    }

    #[test]
    fn every_kind_of_order_is_told() {
        let mut window = Window::new(10);
        assert_eq!(
            orders(&mut window, BOTH, &[10, 11, 11, 14, 12, 12, 9, 14, 15]),
            [
                Order::InOrder,
                Order::InOrder,
                Order::Duplicate,
                Order::Gap,
                Order::Unsequenced,
                Order::Duplicate,
                Order::Old,
                Order::Duplicate,
                Order::InOrder
            ]
        );
    }

    #[test]
    fn without_sequence_only_duplicates_are_told() {
        let mut window = Window::new(0);
        assert_eq!(
            orders(&mut window, Flags::REPLAY, &[5, 3, 3, 100, 36, 37]),
            [Order::InOrder, Order::InOrder, Order::Duplicate, Order::InOrder, Order::Old, Order::InOrder]
        );
    }

    #[test]
    fn without_replay_detection_the_order_is_told_and_duplicates_too() {
        let mut window = Window::new(0);
        assert_eq!(
            orders(&mut window, Flags::SEQUENCE, &[0, 2, 1, 1, 3]),
            [Order::InOrder, Order::Gap, Order::Unsequenced, Order::Duplicate, Order::InOrder]
        );
        let mut blind = Window::new(0);
        assert_eq!(orders(&mut blind, Flags::default(), &[0, 2, 1, 1, 9]), [Order::InOrder; 5]);
    }

    #[test]
    fn numbers_pass_32_bits_and_stop_before_64() {
        let mut window = Window::new(u64::from(u32::MAX));
        assert_eq!(
            orders(&mut window, BOTH, &[0xffff_ffff, 0x1_0000_0000, 0xffff_ffff]),
            [Order::InOrder, Order::InOrder, Order::Duplicate]
        );
        assert_eq!(window.take(u64::MAX, BOTH), None);
        assert_eq!(window.take(u64::MAX - 1, BOTH), Some(Order::Gap));
        assert_eq!(window.take(u64::MAX - 1, BOTH), Some(Order::Duplicate));
        assert_eq!(window.take(0x1_0000_0000, BOTH), Some(Order::Old));
    }

    #[test]
    fn agrees_with_a_plain_set_of_numbers() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut window = Window::new(1000);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let next = seen.last().map_or(1000, |last: &u64| last + 1);
            let number = (next + state % 9).saturating_sub(state >> 32 & 0x4f);
            let expected = if number < 1000 || number + 64 < next {
                Order::Old
            } else if seen.contains(&number) {
                Order::Duplicate
            } else if number == next {
                Order::InOrder
            } else if number > next {
                Order::Gap
            } else {
                Order::Unsequenced
            };
            assert_eq!(window.take(number, BOTH), Some(expected), "{number} after {next}");
            if expected != Order::Old {
                seen.insert(number);
            }
        }
    }
}
