//! One file a table: SeaORM rows, relations and scoped finders. No rules live here: those are in `domain`.

pub mod enums;
pub mod ids;
pub mod money;

pub mod account_token;
pub mod category;
pub mod chain_cursor;
pub mod chain_nonce;
pub mod chain_transaction;
pub mod chain_transfer;
pub mod contract;
pub mod deposit_hint;
pub mod event;
pub mod fee_schedule;
pub mod idempotency_key;
pub mod ledger_account;
pub mod ledger_posting;
pub mod ledger_transfer;
pub mod mail;
pub mod milestone;
pub mod notification;
pub mod object_deletion;
pub mod payment;
pub mod project;
pub mod project_skill;
pub mod proposal;
pub mod proposed_milestone;
pub mod session;
pub mod skill;
pub mod submission;
pub mod upload;
pub mod user;
pub mod user_skill;
pub mod wallet;
pub mod wallet_challenge;

pub use enums::*;
pub use ids::*;
pub use money::{MoneyError, Usdc};
