//! The one integration test binary.

mod contract;
mod market;
mod project;
mod proposal;
mod queue;
mod money;
mod support;
