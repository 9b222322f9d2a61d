//! The domain's states and kinds as the API shows them.

use async_graphql::Enum;

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

macro_rules! public_enum {
    ($($(#[$doc:meta])* $name:ident = $row:literal { $($(#[$variant_doc:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[graphql(remote = $row)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }
    )*};
}

public_enum! {
    /// What a person may be.
    Role = "domain::entities::Role" {
        /// Posts projects, funds and approves work.
        Client,
        /// Bids, works and is paid.
        Freelancer,
        /// Runs the marketplace; granted from the command line only.
        Admin,
    }
    /// How a project pays.
    BudgetType = "domain::entities::BudgetType" {
        /// One price for the whole.
        Fixed,
        /// A rate an hour.
        Hourly,
    }
    /// The experience that a project asks for.
    ExperienceLevel = "domain::entities::ExperienceLevel" {
        /// Just starting out.
        Entry,
        /// Some years of practice.
        Intermediate,
        /// Deep experience.
        Expert,
    }
    /// When a freelancer can start.
    Availability = "domain::entities::Availability" {
        /// At once.
        Immediate,
        /// In one to two weeks.
        OneToTwoWeeks,
        /// In about a month.
        OneMonth,
        /// Whenever it suits.
        Flexible,
    }
    /// Where a project is in its life.
    ProjectStatus = "domain::entities::ProjectStatus" {
        /// Only its client sees it.
        Draft,
        /// Takes proposals.
        Open,
        /// Takes no proposals for now.
        OnHold,
        /// A contract on it is running.
        InProgress,
        /// Its contract ended with the work done.
        Completed,
        /// Given up.
        Cancelled,
        /// Sixty days without activity; it can be renewed.
        Expired,
    }
    /// Where a proposal is in its life.
    ProposalStatus = "domain::entities::ProposalStatus" {
        /// Waits for the client.
        Submitted,
        /// The client is considering it.
        Shortlisted,
        /// The client offered a contract on it.
        Accepted,
        /// The client decided against it.
        Rejected,
        /// The freelancer took it back.
        Withdrawn,
        /// The offer on it was declined, retracted or lapsed.
        Closed,
    }
    /// Where a contract is in its life.
    ContractStatus = "domain::entities::ContractStatus" {
        /// Offered; the freelancer has seven days to answer.
        Pending,
        /// Running.
        Active,
        /// Stopped for a while.
        Paused,
        /// A dispute is open.
        Disputed,
        /// Ended with the work done and paid.
        Completed,
        /// Ended early.
        Terminated,
        /// The freelancer said no.
        Declined,
        /// The client took the offer back.
        Retracted,
        /// Nobody answered the offer in time.
        Lapsed,
    }
    /// Where a milestone is in its life.
    MilestoneStatus = "domain::entities::MilestoneStatus" {
        /// Not funded.
        Pending,
        /// A deposit is awaited.
        Funding,
        /// The money is in escrow; work can start.
        Funded,
        /// Work was handed in; the client has fourteen days to answer.
        Submitted,
        /// The client approved; the payout is under way.
        Approved,
        /// The payout is final.
        Paid,
        /// A refund is under way.
        Refunding,
        /// The money went back to the client.
        Refunded,
        /// Frozen by a dispute.
        Disputed,
        /// A dispute divided the money.
        Split,
        /// Dropped before it was funded.
        Cancelled,
    }
    /// What a payment is for.
    PaymentKind = "domain::entities::PaymentKind" {
        /// A client pays into escrow.
        Deposit,
        /// Escrow is paid out to the freelancer.
        Release,
        /// Escrow goes back to the client.
        Refund,
        /// A tip beyond the contract.
        Bonus,
        /// Money that came without need goes back.
        Return,
    }
    /// What a payment travels on.
    PaymentRail = "domain::entities::PaymentRail" {
        /// A USDC transfer on the EVM chain.
        Chain,
        /// A payout by Circle.
        Circle,
    }
    /// Where a payment is in its life.
    PaymentStatus = "domain::entities::PaymentStatus" {
        /// The deposit has not arrived in full.
        AwaitingFunds,
        /// The payout is about to be signed.
        Queued,
        /// The payout waits for something; `failureReason` says for what.
        OnHold,
        /// Signed, stored and sent to the chain.
        Submitted,
        /// Seen in a block; waits for its confirmations.
        Confirming,
        /// Done.
        Completed,
        /// Ended without money having moved; an admin can try again.
        Failed,
        /// The deposit's deadline passed.
        Expired,
    }
    /// Why money that arrived pays nothing.
    UnallocatedReason = "domain::entities::UnallocatedReason" {
        /// It came after its deposit's deadline.
        Late,
        /// The wallet that sent it is nobody's here.
        UnknownSender,
        /// Its sender had no deposit that waited for funds.
        NoOpenPayment,
        /// Below 1 USDC, what is left over does not go back by itself.
        RestBelowReturn,
    }
    /// What became of money that paid nothing.
    UnallocatedStatus = "domain::entities::UnallocatedStatus" {
        /// It waits for an administrator.
        Open,
        /// It pays a deposit now.
        Assigned,
        /// It is sent back by a RETURN.
        Returned,
        /// A reorganisation of the chain undid the transfer before anybody decided.
        Undone,
    }
    /// What a file is for.
    UploadPurpose = "domain::entities::UploadPurpose" {
        /// A person's picture: jpg, png, gif or webp, up to 5 MB.
        Avatar,
        /// A picture in a portfolio: jpg, png, gif or webp, up to 10 MB.
        PortfolioImage,
        /// A file with a proposal, up to 10 MB.
        ProposalAttachment,
        /// A file with a project, up to 10 MB.
        ProjectFile,
        /// A file with submitted work, up to 10 MB.
        Deliverable,
        /// A file in a dispute, up to 10 MB.
        Evidence,
        /// A file in a conversation, up to 10 MB.
        MessageFile,
    }
    /// Where an upload is in its life.
    UploadStatus = "domain::entities::UploadStatus" {
        /// Waits for its bytes.
        Pending,
        /// Is being checked.
        Processing,
        /// Checked and usable.
        Ready,
        /// Refused; `rejectionReason` says why.
        Rejected,
    }
    /// How loud a notification is.
    NotificationPriority = "domain::entities::NotificationPriority" {
        /// Good to know.
        Low,
        /// Worth a look.
        Normal,
        /// Wants an answer, or is about money.
        High,
    }
    /// Where an amendment is in its life.
    AmendmentStatus = "domain::entities::AmendmentStatus" {
        /// Waits for the other party.
        Proposed,
        /// In force.
        Accepted,
        /// The other party said no.
        Rejected,
        /// Taken back by who proposed it.
        Withdrawn,
    }
    /// What a line of an amendment does.
    AmendmentChangeKind = "domain::entities::AmendmentChangeKind" {
        /// A new milestone.
        Add,
        /// Another title, amount or due date of a PENDING milestone.
        Change,
        /// A PENDING milestone is dropped.
        Remove,
    }
    /// What a dispute is about.
    DisputeKind = "domain::entities::DisputeKind" {
        /// The work is not good enough.
        Quality,
        /// The work is late.
        Deadline,
        /// About the money.
        Payment,
        /// What is and is not part of the work.
        Scope,
        /// The other side does not answer.
        Communication,
        /// The other side deceives.
        Fraud,
        /// Anything else.
        Other,
    }
    /// Where a dispute is in its life.
    DisputeStatus = "domain::entities::DisputeStatus" {
        /// Waits for an admin.
        Open,
        /// An admin is looking at it.
        InReview,
        /// Given to a senior admin.
        Escalated,
        /// Decided.
        Resolved,
        /// Taken back by who opened it.
        Withdrawn,
    }
    /// Where an invitation is in its life.
    InvitationStatus = "domain::entities::InvitationStatus" {
        /// Waits for the freelancer.
        Pending,
        /// The freelancer sent a proposal.
        Accepted,
        /// The freelancer said no.
        Declined,
        /// The client took it back, or the project takes no more proposals.
        Withdrawn,
    }
    /// What a comparison of the books with the chain found.
    ReconciliationOutcome = "domain::entities::ReconciliationOutcome" {
        /// The treasury holds what the books say.
        Ok,
        /// It holds less: outgoing payments are paused.
        Less,
        /// It holds more, which anybody can bring about.
        More,
        /// Nothing could be compared; the reason says why.
        Skipped,
    }
    /// What a notification tells.
    NotificationKind = "domain::entities::NotificationKind" {
        /// A freelancer bid on your project.
        ProposalReceived,
        /// Your proposal is being considered.
        ProposalShortlisted,
        /// Your proposal was accepted.
        ProposalAccepted,
        /// Your proposal was not chosen.
        ProposalRejected,
        /// A contract waits for your answer.
        ContractOffered,
        /// The freelancer accepted the contract.
        ContractAccepted,
        /// The freelancer declined the contract.
        ContractDeclined,
        /// A contract ended.
        ContractEnded,
        /// The money for a milestone is in escrow.
        MilestoneFunded,
        /// Work was handed in.
        MilestoneSubmitted,
        /// The client asks for changes.
        MilestoneChangesRequested,
        /// The client approved your work.
        MilestoneApproved,
        /// Your payout is final.
        MilestoneReleased,
        /// A payment is complete.
        PaymentCompleted,
        /// A payment failed.
        PaymentFailed,
        /// A payment is held.
        PaymentOnHold,
        /// A refund is on its way.
        RefundStarted,
        /// A refund is final.
        RefundCompleted,
        /// Your project is about to expire.
        ProjectExpiring,
        /// Your project expired.
        ProjectExpired,
        /// A client asks you for a bid.
        InvitationReceived,
        /// A contract was paused or resumed.
        ContractChanged,
        /// The other party wants to change a contract.
        AmendmentProposed,
        /// A change of a contract was accepted, rejected or withdrawn.
        AmendmentAnswered,
        /// Submitted work is about to be paid by itself.
        MilestoneAutoReleaseNear,
        /// A dispute was opened.
        DisputeOpened,
        /// A dispute was resolved or withdrawn.
        DisputeResolved,
        /// Somebody reviewed you.
        ReviewReceived,
        /// Your account was suspended.
        AccountSuspended,
        /// Your account was restored.
        AccountRestored,
        /// Prove your e-mail address.
        AccountVerify,
        /// Somebody who forgot your password asks for another.
        AccountReset,
        /// Your password was changed.
        AccountPasswordChanged,
        /// Somebody signed in to your account.
        AccountNewSignIn,
        /// Your payout wallet changed, or another wallet was linked.
        AccountWalletChanged,
        /// Outgoing money was paused or resumed, or the treasury is not what the books say: for administrators.
        TreasuryAlert,
    }
}
