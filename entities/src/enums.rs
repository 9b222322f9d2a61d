//! The states and kinds that rows carry, stored as their upper-case names. What they mean stands in
//! `domain`; how they read outside stands in `api`.

use sea_orm::{DeriveActiveEnum, EnumIter, prelude::StringLen};
use serde::{Deserialize, Serialize};

macro_rules! text_enum {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
        #[expect(missing_docs, reason = "each variant is explained by the life cycle in domain and the description in api")]
        pub enum $name {
            $(#[sea_orm(string_value = $text)] #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// The stored and published spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    )*};
}

text_enum! {
    /// What a person may be.
    Role { Client = "CLIENT", Freelancer = "FREELANCER", Admin = "ADMIN" }
    /// How a project pays.
    BudgetType { Fixed = "FIXED", Hourly = "HOURLY" }
    /// The experience that a project asks for.
    ExperienceLevel { Entry = "ENTRY", Intermediate = "INTERMEDIATE", Expert = "EXPERT" }
    /// When a freelancer can start.
    Availability { Immediate = "IMMEDIATE", OneToTwoWeeks = "ONE_TO_TWO_WEEKS", OneMonth = "ONE_MONTH", Flexible = "FLEXIBLE" }
    /// Life of a project.
    ProjectStatus { Draft = "DRAFT", Open = "OPEN", OnHold = "ON_HOLD", InProgress = "IN_PROGRESS", Completed = "COMPLETED", Cancelled = "CANCELLED", Expired = "EXPIRED" }
    /// Life of a proposal.
    ProposalStatus { Submitted = "SUBMITTED", Shortlisted = "SHORTLISTED", Accepted = "ACCEPTED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN", Closed = "CLOSED" }
    /// Life of a contract.
    ContractStatus { Pending = "PENDING", Active = "ACTIVE", Paused = "PAUSED", Disputed = "DISPUTED", Completed = "COMPLETED", Terminated = "TERMINATED", Declined = "DECLINED", Retracted = "RETRACTED", Lapsed = "LAPSED" }
    /// Life of a milestone.
    MilestoneStatus { Pending = "PENDING", Funding = "FUNDING", Funded = "FUNDED", Submitted = "SUBMITTED", Approved = "APPROVED", Paid = "PAID", Refunding = "REFUNDING", Refunded = "REFUNDED", Disputed = "DISPUTED", Split = "SPLIT", Cancelled = "CANCELLED" }
    /// What a payment is for.
    PaymentKind { Deposit = "DEPOSIT", Release = "RELEASE", Refund = "REFUND", Bonus = "BONUS", Return = "RETURN" }
    /// What a payment travels on.
    PaymentRail { Chain = "CHAIN", Circle = "CIRCLE" }
    /// Life of a payment, of every kind.
    PaymentStatus { AwaitingFunds = "AWAITING_FUNDS", Queued = "QUEUED", OnHold = "ON_HOLD", Submitted = "SUBMITTED", Confirming = "CONFIRMING", Completed = "COMPLETED", Failed = "FAILED", Expired = "EXPIRED" }
    /// What became of a USDC transfer that the chain showed us.
    ChainTransferStatus { Seen = "SEEN", Credited = "CREDITED", Unallocated = "UNALLOCATED", Orphaned = "ORPHANED" }
    /// Why money that arrived pays nothing.
    UnallocatedReason { Late = "LATE", UnknownSender = "UNKNOWN_SENDER", NoOpenPayment = "NO_OPEN_PAYMENT", RestBelowReturn = "REST_BELOW_RETURN" }
    /// What became of money that paid nothing.
    UnallocatedStatus { Open = "OPEN", Assigned = "ASSIGNED", Returned = "RETURNED", Undone = "UNDONE" }
    /// Life of a transaction that the treasury signed.
    ChainTransactionStatus { Signed = "SIGNED", Broadcast = "BROADCAST", Mined = "MINED", Final = "FINAL", Reverted = "REVERTED", Superseded = "SUPERSEDED" }
    /// The kinds of ledger account.
    LedgerAccountKind { Treasury = "TREASURY", Escrow = "ESCROW", Payable = "PAYABLE", Fees = "FEES", Costs = "COSTS", Unallocated = "UNALLOCATED", Loss = "LOSS" }
    /// Why a ledger transfer was posted.
    LedgerTransferKind { DepositCredited = "DEPOSIT_CREDITED", DepositReversed = "DEPOSIT_REVERSED", DepositReturned = "DEPOSIT_RETURNED", UnallocatedReceived = "UNALLOCATED_RECEIVED", UnallocatedReversed = "UNALLOCATED_REVERSED", PayoutQueued = "PAYOUT_QUEUED", PayoutCompleted = "PAYOUT_COMPLETED", PayoutReversed = "PAYOUT_REVERSED", PayoutUncompleted = "PAYOUT_UNCOMPLETED", PayoutCostBooked = "PAYOUT_COST_BOOKED", LossRecorded = "LOSS_RECORDED", TreasuryMoved = "TREASURY_MOVED" }
    /// What a file is for.
    UploadPurpose { Avatar = "AVATAR", PortfolioImage = "PORTFOLIO_IMAGE", ProposalAttachment = "PROPOSAL_ATTACHMENT", ProjectFile = "PROJECT_FILE", Deliverable = "DELIVERABLE", Evidence = "EVIDENCE", MessageFile = "MESSAGE_FILE" }
    /// Life of an upload.
    UploadStatus { Pending = "PENDING", Processing = "PROCESSING", Ready = "READY", Rejected = "REJECTED" }
    /// Life of a mail.
    MailStatus { Pending = "PENDING", Sent = "SENT", Failed = "FAILED" }
    /// How loud a notification is.
    NotificationPriority { Low = "LOW", Normal = "NORMAL", High = "HIGH" }
    /// What a notification tells.
    NotificationKind {
        ProposalReceived = "PROPOSAL_RECEIVED", ProposalShortlisted = "PROPOSAL_SHORTLISTED", ProposalAccepted = "PROPOSAL_ACCEPTED", ProposalRejected = "PROPOSAL_REJECTED",
        ContractOffered = "CONTRACT_OFFERED", ContractAccepted = "CONTRACT_ACCEPTED", ContractDeclined = "CONTRACT_DECLINED", ContractEnded = "CONTRACT_ENDED",
        MilestoneFunded = "MILESTONE_FUNDED", MilestoneSubmitted = "MILESTONE_SUBMITTED", MilestoneChangesRequested = "MILESTONE_CHANGES_REQUESTED", MilestoneApproved = "MILESTONE_APPROVED", MilestoneReleased = "MILESTONE_RELEASED",
        PaymentCompleted = "PAYMENT_COMPLETED", PaymentFailed = "PAYMENT_FAILED", PaymentOnHold = "PAYMENT_ON_HOLD",
        RefundStarted = "REFUND_STARTED", RefundCompleted = "REFUND_COMPLETED",
        ProjectExpiring = "PROJECT_EXPIRING", ProjectExpired = "PROJECT_EXPIRED", InvitationReceived = "INVITATION_RECEIVED",
        ContractChanged = "CONTRACT_CHANGED", AmendmentProposed = "AMENDMENT_PROPOSED", AmendmentAnswered = "AMENDMENT_ANSWERED",
        MilestoneAutoReleaseNear = "MILESTONE_AUTO_RELEASE_NEAR", DisputeOpened = "DISPUTE_OPENED", DisputeResolved = "DISPUTE_RESOLVED",
        ReviewReceived = "REVIEW_RECEIVED", AccountSuspended = "ACCOUNT_SUSPENDED", AccountRestored = "ACCOUNT_RESTORED",
        AccountVerify = "ACCOUNT_VERIFY", AccountReset = "ACCOUNT_RESET", AccountPasswordChanged = "ACCOUNT_PASSWORD_CHANGED",
        AccountNewSignIn = "ACCOUNT_NEW_SIGN_IN", AccountWalletChanged = "ACCOUNT_WALLET_CHANGED",
        TreasuryAlert = "TREASURY_ALERT",
    }
    /// Life of a change that one party proposes to the other.
    AmendmentStatus { Proposed = "PROPOSED", Accepted = "ACCEPTED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN" }
    /// What a line of an amendment does to the contract's milestones.
    AmendmentChangeKind { Add = "ADD", Change = "CHANGE", Remove = "REMOVE" }
    /// What a dispute is about.
    DisputeKind { Quality = "QUALITY", Deadline = "DEADLINE", Payment = "PAYMENT", Scope = "SCOPE", Communication = "COMMUNICATION", Fraud = "FRAUD", Other = "OTHER" }
    /// Life of a dispute.
    DisputeStatus { Open = "OPEN", InReview = "IN_REVIEW", Escalated = "ESCALATED", Resolved = "RESOLVED", Withdrawn = "WITHDRAWN" }
    /// Life of an invitation to bid.
    InvitationStatus { Pending = "PENDING", Accepted = "ACCEPTED", Declined = "DECLINED", Withdrawn = "WITHDRAWN" }
    /// What a comparison of the books with the chain found.
    ReconciliationOutcome { Ok = "OK", Less = "LESS", More = "MORE", Skipped = "SKIPPED" }
    /// What a mailed token is good for.
    TokenPurpose { VerifyEmail = "VERIFY_EMAIL", ResetPassword = "RESET_PASSWORD" }
    /// What an event tells the subscribers about.
    EventKind {
        PaymentUpdated = "PAYMENT_UPDATED", NotificationReceived = "NOTIFICATION_RECEIVED", JobUpdated = "JOB_UPDATED"
    }
}
