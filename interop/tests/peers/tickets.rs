//! Tickets renewed, validated, proxied, postdated, with addresses and canonical names: our client at the KDCs of MIT
//! and Heimdal, and MIT's tools at ours.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use interop::peers::Peer;
use interop::{Failure, Realm, Scenario, Side};
use orthros::{Config, InitiatorCredential, Orthros};
use orthros_kdc::{Listener, RealmPolicy, SystemRandom};
use orthros_krb5::wire::TicketFlags;
use orthros_krb5::{Credential, Keytab, Principal};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for kdc in [Side::Mit, Side::Heimdal] {
        let needs = if kdc == Side::Mit { Peer::MIT } else { Peer::HEIMDAL };
        type Body = fn(Side) -> Result<(), Failure>;
        let table: [(&str, Body); 5] = [
            ("renewed", renewed),
            ("proxied_and_forwarded_with_addresses", moved),
            ("postdated_and_validated", postdated),
            ("verified_by_a_keytab", verified),
            ("for_a_service_or_a_canonical_name", named),
        ];
        for (name, body) in table {
            list.push(Scenario::new(format!("tickets::{name}_kdc_{kdc}"), needs, move || body(kdc)));
        }
    }
    list.push(Scenario::new("tickets::an_enterprise_name_kdc_heimdal", Peer::HEIMDAL, enterprise));
    type Body = fn(&Home) -> Result<(), Failure>;
    let table: [(&str, Body); 5] = [
        ("kinit_renews", mit_renews),
        ("kinit_validates", mit_validates),
        ("kinit_asks_for_proxiable_and_addresses", mit_asks),
        ("kinit_asks_for_a_service", mit_service),
        ("kinit_takes_enterprise_and_canonical_names", mit_names),
    ];
    for (name, body) in table {
        list.push(Scenario::new(format!("tickets::mit_{name}_kdc_own"), Peer::MIT, move || {
            body(&Home::start()?)
        }));
    }
    list
}

/// What a library's error says, as a scenario's failure.
fn said(why: impl std::fmt::Display) -> Failure {
    Failure::new(why.to_string())
}

fn check(holds: bool, what: &str, about: &impl std::fmt::Debug) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(format!("{what}: {about:?}"))) }
}

fn start(kdc: Side) -> Result<(Realm, Orthros), Failure> {
    let realm =
        Realm::build("TICKETS.TEST").principal("alice", "wonderland").service("host/localhost").start(kdc)?;
    let config = Config::parse(&fs::read_to_string(&realm.config)?).map_err(said)?;
    Ok((realm, Orthros::builder().config(config).build()))
}

fn server() -> Principal {
    Principal::new(orthros_krb5::principal::NameType::SRV_HST, ["host", "localhost"], "TICKETS.TEST")
}

fn of(ticket: &Credential) -> InitiatorCredential {
    InitiatorCredential::new(ticket.client.clone(), vec![ticket.clone()], 0)
}

fn first(credential: &Arc<InitiatorCredential>) -> Result<Credential, Failure> {
    credential.tickets().into_iter().next().ok_or_else(|| Failure::new("no ticket"))
}

fn renewed(kdc: Side) -> Result<(), Failure> {
    let (_realm, orthros) = start(kdc)?;
    let alice =
        orthros.acquire("alice").password("wonderland").lifetime_seconds(600).renewable_seconds(3_600);
    let alice = alice.blocking().map_err(said)?;
    let old = first(&alice)?;
    sleep(Duration::from_millis(2_100));
    let fresh = orthros.renew(&alice).map_err(said)?;
    check(fresh.times.endtime > old.times.endtime, "the life is not fresh", &fresh.times)?;
    check(fresh.times.renew_till == old.times.renew_till, "renew-till moved", &fresh.times)?;
    orthros.service_ticket(&of(&fresh), &server()).map_err(said)?;
    let plain = orthros.acquire("alice").password("wonderland").blocking().map_err(said)?;
    let told = orthros.renew(&plain).err().map(|error| error.to_string()).unwrap_or_default();
    check(told.contains("not renewable"), "the refusal does not say why", &told)
}

fn moved(kdc: Side) -> Result<(), Failure> {
    let (_realm, orthros) = start(kdc)?;
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let there = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
    let alice = orthros.acquire("alice").password("wonderland").proxiable(true).forwardable(true);
    let alice = alice.addresses(&[here]).blocking().map_err(said)?;
    let tgt = first(&alice)?;
    check(tgt.addresses.len() == 1 && tgt.flags.contains(TicketFlags::PROXIABLE), "no such ticket", &tgt)?;
    let proxy = orthros.proxy(&alice, &server(), &[there]).map_err(said)?;
    check(proxy.flags.contains(TicketFlags::PROXY), "it is no proxy", &proxy.flags)?;
    check(
        proxy.addresses.iter().any(|address| *address.octets == [10, 1, 2, 3]),
        "addresses",
        &proxy.addresses,
    )?;
    let forwarded = orthros.forward(&alice, &[there]).map_err(said)?;
    check(forwarded.flags.contains(TicketFlags::FORWARDED), "it is not forwarded", &forwarded.flags)?;
    check(forwarded.addresses.len() == 1, "addresses", &forwarded.addresses)?;
    let free = orthros.forward(&alice, &[]).map_err(said)?;
    check(free.addresses.is_empty(), "addresses", &free.addresses)
}

fn postdated(kdc: Side) -> Result<(), Failure> {
    let (_realm, orthros) = start(kdc)?;
    let late = orthros.acquire("alice").password("wonderland").start_in_seconds(3_600).lifetime_seconds(600);
    let late = late.blocking().map_err(said)?;
    let tgt = first(&late)?;
    check(tgt.flags.contains(TicketFlags::POSTDATED | TicketFlags::INVALID), "flags", &tgt.flags)?;
    let told = orthros.validate(&late).err().map(|error| error.to_string()).unwrap_or_default();
    check(told.contains("can be validated from"), "the refusal does not say why", &told)?;
    let soon =
        orthros.acquire("alice").password("wonderland").start_in_seconds(2).blocking().map_err(said)?;
    sleep(Duration::from_millis(3_100));
    let valid = match first(&soon)?.flags.contains(TicketFlags::INVALID) {
        true => orthros.validate(&soon).map_err(said)?,
        // Heimdal issues what begins within the clock skew as a ticket of now.
        false => first(&soon)?,
    };
    check(!valid.flags.contains(TicketFlags::INVALID), "it is still invalid", &valid.flags)?;
    orthros.service_ticket(&of(&valid), &server()).map_err(said)?;
    Ok(())
}

fn verified(kdc: Side) -> Result<(), Failure> {
    let (realm, orthros) = start(kdc)?;
    let keytab = Keytab::parse(&fs::read(&realm.keytab)?).map_err(said)?;
    orthros.acquire("alice").password("wonderland").verify(&keytab).blocking().map_err(said)?;
    let impostor = orthros_kdc::Realm::builder("TICKETS.TEST").service("host/localhost");
    let impostor = impostor.build(&SystemRandom).map_err(said)?.keytab("host/localhost").map_err(said)?;
    let refused = orthros.acquire("alice").password("wonderland").verify(&impostor).blocking();
    let told = refused.err().map(|error| error.to_string()).unwrap_or_default();
    check(told.contains("not proved"), "another key verified it", &told)
}

fn named(kdc: Side) -> Result<(), Failure> {
    let (_realm, orthros) = start(kdc)?;
    let direct =
        orthros.acquire("alice").password("wonderland").service(server()).blocking().map_err(said)?;
    check(first(&direct)?.server == server(), "another service", &direct.tickets())?;
    let canonical =
        orthros.acquire("alice").password("wonderland").canonicalize(true).blocking().map_err(said)?;
    check(canonical.client().to_string() == "alice@TICKETS.TEST", "another client", &canonical.client())?;
    let proved = first(&canonical)?.flags.contains(TicketFlags::ENC_PA_REP);
    check(proved, "the KDC does not prove the request", &first(&canonical)?.flags)
}

fn enterprise() -> Result<(), Failure> {
    let (_realm, orthros) = start(Side::Heimdal)?;
    let alice =
        orthros.acquire("alice@TICKETS.TEST").enterprise().password("wonderland").blocking().map_err(said)?;
    check(alice.client().to_string() == "alice@TICKETS.TEST", "another client", &alice.client())?;
    orthros.service_ticket(&alice, &server()).map_err(said).map(drop)
}

/// Our KDC, and a folder in which MIT's programs know it.
struct Home {
    kdc: Listener,
    mit: Realm,
}

impl Home {
    fn start() -> Result<Self, Failure> {
        // A small skew, so that a ticket of the near future is postdated.
        let policy = RealmPolicy { clock_skew: 1, ..RealmPolicy::default() };
        let realm = orthros_kdc::Realm::builder("OWN.TEST")
            .policy(policy)
            .principal("alice", "wonderland")
            .service("host/real.own.test")
            .service("kadmin/changepw")
            .alias("alice@corp.example", "alice")
            .alias("al", "alice")
            .build(&SystemRandom)
            .map_err(said)?;
        let kdc = Listener::start(realm)?;
        let mit = Realm::build("MIT.TEST").start(Side::Mit)?;
        mit.configure_clients(&[("OWN.TEST", kdc.address().port())], None, "")?;
        Ok(Self { kdc, mit })
    }

    fn kinit(&self, words: &[&str]) -> Result<String, Failure> {
        self.mit.peer(Peer::KINIT, words, "wonderland\n")?.success()?;
        check(self.kdc.address().port() > 0, "the KDC has gone", &self.kdc.address())?;
        self.mit.klist(Side::Mit)
    }

    fn kvno(&self) -> Result<(), Failure> {
        self.mit.peer(Peer::KVNO, &["host/real.own.test@OWN.TEST"], "")?.success().map(drop)
    }
}

/// The flags of the first ticket in MIT's listing.
fn flags(listing: &str) -> &str {
    let (_, rest) = listing.split_once("Flags: ").unwrap_or_default();
    rest.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default()
}

fn mit_renews(home: &Home) -> Result<(), Failure> {
    let before = home.kinit(&["-r", "1d", "-l", "10m", "alice@OWN.TEST"])?;
    check(flags(&before).contains('R') && flags(&before).contains('I'), "flags", &before)?;
    let after = home.kinit(&["-R"])?;
    check(flags(&after).contains('R') && !flags(&after).contains('I'), "flags", &after)?;
    home.kvno()
}

fn mit_validates(home: &Home) -> Result<(), Failure> {
    let before = home.kinit(&["-s", "3s", "-l", "10m", "alice@OWN.TEST"])?;
    check(flags(&before).contains("di") || flags(&before).contains('i'), "flags", &before)?;
    sleep(Duration::from_millis(4_100));
    let after = home.kinit(&["-v"])?;
    check(!flags(&after).contains('i') && flags(&after).contains('d'), "flags", &after)?;
    home.kvno()
}

fn mit_asks(home: &Home) -> Result<(), Failure> {
    let listing = home.kinit(&["-p", "-f", "-a", "alice@OWN.TEST"])?;
    check(flags(&listing).contains('P') && flags(&listing).contains('F'), "flags", &listing)?;
    let plain = home.kinit(&["-P", "-F", "-A", "alice@OWN.TEST"])?;
    check(!flags(&plain).contains('P') && plain.contains("Addresses: (none)"), "flags", &plain)?;
    home.kvno()
}

fn mit_service(home: &Home) -> Result<(), Failure> {
    let listing = home.kinit(&["-S", "kadmin/changepw", "alice@OWN.TEST"])?;
    check(listing.contains("kadmin/changepw@OWN.TEST"), "another service", &listing)
}

fn mit_names(home: &Home) -> Result<(), Failure> {
    let defaults = "[libdefaults]\n\tdefault_realm = OWN.TEST\n";
    let config = fs::read_to_string(&home.mit.config)?;
    fs::write(
        &home.mit.config,
        config.replace("\tdefault_realm = MIT.TEST\n", "").replacen("[libdefaults]\n", defaults, 1),
    )?;
    for words in [&["-E", "alice@corp.example"][..], &["-C", "al@OWN.TEST"]] {
        let listing = home.kinit(words)?;
        check(listing.contains("Default principal: alice@OWN.TEST"), "another client", &listing)?;
        home.kvno()?;
    }
    Ok(())
}
