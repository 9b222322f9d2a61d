//! What the world sees: the GraphQL schema and the router that serves it. Tests start the very same things.

pub mod auth;
pub mod config;
pub mod error;
pub mod graphql;
pub mod http;
pub mod loaders;
pub mod seed;
pub mod telemetry;

pub use graphql::schema;
