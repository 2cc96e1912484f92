//! `gss client`: initiates contexts, and sends a message over each.

use std::net::TcpStream;
use std::sync::Arc;

use orthros::credential::Usage;
use orthros::mechanism::{IAKERB, KRB5, Mechanism, SPNEGO};
use orthros::{ChannelBindings, Context, CredentialStore, Flags, InitiatorCredential, Name, Order, Orthros};

use super::framing::{Purpose, Stream};
use super::pieces;
use crate::arguments::{GssClient, GssInitiate, GssProtection};
use crate::failure::{Ending, Failure, While};
use crate::{kinit, output};

pub(crate) fn run(wanted: &GssClient) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    for _ in 0..wanted.contexts {
        let (context, mut stream) = initiate(&orthros, &wanted.initiate)?;
        for _ in 0..wanted.messages {
            send_message(&wanted.protection, &wanted.message, &context, &mut stream)?;
        }
        stream.send(Purpose::NOOP, &[])?;
        if wanted.lucid {
            pieces::print_lucid(context)?;
        }
    }
    Ok(Ending::Success)
}

/// Connects and establishes a context, and tells about it.
pub(super) fn initiate(orthros: &Orthros, wanted: &GssInitiate) -> Result<(Context, Stream), Failure> {
    let service = Name::parse_hostbased(&wanted.service)?;
    let connection = TcpStream::connect((wanted.host.as_str(), wanted.port))
        .and_then(Stream::new)
        .while_doing(format!("cannot connect to {} port {}", wanted.host, wanted.port));
    let mut stream = connection?;
    let context = establish(orthros, wanted, service, &mut stream)?;
    output::line(format!("Context with {}: {}", context.acceptor(), context.flags()))?;
    super::print_material(&context, wanted.prf.as_deref())?;
    Ok((context, stream))
}

fn establish(
    orthros: &Orthros,
    wanted: &GssInitiate,
    service: Name,
    stream: &mut Stream,
) -> Result<Context, Failure> {
    let mechanism = match (wanted.spnego, wanted.iakerb) {
        (true, _) => &SPNEGO,
        (false, true) => &IAKERB,
        (false, false) => &KRB5,
    };
    let credential = credential(orthros, wanted, mechanism)?;
    let mut request = orthros.initiate_with(&credential, service).mechanism(mechanism).confidential();
    if !wanted.no_mutual {
        request = request.mutual();
    }
    if !wanted.no_replay {
        request = request.replay_detection();
    }
    if wanted.sequence {
        request = request.sequencing();
    }
    if wanted.delegate {
        request = request.delegate();
    }
    for (asked, flag) in [
        (wanted.wishes.dce, Flags::DCE_STYLE),
        (wanted.wishes.bound, Flags::CHANNEL_BOUND),
        (wanted.wishes.delegate_policy, Flags::DELEGATION_POLICY),
    ] {
        request = if asked { request.flag(flag) } else { request };
    }
    if let Some(text) = &wanted.bindings {
        request = request.bindings(ChannelBindings::from_application_data(text.as_bytes()));
    }
    stream.send(Purpose::NOOP.and_if(true, Purpose::CONTEXT_NEXT), &[])?;
    super::establish(orthros, request.start(), stream, |_| Ok(()))
}

/// The default credential, or one by a password.
fn credential(
    orthros: &Orthros,
    wanted: &GssInitiate,
    mechanism: &'static Mechanism,
) -> Result<Arc<InitiatorCredential>, Failure> {
    if let Some(user) = &wanted.user {
        let password = kinit::password(&format!("Password for {user}: "))?;
        return Ok(orthros.acquire(user).password(password).deferred()?);
    }
    let set = orthros.acquire_for(mechanism, &CredentialStore::new(), None, Usage::Initiate)?;
    Ok(Arc::clone(set.initiator(&mechanism.oid)?))
}

/// Sends one message and waits for its answer.
pub(super) fn send_message(
    wanted: &GssProtection,
    message: &str,
    context: &Context,
    stream: &mut Stream,
) -> Result<(), Failure> {
    let message = message.as_bytes();
    let token = match (wanted.no_wrap, wanted.no_encrypt) {
        (true, _) => message.to_vec(),
        (false, no_encrypt) => pieces::protect(context, &wanted.layout, !no_encrypt, message)?,
    };
    let purpose = Purpose::DATA
        .and_if(!wanted.no_wrap, Purpose::WRAPPED)
        .and_if(!wanted.no_encrypt, Purpose::ENCRYPTED)
        .and_if(wanted.echo, Purpose::ECHO)
        .and_if(!wanted.no_mic && !wanted.echo, Purpose::SEND_MIC);
    stream.send(purpose, &token)?;
    let (_, answer) = stream.expect("an answer to the message")?;
    if wanted.echo {
        let echo = pieces::unprotect(context, &wanted.layout, !wanted.no_encrypt, &answer)?;
        if echo.message != message || echo.confidential == wanted.no_encrypt {
            return Err(Failure::new("the echo is another message, or not protected as asked"));
        }
        output::line("Echo received.")?;
        return Ok(());
    }
    if wanted.no_mic {
        output::line("Response received.")?;
        return Ok(());
    }
    let order = pieces::verify(context, &wanted.layout, message, &answer);
    match order.map_err(|error| Failure::new(error).while_doing("the server's signature"))? {
        Order::InOrder => output::line("Signature verified.")?,
        Order::Gap => output::line("Signature verified; signatures before it are missing.")?,
        unusual => {
            return Err(Failure::new(format!("the server's signature is genuine, but {}", told(unusual))));
        }
    };
    Ok(())
}

/// What is wrong with a genuine message.
pub(super) fn told(order: Order) -> &'static str {
    match order {
        Order::InOrder => "the next one",
        Order::Duplicate => "it came before: a replay",
        Order::Old => "too old to tell whether it came before",
        Order::Unsequenced => "later ones came before it",
        Order::Gap => "others are missing before it",
    }
}
