//! What people are told, one variant an event: the words stand here and nowhere else.

use entities::{
    ContractId, DisputeId, InvitationId, MilestoneId, NotificationKind, NotificationPriority, PaymentId,
    PaymentRail, ProjectId, ProposalId, ReviewId, Usdc, WalletId,
};

/// A notice in words: what the notification and both parts of the mail say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Story {
    /// How loud.
    pub(super) priority: NotificationPriority,
    /// One line; the mail's subject.
    pub(super) title: String,
    /// Paragraphs.
    pub(super) lines: Vec<String>,
    /// What to do: a label, and a link below the public URL.
    pub(super) action: Option<(&'static str, String)>,
    /// The public id of the thing it is about.
    pub(super) subject: Option<String>,
}

/// An event that a person should hear of, with the facts that its words need.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the facts named in the words below")]
pub enum Notice {
    /// The link in this mail proves the address.
    AccountVerify { link: String },
    /// The link in this mail sets another password.
    AccountReset { link: String },
    /// Another password is in force.
    AccountPasswordChanged,
    /// A sign-in from a client called `client`.
    AccountNewSignIn { client: String },
    /// The payout wallet changed.
    AccountWalletChanged { wallet: WalletId, address: String, payouts_from: String },
    /// Another wallet was linked; payouts stay where they were.
    AccountWalletLinked { wallet: WalletId, address: String },
    /// A freelancer bid.
    ProposalReceived { proposal: ProposalId, project: String, freelancer: String },
    /// The client is considering it.
    ProposalShortlisted { proposal: ProposalId, project: String },
    /// The client decided against it.
    ProposalRejected { proposal: ProposalId, project: String },
    /// A contract waits for an answer.
    ContractOffered { contract: ContractId, project: String, client: String, amount: Usdc },
    /// The contract runs.
    ContractAccepted { contract: ContractId, project: String, freelancer: String },
    /// The freelancer said no.
    ContractDeclined { contract: ContractId, project: String, freelancer: String },
    /// The client took the offer back.
    ContractRetracted { contract: ContractId, project: String },
    /// Nobody answered the offer in time.
    ContractLapsed { contract: ContractId, project: String },
    /// The deposit is confirmed.
    MilestoneFunded { milestone: MilestoneId, title: String, amount: Usdc },
    /// The client has to answer.
    MilestoneSubmitted { milestone: MilestoneId, title: String, freelancer: String },
    /// The freelancer has to work on.
    MilestoneChangesRequested { milestone: MilestoneId, title: String, feedback: String },
    /// The payout is under way.
    MilestoneApproved { milestone: MilestoneId, title: String, net: Usdc },
    /// The payout is final.
    MilestoneReleased { milestone: MilestoneId, title: String, net: Usdc },
    /// A payment is final.
    PaymentCompleted { payment: PaymentId, what: String, amount: Usdc },
    /// A payment ended without money having moved.
    PaymentFailed { payment: PaymentId, what: String, amount: Usdc, reason: String },
    /// A payment waits.
    PaymentOnHold { payment: PaymentId, what: String, amount: Usdc, reason: String },
    /// Circle does not take a payment.
    PaymentStuck { payment: PaymentId, amount: Usdc, reason: String },
    /// Circle names a fee for a payout that nobody would pay: it is not booked.
    FeeAbsurd { payment: PaymentId, amount: Usdc, fee: Usdc },
    /// The deadline passed.
    DepositExpired { payment: PaymentId, title: String, amount: Usdc },
    /// A reorg undid a credited deposit: it is waited for again.
    DepositUndone { payment: PaymentId, title: String, amount: Usdc },
    /// A reorg undid money that was passed on already.
    DepositLost { payment: Option<PaymentId>, amount: Usdc },
    /// Money that paid nothing goes back.
    ReturnStarted { payment: PaymentId, amount: Usdc },
    /// It is there again.
    DepositRegained { payment: Option<PaymentId>, amount: Usdc },
    /// A refund is under way.
    RefundStarted { payment: PaymentId, title: String, amount: Usdc },
    /// A refund is final.
    RefundCompleted { payment: PaymentId, title: String, amount: Usdc },
    /// Sixty days without activity are nearly over.
    ProjectExpiring { project: ProjectId, title: String, expires: String },
    /// Sixty days without activity are over.
    ProjectExpired { project: ProjectId, title: String },
    /// A client asks for a bid.
    InvitationReceived { invitation: InvitationId, project: String, client: String },
    /// The contract rests.
    ContractPaused { contract: ContractId, project: String },
    /// The work goes on.
    ContractResumed { contract: ContractId, project: String },
    /// Everything is paid: the contract is done.
    ContractCompleted { contract: ContractId, project: String },
    /// The contract ended early.
    ContractTerminated { contract: ContractId, project: String, reason: String },
    /// The other party wants to change the contract.
    AmendmentProposed { contract: ContractId, project: String, by: String, amount: Usdc },
    /// The other party agreed.
    AmendmentAccepted { contract: ContractId, project: String, by: String, amount: Usdc },
    /// The other party said no.
    AmendmentRejected { contract: ContractId, project: String, by: String },
    /// The other party took its proposal back.
    AmendmentWithdrawn { contract: ContractId, project: String, by: String },
    /// Nobody answered for eleven days.
    MilestoneAutoReleaseNear { milestone: MilestoneId, title: String, releases: String },
    /// Nobody answered for fourteen days: the payout is under way.
    MilestoneAutoReleased { milestone: MilestoneId, title: String, net: Usdc },
    /// A bonus is paid in, and its payout under way.
    BonusComing { payment: PaymentId, project: String, net: Usdc, note: Option<String> },
    /// A bonus was not paid in in time.
    BonusExpired { payment: PaymentId, project: String, amount: Usdc },
    /// A milestone is frozen.
    DisputeOpened { dispute: DisputeId, title: String, by: String },
    /// The milestone goes on as before.
    DisputeWithdrawn { dispute: DisputeId, title: String, by: String },
    /// An admin decided.
    DisputeResolved { dispute: DisputeId, title: String, refunded: Usdc, released: Usdc, resolution: String },
    /// A review can be read.
    ReviewReceived { review: ReviewId, project: String, by: String },
    /// Nothing can be done with the account.
    AccountSuspended { reason: String },
    /// The account is whole again.
    AccountRestored,
    /// No money goes out; nobody in `by` is the system itself.
    OutgoingPaused { by: Option<String>, reason: String },
    /// Money goes out again.
    OutgoingResumed { by: String },
    /// The chain, or Circle, and the books differ on the treasury.
    TreasuryDiffers { rail: PaymentRail, less: bool, difference: Usdc, there: Usdc, expected: Usdc },
    /// They agree again.
    TreasuryAgrees { rail: PaymentRail },
    /// They could not be compared for long.
    TreasuryUnchecked { rail: PaymentRail, since: String, reason: String },
    /// Something is wrong with a node, and has been for minutes.
    NodeTrouble { since: String, reason: String },
    /// It is over.
    NodesAgree,
}

impl Notice {
    /// The kind under which people choose what they want to hear.
    pub const fn kind(&self) -> NotificationKind {
        match self {
            Self::AccountVerify { .. } => NotificationKind::AccountVerify,
            Self::AccountReset { .. } => NotificationKind::AccountReset,
            Self::AccountPasswordChanged => NotificationKind::AccountPasswordChanged,
            Self::AccountNewSignIn { .. } => NotificationKind::AccountNewSignIn,
            Self::AccountWalletChanged { .. } | Self::AccountWalletLinked { .. } => {
                NotificationKind::AccountWalletChanged
            }
            Self::ProposalReceived { .. } => NotificationKind::ProposalReceived,
            Self::ProposalShortlisted { .. } => NotificationKind::ProposalShortlisted,
            Self::ProposalRejected { .. } => NotificationKind::ProposalRejected,
            Self::ContractOffered { .. } => NotificationKind::ContractOffered,
            Self::ContractAccepted { .. } => NotificationKind::ContractAccepted,
            Self::ContractDeclined { .. } => NotificationKind::ContractDeclined,
            Self::ContractRetracted { .. } | Self::ContractLapsed { .. } => NotificationKind::ContractEnded,
            Self::MilestoneFunded { .. } => NotificationKind::MilestoneFunded,
            Self::MilestoneSubmitted { .. } => NotificationKind::MilestoneSubmitted,
            Self::MilestoneChangesRequested { .. } => NotificationKind::MilestoneChangesRequested,
            Self::MilestoneApproved { .. } | Self::MilestoneAutoReleased { .. } => {
                NotificationKind::MilestoneApproved
            }
            Self::MilestoneReleased { .. } => NotificationKind::MilestoneReleased,
            Self::PaymentCompleted { .. } => NotificationKind::PaymentCompleted,
            Self::PaymentFailed { .. } => NotificationKind::PaymentFailed,
            Self::PaymentOnHold { .. } | Self::PaymentStuck { .. } => NotificationKind::PaymentOnHold,
            Self::DepositExpired { .. }
            | Self::BonusExpired { .. }
            | Self::DepositUndone { .. }
            | Self::DepositLost { .. } => NotificationKind::PaymentFailed,
            Self::BonusComing { .. } | Self::DepositRegained { .. } => NotificationKind::PaymentCompleted,
            Self::RefundStarted { .. } | Self::ReturnStarted { .. } => NotificationKind::RefundStarted,
            Self::RefundCompleted { .. } => NotificationKind::RefundCompleted,
            Self::ProjectExpiring { .. } => NotificationKind::ProjectExpiring,
            Self::ProjectExpired { .. } => NotificationKind::ProjectExpired,
            Self::InvitationReceived { .. } => NotificationKind::InvitationReceived,
            Self::ContractPaused { .. } | Self::ContractResumed { .. } => NotificationKind::ContractChanged,
            Self::ContractCompleted { .. } | Self::ContractTerminated { .. } => {
                NotificationKind::ContractEnded
            }
            Self::AmendmentProposed { .. } => NotificationKind::AmendmentProposed,
            Self::AmendmentAccepted { .. }
            | Self::AmendmentRejected { .. }
            | Self::AmendmentWithdrawn { .. } => NotificationKind::AmendmentAnswered,
            Self::MilestoneAutoReleaseNear { .. } => NotificationKind::MilestoneAutoReleaseNear,
            Self::DisputeOpened { .. } => NotificationKind::DisputeOpened,
            Self::DisputeWithdrawn { .. } | Self::DisputeResolved { .. } => NotificationKind::DisputeResolved,
            Self::ReviewReceived { .. } => NotificationKind::ReviewReceived,
            Self::AccountSuspended { .. } => NotificationKind::AccountSuspended,
            Self::AccountRestored => NotificationKind::AccountRestored,
            Self::OutgoingPaused { .. }
            | Self::OutgoingResumed { .. }
            | Self::TreasuryDiffers { .. }
            | Self::TreasuryAgrees { .. }
            | Self::TreasuryUnchecked { .. }
            | Self::NodeTrouble { .. }
            | Self::NodesAgree
            | Self::FeeAbsurd { .. } => NotificationKind::TreasuryAlert,
        }
    }

    pub(super) fn story(&self) -> Story {
        use NotificationPriority::{High, Normal};
        match self {
            Self::AccountVerify { link } => Story { priority: High, title: "Prove your e-mail address".to_owned(), lines: vec!["Open this link within 24 hours to prove that this address is yours. If you did not sign up, ignore this mail.".to_owned()], action: Some(("Prove my address", link.clone())), subject: None },
            Self::AccountReset { link } => Story { priority: High, title: "Choose a new password".to_owned(), lines: vec!["Somebody, probably you, forgot the password of your account. The link in the mail sets another one; it is good once, for an hour.".to_owned(), "If that was not you, do nothing: your password stays as it is.".to_owned()], action: Some(("Choose a new password", link.clone())), subject: None },
            Self::AccountPasswordChanged => Story { priority: High, title: "Your password was changed".to_owned(), lines: vec!["Your account has a new password, and the sessions that were open elsewhere are over.".to_owned(), "If that was not you, ask for a new password at once, from where you sign in, and write to support.".to_owned()], action: None, subject: None },
            Self::AccountNewSignIn { client } => Story { priority: Normal, title: "New sign-in to your account".to_owned(), lines: vec![format!("Somebody signed in to your account with {client}."), "If that was not you, change your password and end all sessions.".to_owned()], action: None, subject: None },
            Self::AccountWalletChanged { wallet, address, payouts_from } => Story { priority: High, title: "Your payout wallet changed".to_owned(), lines: vec![format!("Payouts now go to {address}, from {payouts_from} on."), "If that was not you, write to support at once.".to_owned()], action: None, subject: Some(wallet.to_string()) },
            Self::AccountWalletLinked { wallet, address } => Story { priority: High, title: "A wallet was linked to your account".to_owned(), lines: vec![format!("{address} was linked to your account. Payouts still go where they went before."), "If that was not you, end all sessions and write to support at once.".to_owned()], action: None, subject: Some(wallet.to_string()) },
            Self::ProposalReceived { proposal, project, freelancer } => Story { priority: Normal, title: format!("New proposal for {project}"), lines: vec![format!("{freelancer} sent a proposal for \"{project}\".")], action: Some(("Read the proposal", format!("/proposals/{proposal}"))), subject: Some(proposal.to_string()) },
            Self::ProposalShortlisted { proposal, project } => Story { priority: Normal, title: format!("You are on the shortlist for {project}"), lines: vec![format!("The client of \"{project}\" put your proposal on the shortlist.")], action: Some(("See your proposal", format!("/proposals/{proposal}"))), subject: Some(proposal.to_string()) },
            Self::ProposalRejected { proposal, project } => Story { priority: Normal, title: format!("Your proposal for {project} was not chosen"), lines: vec![format!("The client of \"{project}\" decided for somebody else, or against your proposal.")], action: Some(("See your proposal", format!("/proposals/{proposal}"))), subject: Some(proposal.to_string()) },
            Self::ContractOffered { contract, project, client, amount } => Story { priority: High, title: format!("{client} offers you a contract"), lines: vec![format!("Your proposal for \"{project}\" was accepted: {client} offers you a contract over {amount}."), "Please answer within seven days.".to_owned()], action: Some(("Answer the offer", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractAccepted { contract, project, freelancer } => Story { priority: High, title: format!("{freelancer} accepted your contract"), lines: vec![format!("The contract on \"{project}\" is active. Fund the first milestone to let the work begin.")], action: Some(("Fund a milestone", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractDeclined { contract, project, freelancer } => Story { priority: High, title: format!("{freelancer} declined your contract"), lines: vec![format!("The offer on \"{project}\" was declined. The other proposals are still open.")], action: Some(("See the project", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractRetracted { contract, project } => Story { priority: Normal, title: "An offer was taken back".to_owned(), lines: vec![format!("The client took back the offer on \"{project}\".")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractLapsed { contract, project } => Story { priority: Normal, title: "An offer lapsed".to_owned(), lines: vec![format!("The offer on \"{project}\" was not answered within seven days, so it ended.")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::MilestoneFunded { milestone, title, amount } => Story { priority: High, title: format!("{title} is funded"), lines: vec![format!("{amount} for \"{title}\" are in escrow. Work can start.")], action: Some(("See the milestone", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::MilestoneSubmitted { milestone, title, freelancer } => Story { priority: High, title: format!("Work was handed in for {title}"), lines: vec![format!("{freelancer} handed in work for \"{title}\"."), "Approve it or ask for changes within fourteen days; after that it is released.".to_owned()], action: Some(("Look at the work", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::MilestoneChangesRequested { milestone, title, feedback } => Story { priority: High, title: format!("Changes asked for {title}"), lines: vec![format!("The client asks for changes to \"{title}\":"), format!("{feedback}")], action: Some(("See the milestone", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::MilestoneApproved { milestone, title, net } => Story { priority: High, title: format!("{title} is approved"), lines: vec![format!("The client approved \"{title}\". Your payout of {net} is on its way.")], action: Some(("See the milestone", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::MilestoneReleased { milestone, title, net } => Story { priority: High, title: format!("{title} is paid"), lines: vec![format!("{net} for \"{title}\" arrived in your wallet.")], action: Some(("See the milestone", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::PaymentCompleted { payment, what, amount } => Story { priority: High, title: format!("Payment complete: {what}"), lines: vec![format!("{amount} for {what}: the payment is final.")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::PaymentFailed { payment, what, amount, reason } => Story { priority: High, title: format!("Payment failed: {what}"), lines: vec![format!("{amount} for {what} could not be paid: {reason}"), "No money was lost. Our team is told and will try again.".to_owned()], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::PaymentStuck { payment, amount, reason } => Story { priority: High, title: "A payment is stuck at Circle".to_owned(), lines: vec![format!("{amount} were ordered there, and it is not known that they are paid: {reason}"), "Where it can be, it is asked for again every ten minutes. When its cause cannot be mended, `paymentRetry` asks once more, looks through Circle's list of payouts, and ends the payment where nothing of it is there; nothing is paid twice.".to_owned()], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::FeeAbsurd { payment, amount, fee } => Story { priority: High, title: "Circle names an absurd fee".to_owned(), lines: vec![format!("For a payout of {amount} Circle says that it took {fee}. The payout is complete; the fee is not in the books, and all outgoing payments are paused."), "Look at Circle what was taken. If it was, `paymentBookCost` brings it into the books; then end the pause with `outgoingResume`, and write to Circle.".to_owned()], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::PaymentOnHold { payment, what, amount, reason } => Story { priority: High, title: format!("Payment held: {what}"), lines: vec![format!("{amount} for {what} is held: {reason}")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::DepositExpired { payment, title, amount } => Story { priority: High, title: format!("The deposit for {title} did not arrive"), lines: vec![format!("{amount} for \"{title}\" did not arrive in time. Fund the milestone again when you are ready; what has arrived is sent back.")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::DepositUndone { payment, title, amount } => Story { priority: High, title: format!("The deposit for {title} was undone"), lines: vec![format!("The chain was reorganised, and the transfer of {amount} for \"{title}\" is in it no more. The milestone waits for its deposit again; no work is expected on it until then."), "In most cases the same transfer is there again within minutes, and nothing has to be done. If it is not, the client pays again within 24 hours.".to_owned()], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::DepositLost { payment, amount } => Story { priority: High, title: format!("A deposit of {amount} was undone after it was passed on"), lines: vec![format!("The chain was reorganised, and a transfer of {amount} is in it no more, but its money was promised or paid already. That stands: the platform bears it until the transfer is there again."), "All outgoing payments are paused until our team has looked at it.".to_owned()], action: payment.map(|id| ("See the payment", format!("/payments/{id}"))), subject: payment.map(|id| id.to_string()) },
            Self::DepositRegained { payment, amount } => Story { priority: High, title: format!("A transfer of {amount} is there again"), lines: vec![format!("The transfer of {amount} that a reorganisation had undone is on the chain again, and deep enough: its loss is taken back."), "If outgoing payments were paused because of it, they can go on now.".to_owned()], action: payment.map(|id| ("See the payment", format!("/payments/{id}"))), subject: payment.map(|id| id.to_string()) },
            Self::ReturnStarted { payment, amount } => Story { priority: High, title: format!("{amount} are on their way back to you"), lines: vec![format!("A wallet of yours sent {amount} that paid nothing. Our team sends them back to that wallet.")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::RefundStarted { payment, title, amount } => Story { priority: High, title: format!("A refund for {title} is on its way"), lines: vec![format!("{amount} of \"{title}\" go back to the client.")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::RefundCompleted { payment, title, amount } => Story { priority: High, title: format!("The refund for {title} is complete"), lines: vec![format!("{amount} of \"{title}\" went back to the client.")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::ProjectExpiring { project, title, expires } => Story { priority: Normal, title: format!("{title} is about to expire"), lines: vec![format!("Nothing has happened on \"{title}\" for a while: on {expires} it stops taking proposals."),"Change it, or invite somebody, to keep it open; once it has expired you can renew it.".to_owned()], action: Some(("See the project", format!("/projects/{project}"))), subject: Some(project.to_string()) },
            Self::ProjectExpired { project, title } => Story { priority: Normal, title: format!("{title} has expired"), lines: vec![format!("Nothing happened on \"{title}\" for sixty days, so it takes no more proposals. You can renew it at any time.")], action: Some(("Renew the project", format!("/projects/{project}"))), subject: Some(project.to_string()) },
            Self::InvitationReceived { invitation, project, client } => Story { priority: Normal, title: format!("{client} invites you to bid"), lines: vec![format!("{client} would like a proposal of yours for \"{project}\".")], action: Some(("See the invitation", format!("/invitations/{invitation}"))), subject: Some(invitation.to_string()) },
            Self::ContractPaused { contract, project } => Story { priority: Normal, title: format!("The contract on {project} is paused"), lines: vec![format!("The client paused the contract on \"{project}\". What is in escrow stays there.")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractResumed { contract, project } => Story { priority: Normal, title: format!("The contract on {project} goes on"), lines: vec![format!("The client resumed the contract on \"{project}\".")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractCompleted { contract, project } => Story { priority: High, title: format!("The contract on {project} is complete"), lines: vec![format!("Every milestone on \"{project}\" is settled."),"You have fourteen days to review each other.".to_owned()], action: Some(("Write a review", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::ContractTerminated { contract, project, reason } => Story { priority: High, title: format!("The contract on {project} ended early"), lines: vec![format!("The contract on \"{project}\" was ended:"), reason.clone()], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::AmendmentProposed { contract, project, by, amount } => Story { priority: High, title: format!("{by} wants to change the contract on {project}"), lines: vec![format!("{by} proposes a change of the contract on \"{project}\": it would then come to {amount}.")], action: Some(("Answer the proposal", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::AmendmentAccepted { contract, project, by, amount } => Story { priority: High, title: format!("{by} agreed to the change on {project}"), lines: vec![format!("The contract on \"{project}\" now comes to {amount}.")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::AmendmentRejected { contract, project, by } => Story { priority: Normal, title: format!("{by} declined the change on {project}"), lines: vec![format!("The contract on \"{project}\" stays as it is.")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::AmendmentWithdrawn { contract, project, by } => Story { priority: Normal, title: format!("{by} took back the change on {project}"), lines: vec![format!("The contract on \"{project}\" stays as it is.")], action: Some(("See the contract", format!("/contracts/{contract}"))), subject: Some(contract.to_string()) },
            Self::MilestoneAutoReleaseNear { milestone, title, releases } => Story { priority: High, title: format!("{title} is about to be released"), lines: vec![format!("The work on \"{title}\" has not been answered. On {releases} what is in escrow for it is released by itself."),"The client can approve it or ask for changes until then, and either side can open a dispute.".to_owned()], action: Some(("See the milestone", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::MilestoneAutoReleased { milestone, title, net } => Story { priority: High, title: format!("{title} is released"), lines: vec![format!("The work on \"{title}\" was not answered within fourteen days, so it is released by itself: {net} are on their way to the freelancer.")], action: Some(("See the milestone", format!("/milestones/{milestone}"))), subject: Some(milestone.to_string()) },
            Self::BonusComing { payment, project, net, note } => Story { priority: High, title: format!("A bonus for your work on {project}"), lines: std::iter::once(format!("Your client gives you a bonus on \"{project}\": {net} are on their way to your wallet.")).chain(note.clone()).collect(), action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::BonusExpired { payment, project, amount } => Story { priority: High, title: format!("The deposit for a bonus on {project} did not arrive"), lines: vec![format!("{amount} for a bonus on \"{project}\" did not arrive in time. What has arrived is sent back; give the bonus again when you are ready.")], action: Some(("See the payment", format!("/payments/{payment}"))), subject: Some(payment.to_string()) },
            Self::DisputeOpened { dispute, title, by } => Story { priority: High, title: format!("A dispute over {title}"), lines: vec![format!("{by} opened a dispute over \"{title}\". The money stays in escrow until it is settled."),"Both sides can bring forward evidence.".to_owned()], action: Some(("See the dispute", format!("/disputes/{dispute}"))), subject: Some(dispute.to_string()) },
            Self::DisputeWithdrawn { dispute, title, by } => Story { priority: High, title: format!("The dispute over {title} was withdrawn"), lines: vec![format!("{by} withdrew the dispute over \"{title}\". Work goes on where it was.")], action: Some(("See the dispute", format!("/disputes/{dispute}"))), subject: Some(dispute.to_string()) },
            Self::DisputeResolved { dispute, title, refunded, released, resolution } => Story { priority: High, title: format!("The dispute over {title} is resolved"), lines: vec![format!("Of \"{title}\" {refunded} go back to the client, and {released} are released."), resolution.clone()], action: Some(("See the dispute", format!("/disputes/{dispute}"))), subject: Some(dispute.to_string()) },
            Self::ReviewReceived { review, project, by } => Story { priority: Normal, title: format!("{by} reviewed you"), lines: vec![format!("{by} wrote a review of your work together on \"{project}\". You can answer it once.")], action: Some(("Read the review", format!("/reviews/{review}"))), subject: Some(review.to_string()) },
            Self::AccountSuspended { reason } => Story { priority: High, title: "Your account is suspended".to_owned(), lines: vec!["You can still look at what is yours, but not act.".to_owned(), reason.clone(), "Write to support if you think that this is wrong.".to_owned()], action: None, subject: None },
            Self::AccountRestored => Story { priority: High, title: "Your account is restored".to_owned(), lines: vec!["Everything works again. Please sign in anew.".to_owned()], action: None, subject: None },
            Self::OutgoingPaused { by, reason } => Story { priority: High, title: "Outgoing payments are paused".to_owned(), lines: vec![format!("{} paused all outgoing payments: whatever is not signed yet is held.", by.as_deref().unwrap_or("The system")), reason.clone(), "They go on when an administrator resumes them.".to_owned()], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
            Self::OutgoingResumed { by } => Story { priority: High, title: "Outgoing payments go on".to_owned(), lines: vec![format!("{by} resumed outgoing payments: whatever was held for it is looked at now.")], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
            Self::TreasuryDiffers { rail, less, difference, there, expected } => Story { priority: High, title: format!("{} holds {} than the books say", holder(*rail).0, if *less { "less" } else { "more" }), lines: vec![format!("{} there are {there}, by the books {expected}: a difference of {difference}.", holder(*rail).1), if *less { "No outgoing payment is signed until an administrator resumes them. Run `megilance ledger verify`, and look at what left the treasury: what was moved to the other rail has to be recorded (`treasuryMove`)." } else { "Anybody can send something to the treasury past the scanner, so payments go on. Run `megilance ledger verify` and find out where it came from." }.to_owned()], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
            Self::TreasuryAgrees { rail } => Story { priority: High, title: format!("{} holds what the books say", holder(*rail).0), lines: vec![format!("{} and the books agree again. Outgoing payments that are paused stay so until an administrator resumes them.", holder(*rail).2)], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
            Self::TreasuryUnchecked { rail, since, reason } => Story { priority: High, title: format!("{} is not being checked", holder(*rail).0), lines: vec![format!("Since {since} this could not be compared with the books: {reason}")], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
            Self::NodeTrouble { since, reason } => Story { priority: High, title: "Deposits wait for a node".to_owned(), lines: vec![format!("Since {since} deposits wait: {reason}."), "Nothing is lost, and all goes on by itself once the nodes are well. Mend the node (BLOCKCHAIN_PROVIDER_URL, BLOCKCHAIN_PROVIDER_URL_2), or set another one.".to_owned()], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
            Self::NodesAgree => Story { priority: High, title: "Deposits wait for no node any more".to_owned(), lines: vec!["They are credited again.".to_owned()], action: Some(("See the treasury", "/admin/treasury".to_owned())), subject: None },
        }
    }
}

/// Who holds the money of a rail, where, and who says how much.
const fn holder(rail: PaymentRail) -> (&'static str, &'static str, &'static str) {
    match rail {
        PaymentRail::Chain => ("The treasury", "On the chain", "The chain"),
        PaymentRail::Circle => ("Our account at Circle", "There", "Circle"),
    }
}
