//! alice: she initiates one context, and notices nothing of what becomes of its other end.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use orthros::{Config, Context, InitiatorCredential, Name, Orthros, Principal};
use orthros_wire::hex;
use serde_json::Value;

use super::orders::{Established, Message, Order, Said, SentAgain, Tickets};
use super::roles::{self, CLIENT, Obeys, SERVICE, answer};
use super::wire::{PATIENCE, Recorded};
use crate::failure::{Failure, While};

#[derive(Default)]
pub(super) struct Initiator {
    logged_in: Option<(Orthros, Arc<InitiatorCredential>)>,
    talking: Option<(Context, Recorded)>,
    first_token: Option<Vec<u8>>,
}

impl Obeys for Initiator {
    fn obey(&mut self, order: Order) -> Result<Value, Failure> {
        match order {
            Order::Connect { address } => answer(&self.connect(address)?),
            Order::LogIn { password } => answer(&self.log_in(&password)?),
            Order::Say { text } => answer(&self.say(&text)?),
            Order::SayAgain => answer(&self.say_again()?),
            Order::Traffic => answer(&self.talking()?.1.traffic()),
            order => Err(roles::not_mine(&order)),
        }
    }
}

impl Initiator {
    fn log_in(&mut self, password: &str) -> Result<Tickets, Failure> {
        let text = std::fs::read_to_string("krb5.conf").while_doing("cannot read krb5.conf")?;
        let orthros = Orthros::builder().config(Config::parse(&text)?).build();
        let begun = Instant::now();
        let credential = orthros.acquire(CLIENT).password(password).blocking()?;
        let as_microseconds = begun.elapsed().as_micros();
        let begun = Instant::now();
        let service = Principal::parse(SERVICE, Some(roles::REALM))?;
        orthros.service_ticket(&credential, &service)?;
        let tgs_microseconds = begun.elapsed().as_micros();
        let tickets = credential.tickets();
        let granting = tickets.iter().find(|ticket| ticket.server.as_ticket_granting().is_some());
        let times = granting.ok_or_else(|| Failure::new("there is no ticket-granting ticket"))?.times;
        let start = if times.starttime.0 > 0 { times.starttime.0 } else { times.authtime.0 };
        let client = credential.client().to_string();
        self.logged_in = Some((orthros, credential));
        let lifetime_seconds = times.endtime.0.saturating_sub(start);
        Ok(Tickets { client, lifetime_seconds, as_microseconds, tgs_microseconds })
    }

    fn connect(&mut self, address: SocketAddr) -> Result<Established, Failure> {
        let (orthros, credential) =
            self.logged_in.as_ref().ok_or_else(|| Failure::new("alice has no tickets yet"))?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
            .and_then(Recorded::new)
            .while_doing(format!("cannot connect to {address}"))?;
        let target = Name::hostbased_service("host", "demo.test");
        let request = orthros.initiate_with(credential, target).mutual().confidential();
        let begun = Instant::now();
        let step = request.replay_detection().sequencing().start();
        let context = orthros.establish(step, &mut stream)?;
        let established = Established {
            initiator: context.initiator().to_string(),
            acceptor: context.acceptor().to_string(),
            flags: context.flags().0,
            tokens: frames(&stream),
            microseconds: begun.elapsed().as_micros(),
            connection: stream.connection()?,
        };
        self.talking = Some((context, stream));
        Ok(established)
    }

    fn say(&mut self, text: &str) -> Result<Said, Failure> {
        let (context, stream) = self.talking()?;
        let token = context.wrap(text.as_bytes())?;
        stream.send_message(&token)?;
        let opened = context.unwrap(&stream.receive_message()?)?;
        let answer = Message {
            text: String::from_utf8(opened.message)?,
            sealed: opened.confidential,
            order: opened.order.into(),
        };
        let said = Said { token: hex::encode(&token), answer };
        self.first_token.get_or_insert(token);
        Ok(said)
    }

    fn say_again(&mut self) -> Result<SentAgain, Failure> {
        let token = self.first_token.clone().ok_or_else(|| Failure::new("nothing was said yet"))?;
        self.talking()?.1.send_message(&token)?;
        Ok(SentAgain { token: hex::encode(&token) })
    }

    fn talking(&mut self) -> Result<&mut (Context, Recorded), Failure> {
        self.talking.as_mut().ok_or_else(|| Failure::new("alice has no context yet"))
    }
}

/// How many tokens have passed, both ways.
pub(super) fn frames(stream: &Recorded) -> usize {
    let count = |text: &str| {
        let octets = hex::decode(text).unwrap_or_default();
        let (mut rest, mut count) = (octets.as_slice(), 0);
        while let Some((length, body)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            rest = body.get(length..).unwrap_or_default();
            count += 1;
        }
        count
    };
    let traffic = stream.traffic();
    count(&traffic.sent) + count(&traffic.received)
}
