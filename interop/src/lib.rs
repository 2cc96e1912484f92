//! Scenarios that run Orthros against real peers.
