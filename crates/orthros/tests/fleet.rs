//! One key for several machines, and the ledger that they share: which is taken here is refused there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::world::{Host, NOW, World, assert_joined, kept, refusal, told_of, unhex};
use common::{heard, play, role, say, told};
use orthros::transfer::{FleetKey, Policy, TransferRefusal};
use orthros::{Builder, Major, Orthros};
use orthros_wire::hex;

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

/// A machine: its own runtime folder, and what it is told of the fleet.
fn machine(host: &Host, key: FleetKey, ledger: &Path) -> Builder {
    host.builder().transfer_fleet(key, ledger)
}

fn write_key(path: &Path, keys: &[[u8; 32]]) {
    let lines: Vec<_> = keys.iter().map(|key| hex::encode(key)).collect();
    let fresh = path.with_extension("new");
    fs::write(&fresh, lines.join("\n")).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o400)).unwrap();
    fs::rename(fresh, path).unwrap();
}

#[test]
fn of_two_machines_with_one_key_and_one_ledger_one_is_refused_by_the_ledger() {
    const TEST: &str = "of_two_machines_with_one_key_and_one_ledger_one_is_refused_by_the_ledger";
    if role().is_some() {
        let host = Host::new(told("FOLDER")).at(NOW);
        let machine = machine(&host, FleetKey::at(told("KEY")), Path::new(&told("LEDGER"))).build();
        return say(&told_of(&machine.import(&unhex(&heard()))));
    }
    let (world, shared, other) = (World::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = shared.path().join("fleet.key");
    write_key(&key, &[NEW]);
    let here = machine(&world.host, FleetKey::at(&key), shared.path()).build();
    let (_, acceptor) = world.established();
    let token = here.export(acceptor).unwrap();
    let run = || {
        let told = [
            ("FOLDER", other.path().to_str().unwrap()),
            ("KEY", key.to_str().unwrap()),
            ("LEDGER", shared.path().to_str().unwrap()),
        ];
        let mut player = play(TEST, "machine", &told);
        player.tell(&hex::encode(&token));
        player.said()
    };
    let (first, pid) = run();
    assert_eq!(first, "imported", "another machine may");
    for refused in [run().0, told_of(&here.import(&token))] {
        assert!(
            refused.starts_with("NoContext: ") && refused.contains(&format!("by pid {pid}.")),
            "{refused}"
        );
    }
}

#[test]
fn machines_whose_ledgers_differ_take_nothing_of_each_other() {
    let (world, one, two) = (World::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let here = machine(&world.host, FleetKey::of(&NEW), one.path()).build();
    let there = machine(&world.host, FleetKey::of(&NEW), two.path()).build();
    let (_, acceptor) = world.established();
    let token = here.export(acceptor).unwrap();
    let refused = there.import(&token);
    assert_eq!(refused.as_ref().unwrap_err().major(), Major::Unauthorized);
    assert_eq!(refusal(refused), TransferRefusal::OtherLedger);
    assert!(here.import(&token).is_ok());
}

#[test]
fn a_lost_ledger_makes_no_spent_token_good_again() {
    let (world, shared) = (World::new(), tempfile::tempdir().unwrap());
    let fleet = || machine(&world.host, FleetKey::of(&NEW), shared.path()).build();
    let here = fleet();
    let (initiator, acceptor) = world.established();
    let token = here.export(acceptor).unwrap();
    let moved = here.import(&token).unwrap();
    fs::remove_file(shared.path().join("ledger")).unwrap();
    assert_eq!(refusal(fleet().import(&token)), TransferRefusal::OtherLedger);
    assert!(here.import(&token).is_err());
    // It goes on with the new one.
    let token = here.export(moved).unwrap();
    assert_joined(&fleet().import(&token).unwrap(), &initiator);
}

#[test]
fn keys_are_replaced_in_three_steps_without_a_refused_token() {
    let (world, shared) = (World::new(), tempfile::tempdir().unwrap());
    let keys = [shared.path().join("one"), shared.path().join("two")];
    let steps: [&[[u8; 32]]; 4] = [&[OLD], &[OLD, NEW], &[NEW, OLD], &[NEW]];
    keys.iter().for_each(|key| write_key(key, steps[0]));
    let machines: Vec<Orthros> =
        keys.iter().map(|key| machine(&world.host, FleetKey::at(key), shared.path()).build()).collect();
    let (initiator, mut acceptor) = world.established();
    for step in steps {
        // One machine after the other; meanwhile contexts go to and fro.
        for key in &keys {
            write_key(key, step);
            for (from, to) in [(0, 1), (1, 0)] {
                let token = machines[from].export(acceptor).unwrap();
                acceptor = machines[to].import(&token).unwrap();
                assert_joined(&acceptor, &initiator);
            }
        }
    }
    let old = machine(&world.host, FleetKey::of(&OLD), shared.path()).build();
    let token = old.export(acceptor).unwrap();
    assert_eq!(refusal(machines[0].import(&token)), TransferRefusal::ForeignKey);
    let both = machine(&world.host, FleetKey::of(&NEW).also_opening(&OLD), shared.path()).build();
    assert_joined(&both.import(&token).unwrap(), &initiator);
}

#[test]
fn without_a_key_or_a_ledger_there_is_no_token_and_the_context_goes_on() {
    let (world, shared) = (World::new(), tempfile::tempdir().unwrap());
    let (initiator, mut acceptor) = world.established();
    let missing = shared.path().join("missing");
    let rows = [(FleetKey::at(&missing), shared.path()), (FleetKey::of(&NEW), missing.as_path())];
    for (key, ledger) in rows {
        let kept = kept(machine(&world.host, key, ledger).build().export(acceptor));
        assert!(kept.error.to_string().contains("missing"), "{}", kept.error);
        acceptor = kept.context;
        assert_joined(&acceptor, &initiator);
    }
}

#[test]
fn the_configuration_names_a_fleet_and_what_tokens_demand() {
    let (world, shared) = (World::new(), tempfile::tempdir().unwrap());
    let key = shared.path().join("fleet.key");
    write_key(&key, &[NEW]);
    let (folder, key) = (shared.path().display(), key.display());
    let configured = |lines: &str| {
        let config = orthros::Config::parse(&format!("[orthros]\n{lines}")).unwrap();
        Orthros::builder().config(config).clock(std::sync::Arc::clone(&world.host.clock)).build()
    };
    let fleet = format!("transfer_key = fleet:{key}\ntransfer_ledger = {folder}");
    let (mail, www) = (
        configured(&format!("{fleet}\ntransfer_policy = audience=mail, executable, user, process-group")),
        configured(&format!("{fleet}\ntransfer_policy = audience=www")),
    );
    let (initiator, acceptor) = world.established();
    let token = mail.export(acceptor).unwrap();
    let said = www.import(&token).unwrap_err();
    assert_eq!(said.to_string(), "the token was sealed for audience mail, and this importer is www");
    let nobody = configured(&fleet).import(&token).unwrap_err();
    assert!(nobody.to_string().ends_with("and this importer names none"), "{nobody}");
    let moved = mail.import(&token).unwrap();
    assert_joined(&moved, &initiator);
    // A call of its own may demand something else.
    let token =
        www.export_under(moved, &Policy::new().user(1 + orthros::sys::process::effective_user())).unwrap();
    let said = configured(&fleet).import(&token).unwrap_err().to_string();
    assert!(said.starts_with("the token was sealed for user id "), "{said}");
    let refused = [
        (format!("transfer_key = fleet:{key}"), "transfer_ledger"),
        ("transfer_key = fleet:nobody\ntransfer_ledger = /x".to_owned(), "CREDENTIALS_DIRECTORY"),
        ("transfer_key = elsewhere".to_owned(), "none of family"),
        (format!("{fleet}\ntransfer_policy = everybody"), "everybody"),
    ];
    let (_, mut acceptor) = world.established();
    for (lines, reason) in refused {
        let kept = kept(configured(&lines).export(acceptor));
        assert!(kept.error.to_string().contains(reason), "{}", kept.error);
        acceptor = kept.context;
    }
    let family = configured("transfer_key = family");
    let token = family.export(acceptor).unwrap();
    assert!(configured("transfer_key = family").import(&token).is_ok(), "one family in one process");
    let off = configured("transfer_policy = off").import(&token).unwrap_err();
    assert_eq!(off.major(), Major::Unavailable);
}

#[test]
fn a_half_open_context_goes_on_at_another_machine_of_the_fleet_once() {
    let (world, shared) = (World::new(), tempfile::tempdir().unwrap());
    let machines = [0, 1].map(|_| machine(&world.host, FleetKey::of(&NEW), shared.path()).build());
    let (token, initiating) =
        common::world::token_of(&world.orthros, world.initiate_full().dce_style().start());
    let accept = |machine: &Orthros| machine.accept(&machine.acceptor().unwrap());
    let accepting = common::world::answer(&machines[0], accept(&machines[0]).start(), &token.unwrap());
    let (answer, accepting) = common::world::token_of(&machines[0], accepting);
    let orthros::Step::Receive(waiting) = accepting else { panic!() };
    let cookie = machines[0].suspend(waiting).unwrap();
    let initiating = common::world::answer(&world.orthros, initiating, &answer.unwrap());
    let (last, initiating) = common::world::token_of(&world.orthros, initiating);
    let initiator = common::world::done(&world.orthros, initiating);
    let waiting = machines[1].resume(&cookie, accept(&machines[1])).unwrap();
    let acceptor = common::world::done(&machines[1], waiting.token(&last.unwrap()));
    assert_joined(&initiator, &acceptor);
    for machine in &machines {
        let again = machine.resume(&cookie, accept(machine)).unwrap_err();
        assert_eq!(again.major(), Major::NoContext, "{again}");
    }
}
