//! Kerberos V5 without IO: messages, configuration, caches, keytabs, exchanges.
