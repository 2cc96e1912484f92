//! The bare ciphers of the old per-message tokens: RFC 1964 §1.2 with triple DES as MIT krb5 put it there, and
//! RFC 4757 §7.3 with RC4. Only tokens use them, with the key itself and no usage; what binds a message together is
//! the checksum beside it.

use cbc::{Decryptor, Encryptor};
use cipher::array::Array;
use cipher::consts::U8;
use cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit};
use des::TdesEde3;
use digest::Mac;
use hmac::Hmac;
use md5::Md5;
use rc4::{Rc4, StreamCipher};
use zeroize::{Zeroize, Zeroizing};

use crate::enctype::{Enctype, MessageTokens};
use crate::key::Key;
use crate::profile::keyed;

/// Octets of the field that holds a sequence number, and of a block of triple DES.
const FIELD: usize = 8;

/// A key that protects messages in tokens of the old form.
///
/// ```
/// use orthros_crypto::{Enctype, Key};
/// let key = Key::new(Enctype::ArcfourHmac, &[7; 16])?;
/// let mut body = *b"confounder and text";
/// key.old_tokens().unwrap().seal_body(9, &mut body);
/// assert_ne!(body, *b"confounder and text");
/// key.old_tokens().unwrap().open_body(9, &mut body);
/// assert_eq!(body, *b"confounder and text");
/// # Ok::<(), orthros_crypto::BadKey>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OldTokens<'k>(&'k Key);

impl Key {
    /// The ciphers of the old tokens, if the key's enctype [goes with them](Enctype::message_tokens).
    pub fn old_tokens(&self) -> Option<OldTokens<'_>> {
        (self.enctype().message_tokens() == MessageTokens::Rfc1964).then_some(OldTokens(self))
    }
}

impl OldTokens<'_> {
    /// Seals the field of the sequence number, with the first octets of the token's checksum.
    pub fn seal_sequence(&self, checksum: &[u8; FIELD], field: &mut [u8; FIELD]) {
        if self.is_rc4() {
            self.rc4_sequence(checksum, field);
        } else {
            self.encrypt(checksum, field);
        }
    }

    /// Opens the field of the sequence number. Nothing vouches for it.
    pub fn open_sequence(&self, checksum: &[u8; FIELD], field: &mut [u8; FIELD]) {
        if self.is_rc4() {
            self.rc4_sequence(checksum, field);
        } else {
            self.decrypt(checksum, field);
        }
    }

    /// Seals a body, which begins with a confounder. With triple DES it has whole blocks.
    pub fn seal_body(&self, sequence: u32, body: &mut [u8]) {
        if self.is_rc4() {
            self.rc4_body(sequence, body);
        } else {
            self.encrypt(&[0; FIELD], body);
        }
    }

    /// Opens a body. Nothing vouches for it until its checksum was verified.
    pub fn open_body(&self, sequence: u32, body: &mut [u8]) {
        if self.is_rc4() {
            self.rc4_body(sequence, body);
        } else {
            self.decrypt(&[0; FIELD], body);
        }
    }

    fn is_rc4(&self) -> bool {
        self.0.enctype() == Enctype::ArcfourHmac
    }

    fn encrypt(&self, iv: &[u8; FIELD], body: &mut [u8]) {
        let cipher: TdesEde3 = keyed(self.0.expose_octets());
        let (blocks, _) = Array::<u8, U8>::slice_as_chunks_mut(body);
        Encryptor::inner_iv_init(&cipher, &Array::from(*iv)).encrypt_blocks(blocks);
    }

    fn decrypt(&self, iv: &[u8; FIELD], body: &mut [u8]) {
        let cipher: TdesEde3 = keyed(self.0.expose_octets());
        let (blocks, _) = Array::<u8, U8>::slice_as_chunks_mut(body);
        Decryptor::inner_iv_init(&cipher, &Array::from(*iv)).decrypt_blocks(blocks);
    }

    fn rc4_sequence(&self, checksum: &[u8], field: &mut [u8]) {
        apply(self.0.expose_octets(), checksum, field);
    }

    fn rc4_body(&self, sequence: u32, body: &mut [u8]) {
        let mut local = Zeroizing::new(self.0.expose_octets().to_vec());
        local.iter_mut().for_each(|octet| *octet ^= 0xf0);
        apply(&local, &sequence.to_be_bytes(), body);
    }
}

/// RC4 with `HMAC(HMAC(key, 0), salt)`.
fn apply(key: &[u8], salt: &[u8], stream: &mut [u8]) {
    let mut first = hmac(key, &[0; 4]);
    let mut second = hmac(&first, salt);
    keyed::<Rc4>(&second).apply_keystream(stream);
    first.zeroize();
    second.zeroize();
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 16] {
    Mac::finalize(Mac::chain_update(keyed::<Hmac<Md5>>(key), data)).into_bytes().into()
}
