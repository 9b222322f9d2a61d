//! Who is asking.

use entities::{Role, SessionId, UserId};

use crate::error::{Error, Result};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody signed in.
    Anonymous,
    /// A client or a freelancer.
    User(Person),
    /// An administrator.
    Admin(Person),
    /// A job, or the command line.
    System,
}

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// What they may be.
    pub role: Role,
    /// The session that they came with.
    pub session_id: SessionId,
    /// Whether their e-mail address is proven.
    pub verified: bool,
    /// Whether an admin suspended them: they may look, not act.
    pub suspended: bool,
}

impl Actor {
    /// The person, if it is one.
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::User(person) | Self::Admin(person) => Some(person),
            Self::Anonymous | Self::System => None,
        }
    }

    /// Their id, if it is a person.
    pub fn user_id(&self) -> Option<UserId> {
        self.person().map(|person| person.id)
    }

    /// The person, or the error that asks to sign in.
    pub fn signed_in(&self) -> Result<&Person> {
        self.person().ok_or(Error::Unauthenticated)
    }

    /// Whether it is an administrator or the system itself.
    pub const fn sees_all(&self) -> bool {
        matches!(self, Self::Admin(_) | Self::System)
    }

    /// Whether it is this person.
    pub fn is(&self, user: UserId) -> bool {
        self.user_id() == Some(user)
    }
}
