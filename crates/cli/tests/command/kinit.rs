//! The options of kinit and kvno, each against our KDC.

use std::thread::sleep;
use std::time::Duration;

use orthros_kdc::{Listener, Realm, RealmPolicy, SystemRandom};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A folder, and a KDC that takes 2 s of skew: a ticket of the near future is postdated there.
struct Home {
    sandbox: Sandbox,
    kdc: Listener,
}

impl Home {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let realm = Realm::builder("CLI.TEST")
            .policy(RealmPolicy { clock_skew: 2, ..RealmPolicy::default() })
            .principal("alice", "wonderland")
            .service("host/localhost")
            .alias("alice@corp.example", "alice")
            .alias("al", "alice");
        let kdc = Listener::start(realm.build(&SystemRandom).unwrap()).unwrap();
        let home = Self { sandbox, kdc };
        home.configure(&home.kdc, "");
        home
    }

    fn configure(&self, kdc: &Listener, defaults: &str) {
        let address = kdc.address();
        let text = format!(
            "[libdefaults]\n default_realm = CLI.TEST\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n\
             {defaults}\n[realms]\n CLI.TEST = {{\n  kdc = {address}\n }}\n"
        );
        std::fs::write(self.sandbox.path().join("krb5.conf"), text).unwrap();
    }

    /// What kinit prints as JSON when it is given the password.
    fn got(&self, words: &[&str]) -> Value {
        let all = [&["kinit", "--json"][..], words].concat();
        serde_json::from_str(&self.sandbox.good(&all, "wonderland\n")).unwrap()
    }

    /// What kinit complains of.
    fn refused(&self, words: &[&str]) -> String {
        self.sandbox.bad(&[&["kinit"][..], words].concat(), "wonderland\n")
    }

    fn keytab(&self, name: &str) {
        let keytab = self.kdc.realm().keytab("host/localhost").unwrap();
        let octets = keytab.to_octets();
        std::fs::write(self.sandbox.path().join(name), octets.expose_octets()).unwrap();
    }
}

fn has(got: &Value, flag: &str) -> bool {
    got["ticket"]["flags"].as_array().unwrap().iter().any(|told| told == flag)
}

/// A moment of the JSON in seconds since 1970.
fn seconds(got: &Value, name: &str) -> i64 {
    let text = got["ticket"][name].as_str().unwrap_or_else(|| panic!("{name}: {got}"));
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn flags_are_asked_for_and_refrained_from_as_told() {
    let home = Home::new();
    let both = home.got(&["-f", "-p", "alice"]);
    assert!(has(&both, "forwardable") && has(&both, "proxiable"), "{both}");
    home.configure(&home.kdc, " forwardable = true\n proxiable = true\n");
    let configured = home.got(&["alice"]);
    assert!(has(&configured, "forwardable") && has(&configured, "proxiable"), "{configured}");
    let neither = home.got(&["-F", "-P", "alice"]);
    assert!(!has(&neither, "forwardable") && !has(&neither, "proxiable"), "{neither}");
    let mit = home.got(&["--noforwardable", "--noproxiable", "--noaddresses", "alice"]);
    assert_eq!(mit["ticket"]["flags"], neither["ticket"]["flags"], "MIT's long names mean the same");
}

#[test]
fn lifetimes_are_those_that_were_asked_for() {
    let home = Home::new();
    for (text, life) in [("2h", 7_200), ("90m", 5_400), ("1:30", 5_400), ("1h2m3s", 3_723), ("600", 600)] {
        let got = home.got(&["-l", text, "-r", "2d", "alice"]);
        let start = seconds(&got, "start_time");
        let lived = seconds(&got, "end_time") - start;
        // The KDC's clock may have gone on by a second since the request was made.
        assert!((life - 2..=life).contains(&lived), "{text}: {got}");
        let renewable = seconds(&got, "renew_till") - start;
        assert!((172_798..=172_800).contains(&renewable), "{got}");
    }
    let longest = home.got(&["-l", "30d", "alice"]);
    assert!(
        seconds(&longest, "end_time") - seconds(&longest, "start_time") <= 36_000,
        "the KDC's limit holds"
    );
}

#[test]
fn a_ticket_with_addresses_names_this_machine_or_none_is_got() {
    let home = Home::new();
    let own = orthros::sys::interface::addresses().unwrap();
    if own.is_empty() {
        assert!(home.refused(&["-a", "alice"]).contains("no address but the loopback's"));
    } else {
        let got = home.got(&["-a", "alice"]);
        let told: Vec<std::net::IpAddr> = serde_json::from_value(got["ticket"]["addresses"].clone()).unwrap();
        assert_eq!(told, own);
    }
    home.configure(&home.kdc, " noaddresses = false\n extra_addresses = 192.0.2.77\n");
    let configured = home.got(&["alice"]);
    assert_eq!(
        configured["ticket"]["addresses"].as_array().unwrap().last().unwrap(),
        "192.0.2.77",
        "{configured}"
    );
    assert_eq!(home.got(&["-A", "alice"])["ticket"]["addresses"], serde_json::json!([]));
    home.configure(&home.kdc, " extra_addresses = router\n");
    assert!(home.refused(&["-a", "alice"]).contains("extra_addresses in krb5.conf: router"));
}

#[test]
fn a_postdated_ticket_is_useless_until_it_is_validated_in_its_time() {
    let home = Home::new();
    let late = home.got(&["-s", "1h", "-l", "10m", "alice"]);
    assert!(has(&late, "postdated") && has(&late, "invalid"), "{late}");
    assert!(home.refused(&["-v"]).contains("can be validated from"));
    let moment = home.got(&["-s", "2037-11-21T14:00:00Z", "alice"]);
    assert_eq!(moment["ticket"]["start_time"], "2037-11-21T14:00:00Z");
    assert!(home.refused(&["-s", "20010203040506", "alice"]).contains("the start time has gone"));

    let soon = home.got(&["-s", "4s", "-l", "10m", "alice"]);
    assert!(has(&soon, "invalid"), "{soon}");
    home.sandbox.bad(&["kvno", "host/localhost"], "");
    sleep(Duration::from_millis(4_500));
    let valid = home.got(&["-v"]);
    assert!(has(&valid, "postdated") && !has(&valid, "invalid"), "{valid}");
    home.sandbox.good(&["kvno", "host/localhost"], "");
    assert!(home.refused(&["-v"]).contains("postdated"), "it is valid already");
}

#[test]
fn a_renewed_ticket_takes_the_place_of_the_old_ones() {
    let home = Home::new();
    let before = home.got(&["-l", "10m", "-r", "1d", "alice"]);
    home.sandbox.good(&["kvno", "host/localhost"], "");
    sleep(Duration::from_millis(2_100));
    let after = home.got(&["-R"]);
    assert!(seconds(&after, "end_time") > seconds(&before, "end_time"), "{after}");
    assert_eq!(seconds(&after, "renew_till"), seconds(&before, "renew_till"));
    assert!(has(&before, "initial") && !has(&after, "initial"), "{after}");
    let listed = home.sandbox.json(&["klist", "--json"]);
    assert_eq!(listed["tickets"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["tickets"][0]["end_time"], after["ticket"]["end_time"]);
    home.got(&["-R", "alice"]);
    assert!(home.refused(&["-R", "bob"]).contains("belongs to alice@CLI.TEST, not to bob@CLI.TEST"));

    home.got(&["alice"]);
    let kept = std::fs::read(home.sandbox.path().join("cc")).unwrap();
    assert!(home.refused(&["-R"]).contains("not renewable"));
    assert_eq!(std::fs::read(home.sandbox.path().join("cc")).unwrap(), kept, "a refusal leaves the cache");
    assert!(home.refused(&["-R", "-c", "none"]).contains("none: "));
}

#[test]
fn names_are_mapped_by_the_kdc_only_if_it_may() {
    let home = Home::new();
    assert_eq!(home.got(&["-E", "alice@corp.example"])["principal"], "alice@CLI.TEST");
    assert_eq!(home.got(&["-C", "al"])["principal"], "alice@CLI.TEST");
    assert!(home.refused(&["al"]).contains("al@CLI.TEST"));
    home.configure(&home.kdc, " canonicalize = true\n");
    assert_eq!(home.got(&["al"])["principal"], "alice@CLI.TEST");
    let service = home.got(&["-E", "-S", "host/localhost", "alice@corp.example"]);
    assert_eq!(service["ticket"]["server"], "host/localhost@CLI.TEST");
}

#[test]
fn each_keytab_is_used_where_it_is_asked_for() {
    let home = Home::new();
    assert!(home.refused(&["-k", "host/localhost"]).contains("keytab"));
    assert!(home.refused(&["-k", "-i"]).contains("client.keytab"));
    home.keytab("client.keytab");
    assert_eq!(home.got(&["-k", "-i"])["principal"], "host/localhost@CLI.TEST");
    assert!(home.refused(&["-k", "-i", "alice"]).contains("alice@CLI.TEST"), "it has no key of alice");
    home.refused(&["-k", "host/localhost"]);
    home.keytab("keytab");
    home.got(&["-k", "host/localhost"]);
    home.keytab("third");
    assert_eq!(home.got(&["-k", "-t", "third"])["principal"], "host/localhost@CLI.TEST");
}

#[test]
fn verbose_says_what_is_used_and_got_and_never_the_password() {
    let home = Home::new();
    let ended =
        home.sandbox.run(&["kinit", "-V", "-f", "-r", "1d", "-c", "FILE:other", "alice"], "wonderland\n");
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), ""));
    for said in
        ["cache FILE:other", "principal alice", "ticket for krbtgt/CLI.TEST", "renewable until", "FRIA"]
    {
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    assert!(!ended.stderr.contains("wonderland"));
    assert_eq!(home.sandbox.run(&["kinit", "alice"], "wonderland\n").stderr, "");
}

#[test]
fn what_is_not_supported_is_named_before_a_password_is_read() {
    let home = Home::new();
    for (words, said) in [
        (&["-X", "X509_user_identity=FILE:a.pem"][..], "PKINIT"),
        (&["-T", "armor"], "FAST"),
        (&["-n"], "anonymous"),
        (&["-I", "older"], "-I"),
        (&["--request-pac"], "PAC"),
        (&["--no-request-pac"], "PAC"),
    ] {
        let told = home.sandbox.bad(&[&["kinit"][..], words, &["alice"]].concat(), "");
        assert!(told.contains(said) && told.contains("not supported yet"), "{told}");
    }
    assert!(!home.sandbox.path().join("cc").exists());
}

#[test]
fn options_that_contradict_each_other_are_a_wrong_usage() {
    let home = Home::new();
    for words in [
        &["-f", "-F"][..],
        &["-p", "-P"],
        &["-a", "-A"],
        &["-R", "-v"],
        &["-R", "-l", "1h"],
        &["-v", "-k"],
        &["-i", "-t", "keytab"],
        &["-E"],
        &["-s", "soon"],
        &["-l", "0"],
    ] {
        assert_eq!(home.sandbox.run(&[&["kinit"][..], words].concat(), "").status, Some(2), "{words:?}");
    }
}

#[test]
fn kvno_names_a_service_on_hosts_and_can_be_quiet() {
    let home = Home::new();
    home.got(&["alice"]);
    let told = home.sandbox.good(&["kvno", "-S", "host", "localhost"], "");
    assert_eq!(told, "host/localhost@CLI.TEST: kvno = 1\n");
    assert_eq!(home.sandbox.good(&["kvno", "-q", "host/localhost"], ""), "");
    assert!(home.sandbox.bad(&["kvno", "-q", "host/elsewhere"], "").contains("host/elsewhere"));
}

#[test]
fn in_a_folder_of_caches_each_client_keeps_its_own_whatever_its_name_was_given_as() {
    let home = Home::new();
    home.keytab("keytab");
    let good = |words: &[&str]| home.sandbox.good_with(("KRB5CCNAME", "DIR:caches"), words, "wonderland\n");
    let got = |words: &[&str]| serde_json::from_str::<Value>(&good(words)).unwrap();
    let first = got(&["kinit", "--json", "-r", "1d", "alice"])["cache"].clone();
    let other = got(&["kinit", "--json", "-k", "host/localhost"])["cache"].clone();
    assert_ne!(first, other);
    assert_eq!(got(&["kinit", "--json", "-r", "1d", "-E", "alice@corp.example"])["cache"], first);
    good(&["kswitch", "-p", "host/localhost"]);
    assert_eq!(got(&["kinit", "--json", "-R", "alice"])["cache"], first, "the client's, not the one in use");
    assert_eq!(got(&["klist", "--json"])["principal"], "host/localhost@CLI.TEST");
}

#[test]
fn a_trace_goes_where_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    let trace = sandbox.path().join("trace");
    sandbox.good_with(("KRB5_TRACE", trace.to_str().unwrap()), &["kinit", "alice"], "wonderland\n");
    let told = std::fs::read_to_string(&trace).unwrap();
    for text in ["Sending by udp to 127.0.0.1:", "initial ticket of alice@CLI.TEST", ": an initial ticket\n"]
    {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert!(!told.contains("wonderland"), "{told}");
    let shown = sandbox.good_with(("KRB5_TRACE", "/dev/stdout"), &["kvno", "host/localhost"], "");
    assert!(shown.contains(": ticket for host/localhost@CLI.TEST, enctypes "), "{shown}");
    // A place that can't be written is no reason to fail.
    sandbox.good_with(("KRB5_TRACE", "/nowhere/at/all"), &["kinit", "alice"], "wonderland\n");
}
