//! The demo: what it says, and what the kernel says meanwhile.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;

use serde_json::Value;

use crate::sandbox::Sandbox;

#[test]
fn the_demo_tells_eight_steps_and_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let told = sandbox.good(&["demo"], "");
    let numbered = |line: &&str| line.get(..4).is_some_and(|head| head.trim().parse::<u8>().is_ok());
    let steps: Vec<&str> = told.lines().filter(numbered).collect();
    let numbers: Vec<u8> = steps.iter().map(|line| line[..4].trim().parse().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8], "{told}");
    assert!(told.contains("\nAll 8 steps held, in "), "{told}");
    assert!(told.contains("A context lives in one process at a time."), "{told}");
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 0, "a file was left behind");
}

#[test]
fn the_demo_needs_no_environment_at_all() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["demo"]);
    command.env_clear().env("TMPDIR", sandbox.path());
    let ended = crate::sandbox::finish(command, "");
    assert_eq!(ended.status, Some(0), "{ended:?}");
}

#[test]
fn without_a_ledger_the_demo_fails_at_the_second_import() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["demo", "--without-ledger"], "");
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains(" 7  again       DID NOT HOLD: the second import was refused"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("Only 7 of 8 steps held"), "{ended:?}");
    let ended = sandbox.run(&["demo", "--without-ledger", "--json"], "");
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["held"], false);
    assert_eq!(report["steps"][6]["held"], false);
    assert_eq!(report["steps"][7]["held"], true);
}

#[test]
fn the_report_is_what_the_kernel_says_too() {
    let sandbox = Sandbox::new();
    let mut demo = sandbox.start(&["demo", "--json", "--hold"]);
    let report: Value = serde_json::from_str(&demo.line()).unwrap();
    assert_eq!(report["held"], true, "{report}");
    let steps = report["steps"].as_array().unwrap();
    let claims = |step: &Value| step["claims"].as_array().unwrap().clone();
    assert!(steps.len() == 8 && steps.iter().flat_map(claims).all(|claim| claim["held"] == true));

    let processes = report["processes"].as_array().unwrap();
    let pid = |role: &str| {
        let process = processes.iter().find(|process| process["role"] == role).unwrap();
        process["pid"].as_u64().unwrap()
    };
    let roles = ["kdc", "acceptor", "initiator", "heir"];
    let pids: HashSet<u64> = roles.iter().map(|role| pid(role)).collect();
    assert_eq!(pids.len(), 4, "each role is a process of its own");
    assert_eq!(pid("parent"), u64::from(demo.child.id()));
    let binary = fs::canonicalize(env!("CARGO_BIN_EXE_orthros")).unwrap();
    for role in roles {
        let process = format!("/proc/{}", pid(role));
        assert_eq!(fs::read_link(format!("{process}/exe")).unwrap(), binary, "{role}");
        let words = fs::read(format!("{process}/cmdline")).unwrap();
        assert!(words.ends_with(format!("\0{role}\0").as_bytes()), "{role}");
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        assert!(status.contains(&format!("\nPPid:\t{}\n", demo.child.id())), "{role}: {status}");
    }

    let connections = &report["connections"];
    assert_eq!(connections["acceptor"], connections["heir"], "the heir has the acceptor's own socket");
    let held = |role: &str, end: &Value| {
        let socket = format!("socket:[{}]", end["inode"]);
        let descriptors = fs::read_dir(format!("/proc/{}/fd", pid(role))).unwrap();
        let names = descriptors.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        names.filter(|name| name.to_str() == Some(&socket)).count()
    };
    assert_eq!(held("initiator", &connections["initiator"]), 1);
    assert_eq!(held("heir", &connections["heir"]), 1);
    assert_eq!(held("acceptor", &connections["acceptor"]), 0, "the acceptor still has the connection");
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    for end in ["initiator", "heir"] {
        assert!(is_established(&table, &connections[end]), "{end}: {connections}\n{table}");
    }

    let wire = &report["wire"];
    for direction in ["from_initiator", "to_initiator"] {
        let direction = &wire[direction];
        assert!(direction["octets"].as_u64().unwrap() > 100);
        assert_eq!(direction["sent"], direction["received"]);
    }
    let token = wire["first_message"].as_str().unwrap();
    assert!(token.starts_with("0504") && !token.contains(&hex("answer")), "{token}");

    drop(demo.stdin.take());
    assert!(demo.child.wait().unwrap().success());
    for role in roles {
        assert!(!fs::exists(format!("/proc/{}", pid(role))).unwrap(), "{role} is still there");
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|octet| format!("{octet:02x}")).collect()
}

/// Whether the kernel's table has this end of a connection as established, under its inode.
fn is_established(table: &str, end: &Value) -> bool {
    let address = |name: &str| {
        let address: SocketAddr = end[name].as_str().unwrap().parse().unwrap();
        let SocketAddr::V4(address) = address else { panic!("{address} is not IPv4") };
        format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
    };
    let inode = end["inode"].to_string();
    table.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 9 && words[1..4] == [&address("local"), &address("peer"), "01"] && words[9] == inode
    })
}
