//! What a newcomer sees once everything runs.

use std::{fmt::Write as _, path::Path};

use api::{
    http::{graphiql, sandbox::Info},
    seed::{PASSWORD, SIGN_INS},
};
use url::Url;

use super::tokens::Token;
use crate::{Result, commands::output::say};

/// Prints where everything is, and who to be.
pub(super) fn show(url: &Url, data: &Path, info: &Info, tokens: &[Token]) -> Result<()> {
    say(text(url, data, info, tokens)?)
}

fn text(url: &Url, data: &Path, info: &Info, tokens: &[Token]) -> Result<String> {
    let mut text = String::from("\nMegiLance is ready.\n\n");
    for (name, path) in [
        ("GraphiQL", ""),
        ("API", "graphql"),
        ("Sandbox", "sandbox"),
        ("Mailbox", "sandbox/mail"),
        ("Wallet", "sandbox/wallet"),
        ("Health", "readyz"),
    ] {
        writeln!(text, "  {name:<11} {}", url.join(path)?)?;
    }
    let Info { rpc_url, chain_id, usdc_address, s3_endpoint, bucket, smtp_url, circle_url, .. } = info;
    writeln!(text, "\n  Chain RPC   {rpc_url}  (chain {chain_id}, USDC {usdc_address})")?;
    writeln!(text, "  S3          {s3_endpoint}  (bucket {bucket})")?;
    writeln!(text, "  SMTP        {smtp_url}")?;
    if let Some(url) = circle_url {
        writeln!(text, "  Circle      {url}  (pays out)")?;
    }
    writeln!(text, "  Data        {}  (delete it to begin again)", data.display())?;
    writeln!(text, "\nDemo people, all with the password {PASSWORD}:\n")?;
    for (role, email) in SIGN_INS {
        writeln!(text, "  {role:<11} {email}")?;
        if let Some(token) = tokens.iter().find(|token| token.role == role) {
            writeln!(text, "    Authorization: Bearer {}\n", token.bearer)?;
        }
    }
    if !graphiql::bundled() {
        writeln!(text, "GraphiQL was built without npm: its page loads from a CDN.\n")?;
    }
    text.push_str("Stop it with Ctrl-C.");
    Ok(text)
}
