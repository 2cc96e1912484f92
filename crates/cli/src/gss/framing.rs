//! The framing of `krb5-gss-samples`: `purpose(1) length(4, big-endian) token`.
//!
//! A connection begins with an empty token of purpose NOOP and CONTEXT_NEXT; then come context tokens both ways,
//! then messages (DATA), each answered by its MIC or by an empty NOOP; an empty NOOP from the client ends it.
//! The older form, in which nothing precedes the first context token, is not spoken.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use crate::failure::{Failure, While};

/// The longest token that is taken, in octets: 16 MiB.
const LONGEST: u32 = 1 << 24;

/// What a token is for: a set of flags in one octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purpose(pub(crate) u8);

impl Purpose {
    /// Nothing: the token is empty.
    pub(crate) const NOOP: Self = Self(1);
    /// A token of the context's establishment.
    pub(crate) const CONTEXT: Self = Self(2);
    /// A message.
    pub(crate) const DATA: Self = Self(4);
    /// The MIC of the message before.
    pub(crate) const MIC: Self = Self(8);
    /// In a wrapped message: it is wanted back, wrapped. The samples never set this bit there.
    pub(crate) const ECHO: Self = Self(8);
    /// Context tokens follow.
    pub(crate) const CONTEXT_NEXT: Self = Self(16);
    /// The message is wrapped.
    pub(crate) const WRAPPED: Self = Self(32);
    /// The message is sealed.
    pub(crate) const ENCRYPTED: Self = Self(64);
    /// A MIC of the message is wanted.
    pub(crate) const SEND_MIC: Self = Self(128);

    /// Whether all of `other` are set.
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both, if `asked`.
    pub(crate) const fn and_if(self, asked: bool, other: Self) -> Self {
        if asked { Self(self.0 | other.0) } else { self }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A connection that carries tokens.
pub(crate) struct Stream(TcpStream);

impl Stream {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    pub(crate) fn send(&mut self, purpose: Purpose, token: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(token.len()).map_err(|_| Failure::new("the token is too long to send"))?;
        let header: &[u8] = &length.to_be_bytes();
        // A peer that went away is an error of the connection, unlike a reader of standard output.
        self.0.write_all(&[&[purpose.0], header, token].concat()).while_doing("cannot send to the peer")
    }

    /// The next token; `None` if the peer closed the connection before one.
    pub(crate) fn receive(&mut self) -> Result<Option<(Purpose, Vec<u8>)>, Failure> {
        receive(&mut self.0).while_doing("cannot receive from the peer")
    }

    /// The next token, which must come: `what` it should be.
    pub(crate) fn expect(&mut self, what: &str) -> Result<(Purpose, Vec<u8>), Failure> {
        self.receive()?
            .ok_or_else(|| Failure::new(format!("the peer closed the connection instead of sending {what}")))
    }
}

fn receive(input: &mut impl Read) -> io::Result<Option<(Purpose, Vec<u8>)>> {
    let mut purpose = [0];
    if input.read(&mut purpose)? == 0 {
        return Ok(None);
    }
    let [purpose] = purpose;
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        let what = format!("it announces a token of {length} octets");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    // Grows with what really comes, not with what is announced.
    let mut token = Vec::new();
    input.take(length.into()).read_to_end(&mut token)?;
    if u32::try_from(token.len()) != Ok(length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((Purpose(purpose), token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_cut_or_too_long_is_refused_and_an_end_is_an_end() {
        assert_eq!(receive(&mut [].as_slice()).unwrap(), None);
        let whole = [4, 0, 0, 0, 2, 7, 8];
        assert_eq!(receive(&mut whole.as_slice()).unwrap(), Some((Purpose::DATA, vec![7, 8])));
        for cut in 1..whole.len() {
            assert!(receive(&mut whole[..cut].as_ref()).is_err(), "{cut}");
        }
        assert!(receive(&mut [4, 1, 0, 0, 1].as_slice()).is_err());
    }
}
