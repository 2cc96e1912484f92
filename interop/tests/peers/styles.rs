//! What contexts may be asked for beyond the usual, against MIT's library and KDC: negotiated enctypes (RFC 4537),
//! bindings that must not be missed, delegation by policy (RFC 5896), and the keys that both ends export.

use std::fs;

use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::sample;
use interop::{Enctype, Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for (initiator, acceptor) in [(Side::Mit, Side::Own), (Side::Own, Side::Mit), (Side::Own, Side::Own)] {
        let needs = [sample::NEEDS, &[Peer::MIT_GSS]].concat();
        let mut add = |name: &str, run: fn(Side, Side) -> Result<(), Failure>| {
            let name = format!("styles::initiator_{initiator}_acceptor_{acceptor}_{name}");
            list.push(Scenario::new(name, &needs, move || run(initiator, acceptor)));
        };
        add("negotiates_a_better_enctype_than_the_tickets", negotiation);
        add("misses_no_bindings", bindings);
        add("delegates_by_policy_only", delegation);
    }
    for theirs in [Side::Mit, Side::Heimdal] {
        for (initiator, acceptor) in [(theirs, Side::Own), (Side::Own, theirs)] {
            for enctype in [Enctype::Aes128Sha1, Enctype::Aes256Sha2] {
                list.push(Scenario::new(
                    format!("styles::initiator_{initiator}_acceptor_{acceptor}_exports_equal_keys_{enctype}"),
                    &[sample::NEEDS, &[sample::library(theirs)]].concat(),
                    move || keys(initiator, acceptor, enctype),
                ));
            }
        }
    }
    list
}

fn realm() -> Result<Realm, Failure> {
    Realm::build("STYLES.TEST").principal("alice", "wonderland").service("host/localhost").start(Side::Mit)
}

/// Replaces the line of `krb5.conf` that sets this relation.
fn set(realm: &Realm, relation: &str, value: &str) -> Result<(), Failure> {
    let text = fs::read_to_string(&realm.config)?;
    let is_it = |line: &&str| line.trim_start().starts_with(&format!("{relation} ="));
    let kept: Vec<&str> = text.lines().filter(|line| !is_it(line)).collect();
    let text =
        kept.join("\n").replacen("[libdefaults]", &format!("[libdefaults]\n\t{relation} = {value}"), 1);
    Ok(fs::write(&realm.config, text + "\n")?)
}

/// The ticket's key is of the oldest enctype, the acceptor's subkey of the best that both permit.
fn negotiation(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = realm()?;
    let [oldest, .., best] = Enctype::AES.map(Enctype::name);
    set(&realm, "default_tgs_enctypes", oldest)?;
    realm.kinit(Side::Own, "alice", &[])?;
    realm.orthros(&["kvno", "host/localhost"], "")?.success()?;
    for (permitted, met) in [(format!("{best} {oldest}"), 20), (oldest.to_owned(), 17)] {
        // MIT's initiator tells of those that it would ask a KDC for, ours of those that are permitted.
        set(&realm, "permitted_enctypes", &permitted)?;
        set(&realm, "default_tgs_enctypes", &permitted)?;
        let (mut server, port) = sample::serve(acceptor, &realm, &["-lucid"])?;
        let said = sample::run(initiator, &realm, port, &["-lucid"], "negotiated")?.success()?.stdout;
        server.wait_for("Lucid:", PATIENCE)?;
        for said in [&said, &server.stdout()] {
            assert!(said.contains(" context=17:"), "the ticket's enctype: {said}");
            assert!(said.contains(&format!(" acceptor={met}:")), "permitted {permitted}: {said}");
        }
    }
    Ok(())
}

/// An initiator that would bind if it had a channel is refused by an acceptor that has one.
fn bindings(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    const TEXT: [&str; 2] = ["-bindings", "tls-exporter:one"];
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &[])?;
    let own: &[&str] = if acceptor == Side::Own { &["-bindings-optional", "-verbose"] } else { &[] };
    for (aware, asked, accepted, bound) in [
        ("no", &TEXT[..], true, true),
        ("no", &[], true, false),
        ("yes", &TEXT, true, true),
        ("yes", &[], false, false),
    ] {
        set(&realm, "client_aware_channel_bindings", aware)?;
        let (mut server, port) = sample::serve(acceptor, &realm, &[own, &TEXT].concat())?;
        let finished = sample::run(initiator, &realm, port, asked, "bound")?;
        if accepted {
            finished.success()?.says("Signature verified.")?;
            server.wait_for("Received message", PATIENCE)?;
        } else {
            finished.refusal()?;
        }
        let output = server.stdout();
        assert_eq!(output.contains("GSS_C_CHANNEL_BOUND_FLAG"), bound, "{aware} {asked:?}: {output}");
    }
    if initiator != Side::Own {
        // MIT krb5 1.20 has no flag for it.
        return Ok(());
    }
    set(&realm, "client_aware_channel_bindings", "no")?;
    let (_server, port) = sample::serve(acceptor, &realm, &[own, &TEXT].concat())?;
    sample::run(initiator, &realm, port, &["-bound"], "bound")?.refusal().map(drop)
}

/// Delegated is what was asked for outright, or by policy if the KDC set OK-AS-DELEGATE on the ticket.
fn delegation(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = realm()?;
    let plain = if initiator == Side::Own { "-delegate" } else { "-d" };
    for (kdc, option, delegated) in [
        ("-ok_as_delegate", "-delegate-policy", false),
        ("-ok_as_delegate", plain, true),
        ("+ok_as_delegate", "-delegate-policy", true),
    ] {
        let words = ["-r", &realm.name, "modprinc", kdc, "host/localhost"];
        realm.peer(Peer::KADMIN_LOCAL, &words, "")?.success()?;
        // The next service ticket is a new one.
        realm.kinit(Side::Own, "alice", &["-f"])?;
        let verbose: &[&str] = if acceptor == Side::Own { &["-verbose"] } else { &[] };
        let (mut server, port) = sample::serve(acceptor, &realm, verbose)?;
        sample::run(initiator, &realm, port, &[option], "delegated")?.success()?;
        server.wait_for("Received message", PATIENCE)?;
        let output = server.stdout();
        assert_eq!(output.contains("GSS_C_DELEG_FLAG"), delegated, "{kdc} {option}: {output}");
        assert_eq!(output.contains("Delegated credential"), delegated, "{kdc} {option}: {output}");
    }
    Ok(())
}

/// What the kernel would get at both ends: the keys, the numbers, the end.
fn keys(initiator: Side, acceptor: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = Realm::build("STYLES.TEST")
        .enctypes(&[enctype])
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Own, "alice", &[])?;
    let (mut server, port) = sample::serve(acceptor, &realm, &["-lucid"])?;
    let said = sample::run(initiator, &realm, port, &["-lucid", "-sequence"], "counted")?.success()?.stdout;
    server.wait_for("Lucid:", PATIENCE)?;
    inquiries(&said, &server.stdout(), initiator == Side::Mit || acceptor == Side::Mit)?;
    let (here, there) = (Lucid::read(&said)?, Lucid::read(&server.stdout())?);
    let (own, theirs) = if initiator == Side::Own { (&here, &there) } else { (&there, &here) };
    assert_eq!(own.acceptor, theirs.acceptor);
    // Heimdal 7.8 gives the acceptor's subkey for both.
    let heimdal = [initiator, acceptor].contains(&Side::Heimdal);
    assert_eq!(theirs.context, if heimdal { &theirs.acceptor } else { &own.context }.clone());
    assert_ne!(own.context, own.acceptor);
    // Each end sent one message. Both peers give the number that they expected of the first one.
    assert_eq!((own.receive, own.send), (theirs.send, theirs.receive + 1));
    // The acceptor's end is later by the clock skew that it allows; MIT and Heimdal add it where they compare.
    let [first, last] = [here.end, there.end];
    assert!(last == first || acceptor == Side::Own && last == first + 300, "{first} {last}");
    Ok(())
}

/// Both ends answer alike what is asked by object identifier; MIT's library answers all of it, Heimdal 7.8 does not.
fn inquiries(here: &str, there: &str, all: bool) -> Result<(), Failure> {
    let answers = |output: &str| -> Result<Vec<String>, Failure> {
        let line =
            output.lines().find_map(|line| line.strip_prefix("Inquiry: ")).ok_or("no line of answers")?;
        Ok(line.split(' ').map(str::to_owned).collect())
    };
    let (here, there) = (answers(here)?, answers(there)?);
    assert_eq!((here.len(), there.len()), (4, 4));
    for (one, other) in here.iter().zip(&there) {
        if all {
            assert_eq!(one, other);
        } else if !(one.ends_with("=-") || other.ends_with("=-")) {
            // Heimdal tells the key without the name of its enctype.
            assert_eq!(one.split(',').next(), other.split(',').next());
        }
    }
    Ok(())
}

/// The line that an end prints of its keys and numbers; keys as enctype and octets.
#[derive(Debug)]
struct Lucid {
    send: u64,
    receive: u64,
    end: u64,
    context: String,
    acceptor: String,
}

impl Lucid {
    fn read(output: &str) -> Result<Self, Failure> {
        let line = output.lines().find(|line| line.starts_with("Lucid:")).ok_or("no line of keys")?;
        let value = |name: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            word.ok_or_else(|| Failure::new(format!("no {name}: {line}")))
        };
        let number = |name: &str| {
            value(name)?.parse().map_err(|_| Failure::new(format!("{name} is no number: {line}")))
        };
        let (context, acceptor) = (value("context")?.to_owned(), value("acceptor")?.to_owned());
        Ok(Self {
            send: number("send")?,
            receive: number("receive")?,
            end: number("end")?,
            context,
            acceptor,
        })
    }
}
