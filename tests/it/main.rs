//! The one integration test binary.

#![expect(unreachable_pub, reason = "nobody links against a test binary")]
#![expect(clippy::disallowed_methods, reason = "names and keys of tests need no App")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is wrong, in its helpers too"
)]

mod account;
mod admin;
mod arrows;
mod config;
mod contract;
mod http;
mod job;
mod market;
mod matrix;
mod money;
mod notification;
mod project;
mod proposal;
mod queue;
mod schedule;
mod schema;
mod support;
mod upload;
mod wallet;
