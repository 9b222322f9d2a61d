//! The one integration test binary.

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
