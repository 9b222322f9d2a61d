//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};

/// The address that a request came from, as far as it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// `hops` is how many proxies of ours stand before this server: each adds the address that it saw at the end of
    /// `X-Forwarded-For`. What stands before those was written by the client, who may write anything.
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions, hops: usize) -> Self {
        let connected = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        let Some(back) = hops.checked_sub(1) else { return Self(connected.to_canonical()) };
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        let address = forwarded.iter().rev().nth(back).and_then(|text| text.trim().parse::<IpAddr>().ok());
        Self(address.unwrap_or(connected).to_canonical())
    }

    /// What limits count by: an IPv6 customer has a whole /64 to ask from.
    pub(super) fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & (u128::MAX << 64)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(forwarded: Option<&'static str>, hops: usize) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4000))));
        let mut headers = HeaderMap::new();
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        }
        Peer::of(&headers, &extensions, hops).0.to_string()
    }

    #[test]
    fn only_what_our_proxies_wrote_is_believed() {
        assert_eq!(of(Some("6.6.6.6"), 0), "10.0.0.1");
        assert_eq!(of(Some("6.6.6.6, 1.2.3.4"), 1), "1.2.3.4");
        assert_eq!(of(Some("6.6.6.6, 1.2.3.4,10.0.0.9"), 2), "1.2.3.4");
        assert_eq!(of(Some("nonsense"), 1), "10.0.0.1");
        assert_eq!(of(None, 1), "10.0.0.1");
    }

    #[test]
    fn a_network_is_one_customer() {
        let network = |text: &str| Peer(text.parse().expect("an address")).network().to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("1.2.3.4"), "1.2.3.4");
    }
}
