//! The treasury: what we hold on the chain and at Circle, whether it is what the books say, and the switch that keeps it from
//! going out.

pub mod circle;
pub mod compare;
pub mod overview;
pub mod reconcile;
pub mod switch;
