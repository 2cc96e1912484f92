//! Many at once, and many one after the other: threads on one context, contexts in one process, bad tokens without end.
//!
//! `ORTHROS_CROWD` and `ORTHROS_STORM` say how many contexts and how many bad requests, where these tests are run for
//! figures: `ORTHROS_CROWD=100000 ORTHROS_STORM=1000000 cargo test --release -p orthros --test crowds -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use common::world::{World, answer, assert_joined, token_of};
use common::{play, role, say};
use orthros::{Context, Order, Orthros, Step};

const THREADS: usize = 16;
const EACH: usize = 200;

/// The sequence number of a token of RFC 4121 (section 4.2.6).
fn number(token: &[u8]) -> u64 {
    u64::from_be_bytes(token[8..16].try_into().unwrap())
}

#[test]
fn sixteen_threads_on_one_context_use_each_number_once_and_lose_no_message() {
    let world = World::new();
    let initiate = world.initiate().mutual().confidential().replay_detection();
    let (initiator, acceptor) = world.establish(initiate, world.accept());
    let opened = Mutex::new(Vec::new());
    let mut numbers: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (initiator, acceptor, opened) = (&initiator, &acceptor, &opened);
                scope.spawn(move || {
                    let message = |count: usize| format!("{thread}.{count}").into_bytes();
                    let work = |count| {
                        let token = initiator.wrap(&message(count)).unwrap();
                        let unwrapped = acceptor.unwrap(&token).unwrap();
                        assert_eq!(unwrapped.message, message(count));
                        // Others were faster or slower; nobody was twice.
                        assert_ne!(unwrapped.order, Order::Duplicate);
                        opened.lock().unwrap().push(number(&token));
                        number(&token)
                    };
                    (0..EACH).map(work).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    let first = numbers[0];
    let wanted: Vec<u64> = (first..).take(THREADS * EACH).collect();
    assert_eq!(numbers, wanted);
    assert_eq!(opened.lock().unwrap().len(), THREADS * EACH);
}

#[test]
fn sixteen_threads_each_with_contexts_of_its_own_do_not_meet() {
    let world = World::new();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..10 {
                    let (initiator, acceptor) = world.established();
                    assert_joined(&initiator, &acceptor);
                    let token = world.orthros.export(acceptor).unwrap();
                    assert_joined(&world.orthros.import(&token).unwrap(), &initiator);
                }
            });
        }
    });
}

/// What the environment says, else `usual`.
fn how_many(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |told| told.parse().unwrap())
}

/// Octets that this process alone holds in memory, and open descriptors (proc(5)).
fn usage() -> (u64, usize) {
    let smaps = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let anonymous = smaps.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let kibibytes: u64 = anonymous.trim().trim_end_matches(" kB").parse().unwrap();
    (kibibytes * 1024, fs::read_dir("/proc/self/fd").unwrap().count())
}

#[test]
fn thousands_of_contexts_take_little_each_and_give_it_back() {
    const TEST: &str = "thousands_of_contexts_take_little_each_and_give_it_back";
    /// What the replay cache of this process keeps of each request, as its table grows.
    const REMEMBERED: u64 = 48;
    /// Less than 2 KiB for each end.
    const FOR_BOTH: u64 = 2 * 2_048;
    if role().is_none() {
        let (said, _) = play(TEST, "alone", &[]).said();
        println!("{said}");
        return;
    }
    let (many, world) = (how_many("ORTHROS_CROWD", 3_000), World::new());
    let crowd = |many| -> Vec<(Context, Context)> { (0..many).map(|_| world.established()).collect() };
    // What is made once for all of them is not counted.
    drop(crowd(20));
    let (before, descriptors) = usage();
    let first = crowd(many);
    let (with, more) = usage();
    let each = with.saturating_sub(before) / many as u64;
    assert!((1..=FOR_BOTH).contains(&each), "{each} octets for both ends of a context");
    assert_eq!(descriptors, more);
    drop(first);
    // What was given back serves again: a second crowd takes no more than the first.
    let second = crowd(many);
    let (again, _) = usage();
    let slack = 256 * 1024 + REMEMBERED * many as u64;
    assert!(again <= with + slack, "{again} octets with the second crowd, {with} with the first");
    drop(second);
    say(&format!("{many} contexts: {each} octets for both ends of each"));
}

/// An acceptor's answer to what is no good request.
fn refuse(orthros: &Orthros, world: &World, token: &[u8]) {
    let step = answer(orthros, world.accept().start(), token);
    let (_, step) = token_of_failed(orthros, step);
    assert!(matches!(step, Step::Failed(_)), "{step:?}");
}

/// As [`token_of`], where the step may fail.
fn token_of_failed(orthros: &Orthros, step: Step) -> (Option<Vec<u8>>, Step) {
    match step {
        failed @ Step::Failed(_) => (None, failed),
        Step::Send(owed) => (Some(owed.token().to_vec()), owed.sent()),
        Step::Need(need) => token_of_failed(orthros, orthros.provide(need)),
        other => token_of(orthros, other),
    }
}

#[test]
fn a_storm_of_bad_requests_leaves_memory_and_descriptors_flat() {
    const TEST: &str = "a_storm_of_bad_requests_leaves_memory_and_descriptors_flat";
    if role().is_none() {
        let (said, _) = play(TEST, "alone", &[]).said();
        println!("{said}");
        return;
    }
    let (storm, world) = (how_many("ORTHROS_STORM", 50_000), World::new());
    let (request, _) = token_of(&world.orthros, world.initiate_full().start());
    let good = request.unwrap();
    // Of each kind: cut, not ours, a changed ticket, a changed authenticator, a replay (the first is good).
    let accepted = token_of(&world.orthros, answer(&world.orthros, world.accept().start(), &good));
    assert!(matches!(accepted.1, Step::Done(_)), "{accepted:?}");
    let changed = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bad
    };
    let middle = good.len() / 2;
    let kinds = [
        good[..middle].to_vec(),
        vec![0x60],
        changed(20),
        changed(middle),
        changed(good.len() - 5),
        good.clone(),
    ];
    let (mut warm, began) = ((0, 0), Instant::now());
    for number in 0..storm {
        refuse(&world.orthros, &world, &kinds[number % kinds.len()]);
        if number == storm / 10 {
            warm = usage();
        }
    }
    let (memory, descriptors) = usage();
    assert_eq!(descriptors, warm.1);
    let growth = memory.saturating_sub(warm.0);
    assert!(growth <= 256 * 1024, "{growth} octets more after {storm} bad requests");
    say(&format!("{storm} bad requests in {:?}", began.elapsed()));
}
