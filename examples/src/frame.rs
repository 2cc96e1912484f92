//! Messages on a stream: each follows its length in four octets, big-endian, as context tokens do.

use std::io::{self, Read, Write};

/// The longest message, in octets.
const LONGEST: u32 = 1 << 16;

/// Sends one message.
///
/// # Errors
/// Those of the stream.
pub fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}

/// Receives one message; `None` once the peer has closed. Anybody on the way can close a connection, so a protocol
/// in which it matters says in a sealed message that it has come to its end.
///
/// # Errors
/// Those of the stream; a message that is cut, or announced longer than 64 KiB.
pub fn receive(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other(format!("the peer announces a message of {length} octets")));
    }
    let mut message = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}
