//! What GraphiQL's example tabs are filled with.

use std::{collections::BTreeMap, sync::Arc};

use api::http::{Tabs, graphiql::example_tabs};

use super::tokens::Tokens;
use crate::seed::{Demo, money::Money};

/// The ids in the examples, by placeholder.
pub(super) fn values(demo: &Demo, money: &Money) -> BTreeMap<&'static str, String> {
    let market = &demo.market;
    let values = [
        ("open_project", Some(market.open_project.to_string())),
        ("submitted_proposal", Some(market.submitted_proposal.to_string())),
        ("pending_contract", market.pending_contract.as_ref().map(|contract| contract.id.to_string())),
        ("category", Some(demo.category.to_string())),
        ("skill", demo.skills.first().map(ToString::to_string)),
        ("unfunded_milestone", money.unfunded.map(|id| id.to_string())),
        ("awaiting_payment", money.awaiting.map(|id| id.to_string())),
        ("funded_milestone", money.funded.map(|id| id.to_string())),
        ("submitted_milestone", money.submitted.map(|id| id.to_string())),
        ("refundable_milestone", money.refundable.map(|id| id.to_string())),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The tabs at each visit, with the tokens that are good then.
pub(super) fn source(values: BTreeMap<&'static str, String>, tokens: Tokens) -> Tabs {
    Arc::new(move || {
        let mut values = values.clone();
        for token in tokens.bearers() {
            let name = match token.role.as_str() {
                "client" => "client_token",
                "freelancer" => "freelancer_token",
                "admin" => "admin_token",
                _ => continue,
            };
            values.insert(name, token.bearer);
        }
        example_tabs(&values)
    })
}
