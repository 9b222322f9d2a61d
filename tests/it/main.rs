//! The one integration test binary.

mod queue;
