//! `megilance dev`.

mod banner;
mod outside;
mod tabs;
mod tokens;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use api::{
    graphql,
    http::{self, HttpSettings, HttpState, sandbox as pages},
    seed::{self, Plan, Values},
    telemetry::quiet,
};
use clap::Args;
use domain::{App, Clock, Purpose, schedule};
use sandbox::evm::Mining;
use tokio::net::TcpListener;
use tracing::instrument::WithSubscriber as _;
use url::Url;

use crate::{
    Result,
    start::{self, database, folder::Folder, run},
};
use outside::Outside;
use tokens::Tokens;

/// Time between two blocks, while something happens.
const BLOCK_TIME: Duration = Duration::from_secs(1);

/// Try it out: API, workers, chain, mailbox and demo data on this machine, without any settings.
///
/// The first start makes the data folder with its secrets, a database, a chain with a USDC-like token, and demo people
/// with contracts at each stage. Everything in it survives a restart; delete the folder to begin again.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Where to listen. Whoever reaches it can be anybody in the demo: leave it on loopback.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    addr: SocketAddr,
    /// Where everything is kept.
    #[arg(long, default_value = "./data", value_name = "FOLDER")]
    data: PathBuf,
    /// Pay out by a Circle in this process, out of a balance of a million, instead of the treasury on the chain. What was
    /// paid by it before needs it again.
    #[arg(long)]
    circle: bool,
}

impl Dev {
    pub(super) async fn run(self) -> Result<()> {
        let closing = run::closing()?;
        let listener = TcpListener::bind(self.addr).await.map_err(|error| {
            format!(
                "cannot listen on {}: {error}. Choose another address with --addr 127.0.0.1:8081",
                self.addr
            )
        })?;
        let listen = listener.local_addr()?;
        let folder = Folder::open(&self.data)?;
        let clock = Clock::real(folder.offset()?);
        let outside = Outside::start(&folder, &clock, self.circle).await?;
        let places = outside.places(public_url(listen)?)?;
        folder.remember(&places)?;
        let config = folder.config_at(&places)?;

        let db = database::open(&config.database_url, Purpose::Serve).await?;
        database::migrate(&db).await?;
        let app = start::connect(db, &config, clock).await?;
        outside.evm.mint_and_fund(&app.chain.treasury().to_string(), 0)?;
        // The demo's payments are on the chain, whatever pays from here on.
        let on_chain = App { circle: None, ..app.clone() };
        // A signal while seeding ends here; the next start goes on with the rest.
        let seeded = closing
            .run_until_cancelled(Box::pin(seeded(&on_chain, &outside, &folder).with_subscriber(quiet())))
            .await;
        let Some(seeded) = seeded else { return Ok(()) };
        let values = seeded?;
        outside.evm.set_mining(Mining::Interval(BLOCK_TIME))?;
        schedule::start(&app).await?;
        start::follow_chain(&app, &closing).await?;
        let tokens = Tokens::open(&app, &folder).await?;

        let settings = HttpSettings {
            graphiql: Some(tabs::source(values, tokens.clone(), app.clock.clone())),
            rate_limits: http::RateLimits::unlimited(),
            ..Default::default()
        };
        let schema = graphql::schema(app.clone());
        let state = HttpState::new(app.clone(), schema, settings, start::readiness(&app), closing.clone());
        let info = outside.info(&app);
        let (evm, mailbox) = (Arc::clone(&outside.evm), outside.smtp.mailbox());
        let sandbox = pages::Sandbox::new(app.clone(), evm, mailbox, info.clone(), folder.offset_saver());
        let routes = pages::guard(http::router_with(state, pages::routes(sandbox)), listen);

        if let Some(circle) = &outside.circle {
            circle.set_webhook(Some(places.public_url.join("webhooks/circle")?.into()));
        }
        let mut work = run::Work::new(closing.clone());
        work.api(listener, routes);
        work.workers(&app);
        let renewing =
            tokio::spawn(closing.clone().run_until_cancelled_owned(tokens.clone().renew(app.clone())));
        banner::show(&places.public_url, &self.data, &info, &tokens.bearers())?;
        if !listen.ip().is_loopback() {
            tracing::warn!(%listen, "whoever reaches this address can be anybody in the demo, administrators too");
        }
        let ended = work.until_closed(&app).await;
        renewing.abort();
        outside.stop().await;
        ended
    }
}

/// The demo data, added where it is missing; what the example tabs name. People may have gone on from what was there, and
/// further than something new can be added to: that keeps nobody from starting.
async fn seeded(app: &App, outside: &Outside, folder: &Folder) -> Result<Values> {
    let known = seed::is_there(app).await?;
    match Box::pin(complete(app, outside, folder)).await {
        Err(error) if known => {
            tracing::warn!(
                error,
                "the demo data cannot be completed here; delete the data folder to begin again"
            );
            Ok(Values::new())
        }
        seeded => seeded,
    }
}

async fn complete(app: &App, outside: &Outside, folder: &Folder) -> Result<Values> {
    let plan = Plan { password: seed::PASSWORD.into(), scale: 1, seed: 1 };
    let mut demo = seed::people_and_market(app, &plan).await?;
    seed::money::move_money(app, &outside.evm, folder.wallet_seed(), &mut demo).await?;
    Ok(demo.values)
}

/// What people type: `localhost` would do for loopback as well, but links and EIP-4361 want one name.
fn public_url(listen: SocketAddr) -> Result<Url> {
    let mut shown = listen;
    if shown.ip().is_unspecified() {
        shown.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Ok(Url::parse(&format!("http://{shown}"))?)
}
