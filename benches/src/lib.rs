//! Benchmarks of Orthros.
