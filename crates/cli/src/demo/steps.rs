//! The eight steps, and what has to be true of each.

use std::path::{Path, PathBuf};
use std::time::Instant;

use orthros::Flags;
use orthros_wire::{Timestamp, hex};

use super::holder::digest;
use super::orders::{
    Again, Established, Exported, HandedOver, Heard, Listening, Order, Said, SentAgain, Standing, Taken,
    Tickets, Traffic,
};
use super::report::{
    Connections, Direction, Process, Report, Step, Token, Wire, abilities, milliseconds, summary,
};
use super::roles::{CLIENT, ENCTYPE, REALM, SERVICE};
use super::troupe::Player;
use crate::arguments::Demo;
use crate::failure::Failure;
use crate::output;
use crate::realm::{self, Ready};

/// How many there are.
pub(super) const STEPS: usize = 8;

const QUESTION: &str = "What is the answer?";
const SECOND_QUESTION: &str = "And who are you now?";

/// What every context of the demo can do.
const WANTED: Flags = Flags(
    Flags::MUTUAL.0
        | Flags::CONFIDENTIALITY.0
        | Flags::INTEGRITY.0
        | Flags::REPLAY.0
        | Flags::SEQUENCE.0
        | Flags::TRANSFERABLE.0,
);

/// The demo while it runs: the processes, and what is printed so far.
pub(super) struct Stage {
    folder: PathBuf,
    quiet: bool,
    without_ledger: bool,
    begun: Instant,
    kdc: Player,
    acceptor: Player,
    initiator: Player,
    heir: Option<Player>,
    steps: Vec<Step>,
}

/// A context between alice and the acceptor.
struct Up {
    ready: Ready,
    ours: Established,
    theirs: Established,
}

/// The context after its move.
struct Moved {
    exported: Exported,
    taken: Taken,
    heir: u32,
    at: Timestamp,
}

impl Stage {
    /// Starts the first three processes.
    pub(super) fn new(folder: &Path, wanted: &Demo) -> Result<Self, Failure> {
        let begun = Instant::now();
        Ok(Self {
            folder: folder.to_owned(),
            quiet: wanted.json,
            without_ledger: wanted.without_ledger,
            begun,
            kdc: Player::start("kdc", folder)?,
            acceptor: Player::start("acceptor", folder)?,
            initiator: Player::start("initiator", folder)?,
            heir: None,
            steps: Vec::new(),
        })
    }

    /// All eight steps.
    pub(super) fn play(&mut self) -> Result<Report, Failure> {
        if !self.quiet {
            output::line("Orthros demo: one security context, three processes, no realm needed.")?;
        }
        let up = self.come_up()?;
        let (said, heard) = self.talk()?;
        let moved = self.give_up(&up).and_then(|exported| self.take_over(&up, exported))?;
        self.import_again(&moved)?;
        let traffic = self.replay(&said)?;
        let took = self.begun.elapsed();
        if !self.quiet {
            output::line(summary(&self.steps, took))?;
        }
        let steps = std::mem::take(&mut self.steps);
        Ok(Report {
            held: steps.len() == STEPS && steps.iter().all(|step| step.held),
            seconds: took.as_secs_f64(),
            realm: REALM,
            kdc_address: format!("127.0.0.1:{}", up.ready.port),
            processes: vec![
                Process { role: "parent", pid: std::process::id() },
                Process { role: "kdc", pid: self.kdc.pid() },
                Process { role: "acceptor", pid: self.acceptor.pid() },
                Process { role: "initiator", pid: self.initiator.pid() },
                Process { role: "heir", pid: moved.heir },
            ],
            connections: Connections {
                initiator: up.ours.connection,
                acceptor: up.theirs.connection,
                heir: moved.taken.connection,
            },
            wire: Wire {
                first_message: heard.token,
                from_initiator: traffic.from_initiator(),
                to_initiator: traffic.to_initiator(),
            },
            token: Token {
                octets: moved.exported.token_octets,
                digest: moved.exported.token_digest,
                user: moved.exported.user,
            },
            steps,
        })
    }

    /// Lets all processes end.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let players = [Some(self.initiator), Some(self.acceptor), self.heir, Some(self.kdc)];
        players.into_iter().flatten().try_for_each(Player::finish)
    }

    fn done(&mut self, step: Step) -> Result<(), Failure> {
        if !self.quiet {
            output::line(step.text())?;
        }
        self.steps.push(step);
        Ok(())
    }

    /// Steps 1 to 3: a realm, an acceptor, an initiator, and a context between them.
    fn come_up(&mut self) -> Result<Up, Failure> {
        let password = realm::random_password();
        let ready: Ready = self.kdc.ask(&Order::Serve { password: password.clone() })?;
        self.done(
            Step::new(1, "KDC")
                .row(
                    &format!("realm {REALM} on 127.0.0.1:{}", ready.port),
                    "(embedded, in memory)",
                    Some(ready.pid),
                )
                .claim("it is a process of its own", ready.pid == self.kdc.pid())
                .claim("it serves the realm", ready.realm == REALM && ready.port > 0),
        )?;
        let without_ledger = self.without_ledger;
        let listening: Listening = self.acceptor.ask(&Order::Listen { without_ledger })?;
        self.done(
            Step::new(2, "acceptor")
                .row(
                    &format!("{SERVICE}, keytab with {} key", listening.keys),
                    &listening.enctype,
                    Some(self.acceptor.pid()),
                )
                .claim("it has one key", listening.keys == 1)
                .claim("of the strongest type", listening.enctype == ENCTYPE.name())
                .claim("the key is the service's", listening.principal == format!("{SERVICE}@{REALM}")),
        )?;
        let tickets: Tickets = self.initiator.ask(&Order::LogIn { password })?;
        self.acceptor.tell(&Order::Accept)?;
        self.initiator.tell(&Order::Connect { address: listening.address })?;
        // Whoever knows more of a failure is asked first.
        let theirs: Established = self.acceptor.answer()?;
        let ours: Established = self.initiator.answer()?;
        self.done(context_step(&tickets, &ours, &theirs, self.initiator.pid()))?;
        Ok(Up { ready, ours, theirs })
    }

    /// Step 4: a message and its answer.
    fn talk(&mut self) -> Result<(Said, Heard), Failure> {
        let acceptor = self.acceptor.pid();
        let answer = format!("42, says {acceptor}.");
        self.acceptor.tell(&Order::Answer { text: answer.clone() })?;
        self.initiator.tell(&Order::Say { text: QUESTION.into() })?;
        let heard: Heard = self.acceptor.answer()?;
        let said: Said = self.initiator.answer()?;
        let mut passed = Passed::default();
        passed.initiator = Both::from(self.initiator.ask::<Traffic>(&Order::Traffic)?);
        passed.holders = Both::from(self.acceptor.ask::<Traffic>(&Order::Traffic)?);
        let hidden = passed.hides(&[QUESTION, &answer]);
        let octets = hex::decode(&heard.token).unwrap_or_default();
        let begin: Vec<_> = octets.iter().take(6).map(|octet| format!("{octet:02x}")).collect();
        let wire =
            format!("on the wire: {} ...  {}", begin.join(" "), if hidden { "no clear text" } else { "" });
        self.done(
            Step::new(4, "message")
                .row(&format!("alice  -> {acceptor}   {QUESTION:?}"), &wire, None)
                .more("", &format!("{acceptor:<6} -> alice  {answer:?}         verified"))
                .claim("what was sent arrived", octets.len() > QUESTION.len() && said.token == heard.token)
                .claim("it is a wrap token", octets.starts_with(&[5, 4]))
                .claim("both ends recorded the same octets", passed.agrees())
                .claim("no clear text was on the wire", hidden)
                .claim("the message is the one that was sent", heard.message.text == QUESTION)
                .claim("it was sealed and in order", heard.message.sealed && is_next(heard.message.order))
                .claim("the answer is the one that was sent", said.answer.text == answer)
                .claim(
                    "the answer was sealed and in order",
                    said.answer.sealed && is_next(said.answer.order),
                ),
        )?;
        Ok((said, heard))
    }

    /// Step 5: the acceptor gives the context up.
    fn give_up(&mut self, up: &Up) -> Result<Exported, Failure> {
        let exported: Exported = self.acceptor.ask(&Order::Export)?;
        let acceptor = self.acceptor.pid();
        let (octets, user) = (exported.token_octets, exported.user);
        let refused = exported.refused;
        self.done(
            Step::new(5, "export")
                .row(
                    &format!(
                        "{acceptor} gives up the context: token of {octets} octets, sealed, for uid {user}, single use"
                    ),
                    "",
                    None,
                )
                .more("", &format!("{acceptor} tries to go on: refused (no context)"))
                .more("tamper", &format!("every octet flipped once: {refused} refused"))
                .claim("the context could be moved", Flags(up.theirs.flags).contains(Flags::TRANSFERABLE))
                .claim("there is a token", octets > 0)
                .claim("the exporter can't go on", exported.going_on.as_deref() == Some("GSS_S_NO_CONTEXT"))
                .claim("every octet was flipped", exported.changed == octets)
                .claim("every changed token was refused", exported.refused == octets),
        )?;
        Ok(exported)
    }

    /// Step 6: a new process takes the context, and the socket.
    fn take_over(&mut self, up: &Up, exported: Exported) -> Result<Moved, Failure> {
        let mut player = Player::start("heir", &self.folder)?;
        let heir = player.pid();
        self.acceptor.tell(&Order::HandOver)?;
        player.tell(&Order::Take { without_ledger: self.without_ledger })?;
        let handed: HandedOver = self.acceptor.answer()?;
        let taken: Taken = player.answer()?;
        let at = orthros_wire::Clock::now(&orthros_kdc::SystemClock);
        let answer = format!("{heir}, and nothing has changed for you.");
        player.tell(&Order::Answer { text: answer.clone() })?;
        self.initiator.tell(&Order::Say { text: SECOND_QUESTION.into() })?;
        let heard: Heard = player.answer()?;
        let said: Said = self.initiator.answer()?;
        self.heir = Some(player);
        let before = &up.theirs;
        self.done(
            Step::new(6, "import")
                .row("a new process takes it, and the socket", "", Some(heir))
                .more(
                    "",
                    &format!(
                        "alice  -> {heir}   {SECOND_QUESTION:?}   same connection, next sequence number: alice noticed nothing"
                    ),
                )
                .claim("the heir came to the door", handed.process == heir && handed.user == exported.user)
                .claim("it got the token that was exported", taken.token_digest == exported.token_digest)
                .claim("it holds the acceptor's own socket", taken.connection == before.connection)
                .claim("the context's abilities are the same", taken.flags == before.flags)
                .claim(
                    "its names are the same",
                    taken.initiator == before.initiator && taken.acceptor == before.acceptor,
                )
                .claim("the message is the one that was sent", heard.message.text == SECOND_QUESTION)
                .claim("it was sealed and the next", heard.message.sealed && is_next(heard.message.order))
                .claim("the answer is the heir's", said.answer.text == answer)
                .claim("alice found it sealed and the next", said.answer.sealed && is_next(said.answer.order)),
        )?;
        Ok(Moved { exported, taken, heir, at })
    }

    /// Step 7: a context lives in one process at a time.
    fn import_again(&mut self, moved: &Moved) -> Result<(), Failure> {
        let again: Again = self.acceptor.ask(&Order::ImportAgain)?;
        let acceptor = self.acceptor.pid();
        let (seconds, microseconds) = again.spent_at.unwrap_or_default();
        let spent = Timestamp { seconds, microseconds };
        let by = again.spent_by.unwrap_or_default();
        self.done(
            Step::new(7, "again")
                .row(&format!("{acceptor} imports the same token: refused"), "", None)
                .more(
                    "",
                    &format!(
                        "  The token was spent at {} by pid {by}. A context lives in one process at a time.",
                        output::time_of_day(spent)
                    ),
                )
                .claim("the second import was refused", again.status.as_deref() == Some("GSS_S_NO_CONTEXT"))
                .claim("because the heir had spent the token", by == moved.heir)
                .claim(
                    "at the time of its import",
                    again.spent_at.is_some() && spent <= moved.at && spent.plus_seconds(60) > moved.at,
                ),
        )
    }

    /// Step 8: the replay window has moved with the context. And nothing passed in the clear all the time.
    fn replay(&mut self, said: &Said) -> Result<Passed, Failure> {
        let heir = self.heir.as_mut().ok_or_else(|| Failure::new("there is no heir"))?;
        let pid = heir.pid();
        heir.tell(&Order::Answer { text: "this is never sent".into() })?;
        let sent: SentAgain = self.initiator.ask(&Order::SayAgain)?;
        let heard: Heard = heir.answer()?;
        let mut passed = Passed {
            initiator: Both::from(self.initiator.ask::<Traffic>(&Order::Traffic)?),
            holders: Both::from(self.acceptor.ask::<Traffic>(&Order::Traffic)?),
        };
        passed.holders.follow(heir.ask(&Order::Traffic)?);
        let hidden = passed.hides(&[QUESTION, SECOND_QUESTION, "42, says", "nothing has changed"]);
        let step = Step::new(8, "replay")
            .row(&format!("alice's first message again, to {pid}: refused (duplicate)"), "", None)
            .claim("the same octets came again", sent.token == said.token && heard.token == said.token)
            .claim("they were known for a duplicate", heard.message.order == Standing::Duplicate)
            .claim("there was no answer", heard.answer.is_none())
            .claim("all ends recorded the same octets", passed.agrees())
            .claim("no clear text was ever on the wire", hidden);
        self.done(step)?;
        Ok(passed)
    }
}

fn context_step(tickets: &Tickets, ours: &Established, theirs: &Established, pid: u32) -> Step {
    let (client, service) = (format!("{CLIENT}@{REALM}"), format!("{SERVICE}@{REALM}"));
    let took = milliseconds(tickets.as_microseconds.saturating_add(tickets.tgs_microseconds));
    let what = format!("{client}, ticket for {}", hours(tickets.lifetime_seconds));
    // Seen from the end that the context will leave.
    let able = abilities(Flags(theirs.flags));
    let passed = format!("{} tokens, {}", ours.tokens, milliseconds(ours.microseconds));
    let named = |end: &Established| end.initiator == client && end.acceptor == service;
    Step::new(3, "initiator")
        .row(&what, &format!("AS + TGS {took}"), Some(pid))
        .more("context", &format!("{able:<48}  {passed}"))
        .claim("alice has a ticket for hours", tickets.client == client && tickets.lifetime_seconds >= 3_600)
        .claim("both ends know who is who", named(ours) && named(theirs))
        .claim("the context can do what was asked for", Flags(theirs.flags).contains(WANTED))
        .claim("both ends agree on that", ours.flags & WANTED.0 == theirs.flags & WANTED.0)
        .claim("two tokens made it", ours.tokens == 2 && theirs.tokens == 2)
        .claim(
            "both ends are on one connection",
            ours.connection.local == theirs.connection.peer
                && ours.connection.peer == theirs.connection.local,
        )
}

fn hours(seconds: i64) -> String {
    match (seconds / 3_600, seconds % 3_600 / 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn is_next(order: Standing) -> bool {
    order == Standing::InOrder
}

/// What passed over the connection: as alice recorded it, and as those at the other end did.
#[derive(Default)]
struct Passed {
    initiator: Both,
    holders: Both,
}

/// Both directions at one end.
#[derive(Default)]
struct Both {
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl From<Traffic> for Both {
    fn from(traffic: Traffic) -> Self {
        let octets = |text: &str| hex::decode(text).unwrap_or_default();
        Self { sent: octets(&traffic.sent), received: octets(&traffic.received) }
    }
}

impl Both {
    /// What passed after somebody else took the end over.
    fn follow(&mut self, later: Traffic) {
        let later = Self::from(later);
        self.sent.extend(later.sent);
        self.received.extend(later.received);
    }
}

impl Passed {
    fn agrees(&self) -> bool {
        let some = !self.initiator.sent.is_empty() && !self.initiator.received.is_empty();
        some && self.initiator.sent == self.holders.received && self.initiator.received == self.holders.sent
    }

    /// Whether none of these texts can be read from what passed.
    fn hides(&self, texts: &[&str]) -> bool {
        let readable =
            |octets: &[u8], text: &str| octets.windows(text.len()).any(|part| part == text.as_bytes());
        let ends = [&self.initiator, &self.holders];
        let mut streams = ends.iter().flat_map(|end| [&end.sent, &end.received]);
        streams.all(|stream| !texts.iter().any(|text| readable(stream, text)))
    }

    fn from_initiator(&self) -> Direction {
        direction(&self.initiator.sent, &self.holders.received)
    }

    fn to_initiator(&self) -> Direction {
        direction(&self.holders.sent, &self.initiator.received)
    }
}

fn direction(sent: &[u8], received: &[u8]) -> Direction {
    Direction { octets: sent.len(), sent: digest(sent), received: digest(received) }
}
