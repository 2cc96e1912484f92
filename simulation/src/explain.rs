//! Every failure must be explained by what was done: its class by the fault, its status by its class, its text by
//! naming the cause.
//!
//! Clocks, keys and spent tokens are compared with what is true; for the rest, it is enough that a fault befell the
//! conversation that can have this effect.

use orthros_gss::error::{BadToken, Misuse, NoCredential, Refusal};
use orthros_gss::transfer::TransferRefusal;
use orthros_gss::{Error, Major};
use orthros_krb5::ErrorCode;
use orthros_krb5::ap::{ApRefusal, RemoteError};
use orthros_krb5::exchange::{KdcFailure, ReplyFault};
use orthros_wire::Timestamp;

use crate::blame::Blame;
use crate::ids::{End, Side};
use crate::plan::Way;
use crate::world::{Arrival, Job, World};

/// What would have to be true for an error to be right.
struct Explanation {
    holds: bool,
    majors: &'static [Major],
    /// What the text must name.
    names: String,
}

impl Explanation {
    fn new(holds: bool, majors: &'static [Major], names: impl Into<String>) -> Self {
        Self { holds, majors, names: names.into() }
    }
}

impl World {
    /// Whether `error` follows from what was done, at an end whose clock shows `here`.
    pub(crate) fn explain(&self, job: &Job, error: &Error, here: Timestamp) -> Result<(), String> {
        let text = error.to_string();
        if text.trim().is_empty() {
            return Err("it has no text".into());
        }
        let explanation = match error {
            Error::Token(token) => self.explain_token(job.end, *token),
            Error::Refused(refusal) => self.explain_refusal(job.end, refusal, here),
            Error::Kdc(failure) => self.explain_kdc(job.end, failure, here),
            Error::Credential(lack) => self.explain_credential(job.end, lack, here),
            Error::Misuse(Misuse::ContextExpired { ended }) => {
                Explanation::new(here >= *ended, &[Major::ContextExpired], ended.to_string())
            }
            Error::Transfer(refusal) => self.explain_transfer(job, refusal, here),
            _ => return Err("no fault that is simulated has this effect".into()),
        };
        if !explanation.holds {
            return Err("nothing was done that has this effect".into());
        }
        if !explanation.majors.contains(&error.major()) {
            return Err(format!("its status should be one of {:?}", explanation.majors));
        }
        if !text.contains(&explanation.names) {
            return Err(format!("its text does not name {:?}", explanation.names));
        }
        Ok(())
    }

    fn explain_token(&self, end: End, token: BadToken) -> Explanation {
        let blame = self.blame(end.conversation);
        let mangled = blame.has(Blame::ALTERED | Blame::STRAY | Blame::REPEATED);
        let majors: &[Major] = match token {
            BadToken::Integrity => &[Major::BadMic],
            _ => &[Major::DefectiveToken],
        };
        // A negotiation whose inner token was refused ends without its proof; so does one after an altered ticket.
        let peer_failed = self.conversations[end.conversation].failed[end.peer().side as usize];
        let unproved = token == BadToken::Unproved && peer_failed;
        Explanation::new(mangled || unproved || blame.has(Blame::KDC_ALTERED), majors, "")
    }

    fn explain_refusal(&self, end: End, refusal: &Refusal, here: Timestamp) -> Explanation {
        let blame = self.blame(end.conversation);
        let mangled = blame.has(Blame::ALTERED | Blame::STRAY | Blame::KDC_ALTERED | Blame::REPEATED);
        let failure: &[Major] = &[Major::Failure];
        match refusal {
            Refusal::Ap(refusal) => self.explain_ap(end, refusal, here),
            Refusal::Remote(remote) => self.explain_remote(end, remote),
            Refusal::Replay { client } => {
                Explanation::new(blame.has(Blame::REPEATED), failure, client.to_string())
            }
            Refusal::ReplayCache(report) => {
                // A cache in memory does not know what was before it began, and by the client's clock that may be
                // as long after; with requests that were long on their way, or clocks that were put, longer.
                let began = self.plan.replay_in_memory;
                Explanation::new(blame.has(Blame::DISK_FULL) || began, failure, report.clone())
            }
            Refusal::NegotiationRejected => {
                let peer = self.conversations[end.conversation].failed[end.peer().side as usize];
                Explanation::new(mangled || peer, failure, "")
            }
            Refusal::Mechanism(_) | Refusal::NoMechanism(_) => {
                Explanation::new(mangled, &[Major::BadMechanism], "")
            }
            Refusal::Bindings { .. } => Explanation::new(false, &[Major::BadBindings], ""),
            Refusal::Carried
            | Refusal::Checksum
            | Refusal::Delegation
            | Refusal::NotPermitted { .. }
            | Refusal::TooMuchCarried
            | Refusal::WrongService { .. } => Explanation::new(mangled, failure, ""),
            _ => Explanation::new(false, &[], ""),
        }
    }

    fn explain_ap(&self, end: End, refusal: &ApRefusal, here: Timestamp) -> Explanation {
        let blame = self.blame(end.conversation);
        let mangled = blame.has(Blame::ALTERED | Blame::STRAY | Blame::KDC_ALTERED | Blame::REPEATED);
        let failure: &[Major] = &[Major::Failure];
        match refusal {
            ApRefusal::Skew { theirs, ours, limit_seconds } => {
                let apart = theirs.seconds.abs_diff(ours.seconds);
                let right = mangled || self.stamp(end) == Some(*theirs) || self.goes_through_acceptor(end);
                // Its clock was read one transition ago, and all may have slept since.
                let read = self.clocks_wild() || (0..=401).contains(&(here.seconds - ours.seconds));
                let holds = right && read && apart > u64::from(*limit_seconds);
                Explanation::new(holds, failure, format!("{apart} s"))
            }
            ApRefusal::Expired { ended, now, .. } => {
                Explanation::new(*now > ended.plus_seconds(300), failure, ended.to_string())
            }
            ApRefusal::NotYetValid { from, now, .. } => {
                Explanation::new(now.plus_seconds(300) < *from, failure, from.to_string())
            }
            ApRefusal::NoKey { server, .. } => {
                Explanation::new(mangled || self.rotated, failure, server.to_string())
            }
            ApRefusal::Malformed(_) => Explanation::new(mangled, &[Major::DefectiveToken], ""),
            ApRefusal::ReplyIntegrity => Explanation::new(mangled, failure, ""),
            ApRefusal::AuthenticatorIntegrity
            | ApRefusal::KeyLength { .. }
            | ApRefusal::Mismatch
            | ApRefusal::SessionEnctype(_)
            | ApRefusal::SubkeyEnctype { .. }
            | ApRefusal::TicketEnctype { .. }
            | ApRefusal::TicketIntegrity { .. }
            | ApRefusal::UserToUser
            | ApRefusal::Version => Explanation::new(mangled, failure, ""),
            _ => Explanation::new(false, failure, ""),
        }
    }

    /// When the authenticator was made that an acceptor is shown, by the initiator's clock.
    fn stamp(&self, end: End) -> Option<Timestamp> {
        let conversation = &self.conversations[end.conversation];
        self.conversations[conversation.ghost_of.unwrap_or(end.conversation)].stamp
    }

    /// Whether the initiator's requests to KDCs are in tokens to the acceptor too: then those have all their faults.
    fn goes_through_acceptor(&self, end: End) -> bool {
        self.conversations[end.conversation].style.is_some_and(|style| style.way == Way::Iakerb)
    }

    /// What a peer says is not authentic; but it must have said it, or somebody else in its place.
    fn explain_remote(&self, end: End, remote: &RemoteError) -> Explanation {
        let conversation = &self.conversations[end.conversation];
        let said = conversation.codes[end.peer().side as usize].contains(&Some(remote.code));
        // An acceptor that carries requests tells what a KDC, or its silence, came to.
        let blame = self.blame(end.conversation);
        let ghosts = self.conversations.iter().filter(|other| other.ghost_of == Some(end.conversation));
        let by_ghost =
            ghosts.into_iter().any(|ghost| ghost.codes[Side::Acceptor as usize].contains(&Some(remote.code)));
        let other = blame.has(Blame::ALTERED | Blame::STRAY | Blame::KDC_SILENT | Blame::KDC_ALTERED);
        Explanation::new(said || by_ghost || other, &[Major::Failure], remote.code.to_string())
    }

    fn explain_kdc(&self, end: End, failure: &KdcFailure, here: Timestamp) -> Explanation {
        let blame = self.blame(end.conversation);
        let carried = self.goes_through_acceptor(end);
        let repeated = carried && blame.has(Blame::REPEATED);
        let mangled = blame.has(Blame::KDC_ALTERED | Blame::ALTERED | Blame::STRAY) || repeated;
        let majors: &[Major] = &[Major::Failure];
        match failure {
            KdcFailure::Unavailable { realm, .. } => {
                let silent = blame.has(Blame::KDC_SILENT | Blame::KDC_ALTERED);
                Explanation::new(silent, majors, realm.clone())
            }
            KdcFailure::Skew { kdc, .. } => {
                Explanation::new(self.clocks_wild() || mangled, majors, kdc.to_string())
            }
            KdcFailure::Expired { end: ended, .. } => {
                let latest = here.plus_seconds(self.conversations[end.conversation].offset);
                Explanation::new(latest >= *ended || here >= *ended, majors, ended.to_string())
            }
            KdcFailure::Refused { realm, code, .. } => {
                let clocks = match *code {
                    ErrorCode::SKEW | ErrorCode::TKT_NYV | ErrorCode::CANNOT_POSTDATE => self.clocks_wild(),
                    ErrorCode::TKT_EXPIRED | ErrorCode::NEVER_VALID => self.outlived(end),
                    _ => false,
                };
                let relayed =
                    [ErrorCode::IAKERB_KDC_NO_RESPONSE, ErrorCode::IAKERB_KDC_NOT_FOUND].contains(code);
                let silent = carried && relayed && blame.has(Blame::KDC_SILENT);
                Explanation::new(mangled || clocks || silent, majors, realm.clone())
            }
            KdcFailure::BadReply { fault: ReplyFault::Ended { end: ended, now }, .. } => {
                Explanation::new(now >= ended && self.outlived(end), majors, ended.to_string())
            }
            KdcFailure::BadReply { realm, .. } => {
                Explanation::new(mangled || self.clocks_wild(), majors, realm.clone())
            }
            KdcFailure::Malformed { realm, .. } => Explanation::new(mangled, majors, realm.clone()),
            _ => Explanation::new(mangled, majors, ""),
        }
    }

    fn explain_credential(&self, end: End, lack: &NoCredential, here: Timestamp) -> Explanation {
        match lack {
            NoCredential::Expired { client, ended } => {
                let now = here.plus_seconds(self.conversations[end.conversation].offset);
                Explanation::new(now >= *ended, &[Major::CredentialsExpired], client.to_string())
            }
            _ => Explanation::new(false, &[Major::NoCredential], ""),
        }
    }

    fn explain_transfer(&self, job: &Job, refusal: &TransferRefusal, here: Timestamp) -> Explanation {
        let blame = self.blame(job.end.conversation);
        let (altered, stray) = match job.arrival {
            Arrival::Imported { altered, stray, .. } | Arrival::Resumed { altered, stray } => {
                (altered, stray)
            }
            Arrival::Fresh => (false, false),
        };
        match refusal {
            TransferRefusal::Damaged | TransferRefusal::Version => {
                Explanation::new(altered, &[Major::DefectiveToken], "token")
            }
            TransferRefusal::Expired { ended } => {
                Explanation::new(altered || here >= *ended, &[Major::ContextExpired], ended.to_string())
            }
            TransferRefusal::ForeignKey | TransferRefusal::OtherBoot => {
                Explanation::new(altered || stray, &[Major::Unauthorized], "sealed")
            }
            TransferRefusal::Ledger(report) => {
                Explanation::new(blame.has(Blame::DISK_FULL), &[Major::Failure], report.clone())
            }
            TransferRefusal::SpentBefore(spent) => {
                // The ledger's word was held against the truth when it was given.
                Explanation::new(true, &[Major::NoContext], spent.at.to_string())
            }
            _ => Explanation::new(false, &[], ""),
        }
    }
}
