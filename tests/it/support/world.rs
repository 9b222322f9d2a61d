//! The App under test and its outside world.

use std::{sync::Arc, time::Duration};

use api::http::{HttpSettings, HttpState};
use axum::Router;
use chrono::{DateTime, Utc};
use domain::{
    App, Clock, Db, Purpose, Settings,
    entities::{ChainTransferStatus, UnallocatedStatus, Usdc, chain_transfer, unallocated_deposit},
    ledger::{self, Account},
    ports::{
        chain::{EvmClient, EvmSettings},
        circle::{self, CircleClient, CircleSettings},
        mail::{MailSettings, SmtpMail},
        openai::{Assistant, AssistantSettings, OpenAi},
        storage::{S3Storage, StorageSettings},
    },
    treasury::compare::{Compared, compare},
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

use super::{database, invariants, proxy::Proxy};

/// Blocks that a deposit needs in tests.
pub const CONFIRMATIONS: u32 = 3;
/// The treasury's key in tests: nobody's money.
const TREASURY_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// The key that an assistant gets in tests. It must be in no answer and no log.
pub const ASSISTANT_KEY: &str = "sk-canary-0123456789";

/// The API key at the sandbox's Circle.
const CIRCLE_KEY: &str = "TEST_API_KEY:megilance:tests";

/// What is around it that most tests have no use for.
#[derive(Default)]
struct Around {
    circle: bool,
    assistant: Option<Arc<dyn Assistant>>,
}

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
        Self::start_through(change, Around::default(), async |rpc_url| rpc_url).await
    }

    /// Everything started, with payouts by Circle: five seconds to check an address, and as many to pay. Nothing is in
    /// the balance there.
    pub async fn start_on_circle() -> Self {
        let around = Around { circle: true, ..Around::default() };
        Self::start_through(|_| (), around, async |rpc_url| rpc_url).await
    }

    /// The same, with something between it and Circle that goes wrong on demand. What tests do at Circle themselves goes past it.
    pub async fn start_on_circle_behind_proxy() -> (Self, Proxy) {
        let mut app = Self::start_on_circle().await;
        let proxy = Proxy::start(&app.circle.as_ref().unwrap().url()).await;
        app.app.circle = Some(circle_client(&proxy.url()));
        (app.schema, app.router) = served(&app.app);
        (app, proxy)
    }

    /// The usual one with an assistant that answers at this address.
    pub async fn start_with_assistant(base_url: &str) -> Self {
        Self::start_with_assistant_and(base_url, |_| ()).await
    }

    /// The same with other settings.
    pub async fn start_with_assistant_and(base_url: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let assistant = OpenAi::new(AssistantSettings {
            base_url: base_url.parse().unwrap(),
            api_key: ASSISTANT_KEY.into(),
            embedding_model: "test-embedding".to_owned(),
            chat_model: "test-chat".to_owned(),
        });
        let around = Around { assistant: Some(Arc::new(assistant.unwrap())), ..Around::default() };
        Self::start_through(change, around, async |rpc_url| rpc_url).await
    }

    /// Everything started, with something between it and the chain that goes wrong on demand. What tests do to the chain
    /// themselves goes past it.
    pub async fn start_behind_proxy() -> (Self, Proxy) {
        let mut proxy = None;
        let through = async |rpc_url: String| proxy.insert(Proxy::start(&rpc_url).await).url();
        let app = Self::start_through(|_| (), Around::default(), through).await;
        (app, proxy.unwrap())
    }

    async fn start_through(
        change: impl FnOnce(&mut Settings),
        around: Around,
        through: impl AsyncFnOnce(String) -> String,
    ) -> Self {
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
        let circle = if around.circle { Some(start_circle(millis.clone()).await) } else { None };
        let smtp = Smtp::start(SmtpConfig::new(folder.path().join("mail"), Arc::new(millis))).await.unwrap();

        let chain = EvmClient::new(EvmSettings {
            rpc_url: through(evm.rpc_url()).await.parse().unwrap(),
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
            approval_above: None,
            large_deposits: domain::settings::LargeDeposits::default(),
            wallet_rest: Duration::ZERO,
            chain_poll: Duration::from_secs(1),
            assistant_budget: domain::settings::AssistantBudget::default(),
            introspection: true,
            argon2_memory_kib: 64,
        };
        change(&mut settings);
        let app = App {
            db: database::fresh(folder.path()).await,
            clock,
            settings: Arc::new(settings),
            chain: Arc::new(chain),
            witness: None,
            circle: circle.as_ref().map(|circle| circle_client(&circle.url())),
            storage: Arc::new(storage),
            mail: Arc::new(mail),
            assistant: around.assistant,
        };
        // Gas for the treasury, and the scanner's first look.
        evm.mint_and_fund(&app.chain.treasury().to_string(), 0).unwrap();
        domain::payment::scan::start(&app).await.unwrap();
        domain::schedule::start(&app).await.unwrap();
        let (schema, router) = served(&app);
        Self { router, schema, app, evm, smtp, circle, _s3: s3, finished: false, folder }
    }

    /// What another process serves: over connections of its own to the same database.
    pub async fn another_process(&self) -> Router {
        let url = database::url(&self.app.db, self.folder()).await;
        let db = Db::open(&url, Purpose::Serve).await.unwrap();
        served(&App { db, ..self.app.clone() }).1
    }

    /// A second node that has to show the same, and goes wrong on demand: whoever asks, request or worker, asks it too.
    pub async fn second_node(&mut self) -> Proxy {
        let proxy = Proxy::start(&self.evm.rpc_url()).await;
        let node = EvmClient::new(EvmSettings {
            rpc_url: proxy.url().parse().unwrap(),
            chain_id: 31_337,
            usdc: self.evm.token_address().parse().unwrap(),
            treasury_key: TREASURY_KEY.into(),
        });
        self.app.witness = Some(Arc::new(node.unwrap()));
        (self.schema, self.router) = served(&self.app);
        proxy
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

    /// What was mined just now is final, and nobody has looked: the sandbox calls the block final that is two below the newest.
    pub fn make_final(&self) {
        self.evm.mine(2).unwrap();
    }

    /// The mails that an address got, newest first.
    pub fn mails(&self, to: &str) -> Vec<Mail> {
        self.smtp.mailbox().list(Some(to))
    }

    /// Ends a test: runs what is due, then holds the books against the chain.
    pub async fn finish(mut self) {
        self.mine(u64::from(CONFIRMATIONS)).await;
        self.verified().await;
        self.holds(true).await;
        self.finished = true;
    }

    /// Ends a test that wrote payments by hand, of which the ledger knows nothing: it has to be right within itself, and
    /// with the chain.
    pub async fn finish_made_up(mut self) {
        self.mine(u64::from(CONFIRMATIONS)).await;
        self.treasury_agrees().await;
        self.finished = true;
    }

    /// Everything that `megilance ledger verify` looks at holds, and so does what can be seen from outside.
    pub async fn books_agree(&self) {
        self.verified().await;
        self.holds(false).await;
    }

    async fn verified(&self) {
        for check in ledger::verify::books(&self.app).await.unwrap() {
            assert!(check.problems.is_empty(), "{check:#?}");
        }
        if let Compared::At(at) = compare(&self.app).await.unwrap() {
            assert_eq!(at.on_chain, at.expected, "the ledger and the chain agree at {:?}", at.block);
        }
        self.treasury_agrees().await;
    }

    /// The ledger sums to zero, and what it says the treasury holds is there, but for what waits for its
    /// confirmations.
    async fn treasury_agrees(&self) {
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
        let open = unallocated_deposit::Entity::find()
            .filter(unallocated_deposit::Column::Status.eq(UnallocatedStatus::Open))
            .all(db)
            .await
            .unwrap();
        let open = Usdc::sum(open.iter().map(|row| row.amount)).unwrap();
        let owed = ledger::balance(db, Account::Unallocated).await.unwrap();
        assert_eq!(open, owed.negated().unwrap(), "what pays nothing is what the ledger owes for it");
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

    /// What has to hold at any moment does; with `rested`, also what has to once everything due was worked on.
    pub async fn holds(&self, rested: bool) {
        let wrong = invariants::violations(&self.app, &self.evm.rpc_url(), rested).await;
        assert!(wrong.is_empty(), "what has to hold does not:\n  {}", wrong.join("\n  "));
    }
}

fn served(app: &App) -> (api::graphql::Schema, Router) {
    let schema = api::schema(app.clone());
    let ready: api::http::Readiness = Arc::new(|| Box::pin(async { Vec::new() }));
    let mut http = HttpSettings::default();
    // Tests sign up many people in a moment.
    http.rate_limits = api::http::RateLimits::unlimited();
    let state = HttpState::new(app.clone(), schema.clone(), http, ready, CancellationToken::new());
    (schema, api::http::router(state))
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

fn circle_client(url: &str) -> Arc<dyn circle::Circle> {
    let settings = CircleSettings { api_url: url.parse().unwrap(), api_key: CIRCLE_KEY.into() };
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

    /// A call to the chain's node: its result.
    pub async fn rpc(&self, method: &str, params: Value) -> Value {
        invariants::rpc(&self.evm.rpc_url(), method, params).await
    }
}
