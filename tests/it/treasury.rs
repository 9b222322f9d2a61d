//! The treasury and the books: the switch for outgoing money, the comparison with the chain, `ledger verify`, statements.

mod books;
mod reconcile;
mod statement;
mod switch;
