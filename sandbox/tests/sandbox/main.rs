//! The sandbox's servers, driven over their real protocols by the clients that production uses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod circle;
mod evm;
mod s3;
mod smtp;
