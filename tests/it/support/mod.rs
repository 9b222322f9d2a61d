//! What every test stands on: the real router and App over a database of its own, a sandbox of its own, and
//! a clock that stands still until it is moved.

pub mod database;
pub mod invariants;
mod market;
mod people;
pub mod proxy;
mod requests;
mod world;

pub use market::{Deal, new_key};
pub use people::{PASSWORD, Someone, text};
pub use requests::{calling, errors, ok, post, with};
pub use world::{ASSISTANT_KEY, CONFIRMATIONS, TestApp};
