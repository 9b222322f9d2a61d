//! All authorisation, in one pure function: who may do what to which thing.
//!
//! "Not yours" is answered as "not there"; a missing role is said openly, because roles are no secret.

use entities::{
    Role, contract, contract_amendment, dispute, invitation, payment, portfolio_item, project, proposal,
    review, unallocated_deposit, upload,
};

use crate::{
    actor::{Actor, Person},
    error::{Code, Error, Result},
};

/// What somebody wants to do, with the thing they want to do it to.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each variant is the mutation or read of the same name")]
pub enum Action<'a> {
    // one's own account
    OwnAccount,
    WalletLink,
    UploadCreate,
    UploadUse(&'a upload::Model),
    PortfolioChange(&'a portfolio_item::Model),
    // the market
    ProjectCreate,
    ProjectPublish(&'a project::Model),
    ProjectUpdate(&'a project::Model),
    ProjectHold(&'a project::Model),
    ProjectReopen(&'a project::Model),
    ProjectRenew(&'a project::Model),
    ProjectCancel(&'a project::Model),
    ProjectDelete(&'a project::Model),
    ProposalSubmit(&'a project::Model),
    ProposalUpdate(&'a proposal::Model),
    ProposalShortlist(&'a project::Model),
    ProposalReject(&'a project::Model),
    ProposalAccept(&'a project::Model),
    ProposalWithdraw(&'a proposal::Model),
    InvitationSend(&'a project::Model),
    InvitationDecline(&'a invitation::Model),
    InvitationWithdraw(&'a invitation::Model),
    ContractAccept(&'a contract::Model),
    ContractDecline(&'a contract::Model),
    ContractRetract(&'a contract::Model),
    ContractPause(&'a contract::Model),
    ContractResume(&'a contract::Model),
    ContractTerminate(&'a contract::Model),
    ContractBonus(&'a contract::Model),
    ContractAmend(&'a contract::Model),
    AmendmentAnswer(&'a contract::Model, &'a contract_amendment::Model),
    AmendmentWithdraw(&'a contract::Model, &'a contract_amendment::Model),
    ReviewCreate(&'a contract::Model),
    ReviewUpdate(&'a review::Model),
    ReviewAnswer(&'a review::Model),
    // work and money
    MilestoneFund(&'a contract::Model),
    MilestoneSubmit(&'a contract::Model),
    MilestoneRequestChanges(&'a contract::Model),
    MilestoneApprove(&'a contract::Model),
    MilestoneRefund(&'a contract::Model),
    PaymentReport(&'a payment::Model),
    PaymentHandle(&'a contract::Model),
    PaymentApprove(&'a payment::Model),
    PaymentOfOthers(&'a payment::Model),
    UnallocatedAssign(&'a contract::Model),
    UnallocatedReturn(&'a unallocated_deposit::Model),
    DisputeOpen(&'a contract::Model),
    DisputeAddEvidence(&'a contract::Model),
    DisputeWithdraw(&'a contract::Model, &'a dispute::Model),
    // reads of single things
    ProjectSee(&'a project::Model),
    ProjectMatchesSee(&'a project::Model),
    ContractSee(&'a contract::Model),
    ReviewSee(&'a review::Model),
    PrivateProfileSee(entities::UserId),
    // operators
    DisputeJudge(&'a contract::Model),
    DisputesManage,
    JobsManage,
    Administer,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Nobody is signed in.
    SignIn,
    /// An admin suspended the account.
    Suspended,
    /// The e-mail address is not proven yet.
    Unverified,
    /// The role is missing.
    Role(&'static str),
    /// It is for the other one of two who both see it.
    Side(&'static str),
    /// It is not theirs: it looks as if it were not there.
    Hidden,
}

/// Decides. Pure: everything it needs is in its arguments.
pub fn can(actor: &Actor, action: Action<'_>) -> Result<(), Denied> {
    use Action::*;
    if matches!(actor, Actor::System) {
        return Ok(());
    }
    match action {
        // Reads come first: a suspended person may still look.
        ProjectSee(project) => shown(is_public(project) || actor.is(project.client_id) || actor.sees_all()),
        ProjectMatchesSee(project) => shown(actor.is(project.client_id) || actor.sees_all()),
        ContractSee(contract) => {
            shown(actor.is(contract.client_id) || actor.is(contract.freelancer_id) || actor.sees_all())
        }
        ReviewSee(review) => {
            shown(review.shown_at.is_some() || actor.is(review.author_id) || actor.sees_all())
        }
        PrivateProfileSee(user) => shown(actor.is(user) || actor.sees_all()),

        OwnAccount | UploadCreate => acting(actor).map(drop),
        WalletLink => verified(actor).map(drop),
        UploadUse(upload) => acting(actor).and_then(|person| shown(person.id == upload.owner_id)),
        PortfolioChange(item) => {
            with_role(actor, Role::Freelancer).and_then(|person| shown(person.id == item.user_id))
        }

        ProjectCreate => with_role(actor, Role::Client).map(drop),
        ProjectPublish(project)
        | ProjectUpdate(project)
        | ProjectHold(project)
        | ProjectReopen(project)
        | ProjectRenew(project)
        | ProjectCancel(project)
        | ProjectDelete(project) => owner(actor, project),
        ProposalSubmit(project) => {
            let person = with_role(actor, Role::Freelancer)?;
            // Roles rule it out already; that nobody bids on their own project is a rule of its own.
            if person.id == project.client_id { Err(Denied::Role("FREELANCER")) } else { Ok(()) }
        }
        ProposalShortlist(project)
        | ProposalReject(project)
        | ProposalAccept(project)
        | InvitationSend(project) => owner(actor, project),
        ProposalUpdate(proposal) | ProposalWithdraw(proposal) => {
            with_role(actor, Role::Freelancer).and_then(|person| shown(person.id == proposal.freelancer_id))
        }
        InvitationDecline(invitation) => {
            with_role(actor, Role::Freelancer).and_then(|person| shown(person.id == invitation.freelancer_id))
        }
        InvitationWithdraw(invitation) => {
            with_role(actor, Role::Client).and_then(|person| shown(person.id == invitation.client_id))
        }
        ContractAccept(contract) | ContractDecline(contract) | MilestoneSubmit(contract) => {
            freelancer_of(actor, contract)
        }
        ContractRetract(contract)
        | ContractPause(contract)
        | ContractResume(contract)
        | ContractBonus(contract) => client_of(actor, contract),
        ContractTerminate(contract) => match actor {
            Actor::Admin(_) => neutral(actor, contract),
            _ => party_of(actor, contract).map(drop),
        },
        ContractAmend(contract) => party_of(actor, contract).map(drop),
        AmendmentAnswer(contract, amendment) => {
            let person = party_of(actor, contract)?;
            side(person.id != amendment.proposed_by, "You proposed this: the other party answers it.")
        }
        AmendmentWithdraw(contract, amendment) => {
            let person = party_of(actor, contract)?;
            side(person.id == amendment.proposed_by, "The other party proposed this: only they withdraw it.")
        }
        ReviewCreate(contract) => party_of(actor, contract).map(drop),
        ReviewUpdate(review) => verified(actor).and_then(|person| shown(person.id == review.author_id)),
        // Until it is shown, who it is about must not even learn that it is there.
        ReviewAnswer(review) => verified(actor)
            .and_then(|person| shown(person.id == review.subject_id && review.shown_at.is_some())),
        MilestoneFund(contract) | MilestoneRequestChanges(contract) | MilestoneApprove(contract) => {
            client_of(actor, contract)
        }
        MilestoneRefund(contract) => match actor {
            Actor::Admin(_) => neutral(actor, contract),
            _ => freelancer_of(actor, contract),
        },
        PaymentReport(payment) => {
            let person = acting(actor)?;
            shown(payment.payer_id == Some(person.id))
        }
        DisputeOpen(contract) | DisputeAddEvidence(contract) => verified(actor)
            .and_then(|person| shown(person.id == contract.client_id || person.id == contract.freelancer_id)),
        DisputeWithdraw(contract, dispute) => {
            let person = party_of(actor, contract)?;
            side(person.id == dispute.opened_by, "The other party opened this: only they withdraw it.")
        }
        DisputeJudge(contract) | PaymentHandle(contract) | UnallocatedAssign(contract) => {
            can(actor, Administer)?;
            neutral(actor, contract)
        }
        PaymentOfOthers(payment) => {
            can(actor, Administer)?;
            let own = [payment.payer_id, payment.payee_id].into_iter().flatten().any(|id| actor.is(id));
            side(!own, "This is your own payment: another administrator has to do it.")
        }
        // Two pairs of eyes: a stolen account alone moves no large sum.
        PaymentApprove(payment) => {
            can(actor, Administer)?;
            let person = acting(actor)?;
            let own = payment.started_by == Some(person.id);
            side(!own, "You started this payment: another administrator has to approve it.")?;
            let sent = payment.redirected_by == Some(person.id);
            side(!sent, "You sent this payment elsewhere: another administrator has to approve it.")
        }
        UnallocatedReturn(money) => {
            can(actor, Administer)?;
            let theirs = money.user_id.is_some_and(|user| actor.is(user));
            side(!theirs, "Your own wallet sent this: another administrator has to decide on it.")
        }
        DisputesManage | JobsManage | Administer => match actor {
            Actor::Admin(_) => acting(actor).map(drop),
            _ => acting(actor).and(Err(Denied::Role("ADMIN"))),
        },
    }
}

/// What can be told before anything is looked up: who lacks the role, is suspended or unverified hears so
/// whatever id they try, and so learns nothing of what is there.
pub fn enter<'a>(actor: &'a Actor, roles: &[Role]) -> Result<&'a Person> {
    let entered = acting(actor).and_then(|person| match roles {
        roles if roles.contains(&person.role) => verified(actor),
        [Role::Client, Role::Freelancer, ..] => Err(Denied::Role("CLIENT or FREELANCER")),
        [first, ..] => Err(Denied::Role(first.as_str())),
        [] => Err(Denied::Role(Role::Admin.as_str())),
    });
    entered.map_err(|denied| told(denied, "", ""))
}

/// [`can`], with the denial as the error that the caller sees. `field` names the input that brought the
/// thing, `thing` what it is for people.
pub fn authorise(actor: &Actor, action: Action<'_>, field: &str, thing: &str) -> Result<()> {
    can(actor, action).map_err(|denied| told(denied, field, thing))
}

fn told(denied: Denied, field: &str, thing: &str) -> Error {
    match denied {
        Denied::SignIn => Error::Unauthenticated,
        Denied::Suspended => Error::rejected(
            "",
            Code::Forbidden,
            "This account is suspended. Write to support to have it restored.",
        ),
        Denied::Unverified => Error::rejected(
            "",
            Code::Unverified,
            "Prove your e-mail address first: open the link in the mail that we sent you.",
        ),
        Denied::Role(role) => Error::rejected("", Code::Forbidden, format!("This needs the role {role}.")),
        Denied::Side(message) => Error::rejected("", Code::Forbidden, message),
        Denied::Hidden => Error::not_found(field, thing),
    }
}

fn shown(visible: bool) -> Result<(), Denied> {
    if visible { Ok(()) } else { Err(Denied::Hidden) }
}

const fn side(right: bool, message: &'static str) -> Result<(), Denied> {
    if right { Ok(()) } else { Err(Denied::Side(message)) }
}

fn acting(actor: &Actor) -> Result<&Person, Denied> {
    let person = actor.person().ok_or(Denied::SignIn)?;
    if person.suspended { Err(Denied::Suspended) } else { Ok(person) }
}

fn verified(actor: &Actor) -> Result<&Person, Denied> {
    let person = acting(actor)?;
    if person.verified { Ok(person) } else { Err(Denied::Unverified) }
}

fn with_role(actor: &Actor, role: Role) -> Result<&Person, Denied> {
    let person = acting(actor)?;
    if person.role != role {
        return Err(Denied::Role(role.as_str()));
    }
    verified(actor)
}

/// Everybody may see it: what was never published stays its client's, also when it is cancelled.
const fn is_public(project: &project::Model) -> bool {
    project.published_at.is_some()
}

/// What only the project's client may do.
fn owner(actor: &Actor, project: &project::Model) -> Result<(), Denied> {
    with_role(actor, Role::Client).and_then(|person| shown(person.id == project.client_id))
}

fn client_of(actor: &Actor, contract: &contract::Model) -> Result<(), Denied> {
    with_role(actor, Role::Client).and_then(|person| shown(person.id == contract.client_id))
}

fn freelancer_of(actor: &Actor, contract: &contract::Model) -> Result<(), Denied> {
    with_role(actor, Role::Freelancer).and_then(|person| shown(person.id == contract.freelancer_id))
}

/// An admin who takes neither side: nobody judges in their own case, and an admin may have been a client before.
fn neutral(actor: &Actor, contract: &contract::Model) -> Result<(), Denied> {
    let person = acting(actor)?;
    let party = person.id == contract.client_id || person.id == contract.freelancer_id;
    side(!party, "You are a party to this contract: another administrator has to do it.")
}

/// Either side of a contract; admins are no party.
fn party_of<'a>(actor: &'a Actor, contract: &contract::Model) -> Result<&'a Person, Denied> {
    let person = verified(actor)?;
    let party = person.id == contract.client_id || person.id == contract.freelancer_id;
    shown(party).map(|()| person)
}

#[cfg(test)]
mod tests;
