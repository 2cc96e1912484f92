//! What is asked of a new context.

use std::fmt;
use std::sync::Arc;

use orthros_crypto::Enctype;
use orthros_krb5::Env;
use orthros_krb5::config::Config;
use orthros_wire::Oid;

use super::step::{AwaitToken, Step};
use crate::mech::{self, spnego};
use crate::mechanism::{self, Mechanism};
use crate::{AcceptorCredential, ChannelBindings, Flags, InitiatorCredential, Name};

/// What contexts of one program have in common. Cheap to clone.
#[derive(Clone)]
pub struct Settings {
    /// Configuration, parsed once.
    pub config: Arc<Config>,
    /// Clock and randomness.
    pub env: Env,
    /// Whether contexts may be exported; decides [`Flags::TRANSFERABLE`].
    pub transfer: bool,
}

impl Settings {
    /// The same for another thread, which counts their users by itself.
    #[must_use]
    pub fn apart(&self) -> Self {
        let config = Arc::new(Config::clone(&self.config));
        Self { config, env: self.env.apart(), transfer: self.transfer }
    }

    /// By how many seconds clocks may differ (`clockskew`).
    pub(crate) fn skew_seconds(&self) -> u32 {
        u32::try_from(self.config.clockskew).unwrap_or(0)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("transfer", &self.transfer).finish_non_exhaustive()
    }
}

/// A context to be initiated (RFC 2743 §2.2.1).
///
/// By default nothing is asked for beyond integrity; ask for what the protocol above needs.
#[derive(Debug)]
#[must_use]
pub struct Initiate {
    pub(crate) settings: Settings,
    pub(crate) credential: Arc<InitiatorCredential>,
    pub(crate) target: Name,
    pub(crate) mechanism: &'static Mechanism,
    pub(crate) flags: Flags,
    pub(crate) bindings: Option<ChannelBindings>,
    pub(crate) lifetime_seconds: Option<u32>,
    /// The enctypes that its session key may be of; `None`: of all that are configured.
    pub(crate) enctypes: Option<Vec<Enctype>>,
    /// What may be negotiated; `None`: all that is negotiated by default.
    pub(crate) negotiable: Option<Vec<Oid>>,
    /// What is offered behind it that is not here.
    pub(crate) beside: Vec<Oid>,
}

impl Initiate {
    /// A context with `target`, by the tickets of `credential`.
    pub fn new(settings: &Settings, credential: Arc<InitiatorCredential>, target: Name) -> Self {
        Self {
            settings: settings.clone(),
            credential,
            target,
            mechanism: &mechanism::KRB5,
            flags: Flags::INTEGRITY,
            bindings: None,
            lifetime_seconds: None,
            enctypes: None,
            negotiable: None,
            beside: Vec::new(),
        }
    }

    /// By this mechanism, instead of Kerberos. With [`SPNEGO`](mechanism::SPNEGO) both ends agree on one; the context
    /// that comes up is that one's. With [`IAKERB`](mechanism::IAKERB) no KDC is asked from here: the acceptor carries the
    /// requests, so it takes more tokens until the context is up.
    pub fn mechanism(self, mechanism: &'static Mechanism) -> Self {
        Self { mechanism, ..self }
    }

    /// The acceptor proves itself too.
    pub fn mutual(self) -> Self {
        self.flag(Flags::MUTUAL)
    }

    /// Messages can be sealed.
    pub fn confidential(self) -> Self {
        self.flag(Flags::CONFIDENTIALITY)
    }

    /// Replayed messages are told.
    pub fn replay_detection(self) -> Self {
        self.flag(Flags::REPLAY)
    }

    /// Messages out of order are told.
    pub fn sequencing(self) -> Self {
        self.flag(Flags::SEQUENCE)
    }

    /// A forwarded ticket goes with the first token, if the ticket-granting ticket is forwardable. The
    /// acceptor can then act as the initiator everywhere: only for targets that are trusted that far.
    pub fn delegate(self) -> Self {
        self.flag(Flags::DELEGATION)
    }

    /// As [`delegate`](Self::delegate), but only if the KDC holds that the target may act as the initiator
    /// (RFC 5896: the ticket has the flag OK-AS-DELEGATE).
    pub fn delegate_by_policy(self) -> Self {
        self.flag(Flags::DELEGATION_POLICY)
    }

    /// Three legs and bare messages, as DCE RPC and Windows' RPC have them; the context is mutual then.
    pub fn dce_style(self) -> Self {
        self.flag(Flags::DCE_STYLE)
    }

    /// Sets flags by their numbers. Flags that no mechanism knows are ignored, as RFC 2744 §5.19 has it.
    pub fn flag(self, flag: Flags) -> Self {
        Self { flags: self.flags | flag, ..self }
    }

    /// Binds the context to the channel beneath.
    pub fn bindings(self, bindings: ChannelBindings) -> Self {
        Self { bindings: Some(bindings), ..self }
    }

    /// Tells an acceptor that has channel bindings to refuse if this initiator gives none (`KERB_AP_OPTIONS_CBT`):
    /// for who would bind if there were a channel beneath, so that nobody in between can be the channel's end. The
    /// configuration's `client_aware_channel_bindings` does so for all.
    pub fn misses_bindings(self) -> Self {
        self.flag(Flags::CHANNEL_BOUND)
    }

    /// Lets the context end after so many seconds, if its ticket does not end earlier. A ticket that has to be asked for
    /// is asked for that time only, so that the acceptor's end does not outlast this one by more than clocks may differ.
    pub fn lifetime_seconds(self, seconds: u32) -> Self {
        Self { lifetime_seconds: Some(seconds), ..self }
    }

    /// Does not say of itself that messages will be protected, which it does otherwise (`GSS_KRB5_CRED_NO_CI_FLAGS_X`):
    /// for protocols with peers that refuse flags which their program did not ask for.
    pub fn without_integrity(self) -> Self {
        Self { flags: self.flags.with(Flags::INTEGRITY, false), ..self }
    }

    /// With a session key of one of these enctypes, as far as they are configured
    /// (`gss_krb5_set_allowable_enctypes`): for who hands the key to something that knows few.
    pub fn enctypes(self, enctypes: &[Enctype]) -> Self {
        Self { enctypes: Some(enctypes.to_vec()), ..self }
    }

    /// Where the mechanism is negotiated: offers of the mechanisms only these (`gss_set_neg_mechs`, RFC 4178
    /// appendix C).
    pub fn negotiable(self, mechanisms: &[Oid]) -> Self {
        Self { negotiable: Some(mechanisms.to_vec()), ..self }
    }

    /// Where the mechanism is negotiated: offers these mechanisms too, which are not here, behind Kerberos
    /// ([`negotiation`](crate::negotiation)). Where one of them is agreed on, the step is
    /// [`Need::Elsewhere`](crate::Need::Elsewhere); so also where
    /// Kerberos fails before it has sent anything.
    pub fn beside(self, mechanisms: &[Oid]) -> Self {
        Self { beside: mechanisms.to_vec(), ..self }
    }

    /// The context can't be exported, whatever is configured.
    pub fn stays(mut self) -> Self {
        self.settings.transfer = false;
        self
    }

    /// With other settings, for this context only.
    pub fn with_settings(self, settings: &Settings) -> Self {
        Self { settings: settings.clone(), ..self }
    }

    /// The first step.
    pub fn start(self) -> Step {
        mech::initiate(self)
    }
}

/// A context to be accepted (RFC 2743 §2.2.2).
#[derive(Debug)]
#[must_use]
pub struct Accept {
    pub(crate) settings: Settings,
    pub(crate) credential: AcceptorCredential,
    pub(crate) bindings: Option<ChannelBindings>,
    pub(crate) bindings_required: bool,
    pub(crate) offer_proved: bool,
    /// What may be negotiated; `None`: all that is negotiated by default.
    pub(crate) negotiable: Option<Vec<Oid>>,
    /// What is taken beside it that is not here.
    pub(crate) beside: Vec<Oid>,
    pub(crate) carries: bool,
}

impl Accept {
    /// A context with whoever proves to have a ticket for `credential`.
    pub fn new(settings: &Settings, credential: AcceptorCredential) -> Self {
        Self {
            settings: settings.clone(),
            credential,
            bindings: None,
            bindings_required: false,
            offer_proved: false,
            negotiable: None,
            beside: Vec::new(),
            carries: false,
        }
    }

    /// Compares the initiator's channel bindings with these. An initiator that gives none is accepted, and
    /// [`Flags::CHANNEL_BOUND`] is clear then.
    pub fn bindings(self, bindings: ChannelBindings) -> Self {
        Self { bindings: Some(bindings), ..self }
    }

    /// As [`bindings`](Self::bindings), and refuses initiators that give none.
    pub fn bindings_required(self, bindings: ChannelBindings) -> Self {
        Self { bindings: Some(bindings), bindings_required: true, ..self }
    }

    /// Where mechanisms are negotiated: demands that the initiator prove what it offered by a MIC (RFC 4178 §5), also if
    /// its first choice is taken. Otherwise somebody in between could have taken better choices out of the list.
    pub fn offer_proved(self) -> Self {
        Self { offer_proved: true, ..self }
    }

    /// With keys of these enctypes only, as far as they are configured.
    pub fn enctypes(mut self, enctypes: &[Enctype]) -> Self {
        let mut config = Config::clone(&self.settings.config);
        config.permitted_enctypes.retain(|enctype| enctypes.contains(enctype));
        self.settings.config = Arc::new(config);
        self
    }

    /// Where the mechanism is negotiated: takes of the mechanisms only these (`gss_set_neg_mechs`, RFC 4178
    /// appendix C).
    pub fn negotiable(self, mechanisms: &[Oid]) -> Self {
        Self { negotiable: Some(mechanisms.to_vec()), ..self }
    }

    /// Where the mechanism is negotiated: takes these mechanisms too, which are not here
    /// ([`negotiation`](crate::negotiation)). Where one of them is agreed on, the step is
    /// [`Need::Elsewhere`](crate::Need::Elsewhere).
    pub fn beside(self, mechanisms: &[Oid]) -> Self {
        Self { beside: mechanisms.to_vec(), ..self }
    }

    /// The context can't be exported, whatever is configured.
    pub fn stays(mut self) -> Self {
        self.settings.transfer = false;
        self
    }

    /// Takes contexts of [`IAKERB`](mechanism::IAKERB) too: carries the initiator's requests to KDCs, for whoever reaches
    /// none, and before the initiator has proved anything. Only to realms that stand in `[realms]` of the configuration
    /// and to the default realm; requests for others are answered with `KRB_AP_ERR_IAKERB_KDC_NOT_FOUND`. Nothing but
    /// requests of the AS and TGS exchanges is carried, and at most 26 of them, in 1 MiB, for one context.
    pub fn carry_to_kdcs(self) -> Self {
        Self { carries: true, ..self }
    }

    /// With other settings, for this context only.
    pub fn with_settings(self, settings: &Settings) -> Self {
        Self { settings: settings.clone(), ..self }
    }

    /// The first step: the initiator's token is awaited. It says itself whether it is one of Kerberos or offers
    /// mechanisms (RFC 4178).
    pub fn start(self) -> Step {
        Step::Receive(AwaitToken::accepting(self))
    }

    /// The first step where this end speaks first: it tells which mechanisms it has, and awaits the initiator's token
    /// (MS-SPNG §3.1.5.2). For protocols that have it so; a C program asks for it by an empty token.
    pub fn speak_first(self) -> Step {
        spnego::acceptor::speak_first(self)
    }
}
