//! Services that act for users (MS-SFU §2.2, MS-KILE §2.2.10).

use orthros_wire::der::{GeneralString, Raw};
use orthros_wire::sequence;

use super::basic::{Checksum, PacOptions, PrincipalName, S4uOptions};

sequence! {
    /// PA-FOR-USER: the user whom a service impersonates.
    pub struct PaForUser<'a> {
        /// The user's name.
        0 => user_name: PrincipalName<'a>,
        /// The user's realm.
        1 => user_realm: GeneralString<'a>,
        /// A checksum of both by the session key of the ticket shown.
        2 => cksum: Checksum<'a>,
        /// "Kerberos".
        3 => auth_package: GeneralString<'a>,
    }
}

sequence! {
    /// The part of a [`PaS4uX509User`] that its checksum covers.
    pub struct S4uUserId<'a> {
        /// The request's nonce.
        0 => nonce: u32,
        /// The user's name; absent if the certificate tells.
        1 => cname: Option<PrincipalName<'a>>,
        /// The user's realm.
        2 => crealm: GeneralString<'a>,
        /// A certificate of the user's.
        3 => subject_certificate: Option<&'a [u8]>,
        /// Options.
        4 => options: Option<S4uOptions>,
    }
}

sequence! {
    /// PA-S4U-X509-USER: the user whom a service impersonates, in the request and once more in its reply.
    pub struct PaS4uX509User<'a> {
        /// Who; its octets are kept, for a checksum covers them.
        0 => user_id: Raw<'a, S4uUserId<'a>>,
        /// A checksum of `user_id` by the authenticator's subkey.
        1 => checksum: Checksum<'a>,
    }
}

sequence! {
    /// PA-PAC-OPTIONS.
    pub struct PaPacOptions {
        /// The options.
        0 => flags: PacOptions,
    }
}
