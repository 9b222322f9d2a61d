//! The settings: the only reader of the environment. Everything is checked at start, and everything that is wrong is
//! named at once, with its cure.

mod checks;
mod reader;
mod settings;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use domain::{
    Settings,
    entities::Usdc,
    ports::{
        chain::{Address, keystore_key},
        circle::chain_name,
    },
    settings::{
        AssistantBudget, AssistantSettings, CircleSettings, EvmSettings, LargeDeposits, MailSettings,
        StorageSettings,
    },
};
use secrecy::SecretString;

use reader::Reader;
pub use reader::{Lookup, Problem, Problems};
pub use settings::{ALL, RESERVED, Setting};

/// How long an access token is good in production.
const ACCESS_TOKEN_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a session lives without being refreshed.
const SESSION_TTL: Duration = Duration::from_secs(30 * 24 * 3600);
/// A payout of more than 10,000 USDC needs two administrators, unless something else is set.
const APPROVAL_ABOVE: Usdc = Usdc(10_000 * Usdc::SCALE);
/// How long between two looks at the chain.
const CHAIN_POLL: Duration = Duration::from_secs(4);
/// From which amount on a deposit's block has to be final: 10,000 USDC.
const FINALIZED_FROM: Option<Usdc> = Some(Usdc(10_000 * Usdc::SCALE));
/// Memory of one Argon2id hash, 46 MiB: OWASP's first choice, with one pass. It is also more than the 32 MiB up to which
/// glibc keeps freed blocks: its second choice, 19 MiB with two passes, left 95 MiB behind after five hashes.
pub const ARGON2_MEMORY_KIB: u32 = 46 * 1024;
/// Where the assistant is when nothing else is set, and its models: the cheapest that do.
const OPENAI: &str = "https://api.openai.com/v1";
const EMBEDDING_MODEL: &str = "text-embedding-3-small";
const CHAT_MODEL: &str = "gpt-4o-mini";
/// Where `healthcheck` asks when nothing else is set, and where `dev` listens.
const USUAL_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Everything that a process can be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database is; may hold a password.
    pub database_url: SecretString,
    /// What the domain is told.
    pub settings: Settings,
    /// The chain.
    pub chain: EvmSettings,
    /// A second node of that chain.
    pub witness: Option<EvmSettings>,
    /// Circle, where it is to pay out.
    pub circle: Option<CircleSettings>,
    /// The bucket.
    pub storage: StorageSettings,
    /// The mail server.
    pub mail: MailSettings,
    /// The language model, where there is one.
    pub assistant: Option<AssistantSettings>,
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// Other sites whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// Whether GraphiQL is at `/`.
    pub graphiql: bool,
    /// How many proxies of ours stand before this server.
    pub forwarded_hops: usize,
    /// Where errors are reported.
    pub sentry_dsn: Option<SecretString>,
}

impl Config {
    /// The settings of a production process, from the environment.
    ///
    /// # Errors
    /// Every setting that is missing, wrong or unsafe.
    pub fn from_env() -> Result<Self, Problems> {
        Self::read(&environment)
    }

    /// The same from anywhere.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn read(lookup: Lookup<'_>) -> Result<Self, Problems> {
        let mut reader = Reader::new(lookup);
        let config = read_all(&mut reader);
        reader.done(config)
    }

    /// `DATABASE_URL` alone: for commands that need nothing else.
    ///
    /// # Errors
    /// When it is missing or wrong.
    pub fn database_from_env() -> Result<SecretString, Problems> {
        let mut reader = Reader::new(&environment);
        let url = reader.secret(settings::DATABASE_URL, checks::database);
        reader.done(url)
    }

    /// `LISTEN_ADDR` alone, or where `dev` listens.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn listen_from_env() -> Result<SocketAddr, Problems> {
        let mut reader = Reader::new(&environment);
        let address = reader.optional(settings::LISTEN_ADDR, address);
        reader.done(Some(address.unwrap_or(USUAL_ADDRESS)))
    }
}

/// What the environment wants logged.
pub fn log_filter() -> Option<String> {
    environment(settings::RUST_LOG.name)
}

/// Which failpoints are to be armed, for tests of the whole process: docs/FAULTS.md. No setting: a release has none.
pub fn failpoints() -> Option<String> {
    environment("FAILPOINTS")
}

/// Which reserved names are set: they change nothing yet.
pub fn reserved_in_env() -> impl Iterator<Item = &'static str> {
    RESERVED.iter().copied().filter(|name| environment(name).is_some())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads every setting before it gives up on any, so that all problems are found.
fn read_all(reader: &mut Reader<'_>) -> Option<Config> {
    use settings::*;
    let database_url = reader.secret(DATABASE_URL, checks::database);
    let jwt_secret = reader.secret(JWT_SECRET, checks::signing_secret);
    let public_url = reader.parsed(PUBLIC_URL, checks::public_url);
    let listen = reader.parsed(LISTEN_ADDR, address);
    let cors_origins = reader.optional(CORS_ORIGINS, checks::origins).unwrap_or_default();
    let graphiql = reader.optional(GRAPHIQL, checks::switch).unwrap_or(false);
    let introspection = reader.optional(GRAPHQL_INTROSPECTION, checks::switch).unwrap_or(true);
    let forwarded_hops = reader.optional(TRUSTED_PROXIES, |text| checks::number(text, 0..=10)).unwrap_or(0);
    let (confirmations, tiers) =
        reader.optional(CHAIN_CONFIRMATIONS, checks::confirmations).unwrap_or((12, Vec::new()));
    let finalized_from = reader.optional(CHAIN_FINALIZED_ABOVE, checks::limit).unwrap_or(FINALIZED_FROM);
    let second = reader.optional(BLOCKCHAIN_PROVIDER_URL_2, |text| checks::url(text, &["https", "http"]));
    let rest_hours = reader.optional(WALLET_REST_HOURS, |text| checks::number(text, 0..=720)).unwrap_or(24);
    let approval_above = reader.optional(PAYOUT_APPROVAL_ABOVE, checks::usdc).unwrap_or(APPROVAL_ABOVE);
    let sentry_dsn = reader.optional(SENTRY_DSN, dsn);
    let chain = chain(reader);
    let circle = circle(reader, chain.as_ref().map(|chain| chain.chain_id));
    let storage = storage(reader);
    let mail = mail(reader);
    let assistant = assistant(reader);
    let assistant_budget = assistant_budget(reader);
    Some(Config {
        database_url: database_url?,
        settings: Settings {
            public_url: public_url?,
            jwt_secret: jwt_secret?,
            access_token_ttl: ACCESS_TOKEN_TTL,
            session_ttl: SESSION_TTL,
            confirmations,
            approval_above: Some(approval_above),
            large_deposits: LargeDeposits { tiers, finalized_from },
            wallet_rest: Duration::from_secs(rest_hours * 3600),
            chain_poll: CHAIN_POLL,
            assistant_budget,
            introspection,
            argon2_memory_kib: ARGON2_MEMORY_KIB,
        },
        witness: second.zip(chain.clone()).map(|(rpc_url, chain)| EvmSettings { rpc_url, ..chain }),
        chain: chain?,
        circle,
        storage: storage?,
        mail: mail?,
        assistant,
        listen: listen?,
        cors_origins,
        graphiql,
        forwarded_hops,
        sentry_dsn,
    })
}

fn chain(reader: &mut Reader<'_>) -> Option<EvmSettings> {
    use settings::*;
    let rpc_url = reader.parsed(BLOCKCHAIN_PROVIDER_URL, |text| checks::url(text, &["https", "http"]));
    let chain_id = reader.parsed(CHAIN_ID, |text| checks::number(text, 1..=u64::from(u32::MAX)));
    let usdc = reader.parsed(USDC_CONTRACT_ADDRESS, |text| {
        Address::parse_user_input(text).map_err(|error| format!("is no contract's address: {error}"))
    });
    let treasury_key = treasury_key(reader, chain_id);
    Some(EvmSettings { rpc_url: rpc_url?, chain_id: chain_id?, usdc: usdc?, treasury_key: treasury_key? })
}

/// Both or neither: with Circle, payouts are its.
fn circle(reader: &mut Reader<'_>, chain_id: Option<u64>) -> Option<CircleSettings> {
    use settings::*;
    let api_key = reader.optional(CIRCLE_API_KEY, checks::api_key);
    let api_url = reader.optional(CIRCLE_API_URL, checks::private_url);
    match (reader.text(CIRCLE_API_KEY), reader.text(CIRCLE_API_URL)) {
        (Some(_), None) => reader.wrong(CIRCLE_API_URL, "is missing beside CIRCLE_API_KEY"),
        (None, Some(_)) => reader.wrong(CIRCLE_API_KEY, "is missing beside CIRCLE_API_URL"),
        (Some(_), Some(_)) if chain_id.is_some_and(|id| chain_name(id).is_none()) => {
            reader.wrong(CIRCLE_API_KEY, "is of no use: Circle does not pay on the chain of CHAIN_ID");
        }
        _ => {}
    }
    Some(CircleSettings { api_url: api_url?, api_key: api_key? })
}

/// The key that signs payouts: out of a keystore, or as it is.
fn treasury_key(reader: &mut Reader<'_>, chain_id: Option<u64>) -> Option<SecretString> {
    use settings::*;
    let keystore = reader.text(TREASURY_KEYSTORE);
    let password = reader.text(TREASURY_PASSWORD);
    match (keystore, password) {
        (Some(_), _) if reader.text(TREASURY_PRIVATE_KEY).is_some() => {
            reader.wrong(TREASURY_PRIVATE_KEY, "is set beside TREASURY_KEYSTORE: leave out one of the two");
            None
        }
        (Some(file), Some(password)) => match keystore_key(Path::new(&file), &password.into()) {
            Ok(key) => Some(key),
            Err(error) => {
                reader.wrong(TREASURY_KEYSTORE, format!("is of no use: {error}"));
                None
            }
        },
        (Some(_), None) => {
            reader.wrong(TREASURY_PASSWORD, "is missing");
            None
        }
        (None, Some(_)) if reader.text(TREASURY_PRIVATE_KEY).is_none() => {
            reader.wrong(TREASURY_KEYSTORE, "is missing");
            None
        }
        (None, _) => reader.secret(TREASURY_PRIVATE_KEY, |text| checks::private_key(text, chain_id)),
    }
}

fn storage(reader: &mut Reader<'_>) -> Option<StorageSettings> {
    use settings::*;
    let bucket = reader.required(S3_BUCKET);
    let region = reader.required(AWS_REGION);
    let endpoint = reader.optional(S3_ENDPOINT, checks::private_url);
    let path_style = reader.optional(S3_PATH_STYLE, checks::switch).unwrap_or(endpoint.is_some());
    let credentials = match (reader.text(AWS_ACCESS_KEY_ID), reader.text(AWS_SECRET_ACCESS_KEY)) {
        // The SDK reads temporary keys by itself, and renews them.
        (Some(_), Some(_)) if reader.text(AWS_SESSION_TOKEN).is_some() => None,
        (Some(id), Some(secret)) => Some((id, secret.into())),
        (None, None) => None,
        (Some(_), None) => {
            reader.wrong(AWS_SECRET_ACCESS_KEY, "is missing beside AWS_ACCESS_KEY_ID");
            None
        }
        (None, Some(_)) => {
            reader.wrong(AWS_ACCESS_KEY_ID, "is missing beside AWS_SECRET_ACCESS_KEY");
            None
        }
    };
    Some(StorageSettings { bucket: bucket?, region: region?, endpoint, path_style, credentials })
}

fn mail(reader: &mut Reader<'_>) -> Option<MailSettings> {
    use settings::*;
    let smtp_url = reader.secret(SMTP_URL, checks::smtp);
    let from = reader.parsed(MAIL_FROM, checks::sender);
    Some(MailSettings { smtp_url: smtp_url?, from: from? })
}

/// None without a key; a problem with any of them is noted, and then nothing is built of this.
fn assistant(reader: &mut Reader<'_>) -> Option<AssistantSettings> {
    use settings::*;
    let base_url = reader.optional(OPENAI_BASE_URL, checks::base_url);
    let embedding_model = reader.text(OPENAI_EMBEDDING_MODEL);
    let chat_model = reader.text(OPENAI_CHAT_MODEL);
    if reader.text(OPENAI_API_KEY).is_none() {
        let more = [
            OPENAI_BASE_URL,
            OPENAI_EMBEDDING_MODEL,
            OPENAI_CHAT_MODEL,
            OPENAI_DAILY_EMBEDDINGS,
            OPENAI_DAILY_DRAFTS,
        ];
        let alone = more.into_iter().find(|setting| reader.text(*setting).is_some());
        if let Some(setting) = alone {
            reader.wrong(OPENAI_API_KEY, format!("is missing beside {}", setting.name));
        }
        return None;
    }
    let api_key = reader.optional(OPENAI_API_KEY, checks::token);
    Some(AssistantSettings {
        base_url: base_url.or_else(|| OPENAI.parse().ok())?,
        api_key: api_key?,
        embedding_model: embedding_model.unwrap_or_else(|| EMBEDDING_MODEL.to_owned()),
        chat_model: chat_model.unwrap_or_else(|| CHAT_MODEL.to_owned()),
    })
}

/// How much the assistant is asked a day.
fn assistant_budget(reader: &mut Reader<'_>) -> AssistantBudget {
    use settings::*;
    let usual = AssistantBudget::default();
    let number = |text: &str| checks::number(text, 0..=1_000_000_000);
    AssistantBudget {
        embeddings: reader.optional(OPENAI_DAILY_EMBEDDINGS, number).unwrap_or(usual.embeddings),
        drafts: reader.optional(OPENAI_DAILY_DRAFTS, number).unwrap_or(usual.drafts),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "is not an address and a port".to_owned())
}

fn dsn(text: &str) -> Result<SecretString, String> {
    let parsed: Result<sentry::types::Dsn, _> = text.parse();
    parsed.map(|_| text.into()).map_err(|error| format!("is not a DSN: {error}"))
}
