//! `gss server`: accepts contexts, and reads messages. Connections are served one after the other, as in the
//! samples; one that fails is told on standard error, and the next one is served.

use std::net::{SocketAddr, TcpListener};

use orthros::{AcceptorCredential, ChannelBindings, Context, Flags, Name, Order, Orthros};

use super::Passing;
use super::client::told;
use super::framing::{Purpose, Stream};
use super::pieces;
use crate::arguments::{GssLayout, GssServer};
use crate::door::Door;
use crate::failure::{Ending, Failure, While, complain};
use crate::output;

/// The names of flags in RFC 2744 §5.19, in its order: what the samples print.
const FLAGS: &[(Flags, &str)] = &[
    (Flags::DELEGATION, "GSS_C_DELEG_FLAG"),
    (Flags::MUTUAL, "GSS_C_MUTUAL_FLAG"),
    (Flags::REPLAY, "GSS_C_REPLAY_FLAG"),
    (Flags::SEQUENCE, "GSS_C_SEQUENCE_FLAG"),
    (Flags::CONFIDENTIALITY, "GSS_C_CONF_FLAG"),
    (Flags::INTEGRITY, "GSS_C_INTEG_FLAG"),
    (Flags::TRANSFERABLE, "GSS_C_TRANS_FLAG"),
    (Flags::CHANNEL_BOUND, "GSS_C_CHANNEL_BOUND_FLAG"),
    (Flags::DCE_STYLE, "GSS_C_DCE_STYLE"),
];

struct Server<'a> {
    orthros: Orthros,
    credential: AcceptorCredential,
    wanted: &'a GssServer,
    door: Option<Door>,
    reader: Reader<'a>,
}

/// Whoever reads a context's messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    /// Whether tokens and flags are printed.
    pub(super) verbose: bool,
    pub(super) layout: &'a GssLayout,
}

pub(crate) fn run(wanted: &GssServer) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let service = Name::parse_hostbased(&wanted.service)?;
    let keytab = wanted.keytab.as_ref().unwrap_or_else(|| orthros.default_keytab());
    let credential = orthros.acceptor_from(keytab, Some(&service))?;
    let listener = TcpListener::bind(SocketAddr::new(wanted.address, wanted.port))
        .while_doing(format!("cannot listen on {} port {}", wanted.address, wanted.port))?;
    let door = wanted.door.as_deref().map(Door::open).transpose()?;
    let server = Server {
        orthros,
        credential,
        wanted,
        door,
        reader: Reader { verbose: wanted.verbose, layout: &wanted.layout },
    };
    output::line(format!("listening on {}", listener.local_addr()?))?;
    output::line("starting...")?;
    loop {
        let (connection, _) = listener.accept().while_doing("cannot accept a connection")?;
        let served = Stream::new(connection)
            .while_doing("cannot use the connection")
            .and_then(|mut stream| server.serve(&mut stream));
        match served {
            Err(failure) if wanted.once => return Err(failure),
            Err(Failure::ClosedPipe) => return Err(Failure::ClosedPipe),
            // What a peer does wrong must not end the service of others.
            Err(Failure::Story(story)) => complain(&story),
            Ok(()) if wanted.once => return Ok(Ending::Success),
            Ok(()) => {}
        }
    }
}

impl Server<'_> {
    fn serve(&self, stream: &mut Stream) -> Result<(), Failure> {
        let (purpose, _) = stream.expect("its first token")?;
        if !purpose.contains(Purpose::NOOP) || !purpose.contains(Purpose::CONTEXT_NEXT) {
            return Err(Failure::new(format!("the first token has purpose {purpose}: no context follows")));
        }
        let mut context = self.accept(stream)?;
        if self.wanted.export {
            let token = self.orthros.export(context)?;
            output::line(format!("Exported context: {} octets", token.len()))?;
            context = self.orthros.import(&token)?;
            output::line("Imported context")?;
        }
        super::print_material(&context, self.wanted.prf.as_deref())?;
        match &self.door {
            Some(door) => super::moved::hand_over(&self.orthros, door, context, stream),
            None => {
                self.reader.read(&context, stream)?;
                if self.wanted.lucid { pieces::print_lucid(context) } else { Ok(()) }
            }
        }
    }

    fn accept(&self, stream: &mut Stream) -> Result<Context, Failure> {
        let mut request = self.orthros.accept(&self.credential);
        if self.wanted.proved_offer {
            request = request.offer_proved();
        }
        if self.wanted.iakerb {
            request = request.carry_to_kdcs();
        }
        if let Some(text) = &self.wanted.bindings {
            let bindings = ChannelBindings::from_application_data(text.as_bytes());
            request = match self.wanted.bindings_optional {
                true => request.bindings(bindings),
                false => request.bindings_required(bindings),
            };
        }
        let context = super::establish(&self.orthros, request.start(), stream, |passing| match passing {
            Passing::Received(token) => {
                self.reader.verbose(|| format!("Received token (size={}):\n{}", token.len(), dump(token)))
            }
            Passing::Sending(token) => self.reader.verbose(|| {
                format!("Sending accept_sec_context token (size={}):\n{}", token.len(), dump(token))
            }),
        })?;
        for (_, name) in FLAGS.iter().filter(|row| context.flags().contains(row.0)) {
            self.reader.verbose(|| format!("context flag: {name}"))?;
        }
        output::line(format!(
            "Accepted connection using mechanism OID {{ {} }}.",
            context.mechanism().to_string().replace('.', " ")
        ))?;
        output::line(format!("Accepted connection: \"{}\"", context.initiator()))?;
        if let Some(delegated) = context.delegated_credential() {
            output::line(format!("Delegated credential of {}", delegated.client()))?;
        }
        Ok(context)
    }
}

impl Reader<'_> {
    /// Reads messages and answers them, until the client ends it.
    pub(super) fn read(self, context: &Context, stream: &mut Stream) -> Result<(), Failure> {
        while let Some((purpose, token)) = stream.receive()? {
            if purpose.contains(Purpose::NOOP) {
                self.verbose(|| "NOOP token".into())?;
                break;
            }
            self.message(context, purpose, &token, stream)?;
        }
        Ok(())
    }

    fn message(
        self,
        context: &Context,
        purpose: Purpose,
        token: &[u8],
        stream: &mut Stream,
    ) -> Result<(), Failure> {
        let layout = self.layout;
        self.verbose(|| format!("Message token (flags={purpose}):\n{}", dump(token)))?;
        let message = if purpose.contains(Purpose::WRAPPED) {
            let opened = pieces::unprotect(context, layout, purpose.contains(Purpose::ENCRYPTED), token)?;
            if purpose.contains(Purpose::ENCRYPTED) && !opened.confidential {
                output::line("Warning!  Message not encrypted.")?;
            }
            match opened.order {
                Order::InOrder | Order::Gap => {}
                unusual => {
                    return Err(Failure::new(format!("the message is genuine, but {}", told(unusual))));
                }
            }
            opened.message
        } else {
            token.to_vec()
        };
        output::line(format!("Received message: {}", readable(&message)))?;
        if purpose.contains(Purpose::WRAPPED) && purpose.contains(Purpose::ECHO) {
            let echo = pieces::protect(context, layout, purpose.contains(Purpose::ENCRYPTED), &message)?;
            return stream.send(Purpose::DATA, &echo);
        }
        if !purpose.contains(Purpose::SEND_MIC) {
            return stream.send(Purpose::NOOP, &[]);
        }
        stream.send(Purpose::MIC, &pieces::sign(context, layout, &message)?)?;
        self.verbose(|| "MIC signature sent".into())
    }

    fn verbose(self, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.verbose {
            output::line(text())?;
        }
        Ok(())
    }
}

/// A message in quotes if it is text that a terminal bears, else as octets.
fn readable(message: &[u8]) -> String {
    match std::str::from_utf8(message) {
        Ok(text) if !text.chars().any(char::is_control) => format!("\"{text}\""),
        _ => format!("\n{}", dump(message)),
    }
}

/// Octets in rows of sixteen.
fn dump(octets: &[u8]) -> String {
    let row = |row: &[u8]| row.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" ");
    octets.chunks(16).map(row).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_control_characters_never_reaches_the_terminal_as_it_is() {
        assert_eq!(readable("grüße".as_bytes()), "\"grüße\"");
        assert_eq!(readable(b"a\x1b[2J"), "\n61 1b 5b 32 4a");
        assert_eq!(readable(&[0xff; 17]), format!("\n{}\nff", ["ff"; 16].join(" ")));
    }
}
