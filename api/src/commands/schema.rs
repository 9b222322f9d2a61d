//! `megilance schema`.

use clap::Args;

use super::output::say;
use crate::Result;

/// Print the GraphQL schema in its definition language, sorted, so that two prints differ only where the schema does.
#[derive(Debug, Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(super) fn run(self) -> Result<()> {
        say(api::graphql::sdl().trim_end())
    }
}
