//! The numbers that a KRB-ERROR carries (RFC 4120 §7.5.9), what they mean, and what to do about them.

use std::fmt;

/// A number of RFC 4120 §7.5.9 or of its extensions. Numbers without a row are kept as they are.
///
/// ```
/// use orthros_krb5::ErrorCode;
/// assert_eq!(ErrorCode::SKEW.0, 37);
/// assert_eq!(ErrorCode(37).name(), Some("SKEW"));
/// assert_eq!(ErrorCode(37).to_string(), "The clocks differ too much (37)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub i32);

/// One row: what is known of a number.
struct Row {
    code: ErrorCode,
    name: &'static str,
    meaning: &'static str,
    advice: &'static str,
}

macro_rules! codes {
    ($($number:literal $name:ident $meaning:literal $advice:literal;)*) => {
        impl ErrorCode {
            $(#[doc = $meaning] pub const $name: Self = Self($number);)*
        }

        /// In the order of the numbers.
        const ROWS: &[Row] = &[$(Row {
            code: ErrorCode::$name,
            name: stringify!($name),
            meaning: $meaning,
            advice: $advice,
        },)*];
    };
}

codes! {
    0 NONE "No error." "";
    1 NAME_EXP "The client's entry in the KDC database has expired." "Ask the realm's administrator to extend the account.";
    2 SERVICE_EXP "The server's entry in the KDC database has expired." "Ask the realm's administrator to extend the service's entry.";
    3 BAD_PVNO "The requested protocol version is not supported." "";
    4 C_OLD_MAST_KVNO "The client's key is encrypted in an old master key." "The KDC's administrator must re-encrypt the database.";
    5 S_OLD_MAST_KVNO "The server's key is encrypted in an old master key." "The KDC's administrator must re-encrypt the database.";
    6 C_PRINCIPAL_UNKNOWN "The client is not found in the KDC database." "Check the spelling of the principal and its realm.";
    7 S_PRINCIPAL_UNKNOWN "The server is not found in the KDC database." "Check the service's name: the host name must be the one its keytab was made for.";
    8 PRINCIPAL_NOT_UNIQUE "The principal stands more than once in the KDC database." "";
    9 NULL_KEY "The client or the server has no key." "";
    10 CANNOT_POSTDATE "The ticket may not be postdated." "";
    11 NEVER_VALID "The ticket would never be valid: it would end before it begins." "Compare the clocks of this machine and the KDC.";
    12 POLICY "The KDC's policy rejects the request." "";
    13 BADOPTION "The KDC cannot grant a requested option." "For a forwarded ticket, the ticket-granting ticket must be forwardable.";
    14 ETYPE_NOSUPP "The KDC supports none of the enctypes." "Compare permitted_enctypes here with the keys the principal has.";
    15 SUMTYPE_NOSUPP "The KDC does not support the kind of checksum." "";
    16 PADATA_TYPE_NOSUPP "The KDC does not support the kind of pre-authentication." "";
    17 TRTYPE_NOSUPP "The KDC does not support the transited type." "";
    18 CLIENT_REVOKED "The client's credentials have been revoked." "The account is locked or disabled: ask the realm's administrator.";
    19 SERVICE_REVOKED "The server's credentials have been revoked." "";
    20 TGT_REVOKED "The ticket-granting ticket has been revoked." "";
    21 CLIENT_NOTYET "The client is not valid yet." "";
    22 SERVICE_NOTYET "The server is not valid yet." "";
    23 KEY_EXPIRED "The password has expired." "Change it (kpasswd): that works with the expired password.";
    24 PREAUTH_FAILED "Pre-authentication failed." "The password or the keytab's key is not the one that the KDC has.";
    25 PREAUTH_REQUIRED "Additional pre-authentication is required." "";
    26 SERVER_NOMATCH "The requested server and the ticket do not match." "";
    27 MUST_USE_USER2USER "The server takes user-to-user tickets only." "";
    28 PATH_NOT_ACCEPTED "The KDC does not accept the transited path." "";
    29 SVC_UNAVAILABLE "A service is not available." "Try again later.";
    31 BAD_INTEGRITY "The integrity check of an encrypted field failed." "The keytab's key is not the one that the KDC has for this kvno: fetch the keytab anew.";
    32 TKT_EXPIRED "The ticket has expired." "Get a new ticket.";
    33 TKT_NYV "The ticket is not valid yet." "Compare the clocks of both machines.";
    34 REPEAT "The request is a replay." "";
    35 NOT_US "The ticket is not for us." "The acceptor's keytab lacks the service that the client named.";
    36 BADMATCH "The ticket and the authenticator do not match." "";
    37 SKEW "The clocks differ too much." "Set both clocks; a difference up to clockskew (300 s) is tolerated.";
    38 BADADDR "The network address is not the one in the ticket." "";
    39 BADVERSION "The protocol version does not match." "";
    40 MSG_TYPE "The message is not of the expected kind." "";
    41 MODIFIED "The message stream was modified." "";
    42 BADORDER "A message is out of order." "";
    44 BADKEYVER "The server lacks the key's version." "Update the keytab: the service's key was changed.";
    45 NOKEY "The server lacks the key." "Add the service to the keytab.";
    46 MUT_FAIL "Mutual authentication failed." "";
    47 BADDIRECTION "The direction of a message is wrong." "";
    48 METHOD "Another way of authentication is required." "";
    49 BADSEQ "A sequence number is wrong." "";
    50 INAPP_CKSUM "The kind of checksum is inappropriate." "";
    51 PATH_NOT_FOUND "No path to the server's realm is known." "Set capaths for the two realms.";
    52 RESPONSE_TOO_BIG "The response is too big for UDP." "";
    60 GENERIC "A generic error." "";
    61 FIELD_TOOLONG "A field is too long for this implementation." "";
    68 WRONG_REALM "The client belongs to another realm." "";
    69 USER_TO_USER_REQUIRED "User-to-user authentication is required." "";
    90 PREAUTH_EXPIRED "The pre-authentication exchange took too long." "";
    91 MORE_PREAUTH_DATA_REQUIRED "Another round of pre-authentication is required." "";
    92 PREAUTH_BAD_AUTHENTICATION_SET "The authentication set is not supported." "";
    93 UNKNOWN_CRITICAL_FAST_OPTIONS "A critical FAST option is not known." "";
}

impl ErrorCode {
    fn row(self) -> Option<&'static Row> {
        ROWS.binary_search_by_key(&self.0, |row| row.code.0).ok().and_then(|index| ROWS.get(index))
    }

    /// The RFC's name without its prefix: `SKEW`.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// One sentence.
    pub fn meaning(self) -> Option<&'static str> {
        self.row().map(|row| row.meaning)
    }

    /// What the person who sees it can do, where something general can be said.
    pub fn advice(self) -> Option<&'static str> {
        self.row().map(|row| row.advice).filter(|advice| !advice.is_empty())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(f, "{} ({})", meaning.trim_end_matches('.'), self.0),
            None => write!(f, "Error number {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_number() {
        for row in ROWS {
            assert_eq!(row.code.name(), Some(row.name));
        }
        assert_eq!(ErrorCode(30).name(), None);
        assert_eq!(ErrorCode(127).to_string(), "Error number 127");
    }
}
