//! Typed ids: a UUIDv7 inside, a prefixed opaque string outside (`prj_0193...`).
//!
//! They live beside the rows because a row that mixes up two kinds of id should not compile.

use std::{fmt, str::FromStr};

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not an id of a {kind}; such an id starts with \"{prefix}_\"")]
pub struct InvalidId {
    /// What was given, cut to 64 characters.
    pub given: String,
    /// The kind that was wanted, for people.
    pub kind: &'static str,
    /// The prefix that such ids carry.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(
                Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType,
                Serialize, Deserialize,
            )]
            #[serde(into = "String", try_from = "String")]
            pub struct $name(pub Uuid);

            impl $name {
                /// The prefix of this kind's public form.
                pub const PREFIX: &'static str = $prefix;
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}_{}", $prefix, self.0.simple())
                }
            }

            impl FromStr for $name {
                type Err = InvalidId;

                fn from_str(text: &str) -> Result<Self, InvalidId> {
                    parse($prefix, $kind, text).map(Self)
                }
            }

            impl From<$name> for String {
                fn from(id: $name) -> Self {
                    id.to_string()
                }
            }

            impl TryFrom<String> for $name {
                type Error = InvalidId;

                fn try_from(text: String) -> Result<Self, InvalidId> {
                    text.parse()
                }
            }

            // An id is never made of a number, but SeaORM asks every primary key for the way.
            impl TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                    Err(DbErr::ConvertFromU64(stringify!($name)))
                }
            }

            impl From<Uuid> for $name {
                fn from(uuid: Uuid) -> Self {
                    Self(uuid)
                }
            }
        )*

        /// Any id, told apart by its prefix: what `node(id:)` takes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each variant wraps the id type of the same name")]
        pub enum AnyId {
            $($name($name),)*
        }

        impl FromStr for AnyId {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                match text.split_once('_').map(|(prefix, _)| prefix) {
                    $(Some($prefix) => text.parse().map(Self::$name),)*
                    _ => Err(invalid("thing, such as a project", "prj", text)),
                }
            }
        }
    };
}

ids! {
    /// A person.
    UserId = "usr", "user";
    /// A signed-in session.
    SessionId = "ses", "session";
    /// A linked wallet.
    WalletId = "wal", "wallet";
    /// A skill.
    SkillId = "skl", "skill";
    /// A project category.
    CategoryId = "cat", "category";
    /// A project.
    ProjectId = "prj", "project";
    /// A proposal.
    ProposalId = "ppl", "proposal";
    /// A milestone that a proposal suggests.
    ProposedMilestoneId = "pms", "proposed milestone";
    /// A contract.
    ContractId = "ctr", "contract";
    /// A milestone of a contract.
    MilestoneId = "mil", "milestone";
    /// What a freelancer handed in for a milestone.
    SubmissionId = "sub", "submission";
    /// A payment.
    PaymentId = "pay", "payment";
    /// A USDC transfer seen on the chain.
    ChainTransferId = "ctf", "chain transfer";
    /// Money that arrived and pays nothing.
    UnallocatedId = "una", "unallocated deposit";
    /// A transaction that the treasury signed.
    ChainTransactionId = "ctx", "chain transaction";
    /// An uploaded file.
    UploadId = "upl", "upload";
    /// A stored object that has to go.
    ObjectDeletionId = "obd", "object deletion";
    /// A notification.
    NotificationId = "ntf", "notification";
    /// A mail to be sent.
    MailId = "eml", "mail";
    /// A ledger account.
    LedgerAccountId = "lac", "ledger account";
    /// A ledger transfer: postings that sum to zero.
    LedgerTransferId = "ltr", "ledger transfer";
    /// One posting of a ledger transfer.
    LedgerPostingId = "lpo", "ledger posting";
    /// A mailed single-use token.
    AccountTokenId = "tok", "account token";
    /// A change of a contract that one party proposes to the other.
    AmendmentId = "amd", "amendment";
    /// One line of an amendment.
    AmendmentChangeId = "amc", "amendment change";
    /// A dispute.
    DisputeId = "dsp", "dispute";
    /// What a party brought forward in a dispute.
    EvidenceId = "evd", "piece of evidence";
    /// A review.
    ReviewId = "rev", "review";
    /// A piece of work that a freelancer shows.
    PortfolioItemId = "pfi", "portfolio item";
    /// An invitation to bid.
    InvitationId = "inv", "invitation";
    /// An entry of the audit log.
    AuditEntryId = "aud", "audit entry";
    /// A comparison of the books with the chain.
    ReconciliationId = "rec", "reconciliation";
}

fn parse(prefix: &'static str, kind: &'static str, text: &str) -> Result<Uuid, InvalidId> {
    text.strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        // Only the form we print: 32 lower-case hex digits, so that an id has one spelling.
        .filter(|rest| rest.len() == 32 && !rest.bytes().any(|b| b.is_ascii_uppercase()))
        .and_then(|rest| Uuid::try_parse(rest).ok())
        .ok_or_else(|| invalid(kind, prefix, text))
}

fn invalid(kind: &'static str, prefix: &'static str, text: &str) -> InvalidId {
    InvalidId { given: text.chars().take(64).collect(), kind, prefix }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling_and_one_kind() {
        let id = ProjectId(Uuid::from_u128(7));
        let text = id.to_string();
        assert_eq!(text, "prj_00000000000000000000000000000007");
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.parse(), Ok(AnyId::ProjectId(id)));
        assert!(text.parse::<UserId>().is_err());
        for bad in ["", "prj_", "prj_7", "prj-00000000000000000000000000000007", "7"] {
            assert!(bad.parse::<ProjectId>().is_err(), "{bad}");
        }
        assert!("prj_0000000000000000000000000000000A".parse::<ProjectId>().is_err());
    }
}
