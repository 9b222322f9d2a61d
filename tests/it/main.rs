//! The one integration test binary.

#![expect(unreachable_pub, reason = "nobody links against a test binary")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is wrong, in its helpers too"
)]

mod arrows;
mod config;
mod contract;
mod market;
mod project;
mod proposal;
mod http;
mod queue;
mod money;
mod support;
mod account;
mod wallet;
mod notification;
mod upload;
mod schema;
