//! What two ends of an established context say to each other, in whatever order it arrives, with moves in between.

use std::collections::BTreeSet;

use orthros_crypto::KeyUsage;
use orthros_wire::SecretBytes;

use super::protected::{acceptor_by, end};
use super::{key, settings};
use crate::context::{Need, Step};
use crate::message::protection::Role;
use crate::message::token::{MicHeader, TokenFlags, WrapHeader};
use crate::message::window::Window;
use crate::status::Order;
use crate::transfer::{self, SealingKey};
use crate::{Context, Flags};

/// Where numbers may begin: also where 32 and 64 bits end.
const FIRST: [u64; 4] = [7, 0xffff_fff0, 0x7fff_ffff_ffff_fff0, u64::MAX - 40];

/// `first | steps`, a step being two octets: messages of an initiator with numbers that the fuzzer chooses, MICs and
/// wrap tokens in turn. What the acceptor says of each is what a set of all numbers says.
///
/// Returns how many were in order.
pub fn message_numbers(data: &[u8]) -> usize {
    let (begin, steps) = data.split_first().unwrap_or((&0, &[]));
    let first = FIRST.get(usize::from(begin & 3)).copied().unwrap_or(0);
    let context = acceptor_by(key(), Flags::default(), Window::new(first));
    let mut model = Model { first, next: first, seen: BTreeSet::new() };
    let mut in_order = 0;
    for step in steps.chunks_exact(2) {
        let [how, far] = *step else { continue };
        let offset = u64::from(far);
        let number = match how & 3 {
            0 => model.next,
            1 => model.next.saturating_add(offset),
            2 => model.next.saturating_sub(offset),
            _ => first.saturating_add(offset << (how >> 2)),
        };
        let told = if how & 4 == 0 { mic(&context, number) } else { wrapped(&context, number) };
        assert_eq!(told, model.take(number), "{number} with {} next", model.next);
        in_order += usize::from(told == Some(Order::InOrder));
    }
    in_order
}

fn mic(context: &Context, sequence: u64) -> Option<Order> {
    let header = MicHeader { flags: TokenFlags(0), sequence }.octets();
    let checksum = key().checksum(KeyUsage::INITIATOR_SIGN, &[b"message", &header]);
    context.verify_mic(b"message", &[&header[..], &checksum].concat()).ok()
}

fn wrapped(context: &Context, sequence: u64) -> Option<Order> {
    let bare = WrapHeader { flags: TokenFlags(0), extra_count: 0, right_rotation: 0, sequence };
    let checksum = key().checksum(KeyUsage::INITIATOR_SEAL, &[b"message", &bare.octets()]);
    let extra_count = u16::try_from(checksum.len()).unwrap_or(0);
    let header = WrapHeader { extra_count, ..bare }.octets();
    context.unwrap(&[&header[..], b"message", &checksum].concat()).ok().map(|unwrapped| unwrapped.order)
}

/// All numbers that were taken.
struct Model {
    first: u64,
    next: u64,
    seen: BTreeSet<u64>,
}

impl Model {
    fn take(&mut self, number: u64) -> Option<Order> {
        let following = number.checked_add(1)?;
        if number < self.first || number.saturating_add(64) < self.next {
            return Some(Order::Old);
        }
        if !self.seen.insert(number) {
            return Some(Order::Duplicate);
        }
        let told = match number.cmp(&self.next) {
            std::cmp::Ordering::Less => Order::Unsequenced,
            std::cmp::Ordering::Equal => Order::InOrder,
            std::cmp::Ordering::Greater => Order::Gap,
        };
        self.next = self.next.max(following);
        Some(told)
    }
}

/// Two ends and what is under way between them.
struct Talk {
    /// The initiator and the acceptor.
    ends: [Option<Context>; 2],
    /// Messages of either, and how often each arrived.
    sent: Vec<Sent>,
    key: SealingKey,
}

struct Sent {
    to: usize,
    token: Vec<u8>,
    message: Vec<u8>,
    arrived: usize,
}

/// A step is two octets: an end wraps or signs a message, one that is under way arrives (again), or an end is moved.
/// Nothing arrives but what was sent; what arrives for the first time is no duplicate, and what arrives again is one
/// or old, whatever moves lay between.
///
/// Returns how many messages arrived.
pub fn moved_conversation(data: &[u8]) -> usize {
    let window = || Window::new(0);
    let ends = [Role::Initiator, Role::Acceptor]
        .map(|role| Some(end(role, key(), Flags::TRANSFERABLE, 0, window())));
    let mut talk =
        Talk { ends, sent: Vec::new(), key: SealingKey::new(SecretBytes::from(vec![0x5a; 32]), b"fuzz") };
    // More would only be slow.
    for step in data.chunks_exact(2).take(200) {
        let [what, which] = *step else { continue };
        let from = usize::from(what & 1);
        match (what >> 1) & 3 {
            0 => talk.say(from, which, what & 8 != 0),
            1 | 2 => talk.arrive(which.into()),
            _ => talk.move_end(from),
        }
    }
    talk.sent.iter().map(|sent| sent.arrived).sum()
}

impl Talk {
    fn say(&mut self, from: usize, length: u8, sealed: bool) {
        let Some(Some(context)) = self.ends.get(from) else { return };
        let message = vec![length; length.into()];
        let token = if sealed { context.wrap(&message) } else { context.wrap_integrity(&message) };
        let Ok(token) = token else { return };
        self.sent.push(Sent { to: 1 - from, token, message, arrived: 0 });
    }

    fn arrive(&mut self, which: usize) {
        let count = self.sent.len().max(1);
        let Some(sent) = self.sent.get_mut(which % count) else { return };
        let Some(Some(context)) = self.ends.get(sent.to) else { return };
        let unwrapped = context.unwrap(&sent.token);
        assert!(unwrapped.is_ok(), "a message that was sent is refused");
        let Ok(unwrapped) = unwrapped else { return };
        assert_eq!(unwrapped.message, sent.message, "another message than was sent");
        let duplicate = matches!(unwrapped.order, Order::Duplicate | Order::Old);
        assert!(duplicate || sent.arrived == 0, "a message is taken twice");
        assert!(unwrapped.order != Order::Duplicate || sent.arrived > 0, "a fresh message is a duplicate");
        sent.arrived += 1;
    }

    fn move_end(&mut self, which: usize) {
        let Some(context) = self.ends.get_mut(which).and_then(Option::take) else { return };
        let moved = moved(context, &self.key);
        assert!(moved.is_some(), "a context that can be moved is lost");
        if let Some(end) = self.ends.get_mut(which) {
            *end = moved;
        }
    }
}

/// Exports a context and imports it again.
fn moved(context: Context, key: &SealingKey) -> Option<Context> {
    let token = context.export(key).ok()?;
    match transfer::import(&token, key, &settings()) {
        Step::Need(Need::Spend(need)) => match need.spent() {
            Step::Done(context) => Some(context),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_a_set_tells_them_at_every_beginning() {
        for first in 0..4 {
            let steps = [0, 0, 4, 0, 1, 5, 2, 3, 2, 3, 6, 200, 3, 1, 5, 255];
            assert_eq!(message_numbers(&[&[first][..], &steps].concat()), 2);
        }
    }

    #[test]
    fn messages_arrive_across_moves() {
        // One from each end; both arrive, the ends are moved, both arrive again as duplicates.
        let steps = [0, 5, 9, 6, 2, 0, 2, 1, 6, 0, 7, 0, 2, 0, 4, 1, 8, 3, 2, 2];
        assert_eq!(moved_conversation(&steps), 5);
    }
}
