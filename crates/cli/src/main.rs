//! The command orthros: tickets, contexts, an embedded KDC, and why authentication fails.

fn main() {}
