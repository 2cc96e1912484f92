//! RFC 3961 profiles and key types for Kerberos.
