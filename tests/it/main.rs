//! The one integration test binary.

mod queue;
mod money;
mod support;
