//! Some seeds of the many, as plain tests; `cargo xtask simulate` runs more. And wrongs that are done on purpose, each
//! of which must be noticed.
#![allow(clippy::unwrap_used, clippy::panic)]

use simulation::{Options, Planted, Summary, run, run_many};

/// Fails with all that was violated.
fn all_well(summary: &Summary) {
    let violations: Vec<String> = summary
        .failed
        .iter()
        .flat_map(|outcome| outcome.violations.iter().map(|what| format!("seed {}: {what}", outcome.seed)))
        .collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn nothing_that_must_never_happen_does_in_two_hundred_seeds() {
    let summary = run_many(0..200, Options::default());
    all_well(&summary);
    // A run in which nothing happens would keep every promise.
    for (what, least) in [
        ("clocks put", 10),
        ("contexts established", 500),
        ("contexts imported", 300),
        ("contexts lost on a move", 1),
        ("contexts resumed", 20),
        ("contexts suspended", 30),
        ("credentials delegated", 20),
        ("failures explained", 200),
        ("keys rotated", 5),
        ("messages altered", 50),
        ("messages delayed", 100),
        ("messages heard", 1_000),
        ("messages led astray", 20),
        ("messages lost", 30),
        ("messages refused", 10),
        ("messages repeated", 200),
        ("processes killed", 50),
        ("replays refused", 10),
        ("second imports refused", 20),
    ] {
        let times = summary.counts.get(what).copied().unwrap_or(0);
        assert!(times >= least, "{what}: only {times} times");
    }
}

#[test]
fn the_real_ledger_and_the_real_replay_cache_keep_the_same_promises() {
    all_well(&run_many(0..60, Options { real_stores: true, ..Options::default() }));
}

#[test]
fn a_seed_makes_the_same_run_octet_by_octet() {
    for seed in 1_000..1_040 {
        let [first, second] = [(); 2].map(|()| run(seed, Options::default()));
        assert_eq!(first, second);
        assert_ne!(first.digest, run(seed + 1, Options::default()).digest);
    }
    let traced = run(1_000, Options { trace: true, ..Options::default() });
    assert_eq!(traced.digest, run(1_000, Options::default()).digest, "who watches changes nothing");
    assert!(traced.trace.iter().any(|line| line.contains("begins conversation")));
}

/// How many of these seeds are the first of it to notice the wrong, and what is said then.
fn noticed(planted: Planted) -> (u64, String) {
    let options = Options { planted: Some(planted), ..Options::default() };
    for seed in 0..600 {
        if let Some(violation) = run(seed, options).violations.into_iter().next() {
            return (seed, violation);
        }
    }
    panic!("{planted:?} is not noticed");
}

#[test]
fn each_wrong_that_is_done_on_purpose_is_noticed_as_what_it_is() {
    for planted in Planted::ALL {
        let said: &[&str] = match planted {
            Planted::CacheInPlace => &["lost credentials"],
            Planted::ImportUnspent | Planted::LedgerForgets | Planted::LedgerPerProcess => {
                &["two live instances"]
            }
            Planted::IntegrityUnchecked => &["never sent", "sent to somebody else"],
            Planted::OrderUnchecked => &["is told as InOrder"],
            Planted::ReplayForgets | Planted::ReplayUnchecked => &["a replay"],
            _ => panic!("{planted:?} has no expectation"),
        };
        let (seed, violation) = noticed(*planted);
        println!("{planted:?}: seed {seed}: {violation}");
        assert!(said.iter().any(|said| violation.contains(said)), "{planted:?}, seed {seed}: {violation}");
    }
}
