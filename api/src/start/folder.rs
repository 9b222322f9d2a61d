//! The data folder of `megilance dev`: everything that outlives a restart.
//!
//! `secrets.json` is made once and readable by its owner alone. `sandbox.json` remembers where everything listened, so
//! that links survive a restart. `clock.json` holds how far the clock was moved. Each is replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use api::config::{ARGON2_MEMORY_KIB, Config};
use domain::{
    Settings, clock,
    settings::{AssistantBudget, CircleSettings, EvmSettings, LargeDeposits, MailSettings, StorageSettings},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;

use crate::Result;

/// The sandbox's chain id: what development chains have.
pub(crate) const CHAIN_ID: u64 = 31_337;
/// The sandbox's bucket and its region.
pub(crate) const BUCKET: &str = "megilance";
pub(crate) const REGION: &str = "us-east-1";
/// The key of the sandbox's Circle: its money is worth nothing.
pub(crate) const CIRCLE_KEY: &str = "SAND_API_KEY:megilance:dev";
/// Who signs in today to try things out goes on tomorrow.
const ACCESS_TOKEN_TTL: Duration = Duration::from_secs(30 * 24 * 3600);
const SESSION_TTL: Duration = Duration::from_secs(90 * 24 * 3600);
/// Blocks until a deposit counts: enough to watch it being confirmed.
const CONFIRMATIONS: u32 = 3;
const CHAIN_POLL: Duration = Duration::from_millis(500);

/// An open data folder.
pub(crate) struct Folder {
    root: PathBuf,
    secrets: Secrets,
}

/// What is made once and never shown.
#[derive(Serialize, Deserialize)]
struct Secrets {
    jwt_secret: String,
    treasury_key: String,
    s3_access_key: String,
    s3_secret_key: String,
    /// The keys of the demo people's wallets are derived from it.
    wallet_seed: String,
}

/// Where everything listened last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Places {
    pub(crate) public_url: Url,
    pub(crate) rpc_url: Url,
    pub(crate) usdc_address: String,
    pub(crate) s3_endpoint: Url,
    pub(crate) smtp_url: Url,
    /// Where Circle is, when the last start asked for one.
    #[serde(default)]
    pub(crate) circle_url: Option<Url>,
}

#[derive(Serialize, Deserialize)]
struct Offset {
    microseconds: i64,
}

impl Folder {
    /// Opens the folder, and makes it with new secrets when it is not there.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let cannot = |error: io::Error| format!("the data folder {} cannot be used: {error}", root.display());
        fs::create_dir_all(root).map_err(cannot)?;
        let root = root.canonicalize().map_err(cannot)?;
        let ignore = root.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "# Secrets and demo data of `megilance dev`.\n*\n")?;
        }
        let secrets = match read(&root.join("secrets.json"))? {
            Some(secrets) => secrets,
            None => {
                let secrets = Secrets::new()?;
                replace(&root.join("secrets.json"), &secrets)?;
                secrets
            }
        };
        Ok(Self { root, secrets })
    }

    /// Opens a folder that `dev` has used before.
    pub(crate) fn open_existing(root: &Path) -> Result<Self> {
        if root.join("secrets.json").exists() {
            return Self::open(root);
        }
        Err(format!("{} is no data folder of `megilance dev`", root.display()).into())
    }

    /// A folder in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn database_url(&self) -> SecretString {
        format!("sqlite://{}?mode=rwc", self.path("megilance.db").display()).into()
    }

    pub(crate) fn s3_keys(&self) -> (String, String) {
        (self.secrets.s3_access_key.clone(), self.secrets.s3_secret_key.clone())
    }

    pub(crate) fn wallet_seed(&self) -> &str {
        &self.secrets.wallet_seed
    }

    /// Where everything listened last; `None` before the first start.
    pub(crate) fn places(&self) -> Result<Option<Places>> {
        read(&self.path("sandbox.json"))
    }

    pub(crate) fn remember(&self, places: &Places) -> Result<()> {
        Ok(replace(&self.path("sandbox.json"), places)?)
    }

    /// How far the clock was moved.
    pub(crate) fn offset(&self) -> Result<chrono::Duration> {
        let offset: Option<Offset> = read(&self.path("clock.json"))?;
        Ok(chrono::Duration::microseconds(offset.map_or(0, |offset| offset.microseconds)))
    }

    /// Keeps how far the clock was moved: for the sandbox's routes.
    pub(crate) fn offset_saver(&self) -> api::http::sandbox::SaveOffset {
        let file = self.path("clock.json");
        std::sync::Arc::new(move |offset| {
            let microseconds = offset.num_microseconds().ok_or(io::ErrorKind::InvalidInput)?;
            replace(&file, &Offset { microseconds })
        })
    }

    /// The settings as of the last start.
    pub(crate) fn config(&self) -> Result<Config> {
        let places = self.places()?.ok_or("`megilance dev` has not been run on this folder yet")?;
        self.config_at(&places)
    }

    /// The settings for these places.
    pub(crate) fn config_at(&self, places: &Places) -> Result<Config> {
        let port = places.public_url.port_or_known_default().unwrap_or(80);
        Ok(Config {
            database_url: self.database_url(),
            settings: Settings {
                public_url: places.public_url.clone(),
                jwt_secret: self.secrets.jwt_secret.clone().into(),
                access_token_ttl: ACCESS_TOKEN_TTL,
                session_ttl: SESSION_TTL,
                confirmations: CONFIRMATIONS,
                approval_above: None,
                large_deposits: LargeDeposits::default(),
                wallet_rest: Duration::ZERO,
                chain_poll: CHAIN_POLL,
                assistant_budget: AssistantBudget::default(),
                introspection: true,
                argon2_memory_kib: ARGON2_MEMORY_KIB,
            },
            chain: EvmSettings {
                rpc_url: places.rpc_url.clone(),
                chain_id: CHAIN_ID,
                usdc: places.usdc_address.parse()?,
                treasury_key: self.secrets.treasury_key.clone().into(),
            },
            witness: None,
            circle: places
                .circle_url
                .clone()
                .map(|api_url| CircleSettings { api_url, api_key: CIRCLE_KEY.into() }),
            storage: StorageSettings {
                bucket: BUCKET.to_owned(),
                region: REGION.to_owned(),
                endpoint: Some(places.s3_endpoint.clone()),
                path_style: true,
                credentials: Some((
                    self.secrets.s3_access_key.clone(),
                    self.secrets.s3_secret_key.clone().into(),
                )),
            },
            mail: MailSettings {
                smtp_url: places.smtp_url.to_string().into(),
                from: "MegiLance <no-reply@megilance.example>".to_owned(),
            },
            // A laptop's outside is the sandbox, and that has no model.
            assistant: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            cors_origins: Vec::new(),
            graphiql: true,
            forwarded_hops: 0,
            sentry_dsn: None,
        })
    }
}

impl Secrets {
    fn new() -> Result<Self> {
        Ok(Self {
            jwt_secret: clock::random_token()?,
            // One in 2^128 is no key; it would be noticed at once.
            treasury_key: hex::encode(clock::random_bytes::<32>()?),
            s3_access_key: hex::encode_upper(clock::random_bytes::<10>()?),
            s3_secret_key: clock::random_token()?,
            wallet_seed: clock::random_token()?,
        })
    }
}

/// The loopback address to listen on: the one of last time, or any if something else is there now.
pub(crate) fn address_like(last: Option<&Url>) -> SocketAddr {
    let port = last.and_then(Url::port).unwrap_or(0);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address) {
        Ok(_) => address,
        Err(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    }
}

/// What a file holds; `None` when it is not there.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{} cannot be read: {error}", file.display()).into()),
    };
    let value =
        serde_json::from_slice(&text).map_err(|error| format!("{} is damaged: {error}", file.display()))?;
    Ok(Some(value))
}

/// Writes a file that is there as a whole or not at all, and for its owner alone.
pub(crate) fn replace(file: &Path, value: &impl Serialize) -> io::Result<()> {
    let part = file.with_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writer = options.open(&part)?;
    writer.write_all(&serde_json::to_vec_pretty(value)?)?;
    writer.sync_all()?;
    fs::rename(&part, file)?;
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
