//! What can be said of mechanisms (RFC 5587 §3.1): the attributes, one row each.
//!
//! All lie under 1.3.6.1.5.5.13, in the order of the RFC's table. Deliberately not here: attributes that single
//! implementations have invented.

use orthros_wire::Oid;

/// An attribute, with what `gss_display_mech_attr` tells of it (RFC 5587 §3.4.4).
#[derive(Debug)]
pub struct Attribute {
    /// Its identifier.
    pub oid: Oid,
    /// The name of its constant.
    pub name: &'static str,
    /// The RFC's short name.
    pub short: &'static str,
    /// What a mechanism says with it.
    pub long: &'static str,
}

/// The attribute of this identifier; `None`: `GSS_S_BAD_MECH_ATTR`.
///
/// ```
/// use orthros_gss::mechanism::attribute;
/// let attribute = attribute::find(&attribute::CBINDINGS).ok_or("unknown")?;
/// assert_eq!((attribute.name, attribute.short), ("GSS_C_MA_CBINDINGS", "channel-bindings"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find(oid: &Oid) -> Option<&'static Attribute> {
    ATTRIBUTES.iter().find(|row| row.oid == *oid)
}

macro_rules! attributes {
    ($($arc:literal $constant:ident $short:literal $long:literal;)+) => {
        $(
            #[doc = $long]
            pub const $constant: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 5, 13, $arc]);
        )+

        /// Every attribute of RFC 5587.
        pub static ATTRIBUTES: [Attribute; [$($arc),+].len()] = [$(
            Attribute {
                oid: $constant,
                name: concat!("GSS_C_MA_", stringify!($constant)),
                short: $short,
                long: $long,
            }
        ),+];
    };
}

attributes! {
    1 MECH_CONCRETE "concrete-mech" "Mechanism is neither a pseudo-mechanism nor a composite mechanism.";
    2 MECH_PSEUDO "pseudo-mech" "It is a pseudo-mechanism: other mechanisms do its work.";
    3 MECH_COMPOSITE "composite-mech" "It is composed of other mechanisms.";
    4 MECH_NEGO "mech-negotiation-mech" "It negotiates which mechanism is used.";
    5 MECH_GLUE "mech-glue" "The identifier stands for the layer that chooses among mechanisms.";
    6 NOT_MECH "not-mech" "The identifier is known, and no mechanism's.";
    7 DEPRECATED "mech-deprecated" "The mechanism, or this identifier of it, is out of use.";
    8 NOT_DFLT_MECH "mech-not-default" "It is used where it is named, and never by default.";
    9 ITOK_FRAMED "initial-is-framed" "Its first token begins with the header of RFC 2743 3.1.";
    10 AUTH_INIT "auth-init-princ" "It proves to the acceptor who the initiator is.";
    11 AUTH_TARG "auth-targ-princ" "It proves to the initiator who the acceptor is.";
    12 AUTH_INIT_INIT "auth-init-princ-initial" "It proves the initiator by a password, key or certificate, without tickets from elsewhere.";
    13 AUTH_TARG_INIT "auth-targ-princ-initial" "It proves the acceptor by a password, key or certificate, without tickets from elsewhere.";
    14 AUTH_INIT_ANON "auth-init-princ-anon" "The initiator may stay anonymous.";
    15 AUTH_TARG_ANON "auth-targ-princ-anon" "The acceptor may stay anonymous.";
    16 DELEG_CRED "deleg-cred" "The initiator can hand its credential to the acceptor.";
    17 INTEG_PROT "integ-prot" "It protects messages against change.";
    18 CONF_PROT "conf-prot" "It seals messages against reading.";
    19 MIC "mic" "It signs messages apart (GSS_GetMIC).";
    20 WRAP "wrap" "It wraps messages (GSS_Wrap).";
    21 PROT_READY "prot-ready" "It may protect messages before the context is fully established.";
    22 REPLAY_DET "replay-detection" "It notices repeated messages.";
    23 OOS_DET "oos-detection" "It notices missing and reordered messages.";
    24 CBINDINGS "channel-bindings" "Mechanism supports channel bindings.";
    25 PFS "pfs" "Keys that leak later do not open what was said before.";
    26 COMPRESS "compress" "It compresses messages before it wraps them.";
    27 CTX_TRANS "context-transfer" "An established context can move to another process.";
}
