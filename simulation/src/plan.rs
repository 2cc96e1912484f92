//! What one seed decides before the run: the realm, the conversations, and which faults come when.

use orthros_crypto::Enctype;

use crate::dice::Dice;

/// Microseconds in a second: the unit of all times of the simulation.
pub(crate) const SECOND: u64 = 1_000_000;

/// The machines.
pub(crate) const DESK: usize = 0;
pub(crate) const HALL: usize = 1;
pub(crate) const KDCS: usize = 2;
pub(crate) const ELSEWHERE: usize = 3;
pub(crate) const HOSTS: usize = 4;

/// How many seconds clocks may differ.
pub(crate) const SKEW: u64 = 300;

/// How often messages suffer what, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) lose: u64,
    pub(crate) repeat: u64,
    pub(crate) delay: u64,
    pub(crate) alter: u64,
    /// To another conversation, back to the sender, or to another machine.
    pub(crate) stray: u64,
}

/// How a context is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Krb5,
    Spnego,
    Iakerb,
}

/// What a conversation is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) way: Way,
    pub(crate) mutual: bool,
    pub(crate) dce: bool,
    pub(crate) confidential: bool,
    pub(crate) replay: bool,
    pub(crate) sequence: bool,
    pub(crate) delegate: bool,
    /// The acceptor is suspended whenever it waits, or nearly.
    pub(crate) suspend: bool,
    /// Seconds, if the context shall end before its ticket.
    pub(crate) lifetime: Option<u32>,
    /// Messages of each side.
    pub(crate) talks: u32,
    /// How often the ends move to another process.
    pub(crate) moves: u32,
}

/// What befalls the realm besides its messages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blow {
    /// A process ends at once, and starts again so many microseconds later.
    Kill { process: usize, back_after: u64 },
    /// A clock is put forward (or back) by so many microseconds.
    Clock { host: usize, by: i64 },
    /// KDCs are silent for so long.
    Silence { lasts: u64 },
    /// Ledger and replay cache of a machine can't be written for so long.
    DiskFull { host: usize, lasts: u64 },
    /// The service gets new keys; its keytab has them so much later.
    Rotate { keytab_after: u64 },
    /// The keytab loses all keys but the newest.
    ForgetOldKeys,
    /// Somebody who saw everything sends one of the messages again.
    Replay,
    /// Everybody sleeps.
    Sleep { lasts: u64 },
}

/// The plan of one run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// No fault at all: everything must come up.
    pub(crate) calm: bool,
    pub(crate) enctype: Enctype,
    pub(crate) two_realms: bool,
    /// The clients have passwords, not keytabs.
    pub(crate) password: bool,
    pub(crate) rates: Rates,
    /// What each machine's clock is ahead, in microseconds.
    pub(crate) skews: [i64; HOSTS],
    /// Seconds.
    pub(crate) ticket_lifetime: i64,
    /// One acceptor, which remembers requests in its memory only.
    pub(crate) replay_in_memory: bool,
    pub(crate) conversations: Vec<(u64, usize, Style)>,
    pub(crate) blows: Vec<(u64, Blow)>,
}

/// Processes that may be killed: all but the stranger's.
const MORTALS: u64 = 7;

impl Plan {
    pub(crate) fn of(dice: &Dice) -> Self {
        let calm = dice.chance(125);
        let two_realms = dice.chance(200);
        // String-to-key is slow on purpose, and costs least with this one.
        let password = dice.chance(100);
        let enctype = match two_realms || password {
            true => Enctype::Aes128CtsHmacSha1,
            false => dice.pick(Enctype::STRONG).unwrap_or(Enctype::Aes256CtsHmacSha1),
        };
        let hurried = !calm && dice.chance(150);
        let conversations = (0..dice.between(1, 4))
            .map(|_| (dice.below(20 * SECOND), dice.place(2), Style::of(dice)))
            .collect();
        Self {
            calm,
            enctype,
            two_realms,
            password,
            rates: if calm { Rates::default() } else { Rates::of(dice) },
            skews: if calm { [0; HOSTS] } else { skews(dice) },
            ticket_lifetime: if hurried { 60 } else { 36_000 },
            replay_in_memory: dice.chance(200),
            conversations,
            blows: if calm { Vec::new() } else { blows(dice) },
        }
    }
}

impl Rates {
    fn of(dice: &Dice) -> Self {
        // One kind of trouble at a time shows more than all of them together, which end every conversation soon.
        let mut rates = Self { lose: 5, repeat: 20, delay: 30, alter: 8, stray: 8 };
        match dice.below(8) {
            0 => rates.lose = 100,
            1 => rates.repeat = 300,
            2 => rates.delay = 400,
            3 => rates.alter = 120,
            4 => rates.stray = 120,
            5 => rates = Self { repeat: 200, delay: 200, ..Self::default() },
            _ => {}
        }
        rates
    }
}

impl Style {
    fn of(dice: &Dice) -> Self {
        let way = match dice.below(10) {
            0..=5 => Way::Krb5,
            6..=8 => Way::Spnego,
            _ => Way::Iakerb,
        };
        Self {
            way,
            mutual: dice.chance(700),
            dce: dice.chance(150),
            confidential: dice.chance(800),
            replay: dice.chance(750),
            sequence: dice.chance(600),
            delegate: dice.chance(300),
            suspend: dice.chance(500),
            lifetime: dice.chance(80).then_some(30),
            talks: u32::try_from(dice.between(1, 4)).unwrap_or(1),
            moves: u32::try_from(dice.below(4)).unwrap_or(0),
        }
    }

    /// What the last conversation of each run is like: it must come up, whatever was before.
    pub(crate) const LAST: Self = Self {
        way: Way::Krb5,
        mutual: true,
        dce: false,
        confidential: true,
        replay: true,
        sequence: true,
        delegate: false,
        suspend: false,
        lifetime: None,
        talks: 2,
        moves: 2,
    };
}

fn skews(dice: &Dice) -> [i64; HOSTS] {
    [(); HOSTS].map(|()| skew(dice))
}

/// Microseconds by which a clock is wrong: mostly little, sometimes just about what is tolerated, sometimes much.
fn skew(dice: &Dice) -> i64 {
    let second = 1_000_000;
    match dice.below(10) {
        0..=4 => 0,
        5..=6 => dice.either_way(100 * second),
        7..=8 => {
            let edge = 300 * second + dice.either_way(2 * second);
            if dice.chance(500) { edge } else { -edge }
        }
        _ => dice.either_way(4_000 * second),
    }
}

fn blows(dice: &Dice) -> Vec<(u64, Blow)> {
    let mut blows = Vec::new();
    for _ in 0..dice.below(7) {
        let lasts = dice.between(SECOND / 10, 8 * SECOND);
        let blow = match dice.below(16) {
            0..=6 => {
                let process = usize::try_from(dice.below(MORTALS)).unwrap_or(0);
                Blow::Kill { process, back_after: dice.between(1_000, 3 * SECOND) }
            }
            7..=8 => Blow::Clock { host: dice.place(HOSTS), by: skew(dice) },
            9 => Blow::Silence { lasts },
            10 => Blow::DiskFull { host: dice.place(2), lasts },
            11 => Blow::Rotate { keytab_after: lasts },
            12 => Blow::ForgetOldKeys,
            13 => Blow::Sleep { lasts: dice.between(SECOND, 400 * SECOND) },
            _ => Blow::Replay,
        };
        blows.push((dice.below(40 * SECOND), blow));
    }
    for _ in 0..dice.below(4) {
        blows.push((dice.below(40 * SECOND), Blow::Replay));
    }
    blows
}
