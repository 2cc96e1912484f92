//! What an established context tells about itself beyond RFC 2743: for SASL, for the kernel's NFS, for servers that
//! read authorization data; by method, and by object identifier (`gss_inquire_sec_context_by_oid`).
//!
//! The keys leave the context here in the clear. That is what SMB, NFS and their like need; a context that is only to
//! move to another process is [exported](Context::export) instead.

use std::fmt;

use orthros_crypto::{Enctype, SessionKey};
use orthros_krb5::ap::RemoteError;
use orthros_krb5::authdata;
use orthros_krb5::wire::TicketFlags;
use orthros_wire::{Oid, SecretBytes, Timestamp};

use super::Context;
use super::established::Established;
use crate::Flags;
use crate::error::{BadToken, Error, Misuse};
use crate::mech::krb5::{self, TokenKind};
use crate::message::protection::Role;
use crate::transfer::Kept;

/// Object identifiers that [`Context::inquire`] answers, as MIT krb5 numbered them under the mechanism's own.
pub mod oid {
    use orthros_wire::Oid;

    /// `GSS_KRB5_GET_TKT_FLAGS`: the ticket's flags, four octets in the machine's order.
    pub const TICKET_FLAGS: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 5, 1]);
    /// `GSS_C_INQ_SSPI_SESSION_KEY`: the key that protects messages, and an object identifier that names its
    /// enctype.
    pub const SESSION_KEY: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 5, 5]);
    /// `GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT`, with the kind of data as one more arc.
    pub const AUTHORIZATION_DATA: Oid =
        Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 5, 10]);
    /// `GSS_KRB5_EXTRACT_AUTHTIME_FROM_SEC_CONTEXT`: seconds since 1970, four octets in the machine's order.
    pub const AUTHTIME: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 5, 12]);
    /// `GSS_C_SEC_CONTEXT_SASL_SSF`: the strength in bits, four octets, big-endian.
    pub const SASL_SSF: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 5, 15]);
    /// What names an enctype, with its number as one more arc.
    pub const ENCTYPE: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 4]);
}

/// What the Linux kernel and others need to protect messages themselves (version 1 of MIT krb5's "lucid" context).
/// The context it came from is gone: two that count sequence numbers would collide.
pub struct Lucid {
    /// Whether this end initiated.
    pub is_initiator: bool,
    /// When the context ends.
    pub end: Timestamp,
    /// The number of the next message sent.
    pub send_sequence: u64,
    /// The number of the next message received.
    pub receive_sequence: u64,
    /// The initiator's subkey, else the ticket's session key.
    pub key: SessionKey,
    /// The acceptor's subkey; messages use it where there is one.
    pub acceptor_subkey: Option<SessionKey>,
}

impl fmt::Debug for Lucid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lucid({:?})", self.key.enctype())
    }
}

impl Context {
    /// What the ticket is good for (RFC 4120 §2), as the initiator's KDC told or the acceptor read.
    pub fn ticket_flags(&self) -> TicketFlags {
        self.0.ticket_flags
    }

    /// When the initiator proved itself to its KDC.
    pub fn authtime(&self) -> Timestamp {
        self.0.authtime.into()
    }

    /// The enctype of the key that protects messages.
    pub fn enctype(&self) -> Enctype {
        self.0.protection.key().enctype()
    }

    /// The strength of the protection in bits, as SASL counts it: 0 without integrity, 1 with integrity only, else
    /// that of the key.
    pub fn strength_bits(&self) -> u32 {
        if self.0.protection.flags.contains(Flags::CONFIDENTIALITY) {
            self.enctype().strength_bits()
        } else {
            u32::from(self.0.protection.flags.contains(Flags::INTEGRITY))
        }
    }

    /// The octets of the key that protects messages, for protocols that key themselves with it (SMB). Key material
    /// for others is better [drawn](Self::pseudo_random).
    pub fn expose_session_key(&self) -> SecretBytes {
        SecretBytes::copy_of(self.0.protection.key().expose_octets())
    }

    /// The initiator's subkey, else the ticket's session key: its enctype and its octets.
    pub fn expose_initiator_key(&self) -> (Enctype, SecretBytes) {
        let key = &self.0.protection.base_key;
        (key.enctype(), SecretBytes::copy_of(key.expose_octets()))
    }

    /// The acceptor's subkey, if it chose one: its enctype and its octets.
    pub fn expose_acceptor_key(&self) -> Option<(Enctype, SecretBytes)> {
        let key = self.0.protection.acceptor_subkey.as_ref()?;
        Some((key.enctype(), SecretBytes::copy_of(key.expose_octets())))
    }

    /// Gives up the context and returns what is needed to protect its messages elsewhere, in the clear.
    ///
    /// # Errors
    /// [`Kept`] with the context, as [`check_exportable`](Self::check_exportable) has it.
    pub fn into_lucid(self) -> Result<Lucid, Kept> {
        if let Err(error) = self.check_exportable() {
            return Err(Kept { context: self, error });
        }
        let Established { end, protection, .. } = self.0;
        let receive_sequence = protection.window().next;
        Ok(Lucid {
            is_initiator: protection.role == Role::Initiator,
            end: end.into(),
            send_sequence: protection.send_sequence(),
            receive_sequence,
            key: protection.base_key,
            acceptor_subkey: protection.acceptor_subkey,
        })
    }

    /// Answers a question by its object identifier; see [`oid`] for what each gives.
    ///
    /// ```
    /// # fn example(context: &orthros_gss::Context) -> Result<(), orthros_gss::Error> {
    /// use orthros_gss::context::inquiry::oid;
    /// let [ssf] = &context.inquire(&oid::SASL_SSF)?[..] else { panic!() };
    /// assert_eq!(ssf.expose_octets(), context.strength_bits().to_be_bytes());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Misuse::UnknownInquiry`].
    pub fn inquire(&self, question: &Oid) -> Result<Vec<SecretBytes>, Error> {
        let one = |octets: &[u8]| Ok(vec![SecretBytes::copy_of(octets)]);
        if *question == oid::TICKET_FLAGS {
            return one(&self.ticket_flags().0.to_ne_bytes());
        }
        if *question == oid::AUTHTIME {
            // 32 bits, read as unsigned: good until 2106.
            let [.., b3, b2, b1, b0] = self.authtime().seconds.to_be_bytes();
            return one(&u32::from_be_bytes([b3, b2, b1, b0]).to_ne_bytes());
        }
        if *question == oid::SASL_SSF {
            return one(&self.strength_bits().to_be_bytes());
        }
        if *question == oid::SESSION_KEY {
            let enctype = format!("{}.{}", oid::ENCTYPE, self.enctype().number());
            let enctype: Oid = enctype.parse().map_err(|_| Misuse::UnknownInquiry)?;
            return Ok(vec![self.expose_session_key(), SecretBytes::copy_of(enctype.content())]);
        }
        let (question, family) = (question.to_string(), oid::AUTHORIZATION_DATA.to_string());
        let kind = question.strip_prefix(&family).and_then(|rest| rest.strip_prefix('.')?.parse().ok());
        if let Some(kind) = kind {
            return Ok(self.authorization_data_of(kind).into_iter().map(SecretBytes::from).collect());
        }
        Err(Misuse::UnknownInquiry.into())
    }

    /// Acceptor only: the ticket's authorization data of one kind (RFC 4120 §5.2.6), those in `AD-IF-RELEVANT` too,
    /// where KDCs put what a server may pass over, such as Windows' PAC (128).
    pub fn authorization_data_of(&self, kind: i32) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for element in self.authorization_data() {
            // Who asks for a container gets it as it is.
            if element.number == kind {
                found.push(element.octets.to_vec());
                continue;
            }
            // What is malformed in AD-IF-RELEVANT may be passed over, by its name.
            let _ = authdata::walk(element.number, &element.octets, &mut |number, octets| {
                if number == kind {
                    found.push(octets.to_vec());
                }
                Ok(())
            });
        }
        found
    }

    /// Takes a token that came after the context was up (`gss_process_context_token`): the peer's late KRB-ERROR.
    /// It becomes the context's [explanation](Self::late_error) and never ends it, for it is not authentic.
    ///
    /// # Errors
    /// [`Error::Token`] for everything else: contexts of RFC 4121 know no other such token.
    pub fn process(&self, token: &[u8]) -> Result<(), Error> {
        match krb5::open(token, self.0.protection.mechanism)? {
            opened if opened.kind == TokenKind::Error => {
                let error = RemoteError::from_der(opened.message).map_err(|_| BadToken::Malformed)?;
                // The first one tells the cause; what follows is said by whoever likes to.
                self.0.late_error.get_or_init(|| Box::new(error));
                Ok(())
            }
            _ => Err(BadToken::WrongKind.into()),
        }
    }

    /// What the peer said after the context was up, if anything. Anybody on the way could have said it.
    pub fn late_error(&self) -> Option<&RemoteError> {
        self.0.late_error.get().map(|error| &**error)
    }
}
