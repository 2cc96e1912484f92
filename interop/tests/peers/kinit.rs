//! Our kinit with each of its options at MIT's KDC; what it got is read by MIT's klist, and used by MIT's kvno.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use interop::peers::Peer;
use interop::{Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    type Body = fn(&Realm) -> Result<(), Failure>;
    let table: [(&str, Body); 8] = [
        ("flags", flags_as_asked),
        ("lifetimes", lifetimes),
        ("addresses", addresses),
        ("postdated_and_validated", postdated),
        ("renewed", renewed),
        ("service_and_canonical_name", names),
        ("keytabs", keytabs),
        ("expired_password", expired_password),
    ];
    let scenario = |(name, body): (&str, Body)| {
        Scenario::new(format!("kinit::own_{name}_kdc_mit"), Peer::MIT, move || body(&start()?))
    };
    table.into_iter().map(scenario).collect()
}

fn start() -> Result<Realm, Failure> {
    Realm::build("KINIT.TEST").principal("alice", "wonderland").service("host/localhost").start(Side::Mit)
}

fn check(holds: bool, what: &str, about: &impl std::fmt::Display) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(format!("{what}: {about}"))) }
}

/// Runs our kinit, and lists the cache by MIT's klist.
fn kinit(realm: &Realm, words: &[&str]) -> Result<String, Failure> {
    realm.orthros(&[&["kinit"][..], words].concat(), "wonderland\n")?.success()?;
    realm.klist(Side::Mit)
}

/// What our kinit complains of.
fn refused(realm: &Realm, words: &[&str]) -> Result<String, Failure> {
    Ok(realm.orthros(&[&["kinit"][..], words].concat(), "wonderland\n")?.refusal()?.stderr)
}

/// MIT's kvno gets a ticket by the cache.
fn use_it(realm: &Realm) -> Result<(), Failure> {
    realm.peer(Peer::KVNO, &["host/localhost@KINIT.TEST"], "")?.success().map(drop)
}

/// The flags of the first ticket in MIT's listing.
fn flags(listing: &str) -> &str {
    let (_, rest) = listing.split_once("Flags: ").unwrap_or_default();
    rest.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// All moments in MIT's listing, in seconds: begin, end and, where there is one, until when it can be renewed.
fn moments(listing: &str) -> Vec<i64> {
    let words: Vec<_> = listing.split([' ', '\t', '\n', ',']).filter(|word| !word.is_empty()).collect();
    let read = |pair: &[&str]| match pair {
        [day, time] => jiff::civil::DateTime::strptime("%m/%d/%y %H:%M:%S", format!("{day} {time}")).ok(),
        _ => None,
    };
    let in_utc = |local: jiff::civil::DateTime| local.to_zoned(jiff::tz::TimeZone::UTC).ok();
    words.windows(2).filter_map(read).filter_map(in_utc).map(|at| at.timestamp().as_second()).collect()
}

fn flags_as_asked(realm: &Realm) -> Result<(), Failure> {
    let both = kinit(realm, &["-f", "-p", "alice"])?;
    check(flags(&both).contains('F') && flags(&both).contains('P'), "flags", &both)?;
    check(flags(&both).contains('I'), "flags", &both)?;
    use_it(realm)?;
    let neither = kinit(realm, &["-F", "-P", "alice"])?;
    check(!flags(&neither).contains('F') && !flags(&neither).contains('P'), "flags", &neither)
}

fn lifetimes(realm: &Realm) -> Result<(), Failure> {
    for (text, life) in [("2h", 7_200), ("1:30", 5_400), ("1h30m5s", 5_405), ("600", 600)] {
        let listing = kinit(realm, &["-l", text, "-r", "1d", "alice"])?;
        let moments = moments(&listing);
        let [start, end, renewable] = *moments.as_slice() else {
            return Err(Failure::new(format!("three moments are due: {listing}")));
        };
        // The KDC's `time` reads the kernel's coarse clock: at the turn of a second its start can lie one before ours.
        check((life - 3..=life + 1).contains(&(end - start)), text, &listing)?;
        check((86_397..=86_401).contains(&(renewable - start)), "renewable", &listing)?;
        check(flags(&listing).contains('R'), "flags", &listing)?;
    }
    Ok(())
}

fn addresses(realm: &Realm) -> Result<(), Failure> {
    let none = kinit(realm, &["-A", "alice"])?;
    check(none.contains("Addresses: (none)"), "addresses", &none)?;
    // Whatever this machine has, there is one that can be told.
    let config = fs::read_to_string(&realm.config)?;
    let extra = "[libdefaults]\n\textra_addresses = 192.0.2.77 127.0.0.1\n";
    fs::write(&realm.config, config.replacen("[libdefaults]\n", extra, 1))?;
    let told = kinit(realm, &["-a", "alice"])?;
    check(told.contains("192.0.2.77") && told.contains("127.0.0.1"), "addresses", &told)?;
    let mit =
        realm.peer(Peer::KINIT, &["-a", "alice"], "wonderland\n")?.success().and(realm.klist(Side::Mit))?;
    let listed = |listing: &str| {
        let (_, rest) = listing.split_once("Addresses: ").unwrap_or_default();
        let mut all: Vec<_> =
            rest.lines().next().unwrap_or_default().split(", ").map(str::to_owned).collect();
        // MIT's library tells addresses of one link too, which say nothing anywhere else.
        all.retain(|address| !address.starts_with("fe80:"));
        all.sort();
        all
    };
    check(
        listed(&told) == listed(&mit),
        "other addresses than MIT's kinit asks for",
        &format!("{told}\n{mit}"),
    )?;
    // Requests come from 127.0.0.1, which is among them.
    kinit(realm, &["-a", "alice"])?;
    use_it(realm)
}

fn postdated(realm: &Realm) -> Result<(), Failure> {
    let late = kinit(realm, &["-s", "1h", "-l", "10m", "alice"])?;
    check(flags(&late).contains('d') && flags(&late).contains('i'), "flags", &late)?;
    let told = refused(realm, &["-v"])?;
    check(told.contains("can be validated from"), "the refusal does not say why", &told)?;
    let moment = kinit(realm, &["-s", "20360102030405", "-l", "10m", "alice"])?;
    check(moment.contains("01/02/36 03:04:05"), "another moment", &moment)?;
    let soon = kinit(realm, &["-s", "3s", "-l", "10m", "alice"])?;
    check(flags(&soon).contains('i'), "flags", &soon)?;
    sleep(Duration::from_millis(4_100));
    let valid = kinit(realm, &["-v"])?;
    check(flags(&valid).contains('d') && !flags(&valid).contains('i'), "flags", &valid)?;
    use_it(realm)
}

fn renewed(realm: &Realm) -> Result<(), Failure> {
    let before = kinit(realm, &["-l", "10m", "-r", "1d", "alice"])?;
    sleep(Duration::from_millis(2_100));
    let after = kinit(realm, &["-R"])?;
    check(flags(&after).contains('R'), "flags", &after)?;
    let (old, new) = (moments(&before), moments(&after));
    check(new.get(1) > old.get(1) && new.get(2) == old.get(2), "times", &format!("{before}\n{after}"))?;
    use_it(realm)?;
    // A ticket that MIT's kinit got is renewed as well.
    realm.kinit(Side::Mit, "alice", &["-r", "1d", "-l", "10m"])?;
    let got = realm.klist(Side::Mit)?;
    sleep(Duration::from_millis(2_100));
    let renewed = kinit(realm, &["-R"])?;
    check(moments(&renewed).get(1) > moments(&got).get(1), "times", &format!("{got}\n{renewed}"))?;
    use_it(realm)?;
    kinit(realm, &["alice"])?;
    let told = refused(realm, &["-R"])?;
    check(told.contains("not renewable"), "the refusal does not say why", &told)
}

fn names(realm: &Realm) -> Result<(), Failure> {
    let canonical = kinit(realm, &["-C", "alice"])?;
    check(canonical.contains("Default principal: alice@KINIT.TEST"), "another client", &canonical)?;
    use_it(realm)?;
    let service = kinit(realm, &["-S", "host/localhost", "alice"])?;
    check(service.contains("host/localhost@KINIT.TEST"), "another service", &service)?;
    check(!service.contains("krbtgt/"), "a ticket-granting ticket", &service)?;
    // MIT's own database takes no enterprise name for a principal: that the KDC says so is known.
    let told = refused(realm, &["-E", "alice@corp.example"])?;
    check(told.contains("alice\\@corp.example@KINIT.TEST"), "the refusal does not say who", &told)
}

fn keytabs(realm: &Realm) -> Result<(), Failure> {
    let keytab = realm.keytab.display().to_string();
    for words in [&["-k", "host/localhost"][..], &["-k", "-t", &keytab, "host/localhost"]] {
        let listing = kinit(realm, words)?;
        check(listing.contains("Default principal: host/localhost@KINIT.TEST"), "another client", &listing)?;
        use_it(realm)?;
    }
    let mut command = realm.command(interop::realm::orthros()?);
    command.args(["kinit", "-k", "-i"]).env("KRB5_CLIENT_KTNAME", format!("FILE:{keytab}"));
    interop::process::run(command, b"")?.success()?;
    use_it(realm)
}

fn expired_password(realm: &Realm) -> Result<(), Failure> {
    let words = ["-r", "KINIT.TEST", "modprinc", "-pwexpire", "2001-01-01 00:00:00 UTC", "alice"];
    realm.peer(Peer::KADMIN_LOCAL, &words, "")?.success()?;
    let told = refused(realm, &["alice"])?;
    check(told.contains("The password has expired") && told.contains("alice"), "no clear words", &told)
}
