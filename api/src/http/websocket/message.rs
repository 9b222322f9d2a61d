//! The messages of `graphql-transport-ws`, and the codes it closes with.

use async_graphql::{Response, ServerError};
use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Incoming {
    ConnectionInit {
        #[serde(default)]
        payload: Value,
    },
    Ping {
        #[serde(default)]
        payload: Value,
    },
    Pong,
    Subscribe {
        id: String,
        payload: Value,
    },
    Complete {
        id: String,
    },
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Value::is_null")]
        payload: Value,
    },
    Next {
        id: &'a str,
        payload: Box<Response>,
    },
    Error {
        id: &'a str,
        payload: Vec<ServerError>,
    },
    Complete {
        id: &'a str,
    },
}

impl Outgoing<'_> {
    pub(super) fn text(&self) -> Result<Message, serde_json::Error> {
        Ok(Message::Text(serde_json::to_string(self)?.into()))
    }
}

/// Why a connection ends. The numbers are the protocol's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    /// The client is gone, or did not take what was sent: nothing more is said.
    Gone,
    /// The server stops.
    Stopping,
    Invalid(String),
    /// `subscribe` before `connection_init`.
    Unauthorized,
    /// A token that is wrong, or no longer good. Clients may try again with a fresh one.
    Forbidden(&'static str),
    Subprotocol,
    InitTimeout,
    SecondInit,
    SameId(String),
    Internal,
}

impl Close {
    /// The frame to say it with.
    pub(super) fn frame(self) -> Option<Message> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::Stopping => (1001, "Going away".into()),
            Self::Invalid(reason) => (4400, reason),
            Self::Unauthorized => (4401, "Unauthorized".into()),
            Self::Forbidden(reason) => (4403, format!("Forbidden: {reason}")),
            Self::Subprotocol => (4406, "Subprotocol not acceptable".into()),
            Self::InitTimeout => (4408, "Connection initialisation timeout".into()),
            Self::SameId(id) => (4409, format!("Subscriber for {id} already exists")),
            Self::SecondInit => (4429, "Too many initialisation requests".into()),
            Self::Internal => (4500, "Internal server error".into()),
        };
        // A frame holds 123 bytes of reason.
        let end = (0..=reason.len().min(123)).rev().find(|&at| reason.is_char_boundary(at)).unwrap_or(0);
        Some(Message::Close(Some(CloseFrame { code, reason: reason.get(..end).unwrap_or_default().into() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = Close::SameId("ä".repeat(200)).frame();
        let Some(Message::Close(Some(frame))) = frame else { panic!("a close frame") };
        assert_eq!(frame.code, 4409);
        assert!((120..=123).contains(&frame.reason.len()));
        assert_eq!(Close::Gone.frame(), None);
    }

    #[test]
    fn messages() {
        let read = |text: &str| serde_json::from_str::<Incoming>(text);
        assert!(matches!(
            read(r#"{"type":"connection_init"}"#),
            Ok(Incoming::ConnectionInit { payload: Value::Null })
        ));
        assert!(matches!(read(r#"{"type":"pong","payload":{}}"#), Ok(Incoming::Pong)));
        assert!(read(r#"{"type":"subscribe","id":1,"payload":{}}"#).is_err());
        assert!(read(r#"{"type":"start"}"#).is_err());
        let pong = serde_json::to_string(&Outgoing::Pong { payload: Value::Null }).expect("JSON");
        assert_eq!(pong, r#"{"type":"pong"}"#);
    }
}
