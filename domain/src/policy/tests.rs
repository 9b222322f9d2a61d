//! The table of who may do what: each action, each kind of actor, and the exact answer.

use std::collections::BTreeSet;

use super::*;
use crate::fixture::rows::{self, person};

mod entering;
mod things;

use things::Things;

const CLIENT: &str = "CLIENT";
const FREELANCER: &str = "FREELANCER";
const PARTY: &str = "You are a party to this contract: another administrator has to do it.";
const PROPOSED: &str = "You proposed this: the other party answers it.";
const THEY_PROPOSED: &str = "The other party proposed this: only they withdraw it.";
const THEY_OPENED: &str = "The other party opened this: only they withdraw it.";
const OWN_PAYMENT: &str = "This is your own payment: another administrator has to do it.";
const STARTED: &str = "You started this payment: another administrator has to approve it.";
const REDIRECTED: &str = "You sent this payment elsewhere: another administrator has to approve it.";
const OWN_WALLET: &str = "Your own wallet sent this: another administrator has to decide on it.";
/// Where nobody is told that it is for another.
const NONE: &str = "";

fn suspended(person: Person) -> Person {
    Person { suspended: true, ..person }
}

fn unverified(person: Person) -> Person {
    Person { verified: false, ..person }
}

/// Everybody, in the order of the columns below. Everything in [`Things`] is the client's and the freelancer's.
fn everybody() -> [Actor; 15] {
    let client = || person(rows::client(), Role::Client);
    let freelancer = || person(rows::freelancer(), Role::Freelancer);
    let admin = || person(rows::id(5), Role::Admin);
    [
        Actor::Anonymous,
        Actor::User(client()),
        Actor::User(person(rows::id(3), Role::Client)),
        Actor::User(freelancer()),
        Actor::User(person(rows::id(4), Role::Freelancer)),
        Actor::Admin(admin()),
        // An administrator may have been a client or a freelancer before.
        Actor::Admin(person(rows::client(), Role::Admin)),
        Actor::Admin(person(rows::freelancer(), Role::Admin)),
        Actor::User(suspended(client())),
        Actor::User(suspended(freelancer())),
        Actor::Admin(suspended(admin())),
        Actor::User(unverified(client())),
        Actor::User(unverified(freelancer())),
        Actor::Admin(unverified(admin())),
        Actor::System,
    ]
}

/// One letter for each of [`everybody`]: `+` may, `i` has to sign in, `s` is suspended, `u` is unverified, `C`, `F` and `A` miss
/// the role, `!` is told that it is for another, `-` finds nothing.
struct Row<'a>(Action<'a>, &'static str, &'static str);

impl Row<'_> {
    fn wanted(&self, letter: char) -> Result<(), Denied> {
        match letter {
            '+' => Ok(()),
            'i' => Err(Denied::SignIn),
            's' => Err(Denied::Suspended),
            'u' => Err(Denied::Unverified),
            'C' => Err(Denied::Role(CLIENT)),
            'F' => Err(Denied::Role(FREELANCER)),
            'A' => Err(Denied::Role("ADMIN")),
            '!' => Err(Denied::Side(self.2)),
            '-' => Err(Denied::Hidden),
            other => panic!("{other}"),
        }
    }
}

/// Clients alone, for what is theirs.
const CLIENTS: &str = "i+-CCCCCsssuCC+";
/// Freelancers alone, for what is theirs.
const FREELANCERS: &str = "iFF+-FFFsssFuF+";
/// Both sides of a contract. Nobody loses a side by becoming an administrator.
const PARTIES: &str = "i+-+--++sssuuu+";
/// Of those, the client, and the freelancer: the other one hears that it is not for them.
const BY_CLIENT: &str = "i+-!--+!sssuuu+";
const BY_FREELANCER: &str = "i!-+--!+sssuuu+";
/// Administrators, and those of them who are neither the client nor the freelancer, or not the one of them.
const ADMINS: &str = "iAAAA+++sssAA++";
const NEUTRAL: &str = "iAAAA+!!sssAA++";
const NOT_THE_CLIENT: &str = "iAAAA+!+sssAA++";
const NOT_THE_FREELANCER: &str = "iAAAA++!sssAA++";
/// The client's own, for whoever may act, and for the verified alone.
const CLIENTS_OWN: &str = "i+----+-sss+--+";
const CLIENTS_VERIFIED: &str = "i+----+-sssuuu+";
/// Reading what is the client's alone: suspension does not hide it.
const CLIENT_SEES: &str = "-+---++++-++-++";
const ALL_SEE: &str = "+++++++++++++++";

fn table(t: &Things) -> Vec<Row<'_>> {
    use Action::*;
    vec![
        Row(OwnAccount, "i+++++++sss++++", NONE),
        Row(WalletLink, "i+++++++sssuuu+", NONE),
        Row(UploadCreate, "i+++++++sss++++", NONE),
        Row(UploadUse(&t.upload), CLIENTS_OWN, NONE),
        Row(PortfolioChange(&t.portfolio_item), FREELANCERS, NONE),
        Row(ProjectCreate, "i++CCCCCsssuCC+", NONE),
        Row(ProjectPublish(&t.project), CLIENTS, NONE),
        Row(ProjectUpdate(&t.project), CLIENTS, NONE),
        Row(ProjectHold(&t.project), CLIENTS, NONE),
        Row(ProjectReopen(&t.project), CLIENTS, NONE),
        Row(ProjectRenew(&t.project), CLIENTS, NONE),
        Row(ProjectCancel(&t.project), CLIENTS, NONE),
        Row(ProjectDelete(&t.project), CLIENTS, NONE),
        Row(ProposalSubmit(&t.project), "iFF++FFFsssFuF+", NONE),
        Row(ProposalSubmit(&t.project_of_freelancer), "iFFF+FFFsssFuF+", NONE),
        Row(ProposalUpdate(&t.proposal), FREELANCERS, NONE),
        Row(ProposalShortlist(&t.project), CLIENTS, NONE),
        Row(ProposalReject(&t.project), CLIENTS, NONE),
        Row(ProposalAccept(&t.project), CLIENTS, NONE),
        Row(ProposalWithdraw(&t.proposal), FREELANCERS, NONE),
        Row(InvitationSend(&t.project), CLIENTS, NONE),
        Row(InvitationDecline(&t.invitation), FREELANCERS, NONE),
        Row(InvitationWithdraw(&t.invitation), CLIENTS, NONE),
        Row(ContractAccept(&t.contract), FREELANCERS, NONE),
        Row(ContractDecline(&t.contract), FREELANCERS, NONE),
        Row(ContractRetract(&t.contract), CLIENTS, NONE),
        Row(ContractPause(&t.contract), CLIENTS, NONE),
        Row(ContractResume(&t.contract), CLIENTS, NONE),
        Row(ContractTerminate(&t.contract), "i+-+-+!!sssuu++", PARTY),
        Row(ContractBonus(&t.contract), CLIENTS, NONE),
        Row(ContractAmend(&t.contract), PARTIES, NONE),
        Row(AmendmentAnswer(&t.contract, &t.amendment_by_client), BY_FREELANCER, PROPOSED),
        Row(AmendmentAnswer(&t.contract, &t.amendment_by_freelancer), BY_CLIENT, PROPOSED),
        Row(AmendmentWithdraw(&t.contract, &t.amendment_by_client), BY_CLIENT, THEY_PROPOSED),
        Row(AmendmentWithdraw(&t.contract, &t.amendment_by_freelancer), BY_FREELANCER, THEY_PROPOSED),
        Row(ReviewCreate(&t.contract), PARTIES, NONE),
        Row(ReviewUpdate(&t.review), CLIENTS_VERIFIED, NONE),
        Row(ReviewUpdate(&t.hidden_review), CLIENTS_VERIFIED, NONE),
        Row(ReviewAnswer(&t.review), "i--+---+sssuuu+", NONE),
        Row(ReviewAnswer(&t.hidden_review), "i-------sssuuu+", NONE),
        Row(MilestoneFund(&t.contract), CLIENTS, NONE),
        Row(MilestoneSubmit(&t.contract), FREELANCERS, NONE),
        Row(MilestoneRequestChanges(&t.contract), CLIENTS, NONE),
        Row(MilestoneApprove(&t.contract), CLIENTS, NONE),
        Row(MilestoneRefund(&t.contract), "iFF+-+!!sssFu++", PARTY),
        Row(PaymentReport(&t.payment), CLIENTS_OWN, NONE),
        Row(PaymentReport(&t.payment_of_nobody), "i-------sss---+", NONE),
        Row(PaymentHandle(&t.contract), NEUTRAL, PARTY),
        Row(PaymentApprove(&t.payment), NOT_THE_CLIENT, STARTED),
        Row(PaymentApprove(&t.redirected), NOT_THE_CLIENT, REDIRECTED),
        Row(PaymentApprove(&t.payment_of_nobody), ADMINS, STARTED),
        Row(PaymentOfOthers(&t.payment), NOT_THE_CLIENT, OWN_PAYMENT),
        Row(PaymentOfOthers(&t.payout), NOT_THE_FREELANCER, OWN_PAYMENT),
        Row(PaymentOfOthers(&t.payment_of_nobody), ADMINS, OWN_PAYMENT),
        Row(UnallocatedAssign(&t.contract), NEUTRAL, PARTY),
        Row(UnallocatedReturn(&t.unallocated), NOT_THE_CLIENT, OWN_WALLET),
        Row(UnallocatedReturn(&t.unallocated_of_nobody), ADMINS, OWN_WALLET),
        Row(DisputeOpen(&t.contract), PARTIES, NONE),
        Row(DisputeAddEvidence(&t.contract), PARTIES, NONE),
        Row(DisputeWithdraw(&t.contract, &t.dispute_by_client), BY_CLIENT, THEY_OPENED),
        Row(DisputeWithdraw(&t.contract, &t.dispute_by_freelancer), BY_FREELANCER, THEY_OPENED),
        Row(ProjectSee(&t.project), ALL_SEE, NONE),
        Row(ProjectSee(&t.unpublished_project), CLIENT_SEES, NONE),
        Row(ProjectMatchesSee(&t.project), CLIENT_SEES, NONE),
        Row(ContractSee(&t.contract), "-+-+-++++++++++", NONE),
        Row(ReviewSee(&t.review), ALL_SEE, NONE),
        Row(ReviewSee(&t.hidden_review), CLIENT_SEES, NONE),
        Row(PrivateProfileSee(rows::client()), CLIENT_SEES, NONE),
        Row(DisputeJudge(&t.contract), NEUTRAL, PARTY),
        Row(DisputesManage, ADMINS, NONE),
        Row(JobsManage, ADMINS, NONE),
        Row(Administer, ADMINS, NONE),
    ]
}

#[test]
fn everybody_gets_the_answer_of_the_table() {
    let things = Things::new();
    for row in table(&things) {
        assert_eq!(row.1.len(), everybody().len(), "{:?}", row.0);
        for (actor, letter) in everybody().iter().zip(row.1.chars()) {
            assert_eq!(can(actor, row.0), row.wanted(letter), "{actor:?} {:?}", row.0);
        }
    }
}

/// The name of an action, as `Debug` begins with it.
fn name(action: Action<'_>) -> String {
    format!("{action:?}").split('(').next().unwrap_or_default().to_owned()
}

#[test]
fn no_action_is_missing_in_the_table() {
    let source = include_str!("../policy.rs");
    let variants = source.split("pub enum Action<'a> {").nth(1).unwrap().split("\n}").next().unwrap();
    let lines = variants.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let named = lines.map(|line| line.split(['(', ',']).next().unwrap().to_owned());
    let named: BTreeSet<String> = named.collect();
    let things = Things::new();
    let tabled: BTreeSet<String> = table(&things).iter().map(|row| name(row.0)).collect();
    assert_eq!(tabled, named);
}
