//! The real Circle, over HTTPS.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::SecondsFormat;
use entities::Usdc;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Circle, CircleError, Payout, PublicKey, Recipient, Span, told};
use crate::ports::{
    chain::Address,
    http::{self, Unread},
};

/// How long one call may take, connecting included. A payout that was asked for and not answered is asked for again,
/// under its key.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// The largest answer read, in bytes: a page of an address book has some tens of kilobytes.
const ANSWER_LIMIT: usize = 1024 * 1024;
/// The longest text of Circle that gets into our errors.
const TEXT_LIMIT: usize = 200;
/// The longest that Circle may ask us to wait: what is due is looked at each hour at least.
const LONGEST_PAUSE: u64 = 3_600;
/// Circle's code for "something went wrong": it may pass.
const SOMETHING_WENT_WRONG: i64 = -1;
/// How many payouts a page of their list is to have: what Circle gives unasked.
const PAGE: &str = "50";
/// How many keys of notifications are remembered. Circle has one at a time.
const KEYS: usize = 64;

/// Where Circle is and who we are there.
#[derive(Clone)]
pub struct CircleSettings {
    /// `https://api.circle.com`, or `https://api-sandbox.circle.com`.
    pub api_url: Url,
    /// The API key.
    pub api_key: SecretString,
}

impl fmt::Debug for CircleSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircleSettings").field("host", &self.api_url.host_str()).finish_non_exhaustive()
    }
}

/// A [`Circle`] behind its API.
pub struct CircleClient {
    http: Client,
    url: Url,
    key: SecretString,
    /// The keys of notifications that were asked for once: they never change.
    public_keys: Mutex<HashMap<Uuid, PublicKey>>,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    data: T,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<WireProblem>,
}

#[derive(Deserialize)]
struct WireProblem {
    #[serde(default)]
    location: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct WireRecipient {
    id: String,
    status: String,
    #[serde(default)]
    chain: String,
    #[serde(default)]
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePayout {
    id: String,
    status: String,
    error_code: Option<String>,
    amount: Option<WireMoney>,
    destination: Option<WireDestination>,
    /// Text by one page of Circle's, a number by another: whatever it is, it must not keep a payout from its end.
    fees: Option<Value>,
}

#[derive(Deserialize)]
struct WireDestination {
    id: Option<String>,
}

#[derive(Deserialize)]
struct WireMoney {
    amount: String,
    currency: String,
}

#[derive(Deserialize)]
struct WireBalances {
    available: Vec<WireMoney>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireKey {
    algorithm: String,
    public_key: String,
}

impl From<WireRecipient> for Recipient {
    fn from(wire: WireRecipient) -> Self {
        Self { status: wire.status.as_str().into(), id: wire.id }
    }
}

impl From<WirePayout> for Payout {
    fn from(wire: WirePayout) -> Self {
        Self {
            status: wire.status.as_str().into(),
            id: wire.id,
            error_code: wire.error_code,
            amount: wire.amount.and_then(|money| dollars(&money)),
            recipient: wire.destination.and_then(|destination| destination.id),
            fee: wire.fees.as_ref().and_then(fee),
        }
    }
}

/// USDC is called USD at Circle.
fn dollars(money: &WireMoney) -> Option<Usdc> {
    if money.currency == "USD" { money.amount.parse().ok() } else { None }
}

/// The same of what may be no text.
fn fee(money: &Value) -> Option<Usdc> {
    let amount = match &money["amount"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    dollars(&WireMoney { amount, currency: money["currency"].as_str()?.to_owned() })
}

impl CircleClient {
    /// Checks the settings; nothing is sent.
    ///
    /// # Errors
    /// [`CircleError::Refused`] for an address or a key that cannot be one. The text holds no secret.
    pub fn new(settings: CircleSettings) -> Result<Self, CircleError> {
        let CircleSettings { api_url, api_key } = settings;
        let wrong = |message: &str| CircleError::Refused { status: 0, code: 0, message: message.to_owned() };
        if api_url.cannot_be_a_base() || !["http", "https"].contains(&api_url.scheme()) {
            return Err(wrong("the address is no web address"));
        }
        if header::HeaderValue::from_str(api_key.expose_secret()).is_err() {
            return Err(wrong("the API key has a character that no key has"));
        }
        let http = http::client(CALL_LIMIT / 2, CALL_LIMIT).map_err(|error| wrong(&error))?;
        Ok(Self { http, url: api_url, key: api_key, public_keys: Mutex::default() })
    }

    fn public_keys(&self) -> MutexGuard<'_, HashMap<Uuid, PublicKey>> {
        self.public_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // An id is one segment, whatever characters it has.
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(self.key.expose_secret())
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, CircleError> {
        self.exchange(self.request(Method::GET, self.url(path))).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &[&str], body: Value) -> Result<T, CircleError> {
        self.exchange(self.request(Method::POST, self.url(path)).json(&body)).await
    }

    async fn exchange<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CircleError> {
        let response = request.send().await.map_err(|error| transient(http::describe(error)))?;
        let (status, pause) = (response.status(), retry_after(&response));
        let body = read(response).await;
        if status.is_success() {
            // Whether it acted is not known from an answer that cannot be read: ask again.
            return serde_json::from_slice::<Wrapped<T>>(&body?)
                .map(|wrapped| wrapped.data)
                .map_err(|error| transient(format!("unexpected answer: {error}")));
        }
        let error = body.ok().and_then(|body| serde_json::from_slice::<WireError>(&body).ok());
        let (code, message) = match error {
            Some(error) => (error.code, self.clean(&error)),
            None => (0, String::new()),
        };
        let passes = status.is_server_error()
            || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status)
            || code == SOMETHING_WENT_WRONG;
        if passes {
            let reason = format!("HTTP {status}, code {code}: {message:?}");
            return Err(CircleError::Transient { reason, retry_after: pause });
        }
        Err(CircleError::Refused { status: status.as_u16(), code, message })
    }

    /// Circle's words on one line, cut to size, without our key should they repeat it.
    fn clean(&self, error: &WireError) -> String {
        let mut text = error.message.clone();
        for problem in &error.errors {
            text = format!("{text} {}: {}", problem.location, problem.message);
        }
        let text = text.replace(self.key.expose_secret(), "***");
        http::one_line(&text, TEXT_LIMIT)
    }

    /// The entry of the address book that an address has already.
    async fn find(&self, chain: &str, address: Address) -> Result<Option<Recipient>, CircleError> {
        let address = address.to_string();
        let mut url = self.url(&["v1", "addressBook", "recipients"]);
        url.query_pairs_mut().append_pair("chain", chain).append_pair("address", &address);
        let found: Vec<WireRecipient> = self.exchange(self.request(Method::GET, url)).await?;
        // A filter that Circle does not know would give everybody.
        let same = |row: &WireRecipient| row.chain == chain && row.address.eq_ignore_ascii_case(&address);
        Ok(found.into_iter().find(same).map(Recipient::from))
    }
}

#[async_trait]
impl Circle for CircleClient {
    async fn recipient_create(
        &self,
        key: Uuid,
        chain: &str,
        address: Address,
    ) -> Result<Recipient, CircleError> {
        let body = json!({ "idempotencyKey": key, "chain": chain, "address": address.to_string() });
        match self.post::<WireRecipient>(&["v1", "addressBook", "recipients"], body).await {
            Ok(recipient) => Ok(recipient.into()),
            // Somebody added it before, by hand or under a key that we have lost.
            Err(conflict @ CircleError::Refused { status: 409, .. }) => {
                self.find(chain, address).await?.ok_or(conflict)
            }
            Err(error) => Err(error),
        }
    }

    async fn recipient(&self, id: &str) -> Result<Recipient, CircleError> {
        self.get::<WireRecipient>(&["v1", "addressBook", "recipients", id]).await.map(Recipient::from)
    }

    async fn payout_create(&self, key: Uuid, recipient: &str, amount: Usdc) -> Result<Payout, CircleError> {
        let Some(dollars) = told(amount) else {
            let message = format!("{amount} is nothing to pay");
            return Err(CircleError::Refused { status: 0, code: 0, message });
        };
        let body = json!({
            "idempotencyKey": key,
            "destination": { "type": "address_book", "id": recipient },
            "amount": { "amount": dollars, "currency": "USD" },
        });
        self.post::<WirePayout>(&["v1", "payouts"], body).await.map(Payout::from)
    }

    async fn payouts(&self, made: Span, after: Option<&str>) -> Result<Vec<Payout>, CircleError> {
        let mut url = self.url(&["v1", "payouts"]);
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("pageAfter", after);
        }
        for (end, moment) in [("from", Some(made.since)), ("to", made.until)] {
            if let Some(moment) = moment {
                let moment = moment.to_rfc3339_opts(SecondsFormat::Millis, true);
                url.query_pairs_mut().append_pair(end, &moment);
            }
        }
        url.query_pairs_mut().append_pair("pageSize", PAGE);
        let found: Vec<WirePayout> = self.exchange(self.request(Method::GET, url)).await?;
        Ok(found.into_iter().map(Payout::from).collect())
    }

    async fn payout(&self, id: &str) -> Result<Payout, CircleError> {
        self.get::<WirePayout>(&["v1", "payouts", id]).await.map(Payout::from)
    }

    async fn balance(&self) -> Result<Usdc, CircleError> {
        let balances: WireBalances = self.get(&["v1", "businessAccount", "balances"]).await?;
        // Other currencies, in their own precision, are not ours to read.
        let mut sum = Usdc::ZERO;
        for money in balances.available.iter().filter(|money| money.currency == "USD") {
            let unread = || transient("unexpected answer: a balance that is no amount".to_owned());
            let amount = dollars(money).ok_or_else(unread)?;
            sum = sum.plus(amount).map_err(|_| unread())?;
        }
        Ok(sum)
    }

    fn known_key(&self, id: Uuid) -> Option<PublicKey> {
        self.public_keys().get(&id).copied()
    }

    async fn public_key(&self, id: Uuid) -> Result<PublicKey, CircleError> {
        if let Some(known) = self.known_key(id) {
            return Ok(known);
        }
        let key: WireKey = self.get(&["v2", "notifications", "publicKey", &id.to_string()]).await?;
        let refused = |message: String| CircleError::Refused { status: 200, code: 0, message };
        if key.algorithm != "ECDSA_SHA_256" {
            return Err(refused("the key is for an algorithm that is not known here".to_owned()));
        }
        let key = PublicKey::parse(&key.public_key).map_err(|error| refused(error.to_string()))?;
        let mut known = self.public_keys();
        if known.len() >= KEYS {
            known.clear();
        }
        known.insert(id, key);
        Ok(key)
    }
}

const fn transient(reason: String) -> CircleError {
    CircleError::Transient { reason, retry_after: None }
}

/// `Retry-After` in seconds; its other form, a date, would need Circle's clock.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST_PAUSE)))
}

async fn read(response: Response) -> Result<Vec<u8>, CircleError> {
    http::read(response, ANSWER_LIMIT).await.map_err(|unread| match unread {
        Unread::Broken(reason) => transient(reason),
        Unread::TooLarge => transient(format!("the answer is larger than {ANSWER_LIMIT} bytes")),
    })
}

#[cfg(test)]
mod tests;
