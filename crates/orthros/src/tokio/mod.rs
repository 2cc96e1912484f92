//! The driver for programs that run on Tokio (feature `tokio`): the same steps, and no thread of the runtime that
//! waits.
//!
//! ```no_run
//! use orthros::{Name, Orthros};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let orthros = Orthros::from_system()?;
//! let alice = orthros.acquire("alice@EXAMPLE.COM").password("open sesame").fetch_async().await?;
//! let mut stream = tokio::net::TcpStream::connect("www.example.com:4444").await?;
//! let request = orthros.initiate_with(&alice, Name::hostbased_service("host", "www.example.com"));
//! let context = orthros.establish_async(request.mutual().start(), &mut stream).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | what a step needs | how it is had |
//! |---|---|
//! | tokens | by the stream's own waiting |
//! | a KDC | by Tokio's sockets, by the same rules of fail-over as in the blocking driver |
//! | files and name servers | on Tokio's threads for blocking work |
//!
//! Every future here may be dropped at any point. What a thread for blocking work has begun then ends on its own: a
//! request that was entered in the replay cache, or a transfer token in the ledger, stays entered, which refuses it
//! a second time and never lets it pass twice. A stream on which a token was half written is of no further use.
//!
//! The runtime must have its IO and time drivers on (`enable_all`).

mod carry;

use std::io;
use std::sync::Arc;

use ::tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ::tokio::task::spawn_blocking;
use orthros_gss::{Context, Error, InitiatorCredential, Name, Need, Step};
use orthros_krb5::exchange::Progress;

use crate::acquire::Acquire;
use crate::blocking::{EstablishError, announced_length, unrelayed};
use crate::trace::Event;
use crate::{CacheName, Orthros};

impl Orthros {
    /// As [`establish`](Self::establish), over a stream of Tokio's: each token follows its length in four octets,
    /// big-endian.
    ///
    /// # Errors
    /// [`EstablishError`]. What was owed to the peer has been sent then, also the reason.
    pub async fn establish_async(
        &self,
        step: Step,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<Context, EstablishError> {
        let mut step = step;
        loop {
            step = match step {
                Step::Send(owed) => {
                    let length = u32::try_from(owed.token().len()).map_err(io::Error::other)?;
                    stream.write_all(&[&length.to_be_bytes(), owed.token()].concat()).await?;
                    stream.flush().await?;
                    owed.sent()
                }
                Step::Receive(wait) => {
                    let token = receive(stream).await?;
                    // Ciphers, and perhaps a keytab to be read.
                    self.off_runtime(move |_| wait.token(&token)).await?
                }
                Step::Need(need) => self.provide_async(need).await?,
                Step::Done(context) => return Ok(context),
                Step::Failed(error) => {
                    self.tell(Event::Failed(&error));
                    return Err(EstablishError::Context(error));
                }
            };
        }
    }

    /// As [`provide`](Self::provide): answers a need from what this object has.
    ///
    /// # Errors
    /// Only if the runtime stops.
    pub async fn provide_async(&self, need: Need) -> io::Result<Step> {
        match need {
            Need::Kdc(need) => match self.carry_async(need.realm(), need.request()).await {
                Ok(answer) => self.off_runtime(move |_| need.reply(&answer)).await,
                Err(report) => Ok(need.unavailable(report)),
            },
            Need::Relay(need) => match self.carry_async(need.realm(), need.request()).await {
                Ok(answer) => Ok(need.reply(&answer)),
                Err(report) => Ok(unrelayed(need, &report)),
            },
            need => self.off_runtime(move |orthros| orthros.provide(need)).await,
        }
    }

    /// Does what may wait for files, name servers or ciphers on a thread that may wait: whatever else this object
    /// offers, such as [`default_credential`](Self::default_credential), [`acceptor`](Self::acceptor),
    /// [`export`](Self::export) and [`import`](Self::import).
    ///
    /// ```no_run
    /// # async fn example(orthros: orthros::Orthros) -> Result<(), Box<dyn std::error::Error>> {
    /// let acceptor = orthros.off_runtime(|orthros| orthros.acceptor()).await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Only if the runtime stops. A panic of `work` goes on in the caller.
    pub async fn off_runtime<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> io::Result<T> {
        let orthros = self.clone();
        spawn_blocking(move || work(&orthros)).await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(stopped) => io::Error::other(stopped),
        })
    }

    /// As [`impersonate`](Self::impersonate), without blocking.
    ///
    /// # Errors
    /// As [`impersonate`](Self::impersonate).
    pub async fn impersonate_async(
        &self,
        service: &Arc<InitiatorCredential>,
        user: &Name,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let (service, user) = (Arc::clone(service), user.clone());
        // A user's number is asked of the system.
        let begin = move |orthros: &Self| orthros.impersonation(&service, &user);
        let progress = self.off_runtime(begin).await.map_err(stopped)??;
        self.exchange_async(progress).await
    }

    /// Runs an exchange with a KDC to its end.
    async fn exchange_async<T: Send + 'static>(&self, mut progress: Progress<T>) -> Result<T, Error> {
        loop {
            progress = match progress {
                Progress::Ask(ask) => match self.carry_async(ask.realm(), ask.request()).await {
                    Ok(answer) => {
                        // Making a key of a password takes long on purpose.
                        let reply = move |orthros: &Self| ask.reply(&answer, orthros.env().now());
                        self.off_runtime(reply).await.map_err(stopped)?
                    }
                    Err(report) => ask.unavailable(report),
                },
                Progress::Done(obtained) => return Ok(obtained),
                Progress::Failed(failure) => return Err(self.failed(failure)),
            };
        }
    }
}

impl Acquire {
    /// As [`blocking`](Self::blocking), without blocking: asks the KDC, and puts the ticket into no cache.
    ///
    /// # Errors
    /// As [`blocking`](Self::blocking).
    pub async fn fetch_async(self) -> Result<Arc<InitiatorCredential>, Error> {
        let (pending, progress) = self.begin()?;
        let orthros = pending.orthros.clone();
        let obtained = orthros.exchange_async(progress).await?;
        orthros.off_runtime(move |_| pending.credential(obtained)).await.map_err(stopped)?
    }

    /// As [`blocking_into`](Self::blocking_into), without blocking.
    ///
    /// # Errors
    /// As [`blocking_into`](Self::blocking_into).
    pub async fn fetch_into_async(self, cache: &CacheName) -> Result<Arc<InitiatorCredential>, Error> {
        let (pending, progress) = self.begin()?;
        let orthros = pending.orthros.clone();
        let obtained = orthros.exchange_async(progress).await?;
        let cache = cache.clone();
        orthros.off_runtime(move |_| pending.put_into(obtained, &cache)).await.map_err(stopped)?
    }
}

/// The runtime stopped before something was done.
fn stopped(error: io::Error) -> Error {
    orthros_gss::error::NoCredential::None(format!("the runtime stopped: {error}")).into()
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = announced_length(length)?;
    // Grows with what really comes, not with what is announced.
    let mut token = Vec::new();
    stream.take(length).read_to_end(&mut token).await?;
    if u64::try_from(token.len()).is_ok_and(|came| came < length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(token)
}
