//! The acceptor and its heir: whoever holds the context's other end.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use orthros::ledger::{Ledger, SpendRefusal};
use orthros::seal_key::{Places, UserKey};
use orthros::sys::process;
use orthros::{Context, Error, KeytabName, Major, Order as InStream, Orthros};
use orthros_gss::transfer::{SealingKey, TransferRefusal};
use orthros_wire::{SecretBytes, Timestamp, hex};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::initiator::frames;
use super::orders::{Again, Established, Exported, HandedOver, Heard, Listening, Message, Order, Taken};
use super::roles::{self, Obeys, answer};
use super::wire::{Recorded, wait_for_somebody};
use crate::door::{self, Door};
use crate::failure::{Failure, While};

/// The socket at which the heir takes over, in the demo's folder, which only this user can enter.
const DOOR: &str = "door";

/// A process that has, had or will have the context.
pub(super) struct Holder {
    folder: PathBuf,
    orthros: Option<Orthros>,
    listener: Option<(TcpListener, Door)>,
    /// As a C program's handle: empty once the context was exported.
    context: Option<Context>,
    stream: Option<Recorded>,
    token: Option<Vec<u8>>,
    /// What had passed over the connection when it was handed over.
    past: Option<super::orders::Traffic>,
}

impl Obeys for Holder {
    fn obey(&mut self, order: Order) -> Result<Value, Failure> {
        match order {
            Order::Accept => answer(&self.accept()?),
            Order::Answer { text } => answer(&self.answer(&text)?),
            Order::Export => answer(&self.export()?),
            Order::HandOver => answer(&self.hand_over()?),
            Order::ImportAgain => answer(&self.import_again()?),
            Order::Listen { without_ledger } => answer(&self.listen(without_ledger)?),
            Order::Take { without_ledger } => answer(&self.take(without_ledger)?),
            Order::Traffic => match (&self.stream, &self.past) {
                (Some(stream), _) => answer(&stream.traffic()),
                (None, Some(past)) => answer(past),
                (None, None) => Err(Failure::new("there was no connection")),
            },
            order => Err(roles::not_mine(&order)),
        }
    }
}

impl Holder {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {
            folder: std::env::current_dir()?,
            orthros: None,
            listener: None,
            context: None,
            stream: None,
            token: None,
            past: None,
        })
    }

    fn set_up(&self, without_ledger: bool) -> Result<Orthros, Failure> {
        let places = Places::new().within(&self.folder);
        let builder = Orthros::builder().default_keytab(KeytabName::File(self.folder.join("keytab")));
        if !without_ledger && process::boot_id().is_ok() {
            return Ok(builder.transfer_places(places).build());
        }
        let user = UserKey::open(&places)?;
        let secret = SecretBytes::copy_of(user.secret().expose_octets());
        let key = SealingKey::new(secret, b"demo");
        if without_ledger {
            return Ok(builder.transfer(key, Forgetful).build());
        }
        // Without /proc nobody knows the boot, and no key of this boot can be made. This folder is younger than the
        // boot and goes with the demo, so its key is as good.
        let ledger = user.ledger();
        Ok(builder.transfer(key, ledger).build())
    }

    fn listen(&mut self, without_ledger: bool) -> Result<Listening, Failure> {
        let orthros = self.set_up(without_ledger)?;
        let keytab = orthros.read_keytab(orthros.default_keytab())?;
        let first = keytab.entries().next().ok_or_else(|| Failure::new("the keytab is empty"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let listening = Listening {
            address: listener.local_addr()?,
            keys: keytab.entries().count(),
            enctype: first.key().enctype().name().into(),
            principal: first.principal().to_string(),
        };
        self.listener = Some((listener, Door::open(Path::new(DOOR))?));
        self.orthros = Some(orthros);
        Ok(listening)
    }

    fn accept(&mut self) -> Result<Established, Failure> {
        let (listener, _) = self.listener.as_ref().ok_or_else(|| Failure::new("nobody listens"))?;
        wait_for_somebody(listener).while_doing("the initiator did not come")?;
        let mut stream = Recorded::new(listener.accept()?.0)?;
        let orthros = self.orthros()?;
        let step = orthros.accept(&orthros.acceptor()?).start();
        let begun = Instant::now();
        let context = orthros.establish(step, &mut stream)?;
        let established = Established {
            initiator: context.initiator().to_string(),
            acceptor: context.acceptor().to_string(),
            flags: context.flags().0,
            tokens: frames(&stream),
            microseconds: begun.elapsed().as_micros(),
            connection: stream.connection()?,
        };
        (self.context, self.stream) = (Some(context), Some(stream));
        Ok(established)
    }

    /// Takes a message. One that is not the next is refused: it gets no answer.
    fn answer(&mut self, text: &str) -> Result<Heard, Failure> {
        let stream = self.stream.as_mut().ok_or_else(|| Failure::new("there is no connection"))?;
        let context = self.context.as_ref().ok_or_else(no_context)?;
        let token = stream.receive_message()?;
        let opened = context.unwrap(&token)?;
        let answer = match opened.order {
            InStream::InOrder => {
                stream.send_message(&context.wrap(text.as_bytes())?)?;
                Some(text.to_owned())
            }
            InStream::Duplicate | InStream::Old | InStream::Unsequenced | InStream::Gap => None,
        };
        let message = Message {
            text: String::from_utf8(opened.message)?,
            sealed: opened.confidential,
            order: opened.order.into(),
        };
        Ok(Heard { token: hex::encode(&token), message, answer })
    }

    fn export(&mut self) -> Result<Exported, Failure> {
        let context = self.context.take().ok_or_else(no_context)?;
        let token = match self.orthros()?.export(context) {
            Ok(token) => token,
            Err(kept) => {
                let failure = Failure::new(&kept);
                self.context = Some(kept.context);
                return Err(failure);
            }
        };
        let going_on = match &self.context {
            None => Some(Major::NoContext.name().to_owned()),
            Some(context) => context.wrap(b"I am still here").err().map(|error| error.major().name().into()),
        };
        let (mut changed, mut refused) = (0, 0);
        for index in 0..token.len() {
            let mut copy = token.clone();
            if let Some(octet) = copy.get_mut(index) {
                *octet ^= 0xff;
                changed += 1;
                refused += usize::from(self.orthros()?.import(&copy).is_err());
            }
        }
        let exported = Exported {
            token_octets: token.len(),
            token_digest: digest(&token),
            user: process::effective_user(),
            going_on,
            changed,
            refused,
        };
        self.token = Some(token);
        Ok(exported)
    }

    fn hand_over(&mut self) -> Result<HandedOver, Failure> {
        let (_, door) = self.listener.as_ref().ok_or_else(|| Failure::new("there is no door"))?;
        wait_for_somebody(door).while_doing("the heir did not come")?;
        let token = self.token.as_ref().ok_or_else(|| Failure::new("nothing was exported"))?;
        let stream = self.stream.take().ok_or_else(|| Failure::new("there is no connection"))?;
        let heir = door.hand_over(token, stream.as_fd())?;
        self.past = Some(stream.traffic());
        Ok(HandedOver { process: heir.process, user: heir.user })
    }

    fn take(&mut self, without_ledger: bool) -> Result<Taken, Failure> {
        let orthros = self.set_up(without_ledger)?;
        let door::Inheritance { token, connection } = door::take(Path::new(DOOR))?;
        let stream = Recorded::new(TcpStream::from(connection))?;
        let context = orthros.import(&token)?;
        let taken = Taken {
            token_digest: digest(&token),
            initiator: context.initiator().to_string(),
            acceptor: context.acceptor().to_string(),
            flags: context.flags().0,
            connection: stream.connection()?,
        };
        (self.orthros, self.context, self.stream) = (Some(orthros), Some(context), Some(stream));
        Ok(taken)
    }

    fn import_again(&mut self) -> Result<Again, Failure> {
        let token = self.token.as_ref().ok_or_else(|| Failure::new("nothing was exported"))?;
        Ok(match self.orthros()?.import(token) {
            Ok(_) => Again { status: None, spent_at: None, spent_by: None },
            Err(error) => {
                let spent = match &error {
                    Error::Transfer(TransferRefusal::SpentBefore(spent)) => Some(*spent),
                    _ => None,
                };
                Again {
                    status: Some(error.major().name().into()),
                    spent_at: spent.map(|spent| (spent.at.seconds, spent.at.microseconds)),
                    spent_by: spent.map(|spent| spent.pid),
                }
            }
        })
    }

    fn orthros(&self) -> Result<&Orthros, Failure> {
        self.orthros.as_ref().ok_or_else(|| Failure::new("this process is not set up yet"))
    }
}

fn no_context() -> Failure {
    Failure::new(Major::NoContext)
}

/// SHA-256, in hexadecimal.
pub(super) fn digest(octets: &[u8]) -> String {
    hex::encode(&Sha256::digest(octets))
}

/// No ledger at all: every token is new to it. With it the demo must fail.
struct Forgetful;

impl Ledger for Forgetful {
    fn spend(&self, _id: &[u8; 16], _until: Timestamp, _now: Timestamp) -> Result<(), SpendRefusal> {
        Ok(())
    }
}
