//! The GSS-API in safe Rust: Kerberos single sign-on, message protection, context transfer.
