//! The GSS-API in safe Rust: Kerberos single sign-on, message protection, context transfer.

pub mod clock;
pub mod kdc_link;
pub mod ledger;
pub mod random;
pub mod replay;
pub mod seal_key;
pub mod sys;
mod table;
