//! What a Unix socket can carry besides octets: an open descriptor, and the kernel's word on who the peer is.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

/// Who is at the other end of a connected Unix socket, as the kernel noted when the connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// Process id. It may have been given to another process since.
    pub process: u32,
    /// Effective user id.
    pub user: u32,
    /// Effective group id.
    pub group: u32,
}

/// Asks the kernel who is at the other end of `socket`.
///
/// # Errors
/// If `socket` is not a connected Unix socket.
pub fn peer_credentials(socket: impl AsFd) -> io::Result<PeerCredentials> {
    let peer = rustix::net::sockopt::socket_peercred(socket)?;
    let process = u32::try_from(peer.pid.as_raw_nonzero().get()).map_err(io::Error::other)?;
    Ok(PeerCredentials { process, user: peer.uid.as_raw(), group: peer.gid.as_raw() })
}

/// The connected Unix socket of this number, by a descriptor of its own: the number stays the caller's.
///
/// # Errors
/// What fcntl(2) answers: there is none of this number; `InvalidInput` if it is no connected Unix socket.
pub fn stream_of(number: i32) -> io::Result<UnixStream> {
    // SAFETY: no memory is involved; a number that stands for nothing is answered with an error (fcntl(2)).
    let copied = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copied < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
    let copied = unsafe { OwnedFd::from_raw_fd(copied) };
    // Of any other kind of descriptor the kernel knows no peer.
    peer_credentials(&copied).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(copied.into())
}

/// Sends `octets` (at least one) and, with them, the open `descriptor`, over the Unix socket `socket`.
///
/// # Errors
/// What sendmsg(2) answers; `WriteZero` if not all octets were taken, which a stream socket with a full buffer
/// may do. A vanished peer is an error, never a signal.
pub fn send_descriptor(socket: impl AsFd, octets: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let descriptors = [descriptor];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if octets.is_empty() || !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let sent = rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(&socket, &[IoSlice::new(octets)], &mut control, SendFlags::NOSIGNAL)
    })?;
    if sent == octets.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Receives octets into `buffer` and the descriptor that came with them, if one did. It is closed on exec.
/// Returns how many octets came; 0 means that the peer has closed.
///
/// # Errors
/// What recvmsg(2) answers; `InvalidData` if more than one descriptor came (all are closed then).
pub fn receive_descriptor(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        let mut parts = [IoSliceMut::new(buffer)];
        rustix::net::recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let mut descriptors: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(rights) => Some(rights),
            _ => None,
        })
        .flatten()
        .collect();
    // Control space is rounded up, so two may fit where one was reckoned with.
    if descriptors.len() > 1 || received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more than one descriptor was sent"));
    }
    Ok((received.bytes, descriptors.pop()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_arrives_open_and_alone() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        send_descriptor(&ours, b"take it", writer.as_fd()).unwrap();
        drop(writer);
        let mut buffer = [0; 64];
        let (count, descriptor) = receive_descriptor(&theirs, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"take it");
        File::from(descriptor.unwrap()).write_all(b"hello").unwrap();
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!(said, "hello");
    }

    #[test]
    fn octets_without_a_descriptor_and_a_closed_peer_are_told_apart() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(b"plain").unwrap();
        let mut buffer = [0; 64];
        let (count, descriptor) = receive_descriptor(&theirs, &mut buffer).unwrap();
        assert!(count == 5 && descriptor.is_none());
        drop(ours);
        let (count, descriptor) = receive_descriptor(&theirs, &mut buffer).unwrap();
        assert!(count == 0 && descriptor.is_none());
        let error = send_descriptor(&theirs, b"x", theirs.as_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "an error, not a signal");
        assert!(send_descriptor(&theirs, b"", theirs.as_fd()).is_err());
    }

    /// Programs in C have SIGPIPE as it is by default, and then it ends them.
    #[test]
    fn a_kdc_that_closes_while_we_write_is_an_error_and_no_signal() {
        use crate::kdc_link::KdcLink;
        use orthros_krb5::config::{KdcAddress, Transport};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || listener.incoming().for_each(drop));
        let kdc =
            KdcAddress { host: "127.0.0.1".into(), port, transport: Transport::Tcp, path: String::new() };
        let request = vec![7; 8 << 20];
        let said = crate::sys::fork::tests::in_a_child(|| {
            // SAFETY: the child has one thread; a disposition of its own is all that changes.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            let asked =
                (0..5).map(|_| KdcLink::default().exchange(std::slice::from_ref(&kdc), &request, |_| false));
            vec![u8::from(asked.into_iter().all(|answer| answer.is_err()))]
        });
        assert_eq!(said, [1], "ended by a signal");
    }

    #[test]
    fn the_kernel_names_the_peer() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = peer_credentials(&ours).unwrap();
        assert_eq!(peer.process, std::process::id());
        assert_eq!(peer.user, crate::sys::process::effective_user());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(peer_credentials(&listener).is_err());
    }
}
