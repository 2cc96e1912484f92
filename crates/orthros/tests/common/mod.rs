//! Second processes: a test starts its own binary again with its own name and a *role*, and begins with
//! `if let Some(role) = role() { .. }`. So no test is there only to be played by another one.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub, reason = "test helpers")]

pub mod memory;
pub mod world;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const ROLE: &str = "ORTHROS_TEST_ROLE";

/// A process that plays a role of the test that started it. It ends with the test at the latest.
pub struct Player {
    child: Child,
    tell: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
}

/// Starts the test `test` of this binary in a new process, in which [`role`] answers `role`, with `variables`
/// in its environment.
pub fn play(test: &str, role: &str, variables: &[(&str, &str)]) -> Player {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments(test));
    start(command, role, variables)
}

/// The arguments by which a test binary runs one test.
pub fn arguments(test: &str) -> [&str; 4] {
    ["--exact", "--nocapture", "--test-threads=1", test]
}

/// [`play`], where `command` is what runs the test.
pub fn start(mut command: Command, role: &str, variables: &[(&str, &str)]) -> Player {
    let mut child = command
        .env(ROLE, role)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, hear) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
    Player { child, tell, hear }
}

impl Player {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Gives it a line, for [`heard`].
    pub fn tell(&mut self, line: &str) {
        let pipe = self.tell.as_mut().unwrap();
        pipe.write_all(format!("{line}\n").as_bytes()).and_then(|()| pipe.flush()).unwrap();
    }

    /// What it says next by [`say`].
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        while self.hear.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once("<<") {
                return rest.rsplit_once(">>").expect("a whole line").0.to_owned();
            }
            line.clear();
        }
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        panic!("{:?} without a word: {errors}", self.child.wait().unwrap());
    }

    /// Lets it end, which it must do well.
    pub fn end(mut self) {
        self.tell = None;
        let mut rest = String::new();
        self.hear.read_to_string(&mut rest).unwrap();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status:?}: {rest}{errors}");
    }

    /// The one thing that it has to say, and its process id. It must end well.
    pub fn said(mut self) -> (String, u32) {
        let (answer, pid) = (self.hear(), self.pid());
        self.end();
        (answer, pid)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // After a failed assertion nobody waits for it any more.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The role that this process was started for; `None` in the test proper.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// For roles: hands `text` to the process that plays us.
pub fn say(text: &str) {
    println!("<<{}>>", text.replace('\n', " "));
}

/// For roles: the next line that the player was told.
pub fn heard() -> String {
    let mut line = String::new();
    assert_ne!(std::io::stdin().read_line(&mut line).unwrap(), 0, "nobody speaks any more");
    line.trim_end().to_owned()
}

/// For roles: a variable of the environment.
pub fn told(name: &str) -> String {
    std::env::var(name).expect("a role is told its variables")
}

/// Puts a soft limit on this process.
pub fn limit(resource: rustix::process::Resource, to: u64) {
    let maximum = rustix::process::getrlimit(resource).maximum;
    rustix::process::setrlimit(resource, rustix::process::Rlimit { current: Some(to), maximum }).unwrap();
}

/// Plays a role in a mount namespace of its own, in which `mount` has been run by a shell with `$FOLDER`;
/// `None` where the system lets nobody have such a namespace, be it as root or in a user namespace.
pub fn play_mounted(test: &str, role: &str, folder: &Path, mount: &str) -> Option<Player> {
    let ways: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];
    let works = |way: &&&[&str]| {
        let mounted = "mount -t tmpfs -o size=4k none \"$0\"";
        let status = Command::new("unshare").args(**way).args(["sh", "-c", mounted]).arg(folder).status();
        status.is_ok_and(|status| status.success())
    };
    let way = ways.iter().find(works)?;
    let mut command = Command::new("unshare");
    let script = format!("set -e; {mount}\nexec \"$@\"");
    command.args(*way).args(["sh", "-c", &script, "sh"]).arg(std::env::current_exe().unwrap());
    command.args(arguments(test));
    Some(start(command, role, &[("FOLDER", folder.to_str().unwrap())]))
}

/// Lets eight threads try at once what takes a lock on the file at `path`, and counts who won. All eight are at the
/// door before it opens, so that whoever does not wait for the lock is found out.
pub fn winners_of_eight(path: &Path, attempt: impl Fn() -> bool + Sync) -> usize {
    let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let door = orthros::sys::file::Locked::exclusive(&file).unwrap();
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8).map(|_| scope.spawn(&attempt)).collect();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let passed = racers.iter().any(std::thread::ScopedJoinHandle::is_finished);
        assert!(!passed, "somebody passed a closed door");
        drop(door);
        racers.into_iter().map(|racer| usize::from(racer.join().unwrap())).sum()
    })
}
