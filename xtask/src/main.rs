//! The project's own tasks: test, faults, fuzz, figures.

fn main() {}
