//! What the `token` commands are told.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use orthros::CacheName;
use orthros::transfer::Policy;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Seal the tickets of a cache into a token
    ///
    /// Whoever has the sealing key can open the token, as often as wanted, until the ticket ends: by default processes of
    /// the same user on the same machine, until its next boot. `transfer_key` in section [orthros] of krb5.conf names
    /// another key. The cache stays as it is. Passwords and keys of keytabs are not in the token.
    Seal(TokenSeal),
    /// Print a token's clear part, and whether the key of this process opens it; the token is not spent
    Show(TokenShow),
    /// Open a token of `token seal` into a cache
    ///
    /// What was in the cache before is replaced as a whole, as by kinit. If the token can't be opened, the cache stays as
    /// it is. The token stays good.
    Unseal(TokenUnseal),
}

#[derive(Args, Debug)]
pub(crate) struct TokenSeal {
    /// Which cache; default: the one that KRB5CCNAME or krb5.conf names
    #[arg(short, long, value_name = "CACHE")]
    pub(crate) cache: Option<CacheName>,
    /// Into this file, which only you may read; an older file is replaced. Default: standard output, but no terminal
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// In hexadecimal digits, for a terminal or a mail
    #[arg(long)]
    pub(crate) hex: bool,
    /// What the token demands of who opens it, in place of transfer_policy in krb5.conf: words with commas between them,
    /// of user, process-group, executable and audience=TEXT
    #[arg(long = "for", value_name = "WORDS", value_parser = policy)]
    pub(crate) policy: Option<Policy>,
}

#[derive(Args, Debug)]
pub(crate) struct TokenShow {
    /// The file with the token, binary or in hexadecimal digits; `-` is standard input
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TokenUnseal {
    /// The file with the token, binary or in hexadecimal digits; `-` is standard input
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// Into which cache; default: the one that kinit would fill
    #[arg(short, long, value_name = "CACHE")]
    pub(crate) cache: Option<CacheName>,
    /// For which audience tokens are opened, in place of transfer_policy in krb5.conf: audience=TEXT
    #[arg(long = "for", value_name = "WORDS", value_parser = policy)]
    pub(crate) policy: Option<Policy>,
}

fn policy(words: &str) -> Result<Policy, String> {
    match Policy::parse(words)? {
        policy if policy.is_off() => Err("\"off\" would move nothing".to_owned()),
        policy => Ok(policy),
    }
}
