//! `gss export` and `gss import`: one end of a context moves to another process, and its peer notices nothing.
//!
//! The connection passes as it is, between two messages, so the framing has no word for it.

use std::net::TcpStream;
use std::os::fd::AsFd;

use orthros::{Context, Orthros};

use super::client;
use super::framing::{Purpose, Stream};
use super::server::Reader;
use crate::arguments::{GssExport, GssImport};
use crate::door::{self, Door};
use crate::failure::{Ending, Failure, While, complain};
use crate::output;

/// Establishes a context as `gss client` does, and gives it away.
pub(crate) fn export(wanted: &GssExport) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    // First of all: a context that nobody could fetch would be for nothing.
    let door = Door::open(&wanted.door)?;
    let (context, mut stream) = client::initiate(&orthros, &wanted.initiate)?;
    if let Some(message) = &wanted.message {
        client::send_message(&wanted.protection, message, &context, &mut stream)?;
    }
    output::line(format!("Waiting at {}: orthros gss import", wanted.door.display()))?;
    hand_over(&orthros, &door, context, &stream)?;
    Ok(Ending::Success)
}

/// Waits at the door, and gives the context and its connection to the first of this user who comes and takes them.
pub(super) fn hand_over(
    orthros: &Orthros,
    door: &Door,
    context: Context,
    stream: &Stream,
) -> Result<(), Failure> {
    let token = orthros.export(context)?;
    let heir = door.hand_over(&token, stream.as_fd())?;
    output::line(format!("Exported context: {} octets, to process {}", token.len(), heir.process))?;
    Ok(())
}

/// Takes a context and its connection: an initiator's goes on sending, an acceptor's goes on reading.
pub(crate) fn import(wanted: &GssImport) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let taken = door::take(&wanted.door)?;
    let mut stream =
        Stream::new(TcpStream::from(taken.connection)).while_doing("cannot use the connection")?;
    let context = orthros.import(&taken.token)?;
    let peer = if context.is_initiator() { context.acceptor() } else { context.initiator() };
    output::line(format!("Imported context with {peer}: {}", context.flags()))?;
    if !context.is_initiator() {
        if !wanted.messages.is_empty() {
            complain(&"the context is a server's, which answers: the messages given are not sent");
        }
        Reader { verbose: false, layout: &wanted.protection.layout }.read(&context, &mut stream)?;
        return Ok(Ending::Success);
    }
    for message in &wanted.messages {
        client::send_message(&wanted.protection, message, &context, &mut stream)?;
    }
    stream.send(Purpose::NOOP, &[])?;
    Ok(Ending::Success)
}
