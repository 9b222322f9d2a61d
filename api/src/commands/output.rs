//! What a command says on stdout. The log goes to stderr, so that this can be piped.

use std::io::{self, Write as _};

use crate::Result;

/// Writes a text and ends the line. Nobody listening any more (`| head`) is no error.
pub(super) fn say(text: impl std::fmt::Display) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
