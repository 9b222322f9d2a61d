//! The sandbox's parts: started, described, stopped.

use std::{sync::Arc, time::Duration};

use api::http::sandbox::Info;
use domain::{App, Clock};
use sandbox::{
    circle::{Circle, CircleConfig},
    evm::{Evm, EvmConfig, Mining},
    s3::{S3, S3Config},
    smtp::{Smtp, SmtpConfig},
};
use url::Url;

use crate::{
    Result,
    start::folder::{BUCKET, CHAIN_ID, CIRCLE_KEY, Folder, Places, REGION, address_like},
};

/// How long Circle takes to check an address, and to pay: enough to watch it.
const CIRCLE_TAKES: Duration = Duration::from_secs(3);
/// What a new account at Circle holds, in millionths of a dollar.
const CIRCLE_BALANCE: i64 = 1_000_000_000_000;

/// The running parts.
pub(super) struct Outside {
    pub(super) evm: Arc<Evm>,
    /// Only where it was asked for.
    pub(super) circle: Option<Circle>,
    pub(super) s3: S3,
    pub(super) smtp: Smtp,
}

impl Outside {
    /// Starts all parts where they were last time. The chain mines on demand until told otherwise.
    pub(super) async fn start(folder: &Folder, clock: &Clock, with_circle: bool) -> Result<Self> {
        let last = folder.places()?;
        let last = last.as_ref();
        let (seconds, milliseconds) = (clock.clone(), clock.clone());
        let evm = Evm::start(EvmConfig {
            data_dir: Some(folder.path("chain")),
            listen: address_like(last.map(|places| &places.rpc_url)),
            chain_id: CHAIN_ID,
            mining: Mining::OnDemand,
            clock: Arc::new(move || seconds.now().timestamp().unsigned_abs()),
        });
        let (access_key, secret_key) = folder.s3_keys();
        let s3 = S3::start(S3Config {
            root: folder.path("objects"),
            listen: address_like(last.map(|places| &places.s3_endpoint)),
            access_key,
            secret_key,
            bucket: BUCKET.to_owned(),
            region: REGION.to_owned(),
        });
        let smtp = Smtp::start(SmtpConfig {
            listen: address_like(last.map(|places| &places.smtp_url)),
            ..SmtpConfig::new(
                folder.path("mail"),
                Arc::new(move || milliseconds.now().timestamp_millis().unsigned_abs()),
            )
        });
        let (evm, s3, smtp) = tokio::join!(evm, s3, smtp);
        let circle = if with_circle { Some(start_circle(folder, clock, last).await?) } else { None };
        Ok(Self { evm: Arc::new(evm?), circle, s3: s3?, smtp: smtp? })
    }

    /// Where everything listens now.
    pub(super) fn places(&self, public_url: Url) -> Result<Places> {
        Ok(Places {
            public_url,
            rpc_url: Url::parse(&self.evm.rpc_url())?,
            usdc_address: self.evm.token_address(),
            s3_endpoint: Url::parse(&self.s3.endpoint())?,
            smtp_url: Url::parse(&self.smtp.url())?,
            circle_url: self.circle.as_ref().map(|circle| Url::parse(&circle.url())).transpose()?,
        })
    }

    /// The same for people, with the treasury.
    pub(super) fn info(&self, app: &App) -> Info {
        Info {
            rpc_url: self.evm.rpc_url(),
            chain_id: CHAIN_ID,
            usdc_address: self.evm.token_address(),
            treasury_address: app.chain.treasury().checksummed(),
            s3_endpoint: self.s3.endpoint(),
            bucket: BUCKET.to_owned(),
            smtp_url: self.smtp.url(),
            circle_url: self.circle.as_ref().map(Circle::url),
        }
    }

    /// Stops all parts. The chain stops when its last holder lets go.
    pub(super) async fn stop(self) {
        let Self { evm, circle, s3, smtp } = self;
        tokio::join!(s3.shutdown(), smtp.shutdown());
        if let Some(circle) = circle {
            circle.shutdown().await;
        }
        if let Ok(evm) = Arc::try_unwrap(evm) {
            evm.shutdown().await;
        }
    }
}

async fn start_circle(folder: &Folder, clock: &Clock, last: Option<&Places>) -> Result<Circle> {
    let clock = clock.clone();
    let circle = Circle::start(CircleConfig {
        data_dir: Some(folder.path("circle")),
        listen: address_like(last.and_then(|places| places.circle_url.as_ref())),
        api_key: CIRCLE_KEY.to_owned(),
        balance: CIRCLE_BALANCE,
        screening: Some(CIRCLE_TAKES),
        paying: Some(CIRCLE_TAKES),
        // Set once somebody listens there.
        webhook: None,
        clock: Arc::new(move || clock.now().timestamp_millis().unsigned_abs()),
    });
    Ok(circle.await?)
}
