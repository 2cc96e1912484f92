//! What MIT's sample client and server said to each other, with the server's keytab: our acceptor opens the request
//! at the time of the capture, and with the keys recovered from it every token of both MIT ends is verified.
//!
//! The conversations are in `testdata/mit`, captured by the script that lies there.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use crate::common::{Pair, State, sealing_key};
use orthros_crypto::Enctype;
use orthros_gss::{Accept, AcceptorCredential, Context, Flags, Order, Step};
use orthros_krb5::Keytab;
use orthros_krb5::ap::{self, ReplyOpened};
use orthros_krb5::wire::ApOptions;
use orthros_wire::{Timestamp, hex};

/// The types that MIT's conversations were captured with.
const CAPTURED: [Enctype; 4] = [
    Enctype::Aes128CtsHmacSha1,
    Enctype::Aes256CtsHmacSha1,
    Enctype::Aes128CtsHmacSha256,
    Enctype::Aes256CtsHmacSha384,
];

/// One connection of the sample client to the sample server.
struct Conversation {
    title: String,
    time: Timestamp,
    /// Kind and octets, in the order in which they were sent.
    tokens: Vec<(String, Vec<u8>)>,
}

impl Conversation {
    fn all(&self, kind: &str) -> Vec<&[u8]> {
        self.tokens.iter().filter(|(known, _)| known == kind).map(|(_, token)| &token[..]).collect()
    }
}

struct Capture {
    keytab: Arc<Keytab>,
    message: Vec<u8>,
    conversations: Vec<Conversation>,
}

fn capture(enctype: Enctype) -> Capture {
    let file = format!("testdata/mit/{}.txt", enctype.name());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let (mut keytab, mut message, mut conversations) = (None, Vec::new(), Vec::<Conversation>::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (kind, value) = line.split_once(' ').unwrap();
        match kind {
            "keytab" => keytab = Some(Keytab::parse(&hex::decode(value).unwrap()).unwrap()),
            "message" => message = hex::decode(value).unwrap(),
            "conversation" => conversations.push(Conversation {
                title: value.to_owned(),
                time: Timestamp::default(),
                tokens: Vec::new(),
            }),
            "time" => {
                conversations.last_mut().unwrap().time = Timestamp::from_seconds(value.parse().unwrap())
            }
            kind => {
                let token = hex::decode(value).unwrap();
                conversations.last_mut().unwrap().tokens.push((kind.to_owned(), token));
            }
        }
    }
    Capture { keytab: Arc::new(keytab.unwrap()), message, conversations }
}

/// The Kerberos message in a framed token: behind the header with its identifier of nine octets, and the kind.
fn kerberos_message(token: &[u8]) -> &[u8] {
    let length = match token[1] {
        short if short < 0x80 => 2,
        long => 2 + usize::from(long & 0x7f),
    };
    &token[length + 2 + 9 + 2..]
}

/// Both ends as MIT had them, from the request and the answer.
fn ends(pair: &Pair, capture: &Capture, conversation: &Conversation) -> (Context, Context) {
    let request = kerberos_message(conversation.all("request")[0]);
    let opened =
        ap::open_request(request, &*capture.keytab, conversation.time, 300, Enctype::STRONG).unwrap();
    let mutual = opened.options.contains(ApOptions::MUTUAL_REQUIRED);
    let replies = conversation.all("reply");
    assert_eq!(replies.len(), usize::from(mutual));
    let reply = match replies.first() {
        Some(reply) => {
            ap::open_reply(kerberos_message(reply), &opened.session_key, opened.time, Enctype::STRONG)
                .unwrap()
        }
        None => ReplyOpened { subkey: None, sequence: opened.sequence },
    };
    let base_key = opened.subkey.as_ref().unwrap_or(&opened.session_key);
    let state = |acceptor| State {
        acceptor,
        flags: Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY,
        end: conversation.time.plus_seconds(3_600),
        send: if acceptor { reply.sequence } else { opened.sequence }.into(),
        receive: if acceptor { opened.sequence } else { reply.sequence }.into(),
        base_key,
        acceptor_subkey: reply.subkey.as_deref(),
    };
    pair.clock.set(conversation.time);
    (pair.context(&state(false)), pair.context(&state(true)))
}

#[test]
fn every_token_of_both_ends_is_verified_with_the_recovered_keys() {
    let pair = Pair::new();
    for enctype in CAPTURED {
        let capture = capture(enctype);
        let mut counted = [0; 3];
        for conversation in &capture.conversations {
            let title = format!("{enctype}, {}", conversation.title);
            let (initiator, acceptor) = ends(&pair, &capture, conversation);
            for (kind, token) in &conversation.tokens {
                match kind.as_str() {
                    "sealed" | "signed" => {
                        let unwrapped = acceptor.unwrap(token).expect(&title);
                        assert_eq!(unwrapped.message, capture.message, "{title}");
                        assert_eq!(unwrapped.confidential, kind == "sealed", "{title}");
                        assert_eq!(unwrapped.order, Order::InOrder, "{title}");
                        assert!(initiator.unwrap(token).is_err(), "{title}: the sender's own");
                        counted[usize::from(kind == "sealed")] += 1;
                    }
                    "mic" => {
                        assert_eq!(
                            initiator.verify_mic(&capture.message, token),
                            Ok(Order::InOrder),
                            "{title}"
                        );
                        assert!(initiator.verify_mic(b"another", token).is_err(), "{title}");
                        counted[2] += 1;
                    }
                    "request" | "reply" => {}
                    other => panic!("{title}: a token of kind {other}"),
                }
            }
        }
        assert_eq!(counted, [1, 3, 4], "signed, sealed, MICs of {enctype}");
    }
}

#[test]
fn our_acceptor_takes_each_request_and_learns_what_the_client_asked_for() {
    let pair = Pair::new();
    for enctype in CAPTURED {
        let capture = capture(enctype);
        for conversation in &capture.conversations {
            pair.clock.set(conversation.time);
            let credential = AcceptorCredential::any(Arc::<Keytab>::clone(&capture.keytab));
            let Step::Receive(wait) = Accept::new(&pair.settings, credential).start() else { panic!() };
            let Step::Need(need) = wait.token(conversation.all("request")[0]) else { panic!() };
            let mut step = pair.provide(need);
            let mut answered = false;
            if let Step::Send(owed) = step {
                answered = true;
                step = owed.sent();
            }
            let Step::Done(context) = step else { panic!("{step:?}") };
            assert_eq!(context.initiator().to_string(), "user@MIT.TEST");
            assert_eq!(context.acceptor().to_string(), "host/localhost@MIT.TEST");
            assert_eq!(answered, context.flags().contains(Flags::MUTUAL));
            assert_eq!(answered, conversation.title != "oneway");
            assert_eq!(context.delegated_credential().is_some(), conversation.title == "signed");
            if let Some(delegated) = context.delegated_credential() {
                assert_eq!(delegated.tickets()[0].server.to_string(), "krbtgt/MIT.TEST@MIT.TEST");
            }
            assert_eq!(context.flags().contains(Flags::SEQUENCE), conversation.title == "sealed");
            assert!(context.flags().contains(Flags::CONFIDENTIALITY | Flags::REPLAY));
            assert!(context.export(&sealing_key(1)).is_ok());
        }
    }
}

#[test]
fn an_answer_of_another_conversation_is_refused() {
    for enctype in CAPTURED {
        let capture = capture(enctype);
        let [sealed, signed, _] = &capture.conversations[..] else { panic!() };
        let request = kerberos_message(sealed.all("request")[0]);
        let opened = ap::open_request(request, &*capture.keytab, sealed.time, 300, Enctype::STRONG).unwrap();
        let reply = kerberos_message(signed.all("reply")[0]);
        assert!(ap::open_reply(reply, &opened.session_key, opened.time, Enctype::STRONG).is_err());
    }
}
