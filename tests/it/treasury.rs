//! The treasury: the switch for outgoing money.

mod switch;
