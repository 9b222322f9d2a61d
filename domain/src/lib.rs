//! What is true: services, state machines, money, policy, and the ports to the outside.
//!
//! A service goes straight down: begin, load locked, authorise, transition, write, enqueue, commit.

use std::sync::Arc;

pub mod actor;
pub mod check;
pub mod clock;
pub mod db;
pub mod error;
pub mod events;
pub mod fault;
#[cfg(test)]
mod fixture;
pub mod idempotency;
#[cfg(test)]
mod life_cycle;
pub mod money;
pub mod page;
pub mod policy;
pub mod ports;
pub mod queue;
pub mod schedule;
pub mod search;
pub mod settings;

pub mod account;
pub mod amendment;
pub mod analytics;
mod assistant;
pub mod audit;
pub mod category;
pub mod contract;
pub mod dispute;
pub mod draft;
pub mod fee;
pub mod fraud;
pub mod invitation;
pub mod ledger;
pub mod matching;
pub mod milestone;
pub mod notification;
pub mod payment;
pub mod portfolio;
pub mod price;
pub mod project;
pub mod proposal;
pub mod review;
pub mod saved;
pub mod skill;
pub mod tidy;
pub mod treasury;
pub mod upload;
pub mod wallet;

pub use actor::{Actor, Person};
pub use clock::Clock;
pub use db::{Db, Purpose, Tx};
/// The rows: `api` and `jobs` reach them through here, so that the crate arrows stay few.
pub use entities;
pub use error::{Code, Error, Problem, Result};
pub use settings::Settings;

use ports::{chain::Chain, circle::Circle, mail::Mail, openai::Assistant, storage::Storage};

/// Everything a service needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Time and ids.
    pub clock: Clock,
    /// The plain settings.
    pub settings: Arc<Settings>,
    /// The EVM chain.
    pub chain: Arc<dyn Chain>,
    /// A second node of it: nothing is credited that it does not show too.
    pub witness: Option<Arc<dyn Chain>>,
    /// Circle, where it pays out instead of the chain's treasury.
    pub circle: Option<Arc<dyn Circle>>,
    /// The bucket.
    pub storage: Arc<dyn Storage>,
    /// The mail server.
    pub mail: Arc<dyn Mail>,
    /// A language model; None where this deployment has none.
    pub assistant: Option<Arc<dyn Assistant>>,
}
