//! GSS-API (RFC 2743) without IO: names, credentials, contexts, per-message protection, transfer.
