//! Child processes with captured output. Every wait is bounded; every child ends by pid, at the latest on drop.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How long anything here may take, unless the caller says otherwise: far above what a slow machine needs, so that
/// only a hang meets it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A child process whose output is captured while it runs; killed by pid and reaped when dropped.
pub struct Running {
    what: String,
    child: Child,
    stdin: Option<ChildStdin>,
    captured: Arc<Captured>,
    /// The signal that ends it in good order, without `SIG`; killed at once if `None`.
    orderly: Option<&'static str>,
}

/// A process that has ended, and all it printed.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The command line, for messages.
    pub what: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Standard error, invalid UTF-8 replaced.
    pub stderr: String,
}

#[derive(Default)]
struct Captured {
    octets: Mutex<Streams>,
    grown: Condvar,
}

#[derive(Default)]
struct Streams {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How many of the two have reached their end.
    ended: u8,
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Running {
    /// Starts `command` with its three standard streams connected to this value.
    ///
    /// # Errors
    /// The program can't be started.
    pub fn start(mut command: Command) -> Result<Self, Failure> {
        let what = describe(&command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::from(error).while_doing(format!("starting `{what}`")))?;
        let captured = Arc::new(Captured::default());
        if let Some(stdout) = child.stdout.take() {
            collect(stdout, Stream::Stdout, &captured);
        }
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, Stream::Stderr, &captured);
        }
        let stdin = child.stdin.take();
        Ok(Self { what, child, stdin, captured, orderly: None })
    }

    /// When dropped it gets this signal first (its name without `SIG`), and five seconds to end: for servers with
    /// processes of their own, or with things to put away.
    #[must_use]
    pub fn ended_by(mut self, signal: &'static str) -> Self {
        self.orderly = Some(signal);
        self
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.captured.lock().stdout).into_owned()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.captured.lock().stderr).into_owned()
    }

    /// Writes to its standard input, which stays open.
    ///
    /// # Errors
    /// It was closed by either end.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let stdin = self.stdin.as_mut().ok_or("standard input is closed")?;
        Ok(stdin.write_all(octets).and_then(|()| stdin.flush())?)
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `needle` stands in its output (either stream); `patience` bounds the wait.
    ///
    /// # Errors
    /// The process closed its output, or the time passed, without it; the text holds what was printed instead.
    pub fn wait_for(&mut self, needle: &str, patience: Duration) -> Result<(), Failure> {
        self.wait_until(&format!("`{needle}`"), patience, |output| {
            contains(&output.stdout, needle.as_bytes()) || contains(&output.stderr, needle.as_bytes())
        })
    }

    /// Waits until somebody listens on a TCP port of this machine, without disturbing them: the kernel's table is asked.
    ///
    /// # Errors
    /// The process ended or the time passed, and nobody does.
    pub fn wait_for_listener(&mut self, port: u16, patience: Duration) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        while !listens(port) {
            if Instant::now() > until || !self.is_alive() {
                return Err(format!("nobody listens on port {port}\n{}", self.stderr()).into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until `needle` stands in its standard output `times` times.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn wait_for_times(&mut self, needle: &str, times: usize, patience: Duration) -> Result<(), Failure> {
        self.wait_until(&format!("`{needle}` {times} times"), patience, |output| {
            String::from_utf8_lossy(&output.stdout).matches(needle).count() >= times
        })
    }

    /// Waits for its first whole line of standard output and returns it without the line's end.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn first_line(&mut self, patience: Duration) -> Result<String, Failure> {
        self.wait_until("a first line", patience, |output| output.stdout.contains(&b'\n'))?;
        Ok(self.stdout().lines().next().unwrap_or_default().to_owned())
    }

    /// Sends it a signal, by its name without `SIG`.
    ///
    /// # Errors
    /// The signal is unknown, or the process has ended and was waited for.
    pub fn signal(&self, signal: &str) -> Result<(), Failure> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"kill -s "$1" "$2""#, "kill", signal, &self.pid().to_string()]);
        run(command, b"")?.success().map(drop)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It still runs when `patience` is over; it is killed then.
    pub fn finish(mut self, patience: Duration) -> Result<Finished, Failure> {
        self.close_stdin();
        let Some(status) = self.status_within(patience)? else {
            return Err(self.complaint(&format!("still ran after {patience:?}")));
        };
        // A grandchild may hold the pipes open; what it says is not waited for beyond a second.
        self.captured.wait(Instant::now() + Duration::from_secs(1), |output| output.ended == 2);
        Ok(Finished { what: self.what.clone(), status, stdout: self.stdout(), stderr: self.stderr() })
    }

    fn status_within(&mut self, patience: Duration) -> Result<Option<ExitStatus>, Failure> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_millis(1);
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    fn wait_until(
        &mut self,
        what: &str,
        patience: Duration,
        mut found: impl FnMut(&Streams) -> bool,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + patience;
        self.captured.wait(deadline, |output| found(output) || output.ended == 2);
        if found(&self.captured.lock()) {
            Ok(())
        } else if Instant::now() >= deadline {
            Err(self.complaint(&format!("did not print {what} within {patience:?}")))
        } else {
            Err(self.complaint(&format!("ended without printing {what}")))
        }
    }

    fn complaint(&self, what: &str) -> Failure {
        Failure::new(format!(
            "`{}` {what}\n--- its output:\n{}--- its errors:\n{}",
            self.what,
            self.stdout(),
            self.stderr()
        ))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({}, pid {})", self.what, self.pid())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // All fail only for a process that has ended already.
        if let (Some(signal), Ok(None)) = (self.orderly, self.child.try_wait())
            && self.signal(signal).is_ok()
        {
            let _ = self.status_within(Duration::from_secs(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// Itself, if the exit status was 0.
    ///
    /// # Errors
    /// Any other status; the text holds all that was printed.
    pub fn success(self) -> Result<Self, Failure> {
        if self.status.success() { Ok(self) } else { Err(self.complaint("should have succeeded")) }
    }

    /// Itself, if it exited by itself with a status other than 0.
    ///
    /// # Errors
    /// Status 0, or an end by signal: a crash is not a refusal.
    pub fn refusal(self) -> Result<Self, Failure> {
        match self.status.code() {
            Some(code) if code != 0 => Ok(self),
            Some(_) => Err(self.complaint("should have been refused")),
            None => Err(self.complaint("was ended by a signal")),
        }
    }

    /// Itself, if `needle` stands in its output (either stream).
    ///
    /// # Errors
    /// It does not; the text holds all that was printed.
    pub fn says(self, needle: &str) -> Result<Self, Failure> {
        if self.stdout.contains(needle) || self.stderr.contains(needle) {
            Ok(self)
        } else {
            Err(self.complaint(&format!("should have said `{needle}`")))
        }
    }

    /// A failure that tells of this process.
    pub fn complaint(&self, what: &str) -> Failure {
        Failure::new(format!(
            "`{}` {what}; {}\n--- its output:\n{}--- its errors:\n{}",
            self.what, self.status, self.stdout, self.stderr
        ))
    }
}

impl Captured {
    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.octets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, deadline: Instant, mut enough: impl FnMut(&Streams) -> bool) {
        let mut streams = self.lock();
        while !enough(&streams) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            streams = self.grown.wait_timeout(streams, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn push(&self, stream: Stream, octets: &[u8]) {
        let mut streams = self.lock();
        match stream {
            Stream::Stdout => streams.stdout.extend_from_slice(octets),
            Stream::Stderr => streams.stderr.extend_from_slice(octets),
        }
        drop(streams);
        self.grown.notify_all();
    }

    fn end(&self) {
        let mut streams = self.lock();
        streams.ended = streams.ended.saturating_add(1);
        drop(streams);
        self.grown.notify_all();
    }
}

/// Runs `command` with `input` on its standard input until it ends by itself; [`PATIENCE`] bounds the wait.
///
/// # Errors
/// It can't be started, or it did not end in time. A bad exit status is not an error here: see [`Finished`].
pub fn run(command: Command, input: &[u8]) -> Result<Finished, Failure> {
    let mut running = Running::start(command)?;
    // A program that does not read its input may have closed it.
    let _ = running.write(input);
    running.finish(PATIENCE)
}

fn collect(mut from: impl Read + Send + 'static, stream: Stream, into: &Arc<Captured>) {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut octets = [0; 4096];
        while let Ok(count) = from.read(&mut octets) {
            match octets.get(..count) {
                Some([]) | None => break,
                Some(read) => into.push(stream, read),
            }
        }
        into.end();
    });
}

fn contains(octets: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || octets.windows(needle.len()).any(|window| window == needle)
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Whether somebody listens on a TCP port, by the tables of proc(5): the local address is the second word, its port behind
/// the colon in hexadecimal digits; the state is the fourth, 0A for whoever listens.
fn listens(port: u16) -> bool {
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().take(4).collect();
        let [_, local, _, "0A"] = words[..] else { return false };
        local.rsplit_once(':').is_some_and(|(_, digits)| u16::from_str_radix(digits, 16) == Ok(port))
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    tables.iter().any(|table| fs::read_to_string(table).is_ok_and(|text| text.lines().any(row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn input_reaches_the_child_and_its_output_comes_back() {
        let finished = run(shell("cat; echo bad >&2; exit 3"), b"good").unwrap();
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("good", "bad\n"));
        assert_eq!(finished.status.code(), Some(3));
        assert!(finished.clone().refusal().is_ok());
        assert!(finished.success().is_err());
    }

    #[test]
    fn a_wait_for_text_that_never_comes_is_bounded() {
        let mut running = Running::start(shell("echo one; exec sleep 100")).unwrap();
        running.wait_for("one", PATIENCE).unwrap();
        let failure = running.wait_for("two", Duration::from_millis(50)).unwrap_err();
        assert!(failure.to_string().contains("did not print `two`"), "{failure}");
    }

    #[test]
    fn a_child_that_ends_early_is_not_waited_for() {
        let mut running = Running::start(shell("echo one")).unwrap();
        let failure = running.wait_for("two", PATIENCE).unwrap_err();
        assert!(failure.to_string().contains("ended without printing `two`"), "{failure}");
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let running = Running::start(shell("exec sleep 100")).unwrap();
        let folder = format!("/proc/{}", running.pid());
        drop(running);
        assert!(!std::path::Path::new(&folder).exists());
    }

    #[test]
    fn an_orderly_end_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'echo > put-away; exit' TERM; echo ready; while :; do sleep 0.01; done";
        let mut command = shell(script);
        command.current_dir(folder.path());
        let mut running = Running::start(command).unwrap().ended_by("TERM");
        running.wait_for("ready", PATIENCE).unwrap();
        drop(running);
        assert!(folder.path().join("put-away").is_file());
    }

    #[test]
    fn an_end_by_signal_is_not_a_refusal() {
        assert!(run(shell("kill -SEGV $$"), b"").unwrap().refusal().is_err());
    }
}
