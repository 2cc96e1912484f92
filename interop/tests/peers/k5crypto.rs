//! Our cryptography against MIT's library, octet for octet: random inputs of every length up to 200.

use std::fmt::Write;

use interop::peers::Peer;
use interop::{Failure, Scenario, k5crypto};
use orthros_crypto::{Enctype, Key, KeyUsage, Part, Password};
use orthros_wire::testing::SeededRandom;
use orthros_wire::{Random, hex};

const NEEDS: &[Peer] = &[Peer::MIT_CRYPTO, Peer::CC, Peer::C_HEADERS];
const LONGEST: usize = 200;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for enctype in Enctype::ALL.iter().copied() {
        let mut add = |what: &str, body: fn(Enctype) -> Result<(), Failure>| {
            list.push(Scenario::new(format!("k5crypto::{what}_{enctype}"), NEEDS, move || body(enctype)));
        };
        add("each_opens_what_the_other_seals", messages);
        add("checksums_are_equal", checksums);
        add("messages_in_parts_are_equal", parts);
        add("keys_and_prf_are_equal", derived);
    }
    list
}

/// What an answer must be.
type Holds = Box<dyn Fn(&str) -> bool>;

/// Questions, each with what its answer must be.
#[derive(Default)]
struct Questions {
    text: String,
    answers: Vec<(String, Holds)>,
}

impl Questions {
    fn ask(&mut self, question: String, holds: impl Fn(&str) -> bool + 'static) {
        self.text.push_str(&question);
        self.text.push('\n');
        self.answers.push((question, Box::new(holds)));
    }

    fn expect(&mut self, question: String, answer: String) {
        self.ask(question, move |found| found == answer);
    }

    fn put(self) -> Result<(), Failure> {
        let found = k5crypto::answers(&self.text)?;
        assert_eq!(found.len(), self.answers.len(), "answers are missing");
        for (answer, (question, holds)) in found.iter().zip(&self.answers) {
            assert!(holds(answer), "{question}\nMIT: {answer}");
        }
        Ok(())
    }
}

fn octets(random: &SeededRandom, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len];
    random.fill(&mut octets);
    octets
}

/// Octets as the helper reads and writes them.
fn word(octets: &[u8]) -> String {
    if octets.is_empty() { "-".to_owned() } else { hex::encode(octets) }
}

fn octets_of(word: &str) -> Option<Vec<u8>> {
    if word == "-" { Some(Vec::new()) } else { hex::decode(word) }
}

/// `plain` as it comes back from decrypting.
fn padded(enctype: Enctype, mut plain: Vec<u8>) -> Vec<u8> {
    plain.resize(plain.len() + enctype.padding_len(plain.len()), 0);
    plain
}

/// The number of the type, a usage, and the key in hex.
fn named(key: &Key, usage: KeyUsage) -> String {
    format!("{} {} {}", key.enctype().number(), usage.0, hex::encode(key.expose_octets()))
}

/// Usages of the protocol and of GSS-API: RC4 translates some.
fn usage(at: usize) -> KeyUsage {
    KeyUsage(u32::try_from(at % 60).unwrap_or_default() + 1)
}

fn messages(enctype: Enctype) -> Result<(), Failure> {
    let random = SeededRandom::new(1);
    let mut questions = Questions::default();
    for len in 0..=LONGEST {
        let (key, usage, plain) = (Key::random(enctype, &random), usage(len), octets(&random, len));
        let sealed = key.encrypt(usage, &random, &plain);
        let expected = padded(enctype, plain.clone());
        questions.expect(format!("decrypt {} {}", named(&key, usage), word(&sealed)), word(&expected));
        questions.ask(format!("encrypt {} {}", named(&key, usage), word(&plain)), move |answer| {
            let sealed = octets_of(answer).unwrap_or_default();
            let opened = key.decrypt(usage, &sealed);
            sealed.len() == key.sealed_len(plain.len())
                && opened.is_ok_and(|opened| opened.starts_with(&plain) && opened.len() == expected.len())
        });
    }
    questions.put()
}

fn checksums(enctype: Enctype) -> Result<(), Failure> {
    let random = SeededRandom::new(2);
    let mut questions = Questions::default();
    for len in 0..=LONGEST {
        let (key, usage, covered) = (Key::random(enctype, &random), usage(len), octets(&random, len));
        let ours = key.checksum(usage, &[&covered]);
        let answer = format!("{} {}", enctype.checksum_type().0, word(&ours));
        questions.expect(format!("checksum {} {}", named(&key, usage), word(&covered)), answer);
    }
    questions.put()
}

/// A message of signed head, sealed body, signed middle and sealed end.
fn parts(enctype: Enctype) -> Result<(), Failure> {
    let random = SeededRandom::new(3);
    let mut questions = Questions::default();
    let block = enctype.block_len();
    for len in 0..=LONGEST {
        let (key, usage) = (Key::random(enctype, &random), usage(len));
        let (head, middle) = (octets(&random, len / 3), octets(&random, len % 7));
        let body = octets(&random, len);
        let end_len = (len / 2 + 1).next_multiple_of(block);
        // Together a whole number of blocks, where the type has blocks.
        let end = octets(&random, end_len + (block - (len + end_len) % block) % block);
        let plain = [word(&head), word(&body), word(&middle), word(&end)].join(" ");

        let (mut confounder, mut tag) = (vec![0; enctype.confounder_len()], vec![0; enctype.tag_len()]);
        let (mut sealed_body, mut sealed_end) = (body.clone(), end.clone());
        let mut pieces = [
            Part::Signed(&head),
            Part::Sealed(&mut sealed_body),
            Part::Signed(&middle),
            Part::Sealed(&mut sealed_end),
        ];
        key.seal_parts(usage, &random, &mut confounder, &mut pieces, &mut tag)
            .map_err(|why| why.to_string())?;
        let tag_first = enctype.trailer_len() == 0;
        let header = if tag_first { [&tag[..], &confounder].concat() } else { confounder };
        let mut question = format!("open {} {}", named(&key, usage), word(&header));
        for (kind, octets) in [("s", &head), ("e", &sealed_body), ("s", &middle), ("e", &sealed_end)] {
            write!(question, " {kind}:{}", word(octets)).map_err(|why| why.to_string())?;
        }
        question.push(' ');
        question.push_str(&if tag_first { "-".to_owned() } else { word(&tag) });
        questions.expect(question, format!("{plain} "));

        let question = format!(
            "seal {} s:{} e:{} s:{} e:{}",
            named(&key, usage),
            word(&head),
            word(&body),
            word(&middle),
            word(&end)
        );
        questions.ask(question, move |answer| opens(&key, usage, answer, [&head, &body, &middle, &end]));
    }
    questions.put()
}

/// Whether what MIT sealed opens here and holds these parts.
fn opens(key: &Key, usage: KeyUsage, answer: &str, parts: [&Vec<u8>; 4]) -> bool {
    let words: Option<Vec<Vec<u8>>> = answer.split_whitespace().map(octets_of).collect();
    let Some(words) = words else { return false };
    let (header, head, mut body, middle, mut end, trailer) = match <[Vec<u8>; 6]>::try_from(words) {
        Ok([header, head, body, middle, end, trailer]) => (header, head, body, middle, end, trailer),
        Err(words) => match <[Vec<u8>; 5]>::try_from(words) {
            Ok([header, head, body, middle, end]) => (header, head, body, middle, end, Vec::new()),
            Err(_) => return false,
        },
    };
    let (tag, mut confounder) = match trailer.as_slice() {
        [] => match header.split_at_checked(key.enctype().tag_len()) {
            Some((tag, confounder)) => (tag.to_vec(), confounder.to_vec()),
            None => return false,
        },
        tag => (tag.to_vec(), header),
    };
    let mut pieces =
        [Part::Signed(&head), Part::Sealed(&mut body), Part::Signed(&middle), Part::Sealed(&mut end)];
    key.open_parts(usage, &mut confounder, &mut pieces, &tag).is_ok()
        && [&head, &body, &middle, &end] == parts
}

fn derived(enctype: Enctype) -> Result<(), Failure> {
    let random = SeededRandom::new(4);
    let mut questions = Questions::default();
    let number = enctype.number();
    for len in 0..=LONGEST {
        let key = Key::random(enctype, &random);
        let input = octets(&random, len);
        let question = format!("prf {number} {} {}", hex::encode(key.expose_octets()), word(&input));
        questions.expect(question, word(key.prf(&input).expose_octets()));

        let seed = octets(&random, enctype.seed_len());
        let made = Key::from_seed(enctype, &seed).map_err(|why| why.to_string())?;
        questions.expect(format!("r2k {number} {}", word(&seed)), word(made.expose_octets()));
    }
    for other in Enctype::ALL.iter().copied() {
        let (first, second) = (Key::random(enctype, &random), Key::random(other, &random));
        let combined = first.combine(b"pepper", &second, b"salt");
        let question = format!(
            "cf2 {number} {} pepper {} {} salt",
            hex::encode(first.expose_octets()),
            other.number(),
            hex::encode(second.expose_octets())
        );
        questions.expect(question, word(combined.expose_octets()));
    }
    // Few: most types iterate as often as in earnest.
    for len in [0, 1, 7, 8, 9, 20, 21, 22, 63, 64, 65, 100] {
        // Text, since RC4 takes nothing else: letters of one, two and three octets, and a pair of surrogates.
        let password: String = "pä€\u{1f600}word".chars().cycle().take(len).collect();
        // Never nothing at all: MIT folds no text of no letters.
        let salt = octets(&random, len / 2 + 1);
        let params =
            enctype.default_iterations().map(|count| (count + u32::from(len % 2 == 1)).to_be_bytes());
        let params = params.as_ref().map(<[u8; 4]>::as_slice);
        let key = Key::from_password(enctype, &Password::from(password.as_str()), &salt, params);
        let key = key.map_err(|why| why.to_string())?;
        let question = format!(
            "s2k {number} {} {} {}",
            word(password.as_bytes()),
            word(&salt),
            word(params.unwrap_or_default())
        );
        questions.expect(question, word(key.expose_octets()));
    }
    questions.put()
}
