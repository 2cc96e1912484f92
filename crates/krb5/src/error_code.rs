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
    43 ILL_CR_TKT "A ticket that came from another realm is not accepted for this." "";
    44 BADKEYVER "The server lacks the key's version." "Update the keytab: the service's key was changed.";
    45 NOKEY "The server lacks the key." "Add the service to the keytab.";
    46 MUT_FAIL "Mutual authentication failed." "";
    47 BADDIRECTION "The direction of a message is wrong." "";
    48 METHOD "Another way of authentication is required." "";
    49 BADSEQ "A sequence number is wrong." "";
    50 INAPP_CKSUM "The kind of checksum is inappropriate." "";
    51 AP_PATH_NOT_ACCEPTED "The path of realms from the client to the server is not accepted, or none is known." "Set capaths for the two realms.";
    52 RESPONSE_TOO_BIG "The response is too big for UDP." "";
    60 GENERIC "A generic error." "";
    61 FIELD_TOOLONG "A field is too long for this implementation." "";
    62 CLIENT_NOT_TRUSTED "The KDC does not trust the client's certificate." "";
    63 KDC_NOT_TRUSTED "The client does not trust the KDC's certificate." "";
    64 INVALID_SIG "A signature of the certificate exchange is wrong." "";
    65 DH_KEY_PARAMETERS_NOT_ACCEPTED "The KDC wants another group for the key exchange." "";
    66 CERTIFICATE_MISMATCH "The certificate is not the expected one." "";
    67 NO_TGT "The ticket-granting ticket for a user-to-user ticket is missing." "";
    68 WRONG_REALM "The client belongs to another realm." "";
    69 USER_TO_USER_REQUIRED "User-to-user authentication is required." "";
    70 CANT_VERIFY_CERTIFICATE "The KDC has no trusted path to the client's certificate." "Check that the KDC trusts the authority that signed it.";
    71 INVALID_CERTIFICATE "A certificate on the path is not valid." "";
    72 REVOKED_CERTIFICATE "A certificate on the path has been revoked." "Ask for a new certificate.";
    73 REVOCATION_STATUS_UNKNOWN "The KDC cannot tell whether a certificate was revoked." "";
    74 REVOCATION_STATUS_UNAVAILABLE "The KDC cannot reach whoever tells what was revoked." "";
    75 CLIENT_NAME_MISMATCH "The certificate does not name the client." "";
    76 KDC_NAME_MISMATCH "The certificate does not name the KDC." "";
    77 INCONSISTENT_KEY_PURPOSE "The certificate is not meant for Kerberos clients." "";
    78 DIGEST_IN_CERT_NOT_ACCEPTED "The certificate is signed with a digest that the KDC does not accept." "";
    79 PA_CHECKSUM_MUST_BE_INCLUDED "The request lacks the checksum that binds the certificate exchange to it." "";
    80 DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED "The request is signed with a digest that the KDC does not accept." "";
    81 PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED "The KDC does not seal to public keys; a key exchange is needed." "";
    85 IAKERB_KDC_NOT_FOUND "The server that carries the exchange knows no KDC." "";
    86 IAKERB_KDC_NO_RESPONSE "The KDC did not answer the server that carries the exchange." "";
    90 PREAUTH_EXPIRED "The pre-authentication exchange took too long." "";
    91 MORE_PREAUTH_DATA_REQUIRED "Another round of pre-authentication is required." "";
    92 PREAUTH_BAD_AUTHENTICATION_SET "The authentication set is not supported." "";
    93 UNKNOWN_CRITICAL_FAST_OPTIONS "A critical FAST option is not known." "";
    94 INVALID_HASH_ALG "The one-time password asks for a hash that the KDC does not accept." "";
    95 INVALID_ITERATION_COUNT "The one-time password asks for an iteration count that the KDC does not accept." "";
    100 NO_ACCEPTABLE_KDF "Client and KDC have no key derivation in common." "";
}

impl ErrorCode {
    fn row(self) -> Option<&'static Row> {
        ROWS.binary_search_by_key(&self.0, |row| row.code.0).ok().and_then(|index| ROWS.get(index))
    }

    /// The RFC's name without its prefix: `SKEW`.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// The name as the RFCs write it: `KRB_AP_ERR_SKEW`. Numbers from RFC 4120, RFC 4556, RFC 6113, RFC 6560 and
    /// RFC 8636, those of IAKERB, and 43, which only implementations have.
    ///
    /// ```
    /// use orthros_krb5::ErrorCode;
    /// assert_eq!(ErrorCode(6).rfc_name().as_deref(), Some("KDC_ERR_C_PRINCIPAL_UNKNOWN"));
    /// assert_eq!(ErrorCode(51).rfc_name().as_deref(), Some("KRB_AP_PATH_NOT_ACCEPTED"));
    /// ```
    pub fn rfc_name(self) -> Option<String> {
        let prefix = match self.0 {
            31..=50 | 67 | 69 | 85 | 86 => "KRB_AP_ERR_",
            51 => "KRB_",
            52..=61 => "KRB_ERR_",
            _ => "KDC_ERR_",
        };
        self.name().map(|name| format!("{prefix}{name}"))
    }

    /// The number of a name, with the RFC's prefix or without, as MIT krb5 and Heimdal write it (`KRB5KDC_ERR_..`)
    /// or as the RFCs do; in capitals or not.
    ///
    /// ```
    /// use orthros_krb5::ErrorCode;
    /// for name in ["KRB_AP_ERR_SKEW", "KRB5KRB_AP_ERR_SKEW", "skew"] {
    ///     assert_eq!(ErrorCode::from_name(name), Some(ErrorCode::SKEW));
    /// }
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        let capitals = name.to_ascii_uppercase();
        let bare =
            capitals.strip_prefix("KRB5_").or_else(|| capitals.strip_prefix("KRB5")).unwrap_or(&capitals);
        let bare = if bare == "KDC_ERR_KEY_EXP" { "KDC_ERR_KEY_EXPIRED" } else { bare };
        Self::all().find(|code| code.rfc_name().as_deref() == Some(bare) || code.name() == Some(&*capitals))
    }

    /// Every number that is known, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.code)
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
            let rfc_name = row.code.rfc_name().unwrap();
            assert_eq!(ErrorCode::from_name(&rfc_name), Some(row.code), "{rfc_name}");
            assert_eq!(ErrorCode::from_name(&format!("KRB5{rfc_name}")), Some(row.code), "{rfc_name}");
        }
        assert_eq!(ErrorCode(30).name(), None);
        assert_eq!(ErrorCode::from_name("KDC_ERR_SKEW"), None);
        assert_eq!(ErrorCode::from_name("KRB5_PREAUTH_FAILED"), None, "that is a client library's own error");
        assert_eq!(ErrorCode(127).to_string(), "Error number 127");
    }
}
