//! The other end of a handover, which is not ended: it says what it got, or what it still has.

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use interop::Failure;
use orthros::Context;
use orthros::transfer::{NotGiven, Peers};

use super::steps::{Place, Step, acceptor_side, door, text};

/// Waits for the process that is ended, in a thread.
pub(super) struct OtherEnd {
    door: PathBuf,
    working: JoinHandle<Result<Outcome, String>>,
}

/// What came of it here.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The other took it.
    Given,
    /// The context is still here.
    Kept(Box<Context>),
    /// It is nowhere, as far as this end knows.
    Lost,
    /// The other's context is here.
    Taken(Box<Context>),
    /// Nothing came.
    Nothing,
}

impl OtherEnd {
    /// The other end of this step, if it is a handover.
    pub(super) fn of(place: &Place<'_>, step: &Step) -> Result<Option<Self>, Failure> {
        if !step.is_handover() {
            return Ok(None);
        }
        let door = door(place.folder);
        let (orthros, listener) = (place.orthros()?, UnixListener::bind(&door)?);
        let context = if step.takes_over() { Some(acceptor_side(&orthros)?) } else { None };
        let working = thread::spawn(move || {
            let (stream, _) = listener.accept().map_err(text)?;
            let us = Peers::same_user();
            Ok(match context {
                Some(context) => match orthros.hand_over(context, &stream, &us) {
                    Ok(()) => Outcome::Given,
                    Err(NotGiven::Kept(kept)) => Outcome::Kept(Box::new(kept.context)),
                    Err(_) => Outcome::Lost,
                },
                None => match orthros.take_over(&stream, &us) {
                    Ok(context) => Outcome::Taken(Box::new(context)),
                    Err(_) => Outcome::Nothing,
                },
            })
        });
        Ok(Some(Self { door, working }))
    }

    /// What came of it, once the other is gone.
    pub(super) fn outcome(self) -> Result<Outcome, Failure> {
        // If nobody came, here is somebody, who leaves at once; if somebody did, nobody listens any more.
        drop(UnixStream::connect(&self.door));
        let outcome = self.working.join().map_err(|_| Failure::new("the other end panicked"))?;
        fs::remove_file(&self.door)?;
        Ok(outcome?)
    }
}

impl Outcome {
    /// Whether the context arrived.
    pub(super) fn is_through(&self) -> bool {
        matches!(self, Self::Given | Self::Taken(_))
    }

    /// Of a context there is one at most, whatever the process that was ended said before.
    pub(super) fn check(&self, said: &str) -> Result<(), Failure> {
        let (lives_there, given) = (said.contains("live "), said.contains("given"));
        match self {
            Self::Taken(context) | Self::Kept(context) => {
                if lives_there {
                    return Err(Failure::new(format!("the context lives twice: {self:?}")));
                }
                context.wrap_integrity(b"live").map_err(|error| Failure::new(error.to_string()))?;
                Ok(())
            }
            Self::Nothing if given => Err(Failure::new("the context was given, and nobody has it")),
            Self::Nothing | Self::Given | Self::Lost => Ok(()),
        }
    }
}
