//! What administrators see and do.

mod audit;
