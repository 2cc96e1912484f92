//! What was carried between initiator and KDC, and the proof that both ends saw the same
//! (draft-ietf-kitten-iakerb §4; the numbers are MIT krb5's).
//!
//! The proof is a checksum by the initiator's subkey, which is known only once everything was carried; so the tokens are
//! kept until then. How much is kept before anybody has proved anything is limited.

use orthros_crypto::{Key, KeyUsage};
use orthros_krb5::wire::Checksum;
use orthros_wire::der::{Decode, Encode};
use orthros_wire::sequence;

use super::token::Place;
use crate::error::{Error, Refusal};

/// The use of the proof's key.
const USAGE: KeyUsage = KeyUsage(42);

/// How many messages are carried to KDCs at most for one context: as many as MIT krb5 carries.
pub(crate) const MOST_REQUESTS: u8 = 26;

/// How many octets of tokens are kept at most for one context: 1 MiB.
pub(crate) const MOST_OCTETS: usize = 1 << 20;

sequence! {
    /// IAKERB-FINISHED.
    pub struct Finished<'a> {
        /// The checksum over the tokens in their order.
        1 => gss_mic: Checksum<'a>,
        => later
    }
}

/// The tokens that have carried messages, in their order.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    octets: Vec<u8>,
    requests: u8,
    /// Initiator only: what came with the acceptor's last token, to be repeated.
    cookie: Option<Vec<u8>>,
}

impl Conversation {
    /// An acceptor's conversation after these tokens; `None` if there can't have been so many.
    pub(crate) fn resumed(requests: u8, tokens: &[u8]) -> Option<Self> {
        let fits = requests <= MOST_REQUESTS && tokens.len() <= MOST_OCTETS;
        fits.then(|| Self { octets: tokens.to_vec(), requests, cookie: None })
    }

    /// How many requests were carried, and all tokens.
    pub(crate) fn carried(&self) -> (u8, &[u8]) {
        (self.requests, &self.octets)
    }

    /// Where the next token stands.
    pub(crate) fn place(&self) -> Place {
        if self.octets.is_empty() { Place::First } else { Place::Later }
    }

    /// Keeps a request to a KDC, or refuses it as one too many.
    pub(crate) fn request(&mut self, token: &[u8]) -> Result<(), Error> {
        if self.requests >= MOST_REQUESTS {
            return Err(Refusal::TooMuchCarried.into());
        }
        self.requests += 1;
        self.keep(token)
    }

    /// Keeps a reply.
    pub(crate) fn reply(&mut self, token: &[u8]) -> Result<(), Error> {
        self.keep(token)
    }

    /// Keeps the cookie that came with a reply.
    pub(crate) fn set_cookie(&mut self, cookie: Option<&[u8]>) {
        self.cookie = cookie.map(<[u8]>::to_vec);
    }

    /// The cookie of the last reply.
    pub(crate) fn take_cookie(&mut self) -> Option<Vec<u8>> {
        self.cookie.take()
    }

    fn keep(&mut self, token: &[u8]) -> Result<(), Error> {
        if token.len() > MOST_OCTETS - self.octets.len() {
            return Err(Refusal::TooMuchCarried.into());
        }
        self.octets.extend_from_slice(token);
        Ok(())
    }

    /// The proof, by the initiator's subkey; `None` if nothing was carried.
    pub(crate) fn finished(&self, subkey: &Key) -> Option<Vec<u8>> {
        if self.octets.is_empty() {
            return None;
        }
        let checksum = subkey.checksum(USAGE, &[&self.octets]);
        let gss_mic = Checksum { cksumtype: subkey.enctype().checksum_type().0, checksum: &checksum };
        Some(Finished { gss_mic }.to_der())
    }

    /// Verifies the initiator's proof. It must be there exactly if something was carried: its absence would hide what
    /// somebody in between has carried, its presence tells of what never came here.
    pub(crate) fn verify(&self, subkey: Option<&Key>, finished: Option<&[u8]>) -> Result<(), Refusal> {
        let (octets, finished) = match (&*self.octets, finished) {
            ([], None) => return Ok(()),
            ([], Some(_)) | (_, None) => return Err(Refusal::Carried),
            (octets, Some(finished)) => (octets, finished),
        };
        let subkey = subkey.ok_or(Refusal::Carried)?;
        let finished =
            Finished::from_der(finished).map_err(|_: orthros_wire::der::DerError| Refusal::Carried)?;
        if finished.gss_mic.cksumtype != subkey.enctype().checksum_type().0 {
            return Err(Refusal::Carried);
        }
        subkey.verify(USAGE, &[octets], finished.gss_mic.checksum).map_err(|_| Refusal::Carried)
    }
}

#[cfg(test)]
mod tests {
    use orthros_crypto::Enctype;

    use super::*;

    fn key(octet: u8) -> Key {
        Key::new(Enctype::Aes256CtsHmacSha1, &[octet; 32]).unwrap()
    }

    fn carried(tokens: &[&[u8]]) -> Conversation {
        let mut conversation = Conversation::default();
        tokens.iter().for_each(|token| conversation.request(token).unwrap());
        conversation
    }

    #[test]
    fn a_proof_is_of_one_conversation_and_one_key() {
        let proof = carried(&[b"one", b"two"]).finished(&key(1)).unwrap();
        let verify =
            |tokens: &[&[u8]], key: Option<&Key>, proof: Option<&[u8]>| carried(tokens).verify(key, proof);
        assert_eq!(verify(&[b"one", b"two"], Some(&key(1)), Some(&proof)), Ok(()));
        let refused = Err(Refusal::Carried);
        assert_eq!(verify(&[b"one"], Some(&key(1)), Some(&proof)), refused, "one is missing");
        assert_eq!(verify(&[b"two", b"one"], Some(&key(1)), Some(&proof)), refused, "another order");
        assert_eq!(verify(&[b"one", b"two"], Some(&key(2)), Some(&proof)), refused, "another key");
        assert_eq!(verify(&[b"one", b"two"], None, Some(&proof)), refused, "no key");
        assert_eq!(verify(&[], Some(&key(1)), Some(&proof)), refused, "nothing was carried here");
        assert_eq!(verify(&[b"one", b"two"], Some(&key(1)), None), Err(Refusal::Carried), "it is left out");
        for cut in 0..proof.len() {
            assert_eq!(verify(&[b"one", b"two"], Some(&key(1)), Some(&proof[..cut])), Err(Refusal::Carried));
        }
        assert_eq!(Conversation::default().finished(&key(1)), None);
    }

    #[test]
    fn a_conversation_has_an_end_in_messages_and_in_octets() {
        let mut many = carried(&[&b"x"[..]; MOST_REQUESTS as usize]);
        many.reply(b"x").unwrap();
        assert_eq!(many.request(b"x"), Err(Refusal::TooMuchCarried.into()));
        let mut long = carried(&[&vec![0; MOST_OCTETS]]);
        assert_eq!(long.reply(b"x"), Err(Refusal::TooMuchCarried.into()));
    }
}
