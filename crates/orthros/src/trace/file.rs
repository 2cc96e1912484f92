//! The trace as lines in a file: `[PID] SECONDS.MICROSECONDS: TEXT`, as MIT krb5 writes them.
//!
//! The file is opened for each line: nothing is kept that a daemon closes, a child inherits or a new root hides. What
//! can't be written is left out; the program's work goes on as if nobody had asked for a trace.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Event, Trace};
use crate::clock::{Clock, SystemClock};
use crate::sys::process::{self, check_file_size_limit};

/// For how long a line waits for a reader that does not keep up.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Appends a line for each event: to a file, made with mode 0600 if there is none; `/dev/stdout` and `/dev/stderr` are
/// the streams of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTrace(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Stderr,
    Stdout,
}

impl FileTrace {
    /// By the value of `KRB5_TRACE`.
    pub fn at(name: impl AsRef<OsStr>) -> Self {
        let name = name.as_ref();
        Self(match name.to_str() {
            Some("/dev/stderr") => Place::Stderr,
            Some("/dev/stdout") => Place::Stdout,
            _ => Place::File(name.into()),
        })
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        match &self.0 {
            Place::File(path) => write(open(path)?.as_fd(), line),
            Place::Stderr => write(rustix::stdio::stderr(), line),
            Place::Stdout => write(rustix::stdio::stdout(), line),
        }
    }
}

impl Trace for FileTrace {
    fn event(&self, event: &Event<'_>) {
        // Nobody can be told that the telling failed.
        let _lost = self.append(line(&event.to_string()).as_bytes());
    }
}

/// One line, whatever the peers' texts in it hold.
fn line(text: &str) -> String {
    let now = SystemClock.now();
    let mut line = format!("[{}] {}.{:06}: ", process::id(), now.seconds, now.microseconds);
    for letter in text.chars() {
        if letter.is_control() { line.extend(letter.escape_default()) } else { line.push(letter) }
    }
    line.push('\n');
    line
}

fn open(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        // Not to hang on a FIFO that nobody reads, nor to be given a terminal.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
}

/// Writes in one go, and only where that neither raises a signal nor waits: SIGXFSZ at a limit, SIGPIPE at a pipe
/// that nobody reads any more.
fn write(place: BorrowedFd<'_>, line: &[u8]) -> io::Result<()> {
    let data = rustix::fs::fstat(place)?;
    if rustix::fs::FileType::from_raw_mode(data.st_mode) == rustix::fs::FileType::RegularFile {
        let length = u64::try_from(data.st_size).unwrap_or(0);
        check_file_size_limit(length.saturating_add(line.len() as u64)).map_err(io::Error::other)?;
    }
    let mut ready = [PollFd::from_borrowed_fd(place, PollFlags::OUT)];
    poll(&mut ready, Some(&PATIENCE))?;
    let [ready] = ready;
    if ready.revents() != PollFlags::OUT {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    rustix::io::write(place, line)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Orthros;

    fn lines(path: &std::path::Path) -> Vec<String> {
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_says_who_and_when_and_is_one_line() {
        let line = line("a KDC adds: over\nand\u{1b}[31m out");
        let (who, rest) = line.split_once("] ").unwrap();
        assert_eq!(who, format!("[{}", process::id()));
        let (when, text) = rest.split_once(": ").unwrap();
        let (seconds, microseconds) = when.split_once('.').unwrap();
        assert!(seconds.parse::<i64>().unwrap() > 1_700_000_000);
        assert_eq!((microseconds.len(), microseconds.parse::<u32>().is_ok()), (6, true));
        assert_eq!(text, "a KDC adds: over\\nand\\u{1b}[31m out\n");
    }

    #[test]
    fn what_was_there_stays_and_what_is_made_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let orthros = Orthros::builder().trace(FileTrace::at(&path)).build();
        for expected in [1, 2] {
            assert!(orthros.credential_from(&"FILE:/nowhere/at/all".into()).is_err());
            let lines = lines(&path);
            assert_eq!(lines.len(), expected, "{lines:?}");
            assert!(lines[expected - 1].contains("Credential cache FILE:/nowhere/at/all: "), "{lines:?}");
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_place_that_cannot_be_written_takes_nothing_from_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        for place in [folder.path().join("no/folder"), folder.path().to_owned(), fifo] {
            let orthros = Orthros::builder().trace(FileTrace::at(place)).build();
            let error = orthros.credential_from(&"FILE:/nowhere/at/all".into()).unwrap_err();
            assert!(error.to_string().contains("no such cache"), "{error}");
        }
    }

    #[test]
    fn a_reader_that_went_away_does_not_end_the_program() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert!(write(writer.as_fd(), b"nobody reads this\n").is_err());
    }
}
