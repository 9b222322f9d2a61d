//! What administrators see and do.

mod analytics;
mod audit;
mod fees;
mod fraud;
mod lists;
mod retry;
mod suspension;
