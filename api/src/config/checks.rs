//! What makes a value wrong or unsafe. Each check answers with words to be read after the setting's name.

use std::{net::IpAddr, ops::RangeInclusive, str::FromStr};

use domain::entities::Usdc;
use secrecy::SecretString;
use url::{Host, Url};

/// Pieces of secrets that stand in tutorials and examples.
const EXAMPLES: [&str; 10] = [
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "example",
    "your-",
    "your_",
    "secret-key",
    "supersecret",
    "password",
];

/// How the keys begin that every development node knows, and the key of the sandbox's token. Eight digits tell a key.
const KNOWN_KEYS: [&str; 11] = [
    "ac0974be", "59c6995e", "5de4111a", "7c852118", "47e179ec", "8b3a350c", "92db14e4", "4bbbf85c",
    "dbda1821", "2a871d07", "ebf6f0ae",
];

/// The chains that development nodes make.
pub(super) const LOCAL_CHAINS: [u64; 2] = [1337, 31_337];

/// A secret that signs: long enough, and nobody else's.
pub(super) fn signing_secret(text: &str) -> Result<(), String> {
    if text.len() < 32 {
        return Err(format!("is too short: it has {} bytes, and needs 32", text.len()));
    }
    let lower = text.to_lowercase();
    let mut distinct: Vec<char> = text.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 12 || EXAMPLES.iter().any(|example| lower.contains(example)) {
        return Err("is unsafe: it looks like an example, or is easy to guess".to_owned());
    }
    Ok(())
}

/// A private key, and not one that the whole world has.
pub(super) fn private_key(text: &str, chain_id: Option<u64>) -> Result<(), String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).to_lowercase();
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("is not a private key of 32 bytes in hexadecimal".to_owned());
    }
    let local = chain_id.is_none_or(|id| LOCAL_CHAINS.contains(&id));
    if !local && KNOWN_KEYS.iter().any(|known| digits.starts_with(known)) {
        return Err("is unsafe: it is a development key that everybody has".to_owned());
    }
    Ok(())
}

/// A key that goes into a header.
pub(super) fn api_key(text: &str) -> Result<SecretString, String> {
    if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("is no API key: those are long, and without spaces".to_owned());
    }
    Ok(text.into())
}

/// A database that we can open and that outlives the process.
pub(super) fn database(text: &str) -> Result<(), String> {
    if text.contains(":memory:") || text.contains("mode=memory") {
        return Err("is unsafe: a database in memory is gone with the process".to_owned());
    }
    let known = ["sqlite:", "postgres://", "postgresql://"];
    if !known.iter().any(|scheme| text.starts_with(scheme)) {
        return Err("is neither SQLite's nor PostgreSQL's".to_owned());
    }
    Ok(())
}

/// A web address with one of these schemes.
pub(super) fn url(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not an address: {error}"))?;
    if !schemes.contains(&url.scheme()) || url.host().is_none() {
        return Err(format!("does not begin with {}://", schemes.join(":// or ")));
    }
    Ok(url)
}

/// A web address that nobody between can read, or that does not leave the machine.
pub(super) fn private_url(text: &str) -> Result<Url, String> {
    let url = url(text, &["https", "http"])?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err("is unsafe: outside this machine it has to be https".to_owned());
    }
    Ok(url)
}

/// An address that paths are joined to, and that may be shown: it holds no key.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    let url = private_url(text)?;
    let open = url.username().is_empty() && url.password().is_none();
    if !open || url.query().is_some() || url.fragment().is_some() {
        return Err("holds more than scheme, host, port and path".to_owned());
    }
    Ok(url)
}

/// A key that is sent in a header.
pub(super) fn token(text: &str) -> Result<SecretString, String> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(text.into())
    } else {
        Err("is no key: it holds a space, or a sign that no key has".to_owned())
    }
}

/// Where people reach us: links are made by joining paths to it.
pub(super) fn public_url(text: &str) -> Result<Url, String> {
    let url = private_url(text)?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !plain || !url.username().is_empty() || url.password().is_some() {
        return Err("holds more than scheme, host and port".to_owned());
    }
    Ok(url)
}

/// A mail server, over TLS unless it is on this machine.
pub(super) fn smtp(text: &str) -> Result<(), String> {
    let url = url(text, &["smtps", "smtp"])?;
    let tls = url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
    if url.scheme() == "smtp" && !tls && !is_loopback(&url) {
        return Err("is unsafe: without tls=required the password and all mails go in clear text".to_owned());
    }
    Ok(())
}

/// A sender, as `Name <address>` or an address alone.
pub(super) fn sender(text: &str) -> Result<String, String> {
    let address = text.rsplit_once('<').map_or(Some(text), |(_, rest)| rest.strip_suffix('>'));
    let parts = address.and_then(|address| address.trim().rsplit_once('@'));
    match parts {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() => Ok(text.to_owned()),
        _ => Err("is not a mail address".to_owned()),
    }
}

/// Origins of pages, with commas between.
pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    origins
        .map(|origin| {
            let known = origin == "*"
                || url(origin, &["https", "http"])
                    .is_ok_and(|url| url.origin().ascii_serialization() == origin.trim_end_matches('/'));
            if known { Ok(origin.to_owned()) } else { Err(format!("names {origin}, which is not an origin")) }
        })
        .collect()
}

/// A switch.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

/// An amount of USDC, nothing or more.
pub(super) fn usdc(text: &str) -> Result<Usdc, String> {
    let amount: Usdc = text.parse().map_err(|error| format!("is no amount of USDC: {error}"))?;
    if amount < Usdc::ZERO { Err("is less than nothing".to_owned()) } else { Ok(amount) }
}

/// A whole number within limits.
pub(super) fn number<T>(text: &str, limits: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let (least, most) = (limits.start(), limits.end());
    text.parse()
        .ok()
        .filter(|number| limits.contains(number))
        .ok_or_else(|| format!("is not a number from {least} to {most}"))
}

/// Blocks until a deposit counts, and more of them from an amount on: `12,1000:24`.
pub(super) fn confirmations(text: &str) -> Result<(u32, Vec<(Usdc, u32)>), String> {
    let mut parts = text.split(',').map(str::trim);
    let least = number(parts.next().unwrap_or_default(), 1..=1000)?;
    let mut tiers: Vec<(Usdc, u32)> = Vec::new();
    for part in parts {
        let (from, blocks) =
            part.split_once(':').ok_or_else(|| format!("has no amount:blocks in {part:?}"))?;
        let tier = (whole_usdc(from)?, number(blocks, 1..=1000)?);
        let (amount, before) = tiers.last().copied().unwrap_or((Usdc::ZERO, least));
        if tier.0 <= amount || tier.1 < before {
            return Err("does not rise: give amounts and blocks in rising order".to_owned());
        }
        tiers.push(tier);
    }
    Ok((least, tiers))
}

/// An amount in whole USDC, or `off`.
pub(super) fn limit(text: &str) -> Result<Option<Usdc>, String> {
    if text == "off" { Ok(None) } else { whole_usdc(text).map(Some) }
}

fn whole_usdc(text: &str) -> Result<Usdc, String> {
    let whole = number(text, 1..=1_000_000_000_i64)?;
    Usdc::whole(whole).ok_or_else(|| "is too much".to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // A scheme that the URL standard does not know keeps its address as a name.
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name.ends_with(".localhost")
                || name.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        None => false,
    }
}
