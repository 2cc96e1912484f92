//! The acceptor carries the initiator's requests to the KDC: MIT's samples on MIT's library and on ours, and our command,
//! on either end. The initiator's configuration names a KDC that is not there, so nothing is asked of one directly.

use std::fmt;
use std::fs;

use interop::c_library::Maker;
use interop::gss::SERVICE;
use interop::peers::Peer;
use interop::process::{self, PATIENCE, Running};
use interop::realm::{Enctype, on_free_port, orthros};
use interop::{Failure, Finished, Realm, Scenario, Side};

const NEEDS: &[Peer] = &[
    Peer::KRB5KDC,
    Peer::KDB5_UTIL,
    Peer::KADMIN_LOCAL,
    Peer::KINIT,
    Peer::GSS_CLIENT,
    Peer::GSS_SERVER,
    Peer::STDBUF,
    Peer::CC,
];

/// Who plays a role.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// MIT's sample, on a library.
    Sample(Maker),
    /// Our command.
    Command,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sample(Maker::Mit) => "mit",
            Self::Sample(Maker::Own) => "face",
            Self::Command => "command",
        })
    }
}

const ENDS: [End; 3] = [End::Sample(Maker::Mit), End::Sample(Maker::Own), End::Command];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for initiator in ENDS {
        for acceptor in ENDS {
            let mut add = |what: &str, body: fn(End, End) -> Result<(), Failure>| {
                let name = format!("iakerb::{what}_initiator_{initiator}_acceptor_{acceptor}");
                list.push(Scenario::new(name, NEEDS, move || body(initiator, acceptor)));
            };
            add("by_password_and_ticket", come_up);
            add("refused", refusals);
            add("with_old_tokens", old_tokens);
        }
    }
    list
}

fn realm(enctypes: &[Enctype]) -> Result<Realm, Failure> {
    let realm = Realm::build("IAKERB.TEST")
        .enctypes(enctypes)
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    let config = fs::read_to_string(&realm.config)?;
    let unreachable: Vec<String> = config
        .lines()
        .map(|line| match line.trim_start().starts_with("kdc =") {
            // The port of nothing: whoever asks is refused at once.
            true => "kdc = 127.0.0.1:1".to_owned(),
            false => line.to_owned(),
        })
        .collect();
    fs::write(realm.folder().join("far.conf"), unreachable.join("\n"))?;
    Ok(realm)
}

fn serve(end: End, realm: &Realm, options: &[&str]) -> Result<(Running, u16), Failure> {
    on_free_port(|port| {
        let port = port.to_string();
        let mut command = match end {
            End::Sample(library) => {
                // It writes to a pipe, and would keep what it says in its buffer.
                let mut command = realm.command(&Peer::STDBUF.find()?);
                command.arg("-oL").arg(Peer::GSS_SERVER.find()?).envs(library.environment()?);
                command.args(["-port", &port, "-verbose"]).args(options);
                command
            }
            End::Command => {
                let mut command = realm.command(orthros()?);
                command.args(["gss", "server", "--port", &port, "--verbose"]);
                command.args(options.iter().map(|option| format!("-{option}")));
                command
            }
        };
        command.arg(SERVICE);
        let mut process = Running::start(command)?;
        process.wait_for("starting...", PATIENCE)?;
        Ok(process)
    })
}

/// What an initiator may be asked for: the words of the sample, and of our command.
type Wish = (&'static [&'static str], &'static [&'static str]);

/// Runs an initiator that reaches no KDC until it ends; by this user's password, or by the cache.
fn ask(
    end: End,
    realm: &Realm,
    port: u16,
    wish: Wish,
    user: Option<(&str, &str)>,
) -> Result<Finished, Failure> {
    let port = port.to_string();
    let (mut command, input) = match end {
        End::Sample(library) => {
            let mut command = realm.command(&Peer::GSS_CLIENT.find()?);
            command.args(["-port", &port, "-iakerb"]).args(wish.0).envs(library.environment()?);
            if let Some((name, password)) = user {
                command.args(["-user", name, "-pass", password]);
            }
            (command, String::new())
        }
        End::Command => {
            let mut command = realm.command(orthros()?);
            command.args(["gss", "client", "--port", &port, "--iakerb"]).args(wish.1);
            if let Some((name, _)) = user {
                command.args(["--user", name]);
            }
            (command, user.map_or_else(String::new, |(_, password)| format!("{password}\n")))
        }
    };
    command.args(["localhost", SERVICE, "a message"]);
    command.env("KRB5_CONFIG", realm.folder().join("far.conf"));
    process::run(command, input.as_bytes())
}

const PLAIN: Wish = (&[], &[]);
const ALICE: Option<(&str, &str)> = Some(("alice", "wonderland"));

/// A context comes up, and a message goes over it.
fn talk(
    (initiator, acceptor): (End, End),
    realm: &Realm,
    wish: Wish,
    user: Option<(&str, &str)>,
    options: &[&str],
) -> Result<(), Failure> {
    let (mut server, port) = serve(acceptor, realm, &[&["-iakerb"], options].concat())?;
    ask(initiator, realm, port, wish, user)?
        .success()
        .and_then(|finished| finished.says("Signature verified."))
        .and_then(|_| server.wait_for("Accepted connection: \"alice@IAKERB.TEST\"", PATIENCE))
        .and_then(|()| server.wait_for("Received message: \"a message\"", PATIENCE))
        .map_err(|why| {
            why.while_doing(format!("{wish:?}; the acceptor: {}{}", server.stdout(), server.stderr()))
        })?;
    let output = server.stdout();
    assert!(output.contains("{ 1 3 6 1 5 2 5 }"), "the mechanism is told: {output}");
    Ok(())
}

fn come_up(initiator: End, acceptor: End) -> Result<(), Failure> {
    let (ends, realm) = ((initiator, acceptor), realm(&Enctype::AES)?);
    talk(ends, &realm, PLAIN, ALICE, &[])?;
    talk(ends, &realm, PLAIN, ALICE, &["-export"])?;
    for wish in
        [PLAIN, (&["-d"], &["--delegate"]), (&["-seq"], &["--sequence"]), (&["-nomutual"], &["--no-mutual"])]
    {
        // Only the ticket-granting ticket: the service's comes through the acceptor.
        realm.kinit(Side::Mit, "alice", &["-f"])?;
        talk(ends, &realm, wish, None, &[])?;
    }
    // And then with the service's in the cache: nothing is left to be carried. MIT's acceptor (1.20) loses its context
    // then, whoever initiates.
    if acceptor == End::Sample(Maker::Mit) { Ok(()) } else { talk(ends, &realm, PLAIN, None, &[]) }
}

fn old_tokens(initiator: End, acceptor: End) -> Result<(), Failure> {
    let (ends, realm) = ((initiator, acceptor), realm(&[Enctype::Rc4])?);
    talk(ends, &realm, PLAIN, ALICE, &[])?;
    talk(ends, &realm, PLAIN, ALICE, &["-export"])
}

/// What must not succeed fails with a reason, and the acceptor lives on.
fn refusals(initiator: End, acceptor: End) -> Result<(), Failure> {
    let realm = realm(&Enctype::AES)?;
    let refused = |port, user| -> Result<(), Failure> {
        let finished = ask(initiator, &realm, port, PLAIN, Some(user))?;
        assert!(!finished.stdout.contains("Signature verified."), "{finished:?}");
        finished.refusal().map(drop)
    };
    let (mut server, port) = serve(acceptor, &realm, &["-iakerb"])?;
    refused(port, ("alice", "not her password"))?;
    refused(port, ("nobody", "wonderland"))?;
    // A realm that nobody has configured.
    refused(port, ("alice@ELSEWHERE.TEST", "wonderland"))?;
    assert!(server.is_alive(), "{}{}", server.stdout(), server.stderr());
    // An acceptor that nobody told to carry anything.
    let (mut server, port) = serve(acceptor, &realm, &[])?;
    refused(port, ("alice", "wonderland"))?;
    assert!(server.is_alive() && !realm.kdc_log().contains("TGS_REQ"), "{}", realm.kdc_log());
    Ok(())
}
