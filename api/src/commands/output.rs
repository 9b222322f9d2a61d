//! What a command says on stdout. The log goes to stderr, so that this can be piped.

use std::io::{self, Write as _};

use crate::Result;

/// Writes a text and ends the line.
pub(super) fn say(text: impl std::fmt::Display) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}
