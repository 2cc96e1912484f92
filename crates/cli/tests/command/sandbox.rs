//! A folder for one test, the command in it, and a realm.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

/// The longest that a command may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of one test's own.
pub(crate) struct Sandbox(tempfile::TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that runs; ended by its id when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command, with no environment but the folder's own.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orthros"));
        let at = |name: &str| self.path().join(name);
        let file = |name: &str| format!("FILE:{}", at(name).display());
        command
            .args(words)
            .env_clear()
            .env("TMPDIR", self.path())
            .env("KRB5_CONFIG", at("krb5.conf"))
            .env("KRB5CCNAME", file("cc"))
            .env("KRB5_KTNAME", file("keytab"))
            .env("KRB5_CLIENT_KTNAME", file("client.keytab"))
            .env("KRB5RCACHEDIR", self.path())
            .env("XDG_RUNTIME_DIR", self.path())
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, words: &[&str], input: &str) -> Ended {
        finish(self.command(words), input)
    }

    /// Runs the command, which must succeed; what it printed.
    pub(crate) fn good(&self, words: &[&str], input: &str) -> String {
        let ended = self.run(words, input);
        assert_eq!(ended.status, Some(0), "{words:?}: {ended:?}");
        ended.stdout
    }

    /// Runs the command with one variable more, or another value of it; it must succeed. What it printed.
    pub(crate) fn good_with(&self, variable: (&str, &str), words: &[&str], input: &str) -> String {
        let mut command = self.command(words);
        command.env(variable.0, variable.1);
        let ended = finish(command, input);
        assert_eq!(ended.status, Some(0), "{words:?}: {ended:?}");
        ended.stdout
    }

    /// Runs the command, which must fail; what it complained of.
    pub(crate) fn bad(&self, words: &[&str], input: &str) -> String {
        let ended = self.run(words, input);
        assert_eq!(ended.status, Some(1), "{words:?}: {ended:?}");
        assert!(ended.stderr.starts_with("orthros: "), "{ended:?}");
        ended.stderr
    }

    /// What the command printed as JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(words, "")).unwrap()
    }

    pub(crate) fn start(&self, words: &[&str]) -> Running {
        let mut child = self.command(words).spawn().unwrap();
        let stdin = child.stdin.take();
        let lines = lines(child.stdout.take().unwrap());
        Running { child, stdin, lines }
    }

    /// A realm in this folder: `alice` with the password `wonderland`, and `host/localhost`.
    pub(crate) fn realm(&self) -> Running {
        let folder = self.path().to_str().unwrap();
        let words = ["kdc", "--realm", "CLI.TEST", "--dir", folder];
        let who = ["--principal", "alice=wonderland", "--service", "host/localhost"];
        let kdc = self.start(&[words.as_slice(), who.as_slice()].concat());
        let ready: Value = serde_json::from_str(&kdc.line()).unwrap();
        assert_eq!(ready["realm"], "CLI.TEST");
        assert_eq!(ready["pid"], kdc.child.id());
        kdc
    }
}

pub(crate) fn finish(mut command: Command, input: &str) -> Ended {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that reads nothing may be gone already.
    let _unread = stdin.write_all(input.as_bytes());
    drop(stdin);
    let mut stderr = child.stderr.take().unwrap();
    let complaint = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let mut running = Running { lines: lines(child.stdout.take().unwrap()), child, stdin: None };
    let mut stdout = String::new();
    while let Some(line) = running.next() {
        stdout.push_str(&line);
        stdout.push('\n');
    }
    let status = running.child.wait().unwrap().code();
    Ended { status, stdout, stderr: complaint.join().unwrap() }
}

fn lines(output: ChildStdout) -> Receiver<String> {
    let (tell, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl Running {
    /// The next line; `None` at the end.
    fn next(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("pid {} takes too long", self.child.id()),
        }
    }

    /// The next line, which must come.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of output")
    }

    /// Waits for a line that contains this.
    pub(crate) fn says(&self, needle: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(needle) {
                return line;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _collected = self.child.wait();
    }
}
