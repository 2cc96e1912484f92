//! The mechanisms. Each knows its object identifier and how a context of its kind comes up.

pub mod krb5;
