//! Programs that show how Orthros is used: `cargo run -p examples --example NAME`.
//!
//! | name | what it shows |
//! |---|---|
//! | `client` | a client: a ticket by password or from the cache, a context, sealed messages |
//! | `kdc_over_http` | a driver of the caller's own: requests reach the KDC by plain HTTP |
//! | `server` | a server: contexts by a keytab, who may ask, answers under the same protection |
//! | `testing` | how a program's tests use a realm of their own and a clock that they set |
//! | `worker_pool` | one process accepts, others go on with the contexts and their connections |
//!
//! None reaches beyond this machine unless its arguments say so: each brings a realm of its own. `cargo test` runs
//! each (see `tests/run.rs`). What they share is here: [`frame`], how messages are told apart on a stream, and
//! [`OwnRealm`].

pub mod frame;
mod own_realm;

pub use own_realm::OwnRealm;

use std::error::Error;
use std::process::ExitCode;

/// What goes wrong in an example is told as text.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Ends a program: says on standard error why it failed.
pub fn finish(program: &str, outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}
