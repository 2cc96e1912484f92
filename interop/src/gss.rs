//! The two ends of `krb5-gss-samples`: an acceptor that stays, and an initiator that runs once. Each is MIT's
//! program, [`sample`] on Heimdal's library, or ours; all speak the same framing.

use crate::failure::Failure;
use crate::peers::Peer;
use crate::process::{self, Finished, PATIENCE, Running};
use crate::realm::{Realm, Side, on_free_port, orthros};
use crate::sample;

/// The service that the samples speak to: it is in every realm that was built with `host/localhost`.
pub const SERVICE: &str = "host@localhost";

/// What the acceptor does beside accepting.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerOptions {
    /// Export and import each context before it is used.
    pub export: bool,
    /// Another service than [`SERVICE`].
    pub service: Option<&'static str>,
}

/// What the initiator asks for. The default is mutual authentication, replay detection, one sealed message and its
/// MIC, as in MIT's program.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientOptions {
    /// Name the krb5 mechanism instead of leaving the choice.
    pub krb5: bool,
    /// Delegate credentials (`GSS_C_DELEG_FLAG`).
    pub delegate: bool,
    /// Detect reordering (`GSS_C_SEQUENCE_FLAG`).
    pub sequence: bool,
    /// Don't ask for mutual authentication.
    pub no_mutual: bool,
    /// Don't ask for replay detection.
    pub no_replay: bool,
    /// Wrap without confidentiality.
    pub no_encrypt: bool,
    /// Send the message in the clear.
    pub no_wrap: bool,
    /// Don't ask for a MIC of the message.
    pub no_mic: bool,
    /// How many messages go over a context; 0 means one.
    pub messages: u16,
    /// How many contexts are made, one after the other; 0 means one.
    pub contexts: u16,
    /// Another service than [`SERVICE`].
    pub service: Option<&'static str>,
}

/// An acceptor that listens; ended when dropped.
#[derive(Debug)]
pub struct Server {
    /// The process, for waits and for looking at its output.
    pub process: Running,
    /// The port of 127.0.0.1 on which it listens.
    pub port: u16,
}

impl Server {
    /// Starts an acceptor for [`SERVICE`] and waits until it listens.
    ///
    /// # Errors
    /// The program is missing, or did not say that it listens.
    pub fn start(side: Side, realm: &Realm, options: ServerOptions) -> Result<Self, Failure> {
        let (process, port) = on_free_port(|port| {
            let port = port.to_string();
            let mut command = match side {
                Side::Mit => {
                    // It writes to a pipe, and would keep what it says in its buffer.
                    let mut command = realm.command(&Peer::STDBUF.find()?);
                    command.arg("-oL").arg(Peer::GSS_SERVER.find()?);
                    command.args(["-port", &port, "-verbose"]);
                    command
                }
                Side::Heimdal => {
                    let mut command = sample::command(Peer::HEIMDAL_GSS, realm)?;
                    command.args(["server", "-port", &port, "-verbose"]);
                    command
                }
                Side::Own => {
                    let mut command = realm.command(orthros()?);
                    command.args(["gss", "server", "--port", &port, "--verbose"]);
                    command
                }
            };
            if options.export {
                command.arg(match side {
                    Side::Mit | Side::Heimdal => "-export",
                    Side::Own => "--export",
                });
            }
            command.arg(options.service.unwrap_or(SERVICE));
            let mut process = Running::start(command)?;
            process.wait_for("starting...", PATIENCE)?;
            Ok(process)
        })?;
        Ok(Self { process, port })
    }

    /// All it said so far.
    pub fn output(&self) -> String {
        self.process.stdout() + &self.process.stderr()
    }

    /// Waits until it said `needle`.
    ///
    /// # Errors
    /// It did not in time, or it ended.
    pub fn says(&mut self, needle: &str) -> Result<(), Failure> {
        self.process.wait_for(needle, PATIENCE)
    }
}

/// Runs an initiator against `port` of localhost until it ends; a bad exit status is not an error here.
///
/// # Errors
/// The program is missing or did not end in time.
pub fn client(
    side: Side,
    realm: &Realm,
    port: u16,
    options: ClientOptions,
    message: &str,
) -> Result<Finished, Failure> {
    let port = port.to_string();
    let mut words: Vec<String> = match side {
        Side::Mit => vec!["-port".into(), port],
        Side::Heimdal => vec!["client".into(), "-port".into(), port],
        Side::Own => vec!["gss".into(), "client".into(), "--port".into(), port],
    };
    let mut word = |asked: bool, mit: &str, own: &str, value: Option<u16>| {
        if asked {
            words.push(match side {
                Side::Mit | Side::Heimdal => mit.to_owned(),
                Side::Own => own.to_owned(),
            });
            words.extend(value.map(|value| value.to_string()));
        }
    };
    word(options.krb5, "-krb5", "--krb5", None);
    word(options.delegate, "-d", "--delegate", None);
    word(options.sequence, "-seq", "--sequence", None);
    word(options.no_mutual, "-nomutual", "--no-mutual", None);
    word(options.no_replay, "-noreplay", "--no-replay", None);
    word(options.no_encrypt, "-nx", "--no-encrypt", None);
    word(options.no_wrap, "-nw", "--no-wrap", None);
    word(options.no_mic, "-nm", "--no-mic", None);
    word(options.messages > 0, "-mcount", "--messages", Some(options.messages));
    word(options.contexts > 0, "-ccount", "--contexts", Some(options.contexts));
    if side != Side::Heimdal {
        words.push("localhost".into());
    }
    words.extend([options.service.unwrap_or(SERVICE).into(), message.into()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match side {
        Side::Mit => realm.peer(Peer::GSS_CLIENT, &words, ""),
        Side::Heimdal => {
            let mut command = sample::command(Peer::HEIMDAL_GSS, realm)?;
            command.args(&words);
            process::run(command, b"")
        }
        Side::Own => realm.orthros(&words, ""),
    }
}
