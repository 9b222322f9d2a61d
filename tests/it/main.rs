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
mod amendment;
mod arrows;
mod assistant;
mod bonus;
mod category;
mod circle;
mod config;
mod contract;
mod days;
mod deposit;
mod dispute;
mod faults;
mod http;
mod idempotency;
mod invariants;
mod invitation;
mod job;
mod market;
mod matching;
mod matrix;
mod milestone;
mod model;
mod money;
mod notification;
mod payout;
mod portfolio;
mod project;
mod proposal;
mod queue;
mod review;
mod rules;
mod saved;
mod schedule;
mod schema;
mod search;
mod seed;
mod skill;
mod statements;
mod support;
mod tenants;
mod treasury;
mod upload;
mod wallet;
