//! The App under test and its outside world.

use std::{sync::Arc, time::Duration};

use api::http::{HttpSettings, HttpState};
use axum::Router;
use chrono::{DateTime, Utc};
use domain::{
    App, Clock, Settings,
    entities::{ChainTransferStatus, Usdc, chain_transfer},
    ledger::{self, Account},
    ports::{
        chain::{EvmClient, EvmSettings},
        circle::{self, CircleClient, CircleSettings},
        mail::{MailSettings, SmtpMail},
        storage::{S3Storage, StorageSettings},
    },
};
use sandbox::{
    circle::{Circle, CircleConfig},
    evm::{Evm, EvmConfig, Mining},
    s3::{S3, S3Config},
    smtp::{Mail, Smtp, SmtpConfig},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::database;

/// Blocks that a deposit needs in tests.
pub const CONFIRMATIONS: u32 = 3;
/// The treasury's key in tests: nobody's money.
const TREASURY_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// The API key at the sandbox's Circle.
const CIRCLE_KEY: &str = "TEST_API_KEY:megilance:tests";

/// A whole MegiLance for one test. End each test with [`TestApp::finish`].
pub struct TestApp {
    pub app: App,
    pub router: Router,
    pub schema: api::graphql::Schema,
    pub evm: Evm,
    pub smtp: Smtp,
    /// Where payouts go, in a world that pays by Circle.
    pub circle: Option<Circle>,
    _s3: S3,
    finished: bool,
    folder: TempDir,
}

impl TestApp {
    /// Everything started, on a database of its own, at 2026-03-01 12:00 UTC.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// The same with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_on(false, change).await
    }

    /// Everything started, with payouts by Circle: five seconds to check an address, and as many to pay. Nothing is in
    /// the balance there.
    pub async fn start_on_circle() -> Self {
        Self::start_on(true, |_| ()).await
    }

    async fn start_on(by_circle: bool, change: impl FnOnce(&mut Settings)) -> Self {
        // Two tests may come first at once; the second finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::frozen("2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let seconds = {
            let clock = clock.clone();
            move || u64::try_from(clock.now().timestamp()).unwrap()
        };
        let millis = {
            let clock = clock.clone();
            move || u64::try_from(clock.now().timestamp_millis()).unwrap()
        };
        let loopback = "127.0.0.1:0".parse().unwrap();
        let evm = Evm::start(EvmConfig {
            data_dir: None,
            listen: loopback,
            chain_id: 31_337,
            mining: Mining::OnDemand,
            clock: Arc::new(seconds),
        })
        .await
        .unwrap();
        let s3 = S3::start(S3Config {
            root: folder.path().join("objects"),
            listen: loopback,
            access_key: "test".to_owned(),
            secret_key: "test-secret".to_owned(),
            bucket: "megilance".to_owned(),
            region: "us-east-1".to_owned(),
        })
        .await
        .unwrap();
        let circle = if by_circle { Some(start_circle(millis.clone()).await) } else { None };
        let smtp = Smtp::start(SmtpConfig::new(folder.path().join("mail"), Arc::new(millis))).await.unwrap();

        let chain = EvmClient::new(EvmSettings {
            rpc_url: evm.rpc_url().parse().unwrap(),
            chain_id: 31_337,
            usdc: evm.token_address().parse().unwrap(),
            treasury_key: TREASURY_KEY.into(),
        })
        .unwrap();
        let storage = S3Storage::connect(StorageSettings {
            bucket: "megilance".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(s3.endpoint().parse().unwrap()),
            path_style: true,
            credentials: Some(("test".to_owned(), "test-secret".into())),
        })
        .await
        .unwrap();
        let mail = SmtpMail::new(MailSettings {
            smtp_url: smtp.url().into(),
            from: "MegiLance <no-reply@megilance.test>".to_owned(),
        })
        .unwrap();
        let mut settings = Settings {
            public_url: "http://localhost:8080".parse().unwrap(),
            jwt_secret: "a secret that only the tests use, long enough".into(),
            // Long, so that moving the clock signs nobody out.
            access_token_ttl: Duration::from_secs(60 * 24 * 3600),
            session_ttl: Duration::from_secs(90 * 24 * 3600),
            confirmations: CONFIRMATIONS,
            wallet_rest: Duration::ZERO,
            chain_poll: Duration::from_secs(1),
            introspection: true,
            argon2_memory_kib: 64,
        };
        change(&mut settings);
        let app = App {
            db: database::fresh(folder.path()).await,
            clock,
            settings: Arc::new(settings),
            chain: Arc::new(chain),
            circle: circle.as_ref().map(circle_client),
            storage: Arc::new(storage),
            mail: Arc::new(mail),
        };
        // Gas for the treasury, and the scanner's first look.
        evm.mint_and_fund(&app.chain.treasury().to_string(), 0).unwrap();
        domain::payment::scan::start(&app).await.unwrap();
        domain::schedule::start(&app).await.unwrap();
        let schema = api::schema(app.clone());
        let ready: api::http::Readiness = Arc::new(|| Box::pin(async { Vec::new() }));
        let mut http = HttpSettings::default();
        // Tests sign up many people in a moment.
        http.rate_limits = api::http::RateLimits::unlimited();
        let state = HttpState::new(app.clone(), schema.clone(), http, ready, CancellationToken::new());
        Self {
            router: api::http::router(state),
            schema,
            app,
            evm,
            smtp,
            circle,
            _s3: s3,
            finished: false,
            folder,
        }
    }

    /// Where the database and the objects of this test are.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Moves the clock.
    pub fn advance(&self, by: chrono::Duration) {
        self.app.clock.advance(by);
    }

    /// Runs everything that is due.
    pub async fn drain(&self) {
        jobs::drain(&self.app).await.unwrap();
    }

    /// Mines so many blocks and lets the workers look, until what is under way has its confirmations.
    pub async fn mine(&self, blocks: u64) {
        self.evm.mine(blocks).unwrap();
        // Past every poll, the idle scanner's included.
        self.advance(chrono::Duration::seconds(11));
        self.drain().await;
    }

    /// The mails that an address got, newest first.
    pub fn mails(&self, to: &str) -> Vec<Mail> {
        self.smtp.mailbox().list(Some(to))
    }

    /// Ends a test: runs what is due, then holds the books against the chain.
    pub async fn finish(mut self) {
        self.mine(u64::from(CONFIRMATIONS)).await;
        self.books_agree().await;
        self.finished = true;
    }

    /// The ledger sums to zero, and what it says the treasury holds is there, but for what waits for its
    /// confirmations.
    pub async fn books_agree(&self) {
        let db = self.app.db.reader();
        assert_eq!(ledger::grand_total(db).await.unwrap(), Usdc::ZERO, "the ledger sums to zero");
        let booked =
            ledger::balance(db, Account::Treasury(domain::entities::PaymentRail::Chain)).await.unwrap();
        let waiting = chain_transfer::Entity::find()
            .filter(chain_transfer::Column::Status.eq(ChainTransferStatus::Seen))
            .all(db)
            .await
            .unwrap();
        let waiting = Usdc::sum(waiting.iter().map(|row| row.amount)).unwrap();
        let held = self.app.chain.usdc_balance(self.app.chain.treasury()).await.unwrap();
        assert_eq!(booked.plus(waiting).unwrap(), held, "the ledger and the chain agree on the treasury");
        if let Some(circle) = &self.circle {
            let booked = Account::Treasury(domain::entities::PaymentRail::Circle);
            let booked = ledger::balance(db, booked).await.unwrap().micro();
            // Circle takes off its balance what is on its way; the books do when it has arrived.
            let ended = ["complete", "failed"];
            let accepted = circle.accepted();
            let on_its_way = accepted.iter().filter(|payout| !ended.contains(&&*payout.status));
            let there = circle.balance() + on_its_way.map(|payout| payout.amount).sum::<i64>();
            assert_eq!(booked, there, "the ledger and Circle agree on the balance");
        }
    }
}

async fn start_circle(millis: impl Fn() -> u64 + Send + Sync + 'static) -> Circle {
    let takes = Some(Duration::from_secs(5));
    let config = CircleConfig {
        data_dir: None,
        listen: "127.0.0.1:0".parse().unwrap(),
        api_key: CIRCLE_KEY.to_owned(),
        balance: 0,
        screening: takes,
        paying: takes,
        // Tests hand notifications to the router themselves.
        webhook: None,
        clock: Arc::new(millis),
    };
    Circle::start(config).await.unwrap()
}

fn circle_client(circle: &Circle) -> Arc<dyn circle::Circle> {
    let settings = CircleSettings { api_url: circle.url().parse().unwrap(), api_key: CIRCLE_KEY.into() };
    Arc::new(CircleClient::new(settings).unwrap())
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("end this test with app.finish().await, which checks the books");
        }
    }
}

impl TestApp {
    /// Calls a function of the sandbox token that takes one address, as its owner.
    pub async fn token(&self, function: &str, address: &str) {
        let selector = &ethers_core::utils::keccak256(function)[..4];
        let data = format!("0x{}{:0>64}", hex::encode(selector), address.trim_start_matches("0x"));
        let accounts = self.rpc("eth_accounts", json!([])).await;
        let call = json!([{ "from": accounts[0], "to": self.evm.token_address(), "data": data }]);
        self.rpc("eth_sendTransaction", call).await;
    }

    /// Replaces the newest blocks by as many empty ones: what was in them is gone.
    pub async fn reorg(&self, depth: u64) {
        self.rpc("anvil_reorg", json!([depth, []])).await;
    }

    /// Takes a transaction that waits for a block away again.
    pub async fn drop_waiting(&self, hash: &str) {
        self.rpc("anvil_dropTransaction", json!([hash])).await;
    }

    async fn rpc(&self, method: &str, params: Value) -> Value {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let sent = reqwest::Client::new().post(self.evm.rpc_url()).json(&call).send().await.unwrap();
        let answer: Value = sent.json().await.unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }
}
