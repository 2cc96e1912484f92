//! The door: a Unix socket at which a context (its token) and its connection pass to another process of the same
//! user.
//!
//! Who comes is asked from the kernel, on both sides. What passes is `length(4, big-endian) token`, and the
//! connection's descriptor with its first octets. A token is sealed and good for one import, so nothing else here
//! has to be secret.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use orthros::sys::process;
use orthros::sys::socket::{self, PeerCredentials};

use crate::failure::{Failure, While, complain};

/// The longest that either side waits for the other once they have met.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest token that is taken over, in octets.
const LONGEST_TOKEN: usize = 1 << 16;

/// The holder's side: open until it is dropped.
pub(crate) struct Door {
    listener: UnixListener,
    path: PathBuf,
}

/// Somebody of this user who stands at the door.
struct Heir {
    stream: UnixStream,
    /// As the kernel noted when it came.
    who: PeerCredentials,
}

/// What an heir was given.
pub(crate) struct Inheritance {
    pub(crate) token: Vec<u8>,
    pub(crate) connection: OwnedFd,
}

impl Door {
    /// Makes the socket `path`, which must not exist yet, for this user only.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let listener = UnixListener::bind(path).map_err(|error| {
            let failure =
                Failure::new(&error).while_doing(format!("cannot make the door {}", path.display()));
            match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    failure.hint("remove it if nobody waits there, or choose another path")
                }
                _ => failure,
            }
        })?;
        let door = Self { listener, path: path.into() };
        // Whoever slips in before the mode is set has to face the kernel's word on who it is.
        fs::set_permissions(path, Permissions::from_mode(0o600))
            .while_doing(format!("cannot shut the door {} to others", path.display()))?;
        Ok(door)
    }

    /// The next of this user who comes. Somebody of another user is told on standard error and sent away.
    fn await_heir(&self) -> Result<Heir, Failure> {
        loop {
            let (stream, _) = self.listener.accept().while_doing("nobody can come to the door")?;
            stream.set_write_timeout(Some(PATIENCE))?;
            match same_user(&stream) {
                Ok(who) => return Ok(Heir { stream, who }),
                Err(stranger) => told(stranger)?,
            }
        }
    }

    /// Gives token and connection to the first who comes and can take them, and says who that was.
    pub(crate) fn hand_over(
        &self,
        token: &[u8],
        connection: BorrowedFd<'_>,
    ) -> Result<PeerCredentials, Failure> {
        loop {
            let heir = self.await_heir()?;
            match heir.hand_over(token, connection) {
                Ok(()) => return Ok(heir.who),
                // It went away again; the next one may stay.
                Err(gone) => told(gone)?,
            }
        }
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Gone already, or it stays as a socket that nobody listens at: both harmless.
        let _harmless = fs::remove_file(&self.path);
    }
}

impl Heir {
    fn hand_over(&self, token: &[u8], connection: BorrowedFd<'_>) -> Result<(), Failure> {
        let length = u32::try_from(token.len())?.to_be_bytes();
        socket::send_descriptor(&self.stream, &[&length, token].concat(), connection)
            .while_doing("cannot hand the connection over")
    }
}

/// The heir's side: goes to the door and takes what is given there.
pub(crate) fn take(path: &Path) -> Result<Inheritance, Failure> {
    let mut door =
        UnixStream::connect(path).while_doing(format!("nobody waits at the door {}", path.display()))?;
    door.set_read_timeout(Some(PATIENCE))?;
    same_user(&door)?;
    let mut length = [0; 4];
    let (received, connection) =
        socket::receive_descriptor(&door, &mut length).while_doing("nothing was handed over")?;
    let connection = connection.ok_or_else(|| Failure::new("no connection came with the token"))?;
    let length = usize::try_from(u32::from_be_bytes(length))?;
    if received < 4 || length > LONGEST_TOKEN {
        return Err(Failure::new("what came is no token"));
    }
    let mut token = vec![0; length];
    door.read_exact(&mut token).while_doing("the token was cut")?;
    Ok(Inheritance { token, connection })
}

/// Tells on standard error what does not end the waiting.
fn told(failure: Failure) -> Result<(), Failure> {
    match failure {
        Failure::Story(story) => {
            complain(&story);
            Ok(())
        }
        Failure::ClosedPipe => Err(Failure::ClosedPipe),
    }
}

fn same_user(stream: &UnixStream) -> Result<PeerCredentials, Failure> {
    let who = socket::peer_credentials(stream)?;
    if who.user == process::effective_user() {
        return Ok(who);
    }
    Err(Failure::new(format!("user {} is at the door, who has no business here", who.user)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn token_and_connection_pass_whole_and_the_door_is_gone_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door");
        let door = Door::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Door::open(&path).is_err(), "a second one would take the first one's heirs");
        let (mut reader, writer) = std::io::pipe().unwrap();
        let there = path.clone();
        let heir = std::thread::spawn(move || {
            let taken = take(&there).unwrap();
            fs::File::from(taken.connection).write_all(b"alive").unwrap();
            taken.token
        });
        door.await_heir().unwrap().hand_over(&[7; 3_000], writer.as_fd()).unwrap();
        drop(writer);
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!((heir.join().unwrap(), said), (vec![7; 3_000], "alive".to_owned()));
        drop(door);
        assert!(!path.exists() && take(&path).is_err());
    }

    #[test]
    fn an_announcement_too_long_or_without_connection_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (octets, connected) in [(&[0, 2, 0, 0][..], true), (&[0, 0, 0, 1, 7], false), (&[0, 0], true)] {
            let path = folder.path().join(format!("door-{}-{connected}", octets.len()));
            let door = Door::open(&path).unwrap();
            let there = path.clone();
            let heir = std::thread::spawn(move || take(&there).map(|taken| taken.token));
            let mut met = door.await_heir().unwrap().stream;
            if connected {
                socket::send_descriptor(&met, octets, met.as_fd()).unwrap();
            } else {
                met.write_all(octets).unwrap();
            }
            drop(met);
            assert!(heir.join().unwrap().is_err(), "{octets:?}");
        }
    }
}
