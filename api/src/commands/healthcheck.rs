//! `megilance healthcheck`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use api::config::Config;
use clap::Args;

use crate::Result;

/// How long the server has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ask the server at LISTEN_ADDR whether it is ready (`GET /readyz`); ends with 1 when it is not.
#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    /// Ask this address instead of LISTEN_ADDR.
    #[arg(long, value_name = "ADDRESS:PORT")]
    addr: Option<SocketAddr>,
}

impl Healthcheck {
    pub(super) async fn run(self) -> Result<()> {
        let mut address = match self.addr {
            Some(address) => address,
            None => Config::listen_from_env()?,
        };
        // Whoever listens on all addresses listens on loopback.
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let answer = client.get(format!("http://{address}/readyz")).send().await?;
        if answer.status().is_success() {
            return Ok(());
        }
        let (status, body) = (answer.status(), answer.text().await.unwrap_or_default());
        Err(format!("{address} is not ready ({status}): {body}").into())
    }
}
