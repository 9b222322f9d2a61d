//! One file a table: SeaORM rows, relations and scoped finders. No rules live here: those are in `domain`.

pub mod enums;
pub mod ids;
pub mod money;

pub mod account_token;
pub mod amendment_change;
pub mod assistant_meter;
pub mod assistant_share;
pub mod audit_entry;
pub mod audit_head;
pub mod category;
pub mod chain_cursor;
pub mod chain_nonce;
pub mod chain_transaction;
pub mod chain_transfer;
pub mod circle_notification;
pub mod circle_payout;
pub mod circle_recipient;
pub mod contract;
pub mod contract_amendment;
pub mod deposit_hint;
pub mod dispute;
pub mod dispute_evidence;
pub mod event;
pub mod fee_schedule;
pub mod idempotency_key;
pub mod invitation;
pub mod ledger_account;
pub mod ledger_posting;
pub mod ledger_transfer;
pub mod mail;
pub mod milestone;
pub mod notification;
pub mod object_deletion;
pub mod payment;
pub mod portfolio_item;
pub mod project;
pub mod project_skill;
pub mod project_text;
pub mod proposal;
pub mod proposed_milestone;
pub mod reconciliation;
pub mod review;
pub mod saved_freelancer;
pub mod saved_project;
pub mod scheduled_task;
pub mod session;
pub mod skill;
pub mod submission;
pub mod treasury_move;
pub mod treasury_switch;
pub mod unallocated_deposit;
pub mod upload;
pub mod user;
pub mod user_skill;
pub mod user_text;
pub mod wallet;
pub mod wallet_challenge;

pub use enums::*;
pub use ids::*;
pub use money::{MoneyError, Usdc};

/// The names of all tables: what a database of ours may hold.
pub fn tables() -> Vec<&'static str> {
    use sea_orm::EntityName as _;
    macro_rules! names {
        ($($table:ident)*) => { vec![$($table::Entity.table_name()),*] };
    }
    names! {
        account_token
        amendment_change
        assistant_meter
        assistant_share
        audit_entry
        audit_head
        category
        chain_cursor
        chain_nonce
        chain_transaction
        chain_transfer
        circle_notification
        circle_payout
        circle_recipient
        contract
        contract_amendment
        deposit_hint
        dispute
        dispute_evidence
        event
        fee_schedule
        idempotency_key
        invitation
        ledger_account
        ledger_posting
        ledger_transfer
        mail
        milestone
        notification
        object_deletion
        payment
        portfolio_item
        project
        project_skill
        project_text
        proposal
        proposed_milestone
        reconciliation
        review
        saved_freelancer
        saved_project
        scheduled_task
        session
        skill
        submission
        treasury_move
        treasury_switch
        unallocated_deposit
        upload
        user
        user_skill
        user_text
        wallet
        wallet_challenge
    }
}
