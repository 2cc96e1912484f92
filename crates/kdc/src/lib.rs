//! An embedded Kerberos KDC: a pure function from request to reply, and a loopback listener.
