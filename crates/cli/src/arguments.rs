//! The table of all commands: clap makes the parser, the help, the man page and the completions from it.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use orthros::stores::{CacheName, KeytabName};
use orthros_crypto::Enctype;
use orthros_krb5::config::parse_duration;

use crate::library::Face;
use crate::start_time::Start;
use crate::token::arguments::TokenCommand;

/// Kerberos tickets, security contexts, and a realm of your own.
///
/// Exit status: 0 if all went well, 1 if something failed (standard error says what), 2 if the command line was
/// wrong. `kdc -- COMMAND` and `run -- PROGRAM` end with the status of what they run.
///
/// Environment: KRB5_CONFIG, KRB5CCNAME, KRB5_KTNAME, KRB5_CLIENT_KTNAME, KRB5RCACHEDIR and KRB5_TRACE, as in MIT krb5.
#[derive(Debug, Parser)]
#[command(name = "orthros", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a script that completes this command's arguments in a shell
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Show one security context move between processes; no realm needed
    Demo(Demo),
    /// A process of the demo; it takes orders on standard input
    #[command(hide = true)]
    DemoRole {
        /// Which one
        role: Role,
    },
    /// Look at everything that Kerberos needs on this machine, and say what is wrong; the network is left alone
    Doctor(Doctor),
    /// Explain an error number or name: what it means, what usually lies behind it, how to tell
    Explain(Explain),
    /// Establish a context and send messages over it
    #[command(subcommand)]
    Gss(GssCommand),
    /// Serve a realm of your own on 127.0.0.1, in memory
    Kdc(Kdc),
    /// The KDC behind a command; it is told the realm on standard input
    #[command(hide = true)]
    KdcBehind,
    /// Destroy credential caches
    Kdestroy(Kdestroy),
    /// List, make and change keytabs
    #[command(subcommand)]
    Keytab(KeytabCommand),
    /// Get a ticket-granting ticket by password or keytab
    Kinit(Kinit),
    /// List the tickets of a credential cache, or the keys of a keytab
    Klist(Klist),
    /// Choose which cache of a DIR cache is in use
    Kswitch(Kswitch),
    /// Get tickets for services and print their key versions
    Kvno(Kvno),
    /// Print the manual page, for man(1)
    Man(Man),
    /// Run one program on our C library, in the place of the one that it was linked with
    Run(Run),
    /// Make our C library the system's, and back
    #[command(subcommand)]
    Switch(SwitchCommand),
    /// Move tickets by sealed tokens, and look at tokens, by which contexts move too
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write a page for each command into this folder instead
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Whose library ours stands in for
    #[arg(long, value_enum, default_value_t = Face::Mit)]
    pub(crate) face: Face,
    /// Show on standard error what the library does: sets KRB5_TRACE
    #[arg(long)]
    pub(crate) trace: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SwitchCommand {
    /// Programs that start from now on run on our library (as root)
    On(Switch),
    /// They run on the system's own again, also if the way there was broken off (as root)
    Off(Switch),
    /// Tell which library programs get
    Status(Switch),
}

#[derive(Args, Debug)]
pub(crate) struct Switch {
    /// Whose library ours stands in for; default: for `on` mit, otherwise all
    #[arg(long, value_enum)]
    pub(crate) face: Option<Face>,
    /// The system in this folder, and not the one that runs
    #[arg(long, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
}

/// A process of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Accepts the context, and gives it up.
    Acceptor,
    /// Takes the context over.
    Heir,
    /// Initiates the context, and notices nothing.
    Initiator,
    /// Serves the realm.
    Kdc,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Print what happened as JSON: processes, octets, digests, and each claim
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the processes and the connection until standard input ends, for a look at them from outside
    #[arg(long, hide = true)]
    pub(crate) hold: bool,
    /// Import without a ledger of spent tokens: the demo must fail then
    #[arg(long, hide = true)]
    pub(crate) without_ledger: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Look also at what is needed to speak with this service, or to be it
    #[arg(long = "for", value_name = "SERVICE@HOST")]
    pub(crate) target: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// A number, decimal or hexadecimal, or a name: of Kerberos, of the GSS-API, of MIT krb5, Heimdal or the system
    #[arg(required_unless_present = "list", allow_hyphen_values = true)]
    pub(crate) code: Option<String>,
    /// List all errors that are known
    #[arg(long, conflicts_with = "code")]
    pub(crate) list: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// -V is MIT's verbose here.
#[derive(Args, Debug)]
#[command(disable_version_flag = true)]
pub(crate) struct Kinit {
    /// Whose ticket; default: of whom the cache is, else the user's name in the default realm
    pub(crate) principal: Option<String>,
    /// Say on standard error what is used and what was got
    #[arg(short = 'V', long)]
    pub(crate) verbose: bool,
    /// Use a keytab instead of a password
    #[arg(short = 'k', long)]
    pub(crate) use_keytab: bool,
    /// Which keytab; default: the one that KRB5_KTNAME or krb5.conf names
    #[arg(short = 't', long, value_name = "KEYTAB")]
    pub(crate) keytab: Option<KeytabName>,
    /// Use the client keytab: the one that KRB5_CLIENT_KTNAME or krb5.conf names
    #[arg(short = 'i', long, conflicts_with = "keytab")]
    pub(crate) client_keytab: bool,
    /// Into which cache
    #[arg(short, long, value_name = "CACHE")]
    pub(crate) cache: Option<CacheName>,
    /// Renew the ticket of the cache: a fresh life, without a password
    #[arg(short = 'R', long, conflicts_with_all = FOR_NEW_TICKETS)]
    pub(crate) renew: bool,
    /// Validate the postdated ticket of the cache, whose time has come
    #[arg(short = 'v', long, conflicts_with_all = FOR_NEW_TICKETS, conflicts_with = "renew")]
    pub(crate) validate: bool,
    /// The ticket may be forwarded to services that act for you
    #[arg(short, long, conflicts_with = "not_forwardable")]
    pub(crate) forwardable: bool,
    /// The ticket may not be forwarded
    #[arg(short = 'F', long, alias = "noforwardable")]
    pub(crate) not_forwardable: bool,
    /// Proxies may be made of the ticket
    #[arg(short, long, conflicts_with = "not_proxiable")]
    pub(crate) proxiable: bool,
    /// No proxies may be made of the ticket
    #[arg(short = 'P', long, alias = "noproxiable")]
    pub(crate) not_proxiable: bool,
    /// The ticket is good from this machine's addresses only
    #[arg(short, long, conflicts_with = "no_addresses")]
    pub(crate) addresses: bool,
    /// The ticket is good from everywhere
    #[arg(short = 'A', long, alias = "noaddresses")]
    pub(crate) no_addresses: bool,
    /// Take your canonical name, and another realm, from the KDC
    #[arg(short = 'C', long)]
    pub(crate) canonicalize: bool,
    /// The principal is an enterprise name such as alice@corp.example, which the KDC maps to a principal
    #[arg(short = 'E', long, requires = "principal")]
    pub(crate) enterprise: bool,
    /// For how long, such as 8h, 90m or 1:30
    #[arg(short, long, value_name = "TIME", value_parser = seconds)]
    pub(crate) lifetime: Option<i64>,
    /// From when on: in a time such as 8h (postdated, to be validated then), or at a local time such as
    /// 20261121140000 or 21-Nov-2026:14:00
    #[arg(short, long, value_name = "TIME", value_parser = Start::parse)]
    pub(crate) start_time: Option<Start>,
    /// For how long it may be renewed
    #[arg(short, long, alias = "renewable-life", value_name = "TIME", value_parser = seconds)]
    pub(crate) renewable: Option<i64>,
    /// For another service than the ticket-granting one
    #[arg(short = 'S', long, value_name = "PRINCIPAL")]
    pub(crate) service: Option<String>,
    /// Print what was got as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) missing: KinitMissing,
}

/// What `kinit` is asked for a new ticket, and not when an old one is renewed or validated.
const FOR_NEW_TICKETS: &[&str] = &[
    "use_keytab",
    "keytab",
    "client_keytab",
    "forwardable",
    "not_forwardable",
    "proxiable",
    "not_proxiable",
    "addresses",
    "no_addresses",
    "canonicalize",
    "enterprise",
    "lifetime",
    "start_time",
    "renewable",
    "service",
];

/// Options of MIT's kinit that are known here, to say what is missing.
#[derive(Args, Debug)]
pub(crate) struct KinitMissing {
    #[arg(short = 'X', hide = true, value_name = "ATTRIBUTE")]
    pub(crate) attributes: Vec<String>,
    #[arg(short = 'T', hide = true, value_name = "CACHE")]
    pub(crate) armor: Option<String>,
    #[arg(short = 'n', hide = true)]
    pub(crate) anonymous: bool,
    #[arg(short = 'I', hide = true, value_name = "CACHE")]
    pub(crate) input_cache: Option<String>,
    #[arg(long, hide = true)]
    pub(crate) request_pac: bool,
    #[arg(long, hide = true)]
    pub(crate) no_request_pac: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Klist {
    /// Which cache (or with -k which keytab)
    pub(crate) name: Option<String>,
    /// Which cache
    #[arg(short, long, conflicts_with_all = ["name", "keytab"])]
    pub(crate) cache: Option<String>,
    /// Name the caches that there are, and whose they are
    #[arg(short, long, conflicts_with_all = ["keytab", "silent", "all"])]
    pub(crate) list: bool,
    /// List all caches that there are: those of a DIR cache's folder
    #[arg(short = 'A', long, conflicts_with = "keytab")]
    pub(crate) all: bool,
    /// List a keytab
    #[arg(short, long)]
    pub(crate) keytab: bool,
    /// Show encryption types
    #[arg(short, long)]
    pub(crate) enctypes: bool,
    /// Show what each ticket is good for
    #[arg(short, long, conflicts_with = "keytab")]
    pub(crate) flags: bool,
    /// Show the addresses that tickets are bound to
    #[arg(short, long, conflicts_with = "keytab")]
    pub(crate) addresses: bool,
    /// Addresses as numbers, which is how they are always shown
    #[arg(short, long, requires = "addresses")]
    pub(crate) numeric: bool,
    /// Show what the cache notes about itself
    #[arg(short = 'C', long, conflicts_with = "keytab")]
    pub(crate) configuration: bool,
    /// Show when each key was written
    #[arg(short, long, requires = "keytab")]
    pub(crate) times: bool,
    /// Print nothing: the exit status says whether there is a ticket-granting ticket that has not ended
    #[arg(short, long, conflicts_with_all = ["keytab", "json"])]
    pub(crate) silent: bool,
    /// Show times in UTC, not as clocks here show them
    #[arg(long)]
    pub(crate) utc: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Kdestroy {
    /// Which cache
    #[arg(short, long, value_name = "CACHE")]
    pub(crate) cache: Option<CacheName>,
    /// The cache of this principal
    #[arg(short, long, conflicts_with = "cache")]
    pub(crate) principal: Option<String>,
    /// All caches that there are: those of a DIR cache's folder
    #[arg(short = 'A', long, conflicts_with_all = ["cache", "principal"])]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct Kswitch {
    /// This cache, as klist -l names it
    #[arg(short, long, value_name = "CACHE", group = "which")]
    pub(crate) cache: Option<CacheName>,
    /// The cache of this principal
    #[arg(short, long, group = "which")]
    pub(crate) principal: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Kvno {
    /// Services, as principals (host/www.example.com) or as names (host@www.example.com with --name); with
    /// --service hosts
    #[arg(required = true, value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    /// What is named are hosts; this is the service on each of them, such as host
    #[arg(short = 'S', long, value_name = "SERVICE", conflicts_with = "name")]
    pub(crate) service: Option<String>,
    /// Get a ticket of this user to yourself, who are a service (S4U2Self), and put it into no cache; the one service
    /// that is named is you
    #[arg(short = 'I', long, value_name = "USER")]
    pub(crate) for_user: Option<String>,
    /// The same for an enterprise name, which the KDC maps to a user, such as alice@corp.example
    #[arg(short = 'U', long, value_name = "USER", conflicts_with = "for_user")]
    pub(crate) for_enterprise_user: Option<String>,
    /// With that ticket be the user to the services that are named (S4U2Proxy)
    #[arg(short = 'P', long)]
    pub(crate) proxy: bool,
    /// Put the credential by which you act for the user into this cache
    #[arg(long, value_name = "CACHE")]
    pub(crate) out_cache: Option<CacheName>,
    /// Print nothing but what goes wrong
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Which cache
    #[arg(short, long, value_name = "CACHE")]
    pub(crate) cache: Option<CacheName>,
    /// The services are host-based names: service@host
    #[arg(long)]
    pub(crate) name: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeytabCommand {
    /// Add a key
    Add(KeytabAdd),
    /// List the keys
    List(KeytabList),
    /// Add the keys of some keytabs to another one
    Merge(KeytabMerge),
    /// Take keys out and wipe them
    Remove(KeytabRemove),
}

#[derive(Args, Debug)]
pub(crate) struct KeytabMerge {
    /// From which keytabs
    #[arg(required = true, value_name = "FROM")]
    pub(crate) from: Vec<KeytabName>,
    /// Into which keytab; made if it is not there
    #[arg(value_name = "INTO")]
    pub(crate) into: KeytabName,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub(crate) struct KeytabRemove {
    /// From which keytab
    #[arg(value_name = "KEYTAB")]
    pub(crate) keytab: Option<KeytabName>,
    /// Keys of this principal only
    #[arg(short, long, group = "which")]
    pub(crate) principal: Option<String>,
    /// Keys of this version only
    #[arg(short, long, group = "which")]
    pub(crate) kvno: Option<u32>,
    /// Keys of this encryption type only
    #[arg(short, long, group = "which")]
    pub(crate) enctype: Option<Enctype>,
    /// Keys that have a newer version beside them only; tickets that were made for them can't be accepted any more
    #[arg(long, group = "which")]
    pub(crate) old: bool,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("key").required(true))]
pub(crate) struct KeytabAdd {
    /// Into which keytab; made if it is not there
    #[arg(value_name = "KEYTAB")]
    pub(crate) keytab: Option<KeytabName>,
    /// Whose key
    #[arg(short, long)]
    pub(crate) principal: String,
    /// The key's version
    #[arg(short, long, default_value_t = 1)]
    pub(crate) kvno: u32,
    /// The encryption type, such as aes256-cts-hmac-sha384-192
    #[arg(short, long)]
    pub(crate) enctype: Enctype,
    /// A random key
    #[arg(long, group = "key")]
    pub(crate) random_key: bool,
    /// A key made of the password that stands in the first line of standard input
    #[arg(long, group = "key")]
    pub(crate) password_stdin: bool,
    /// The salt of the password; default: realm and name joined
    #[arg(long, requires = "password_stdin")]
    pub(crate) salt: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct KeytabList {
    /// Which keytab
    #[arg(value_name = "KEYTAB")]
    pub(crate) keytab: Option<KeytabName>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Kdc {
    /// The realm's name
    #[arg(long, default_value = "ORTHROS.TEST")]
    pub(crate) realm: String,
    /// Where krb5.conf and keytab are written; default: a folder of its own, gone at the end
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// A principal with its password; other users of this machine can see it in the list of processes
    #[arg(long = "principal", value_name = "NAME=PASSWORD", value_parser = name_and_password)]
    pub(crate) principals: Vec<(String, String)>,
    /// A service, with random keys in the keytab
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<String>,
    /// A service, among the principals or services, that may have forwardable tickets of users to itself (S4U2Self)
    #[arg(long = "impersonates", value_name = "NAME")]
    pub(crate) impersonates: Vec<String>,
    /// A service that may be its clients to another one (S4U2Proxy)
    #[arg(long = "delegates-to", value_name = "NAME=TARGET", value_parser = name_and_target)]
    pub(crate) delegates_to: Vec<(String, String)>,
    /// An encryption type; default: all AES types
    #[arg(long = "enctype", value_name = "NAME")]
    pub(crate) enctypes: Vec<Enctype>,
    /// Run this in the realm, with a ticket at hand; without it, serve until standard input ends
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GssCommand {
    /// Initiate contexts, and send a message over each
    Client(GssClient),
    /// Initiate a context, and then wait until `gss import` takes it over together with its connection
    Export(GssExport),
    /// Take a context and its connection over, and go on talking
    Import(GssImport),
    /// Accept contexts, and read messages
    Server(GssServer),
}

/// Whom a context is initiated with, and what is asked of it.
#[derive(Args, Debug)]
pub(crate) struct GssInitiate {
    /// Where the server listens
    pub(crate) host: String,
    /// The service, as service@host
    pub(crate) service: String,
    /// The server's port
    #[arg(short, long, default_value_t = 4444)]
    pub(crate) port: u16,
    /// Use the krb5 mechanism: the default
    #[arg(long)]
    pub(crate) krb5: bool,
    /// Negotiate the mechanism (RFC 4178)
    #[arg(long, conflicts_with = "krb5")]
    pub(crate) spnego: bool,
    /// Ask no KDC: the server carries the requests (IAKERB)
    #[arg(long, conflicts_with_all = ["krb5", "spnego"])]
    pub(crate) iakerb: bool,
    /// Be this user, by a password that is asked for; no ticket is kept
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Delegate your ticket-granting ticket: the server can act as you
    #[arg(long)]
    pub(crate) delegate: bool,
    /// Notice messages out of order
    #[arg(long)]
    pub(crate) sequence: bool,
    /// Don't ask for the server's proof of who it is
    #[arg(long)]
    pub(crate) no_mutual: bool,
    /// Don't ask for notice of replayed messages
    #[arg(long)]
    pub(crate) no_replay: bool,
    /// Bind the context to a channel, by this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) bindings: Option<String>,
    /// Print key material that both ends draw from the context for this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) prf: Option<String>,
    #[command(flatten)]
    pub(crate) wishes: GssWishes,
}

/// How messages go over a context.
#[derive(Args, Debug)]
pub(crate) struct GssProtection {
    /// Sign messages without sealing them
    #[arg(long)]
    pub(crate) no_encrypt: bool,
    /// Neither seal nor sign messages
    #[arg(long)]
    pub(crate) no_wrap: bool,
    /// Don't ask for a signature of what arrived
    #[arg(long)]
    pub(crate) no_mic: bool,
    /// Ask for each message back, wrapped, in place of its signature
    #[arg(long, conflicts_with = "no_wrap")]
    pub(crate) echo: bool,
    #[command(flatten)]
    pub(crate) layout: GssLayout,
}

#[derive(Args, Debug)]
pub(crate) struct GssClient {
    #[command(flatten)]
    pub(crate) initiate: GssInitiate,
    /// The message
    pub(crate) message: String,
    #[command(flatten)]
    pub(crate) protection: GssProtection,
    /// How many messages go over each context
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) messages: u32,
    /// How many contexts are made, each over a connection of its own
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) contexts: u32,
    /// At the end, give up the context and print its keys and counters
    #[arg(long)]
    pub(crate) lucid: bool,
}

/// What is asked of a context beyond the usual.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct GssWishes {
    /// Establish the context in DCE style: three legs, as Windows' RPC has them
    #[arg(long)]
    pub(crate) dce: bool,
    /// Tell the server to refuse if its channel is bound and yours is not
    #[arg(long)]
    pub(crate) bound: bool,
    /// Delegate your ticket-granting ticket if the KDC holds that one may
    #[arg(long)]
    pub(crate) delegate_policy: bool,
}

/// How messages lie; both ends must be told the same.
#[derive(Args, Clone, Debug)]
pub(crate) struct GssLayout {
    /// How messages lie in their tokens
    #[arg(long, value_enum, default_value_t = Layout::Whole)]
    pub(crate) layout: Layout,
    /// A text that is signed before each message and does not travel
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) associated: String,
}

/// The layouts of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// In one call with associated data
    Aead,
    /// In pieces: header, data, trailer
    Pieces,
    /// In pieces without a trailer
    Rotated,
    /// In pieces; read from one buffer
    Stream,
    /// As one buffer, without associated data
    Whole,
}

#[derive(Args, Debug)]
pub(crate) struct GssExport {
    /// The Unix socket at which to wait; it is made for you alone, and goes afterwards
    #[arg(long, value_name = "PATH")]
    pub(crate) door: PathBuf,
    #[command(flatten)]
    pub(crate) initiate: GssInitiate,
    /// A message to send before
    pub(crate) message: Option<String>,
    #[command(flatten)]
    pub(crate) protection: GssProtection,
}

#[derive(Args, Debug)]
pub(crate) struct GssImport {
    /// The Unix socket at which `gss export` or `gss server --door` waits
    #[arg(long, value_name = "PATH")]
    pub(crate) door: PathBuf,
    /// The messages, if the context is a client's; a server's context reads them instead
    #[arg(value_name = "MESSAGE")]
    pub(crate) messages: Vec<String>,
    #[command(flatten)]
    pub(crate) protection: GssProtection,
}

#[derive(Args, Debug)]
pub(crate) struct GssServer {
    /// The service, as service@host
    pub(crate) service: String,
    /// On which port; 0: the system picks one
    #[arg(short, long, default_value_t = 4444)]
    pub(crate) port: u16,
    /// On which address
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) address: IpAddr,
    /// Print tokens and flags
    #[arg(long)]
    pub(crate) verbose: bool,
    /// Export and import each context before it is used
    #[arg(long)]
    pub(crate) export: bool,
    /// Hand each context and its connection to who comes to this Unix socket (`gss import`), in place of reading
    /// its messages
    #[arg(long, value_name = "PATH")]
    pub(crate) door: Option<PathBuf>,
    /// End after one connection
    #[arg(long)]
    pub(crate) once: bool,
    /// Which keytab
    #[arg(long)]
    pub(crate) keytab: Option<KeytabName>,
    /// Demand that contexts are bound to a channel, by this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) bindings: Option<String>,
    /// Carry requests of clients to the KDCs of the realms in krb5.conf, for whoever reaches none (IAKERB)
    #[arg(long)]
    pub(crate) iakerb: bool,
    /// Where mechanisms are negotiated, demand that the client prove what it offered
    #[arg(long)]
    pub(crate) proved_offer: bool,
    /// Take contexts that are not bound too
    #[arg(long, requires = "bindings")]
    pub(crate) bindings_optional: bool,
    /// Print key material that both ends draw from the context for this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) prf: Option<String>,
    /// At the end, give up the context and print its keys and counters
    #[arg(long)]
    pub(crate) lucid: bool,
    #[command(flatten)]
    pub(crate) layout: GssLayout,
}

pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    parse_duration(text)
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "write a time such as 8h, 90m, 1h30m or 3600s".into())
}

fn name_and_password(text: &str) -> Result<(String, String), String> {
    let (name, password) = text.split_once('=').ok_or("write NAME=PASSWORD")?;
    Ok((name.into(), password.into()))
}

fn name_and_target(text: &str) -> Result<(String, String), String> {
    let (name, target) = text.split_once('=').ok_or("write NAME=TARGET")?;
    Ok((name.into(), target.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_table_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_time_of_nothing_is_refused() {
        assert_eq!(seconds("90m"), Ok(5_400));
        assert!(seconds("0").is_err() && seconds("-1h").is_err() && seconds("soon").is_err());
    }
}
