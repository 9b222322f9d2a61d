//! One connection: its greeting, its operations, its end.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::Response;
use axum::extract::ws::{Message, WebSocket};
use domain::Actor;
use futures::StreamExt as _;
use futures::stream::{AbortHandle, BoxStream, SelectAll, abortable, once};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::message::{Close, Incoming, Outgoing};
use crate::auth::{self, Bearer};
use crate::http::HttpState;
use crate::http::admission::{Admitted, Client, admit};
use crate::http::graphql::is_request_error;
use crate::http::params::Params;
use crate::http::problem::{Problem, code};

/// How long a client may take to greet.
const GREETING: Duration = Duration::from_secs(10);
/// How often an idle client is asked whether it is there; silent for twice as long, it is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// How long a client may take to read a message.
const SENDING: Duration = Duration::from_secs(10);
/// Operations that may run at once.
const OPERATIONS: usize = 50;
/// Bytes of an operation's id.
const ID: usize = 128;

/// The state of a connection.
pub(super) struct Connection {
    state: HttpState,
    client: Client,
    greeted: Option<Greeted>,
    running: HashMap<String, Running>,
    answers: SelectAll<BoxStream<'static, Event>>,
    started: u64,
}

/// Who greeted.
struct Greeted {
    bearer: Option<Bearer>,
    actor: Actor,
}

/// An operation. The number tells it from an earlier one of the same id, whose last answers may still be under way.
struct Running {
    number: u64,
    handle: AbortHandle,
}

struct Event {
    id: String,
    number: u64,
    /// None when the operation is over.
    answer: Option<Box<Response>>,
}

impl Connection {
    pub(super) fn new(state: HttpState, client: Client) -> Self {
        Self { state, client, greeted: None, running: HashMap::new(), answers: SelectAll::new(), started: 0 }
    }

    /// Serves until either side has enough.
    pub(super) async fn serve(mut self, mut socket: WebSocket) {
        let close = if socket.protocol().is_none() {
            Close::Subprotocol
        } else {
            match self.converse(&mut socket).await {
                Ok(never) => match never {},
                Err(close) => close,
            }
        };
        tracing::debug!(?close, "closed");
        if let Some(frame) = close.frame() {
            // The client may be gone already; nobody is left to tell.
            let _ = send(&mut socket, frame).await;
        }
    }

    async fn converse(&mut self, socket: &mut WebSocket) -> Result<std::convert::Infallible, Close> {
        let closing = self.state.closing.clone();
        let begun = Instant::now();
        let mut heard = begun;
        let mut keep_alive = interval_at(begun + KEEP_ALIVE, KEEP_ALIVE);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = closing.cancelled() => return Err(Close::Stopping),
                () = sleep_until(begun + GREETING), if self.greeted.is_none() => return Err(Close::InitTimeout),
                _ = keep_alive.tick() => {
                    if heard.elapsed() > KEEP_ALIVE * 2 {
                        return Err(Close::Gone);
                    }
                    send(socket, Message::Ping(Default::default())).await?;
                }
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => self.hear(socket, text.as_str()).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Binary(_))) => {
                            return Err(Close::Invalid("Messages have to be text".into()));
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Close::Gone),
                    }
                }
                Some(event) = self.answers.next(), if !self.answers.is_empty() => self.tell(socket, event).await?,
            }
        }
    }

    async fn hear(&mut self, socket: &mut WebSocket, text: &str) -> Result<(), Close> {
        let message = serde_json::from_str(text)
            .map_err(|error| Close::Invalid(format!("Invalid message: {error}")))?;
        match message {
            Incoming::ConnectionInit { payload } => self.greet(socket, &payload).await,
            Incoming::Ping { payload } => say(socket, Outgoing::Pong { payload }).await,
            Incoming::Pong => Ok(()),
            Incoming::Subscribe { id, payload } => self.start(socket, id, payload).await,
            Incoming::Complete { id } => {
                if let Some(running) = self.running.remove(&id) {
                    running.handle.abort();
                }
                Ok(())
            }
        }
    }

    async fn greet(&mut self, socket: &mut WebSocket, payload: &Value) -> Result<(), Close> {
        if self.greeted.is_some() {
            return Err(Close::SecondInit);
        }
        let bearer = ["Authorization", "authorization"].into_iter().find_map(|name| payload.get(name));
        let bearer = match bearer {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_str()
                    .and_then(|text| Bearer::parse(text).ok())
                    .ok_or(Close::Forbidden("Authorization has to be \"Bearer <access token>\""))?,
            ),
        };
        let actor = auth::actor(&self.state.app, bearer.as_ref()).await.map_err(|error| refusal(&error))?;
        self.greeted = Some(Greeted { bearer, actor });
        say(socket, Outgoing::ConnectionAck).await
    }

    async fn start(&mut self, socket: &mut WebSocket, id: String, payload: Value) -> Result<(), Close> {
        self.ask_again().await?;
        let Some(greeted) = &self.greeted else { return Err(Close::Unauthorized) };
        if id.is_empty() || id.len() > ID {
            return Err(Close::Invalid("Invalid id".into()));
        }
        if self.running.contains_key(&id) {
            return Err(Close::SameId(id));
        }
        let admitted = if self.running.len() >= OPERATIONS {
            let message = format!("A connection runs at most {OPERATIONS} operations at once.");
            Err(Problem::new(http::StatusCode::TOO_MANY_REQUESTS, code::LIMIT_REACHED, message))
        } else {
            Params::from_value(payload)
                .and_then(|params| admit(&self.state, &greeted.actor, &self.client, params))
        };
        let request = match admitted {
            Ok(Admitted { request, .. }) => request,
            Err(problem) => {
                return say(socket, Outgoing::Error { id: &id, payload: vec![*problem.error] }).await;
            }
        };

        self.started += 1;
        let number = self.started;
        let (answers, handle) = abortable(self.state.schema.execute_stream(request));
        let (of, last) = (id.clone(), id.clone());
        let answers = answers
            .map(move |answer| Event { id: of.clone(), number, answer: Some(Box::new(answer)) })
            .chain(once(async move { Event { id: last, number, answer: None } }));
        self.answers.push(answers.boxed());
        self.running.insert(id, Running { number, handle });
        Ok(())
    }

    /// Passes an answer on, if the operation still runs and the listener still may hear it.
    async fn tell(&mut self, socket: &mut WebSocket, event: Event) -> Result<(), Close> {
        let Event { id, number, answer } = event;
        if self.running.get(&id).is_none_or(|running| running.number != number) {
            return Ok(());
        }
        let Some(answer) = answer else {
            self.running.remove(&id);
            return say(socket, Outgoing::Complete { id: &id }).await;
        };
        self.ask_again().await?;
        if is_request_error(&answer) {
            if let Some(running) = self.running.remove(&id) {
                running.handle.abort();
            }
            return say(socket, Outgoing::Error { id: &id, payload: answer.errors }).await;
        }
        say(socket, Outgoing::Next { id: &id, payload: answer }).await
    }

    /// A session may have been revoked, a person suspended or verified since they greeted: what was subscribed was
    /// decided for who they were then, and nothing new may begin as that.
    async fn ask_again(&mut self) -> Result<(), Close> {
        let Some(greeted) = &self.greeted else { return Err(Close::Unauthorized) };
        let now =
            auth::actor(&self.state.app, greeted.bearer.as_ref()).await.map_err(|error| refusal(&error))?;
        if now == greeted.actor {
            Ok(())
        } else {
            Err(Close::Forbidden("the account has changed, connect again"))
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.handle.abort();
        }
    }
}

fn refusal(error: &domain::Error) -> Close {
    match error {
        domain::Error::Unauthenticated => Close::Forbidden("the access token is wrong, expired or revoked"),
        error => {
            crate::error::report(error);
            Close::Internal
        }
    }
}

async fn say(socket: &mut WebSocket, message: Outgoing<'_>) -> Result<(), Close> {
    let message = message.text().map_err(|error| {
        crate::error::report(&error);
        Close::Internal
    })?;
    send(socket, message).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Close> {
    match tokio::time::timeout(SENDING, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Close::Gone),
    }
}
