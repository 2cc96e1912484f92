//! The GSS-API in safe Rust: Kerberos single sign-on, message protection, context transfer.
//!
//! ```no_run
//! use orthros::{Name, Orthros};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let orthros = Orthros::from_system()?;
//! let mut stream = std::net::TcpStream::connect("www.example.com:4444")?;
//! let request = orthros.initiate(Name::hostbased_service("host", "www.example.com"))?;
//! let context = orthros.establish(request.mutual().confidential().start(), &mut stream)?;
//! let token = context.wrap(b"hello")?;
//! # Ok(())
//! # }
//! ```
//!
//! Messages are wrapped (sealed, or signed only) or signed apart, and a context moves to another process once:
//!
//! ```
//! use orthros::{Context, Error, Order, Orthros};
//!
//! fn talk_and_move(orthros: &Orthros, here: &Context, there: Context) -> Result<Context, Box<dyn std::error::Error>> {
//!     assert_eq!(there.unwrap(&here.wrap(b"sealed")?)?.message, b"sealed");
//!     let message = b"in the clear, by other means";
//!     assert_eq!(there.verify_mic(message, &here.mic(message)?)?, Order::InOrder);
//!
//!     let token = orthros.export(there)?; // `there` is gone; on failure the error holds it, untouched
//!     let moved = orthros.import(&token)?; // in whatever process of this user
//!     assert!(orthros.import(&token).is_err());
//!     assert_eq!(moved.unwrap(&here.wrap(b"as if nothing had happened")?)?.order, Order::InOrder);
//!     Ok(moved)
//! }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let realm = orthros_kdc::Realm::builder("TEST").principal("alice", "pw").service("host/localhost");
//! # let kdc = orthros_kdc::Listener::start(realm.build(&orthros::random::SystemRandom)?)?;
//! # let config = orthros::Config::for_realm("TEST", &[&kdc.address().to_string()])?;
//! # let places = orthros::seal_key::Places::new().within(folder.path());
//! # let orthros = Orthros::builder().config(config).transfer_places(places).build();
//! # orthros.write_keytab(orthros.default_keytab(), kdc.realm().keytab("host/localhost")?)?;
//! # let (mut near, mut far) = std::os::unix::net::UnixStream::pair()?;
//! # let server = orthros.clone();
//! # let accepting = std::thread::spawn(move || {
//! #     let request = server.accept(&server.acceptor().unwrap());
//! #     server.establish(request.start(), &mut far).unwrap()
//! # });
//! # let alice = orthros.acquire("alice").password("pw").blocking()?;
//! # let request = orthros.initiate_with(&alice, orthros::Name::hostbased_service("host", "localhost"));
//! # let request = request.mutual().confidential().replay_detection().sequencing();
//! # let here = orthros.establish(request.start(), &mut near)?;
//! # talk_and_move(&orthros, &here, accepting.join().unwrap())?;
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`face`] | [`Orthros`]: everything below, joined |
//! | [`settings`] | where configuration comes from: files and the environment |
//! | [`acquire`] | tickets by password or keytab |
//! | [`credentials`] | credentials taken from stores, put into them, moved to other processes |
//! | [`blocking`] | the driver that answers a step's needs, and waits |
//! | `tokio` | the same for programs that run on Tokio (feature `tokio`) |
//! | [`stores`] | credential caches and keytabs in files and memory |
//! | [`dns`] | where KDCs are, what hosts are called |
//! | [`kdc_link`] | carries a request to a KDC |
//! | [`local_user`] | which local user a principal is, and as whom it may log in |
//! | [`replay`], [`ledger`] | which requests and which transfer tokens have been seen |
//! | [`seal_key`] | the key that seals transfer tokens |
//! | [`transfer`] | other keys for transfer tokens, what tokens demand, handover, half-open contexts |
//! | [`trace`] | what happens, told while it does: `KRB5_TRACE` |
//! | [`clock`], [`random`], [`sys`] | the operating system |
//!
//! The protocol itself lies on the floors beneath (`orthros-gss` and below) and knows nothing of files,
//! sockets or clocks.

pub mod acquire;
pub mod blocking;
pub mod clock;
pub mod credentials;
pub mod dns;
pub mod face;
pub mod kdc_link;
pub mod ledger;
pub mod local_user;
pub mod random;
pub mod replay;
pub mod seal_key;
pub mod settings;
pub mod stores;
pub mod sys;
mod table;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod trace;
pub mod transfer;

pub use credentials::store::CredentialStore;
pub use face::{Builder, Orthros, Overrides};
pub use orthros_crypto::{Enctype, Password};
pub use orthros_gss::transfer::Kept;
pub use orthros_gss::{
    Accept, AcceptorCredential, ChannelBindings, Context, CredentialSet, Error, Flags, Initiate,
    InitiatorCredential, Major, Name, Need, Order, Piece, PieceLengths, PrfKey, Step, Unwrapped, Verified,
};
pub use orthros_gss::{credential, mechanism, name};
pub use orthros_krb5::config::CanonicalizeHost;
pub use orthros_krb5::{Config, Keytab, Principal};
pub use settings::SetupError;
pub use stores::{CacheName, KeytabName, StoreError};

/// The examples of README.md, tested.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The examples of the page for people who come from other libraries, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/coming-from.md")]
struct ComingFrom;

/// The example of the page about transfer tokens, tested.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/transfer-token.md")]
struct TransferToken;
