//! `megilance doctor`.

use clap::Args;
use domain::{App, Purpose, entities::Usdc, queue};

use super::{output::say, place::Place};
use crate::{Result, start, start::database};

/// Check the settings, the database and everything outside, one line each; ends with 1 when something is wrong.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    place: Place,
}

/// Native coin is counted in units of 10^-18.
const WEI_DECIMALS: usize = 18;

impl Doctor {
    pub(super) async fn run(self) -> Result<()> {
        let (config, clock) = self.place.config()?;
        say("ok      settings")?;
        let db = database::open(&config.database_url, Purpose::Serve).await?;
        let app = start::connect(db, &config, clock).await?;
        let mut well = true;
        for (name, found) in examine(&app).await {
            well &= found.is_ok();
            match found {
                Ok(words) if words.is_empty() => say(format_args!("ok      {name}"))?,
                Ok(words) => say(format_args!("ok      {name}: {words}"))?,
                Err(error) => say(format_args!("WRONG   {name}: {error}"))?,
            }
        }
        database::close(&app.db).await?;
        if well { Ok(()) } else { Err("something is wrong: see above".into()) }
    }
}

async fn examine(app: &App) -> Vec<(&'static str, Result<String>)> {
    let (migrations, workers, chain, storage, mail, assistant, usdc, gas, circle) = tokio::join!(
        migrations(app),
        workers(app),
        app.chain.verify(),
        app.storage.verify(),
        app.mail.verify(),
        assistant(app),
        app.chain.usdc_balance(app.chain.treasury()),
        app.chain.native_balance(app.chain.treasury()),
        circle(app),
    );
    let mut found = vec![
        ("database and migrations", migrations),
        ("workers", workers),
        ("chain", chain.map(|()| format!("chain {}", app.chain.chain_id())).map_err(Into::into)),
        ("treasury's USDC", usdc.map(|usdc: Usdc| usdc.to_string()).map_err(Into::into)),
        ("treasury's gas", gas.map_err(Into::into).and_then(coin)),
        ("S3", storage.map(|()| String::new()).map_err(Into::into)),
        ("balance at Circle", circle),
        ("mail", mail.map(|()| String::new()).map_err(Into::into)),
        ("assistant", assistant),
    ];
    if let Some(node) = &app.witness {
        let second = node.verify().await;
        found.push(("the chain's second node", second.map(|()| String::new()).map_err(Into::into)));
    }
    found
}

async fn migrations(app: &App) -> Result<String> {
    database::require_migrated(&app.db).await?;
    Ok(format!("{:?}", app.db.backend()))
}

async fn circle(app: &App) -> Result<String> {
    match &app.circle {
        Some(circle) => Ok(circle.balance().await?.to_string()),
        None => Ok("not set up, payouts are on the chain".to_owned()),
    }
}

async fn workers(app: &App) -> Result<String> {
    if queue::workers_beating(&app.db, &app.clock).await? {
        return Ok(String::new());
    }
    Err("none is alive: start `megilance serve` or `megilance worker`".into())
}

/// One word is embedded: that tries the address, the key and the model. It is asked whether it rests or not, and not counted.
async fn assistant(app: &App) -> Result<String> {
    let Some(assistant) = &app.assistant else {
        return Ok("none: matches are ranked by score, and there are no drafts".to_owned());
    };
    assistant.embed(&["MegiLance".to_owned()]).await?;
    Ok(String::new())
}

/// A treasury without native coin pays nobody.
fn coin(wei: u128) -> Result<String> {
    if wei == 0 {
        return Err("none: payouts need native coin for gas".into());
    }
    let digits = format!("{wei:0>width$}", width = WEI_DECIMALS + 1);
    let (whole, rest) = digits.split_at(digits.len() - WEI_DECIMALS);
    Ok(format!("{whole}.{}", rest.get(..6).unwrap_or(rest)))
}
