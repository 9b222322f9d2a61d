//! The sandbox's parts: started, described, stopped.

use std::sync::Arc;

use api::http::sandbox::Info;
use domain::{App, Clock};
use sandbox::{
    evm::{Evm, EvmConfig, Mining},
    s3::{S3, S3Config},
    smtp::{Smtp, SmtpConfig},
};
use url::Url;

use crate::{
    Result,
    start::folder::{BUCKET, CHAIN_ID, Folder, Places, REGION, address_like},
};

/// The running parts.
pub(super) struct Outside {
    pub(super) evm: Arc<Evm>,
    pub(super) s3: S3,
    pub(super) smtp: Smtp,
}

impl Outside {
    /// Starts all parts where they were last time. The chain mines on demand until told otherwise.
    pub(super) async fn start(folder: &Folder, clock: &Clock) -> Result<Self> {
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
        Ok(Self { evm: Arc::new(evm?), s3: s3?, smtp: smtp? })
    }

    /// Where everything listens now.
    pub(super) fn places(&self, public_url: Url) -> Result<Places> {
        Ok(Places {
            public_url,
            rpc_url: Url::parse(&self.evm.rpc_url())?,
            usdc_address: self.evm.token_address(),
            s3_endpoint: Url::parse(&self.s3.endpoint())?,
            smtp_url: Url::parse(&self.smtp.url())?,
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
        }
    }

    /// Stops all parts. The chain stops when its last holder lets go.
    pub(super) async fn stop(self) {
        let Self { evm, s3, smtp } = self;
        tokio::join!(s3.shutdown(), smtp.shutdown());
        if let Ok(evm) = Arc::try_unwrap(evm) {
            evm.shutdown().await;
        }
    }
}
