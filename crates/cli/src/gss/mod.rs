//! `gss client` and `gss server`: the two ends of a context, in the framing of Debian's `krb5-gss-samples`, so
//! that either end can be MIT's. `gss export` and `gss import`: an end that moves between two processes.
//!
//! | file | what it holds |
//! |---|---|
//! | `framing` | a token on the wire: what it is for, its length, itself |
//! | `pieces` | how messages lie in their tokens |
//! | `client` | initiates contexts and sends messages |
//! | `moved` | gives a context and its connection away, and takes them |
//! | `server` | accepts contexts and reads messages |

pub(crate) mod client;
pub(crate) mod framing;
pub(crate) mod moved;
mod pieces;
pub(crate) mod server;

use orthros::{Context, Orthros, PrfKey, Step};
use orthros_wire::hex;

use crate::failure::Failure;
use crate::output;
use framing::{Purpose, Stream};

/// What happens to tokens on the way to a context, for whoever wants to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passing<'a> {
    Received(&'a [u8]),
    Sending(&'a [u8]),
}

/// Establishes a context over the samples' framing. An error token that is owed to the peer is sent before the
/// failure is told.
fn establish(
    orthros: &Orthros,
    mut step: Step,
    stream: &mut Stream,
    mut tell: impl FnMut(Passing<'_>) -> Result<(), Failure>,
) -> Result<Context, Failure> {
    loop {
        step = match step {
            Step::Send(owed) => {
                tell(Passing::Sending(owed.token()))?;
                stream.send(Purpose::CONTEXT, owed.token())?;
                owed.sent()
            }
            Step::Receive(wait) => {
                let (purpose, token) = stream.expect("a context token")?;
                if !purpose.contains(Purpose::CONTEXT) {
                    return Err(Failure::new(format!("a token of purpose {purpose} came, no context token")));
                }
                tell(Passing::Received(&token))?;
                wait.token(&token)
            }
            Step::Need(need) => orthros.provide(need),
            Step::Done(context) => return Ok(context),
            Step::Failed(error) => return Err(error.into()),
        };
    }
}

/// How many octets of key material are printed for each key.
const MATERIAL: usize = 64;

/// Prints what both ends draw for a label, where one was given: to compare, not to use.
fn print_material(context: &Context, label: Option<&str>) -> Result<(), Failure> {
    let Some(label) = label else { return Ok(()) };
    for (name, key) in [("full", PrfKey::Full), ("partial", PrfKey::Partial)] {
        let drawn = context.pseudo_random(key, label.as_bytes(), MATERIAL)?;
        output::line(format!("PRF {name}: {}", hex::encode(drawn.expose_octets())))?;
    }
    Ok(())
}
