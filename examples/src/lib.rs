//! Programs that show how Orthros is used: `cargo run -p examples --example NAME`.
//!
//! | name | what it shows |
//! |---|---|
//! | `kdc_over_http` | a driver of the caller's own: requests reach the KDC by plain HTTP |
//!
//! Each brings a realm of its own and reaches nothing beyond this machine; `cargo test` runs each (see
//! `tests/run.rs`).
