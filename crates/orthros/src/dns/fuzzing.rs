//! What the fuzz target runs, so that a plain test can replay its corpus. Not part of the API.

use super::message::{Kind, Question, Reading};

/// Whatever comes in place of an answer is read or refused; what is read stays within its bounds. The first octet
/// chooses the kind that was asked for.
pub fn dns_answer(data: &[u8]) {
    let Some((first, octets)) = data.split_first() else { return };
    let kinds = [Kind::A, Kind::Aaaa, Kind::Ptr, Kind::Srv, Kind::Txt, Kind::Uri];
    let Some(kind) = kinds.get(usize::from(*first) % kinds.len()) else { return };
    let id = octets.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let Some(question) = Question::new(id, "www.example.test", *kind) else { return };
    if let Reading::Answer(answer) = question.read(octets) {
        assert!(answer.seconds <= 3_600 && answer.name.len() <= 255, "an answer is out of its bounds");
        // A record takes eleven octets at least.
        assert!(answer.records.len() <= octets.len() / 11, "there are more records than octets for them");
    }
}
