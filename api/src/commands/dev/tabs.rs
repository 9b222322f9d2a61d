//! What GraphiQL's example tabs are filled with.

use std::sync::Arc;

use api::{
    http::{Tabs, graphiql::example_tabs},
    seed::{Values, times},
};
use domain::Clock;

use super::tokens::Tokens;

/// The tabs at each visit, with the tokens that are good then.
pub(super) fn source(values: Values, tokens: Tokens, clock: Clock) -> Tabs {
    Arc::new(move || {
        let mut values = values.clone();
        values.extend(times(&clock));
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
