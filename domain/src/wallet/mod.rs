//! Wallets: an EVM address belongs to the one person who proved that they hold its key.

mod find;
mod link;
mod payout;

pub use find::{find, of_user, of_users, owner_of, payout_wallet, visible};
pub use link::{link_begin, link_complete};
pub use payout::set_payout;
