//! Who may do what: every query, mutation, subscription and field of the schema x seven actors.
//!
//! The left side is read from the schema: a cell that nobody declared here fails.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use domain::{
    Actor, account,
    entities::{DisputeKind, DisputeStatus, UserId, dispute, review, user},
};
use futures::StreamExt;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

mod fields;

use crate::market::skill;
use crate::support::{Deal, PASSWORD, Someone, TestApp, new_key, ok, text};

/// The columns, in this order: nobody, the client and the freelancer whose things these are, others of their
/// kind, an admin, and a client who is suspended.
const ACTORS: [&str; 7] =
    ["anonymous", "client", "freelancer", "other client", "other freelancer", "admin", "suspended"];

/// U not signed in, F role missing or suspended, N looks absent, 0 null, K let through (whatever comes next).
pub(crate) const MUTATIONS: &[(&str, &str)] = &[
    ("accountRegister", "KKKKKKK"),
    ("accountVerify", "KKKKKKK"),
    ("accountVerifyResend", "UKKKKKF"),
    ("passwordChange", "UKKKKKF"),
    ("passwordResetBegin", "KKKKKKK"),
    ("passwordResetComplete", "NNNNNNN"),
    ("sessionCreate", "KKKKKKK"),
    ("sessionRefresh", "KKKKKKK"),
    ("sessionRevoke", "UKNNNNN"),
    ("profileUpdate", "UKKKKKF"),
    ("walletLinkBegin", "UKKKKKF"),
    ("walletLinkComplete", "UKKKKKF"),
    ("walletSetPayout", "UKNNNNF"),
    ("projectCreate", "UKFKFFF"),
    ("projectPublish", "UKFNFFF"),
    ("projectUpdate", "UKFNFFF"),
    ("projectHold", "UKFNFFF"),
    ("projectReopen", "UKFNFFF"),
    ("projectRenew", "UKFNFFF"),
    ("projectCancel", "UKFNFFF"),
    ("projectDelete", "UKFNFFF"),
    ("proposalSubmit", "UFKFKFF"),
    ("proposalUpdate", "UFKFNFF"),
    ("proposalShortlist", "UKFNFFF"),
    ("proposalReject", "UKFNFFF"),
    ("proposalAccept", "UKFNFFF"),
    ("proposalWithdraw", "UFKFNFF"),
    // A cover letter; a project's description, for clients, is in assistant.rs.
    ("draftCreate", "UFKFKFF"),
    ("contractAccept", "UFKFNFF"),
    ("contractDecline", "UFKFNFF"),
    ("contractRetract", "UKFNFFF"),
    ("contractAmend", "UKKNNFF"),
    ("amendmentAccept", "UFKNNFF"),
    ("amendmentReject", "UFKNNFF"),
    ("amendmentWithdraw", "UKFNNFF"),
    ("milestoneFund", "UKFNFFF"),
    ("milestoneSubmit", "UFKFNFF"),
    ("milestoneRequestChanges", "UKFNFFF"),
    ("milestoneApprove", "UKFNFFF"),
    ("milestoneRefund", "UFKFNKF"),
    ("contractTerminate", "UKKNNKF"),
    ("contractPause", "UKFNFFF"),
    ("contractResume", "UKFNFFF"),
    ("contractBonus", "UKFNFFF"),
    ("paymentReportTransaction", "UKFNFFF"),
    ("paymentRetry", "UFFFFKF"),
    ("paymentHold", "UFFFFKF"),
    ("paymentResume", "UFFFFKF"),
    ("paymentApprove", "UFFFFKF"),
    ("paymentRedirect", "UFFFFKF"),
    ("paymentBookCost", "UFFFFKF"),
    ("portfolioItemCreate", "UFKFKFF"),
    ("portfolioItemUpdate", "UFKFNFF"),
    ("portfolioItemDelete", "UFKFNFF"),
    ("savedProjectAdd", "UKKKKKF"),
    ("savedProjectRemove", "UKKKKKF"),
    ("savedFreelancerAdd", "UKKKKKF"),
    ("savedFreelancerRemove", "UKKKKKF"),
    ("invitationSend", "UKFNFFF"),
    ("invitationDecline", "UFKFNFF"),
    ("invitationWithdraw", "UKFNFFF"),
    ("skillCreate", "UFFFFKF"),
    ("skillUpdate", "UFFFFKF"),
    ("skillVerify", "UFFFFKF"),
    ("skillDelete", "UFFFFKF"),
    ("skillRestore", "UFFFFKF"),
    ("categoryCreate", "UFFFFKF"),
    ("categoryUpdate", "UFFFFKF"),
    ("categoryArchive", "UFFFFKF"),
    ("categoryRestore", "UFFFFKF"),
    ("disputeOpen", "UKKNNFF"),
    ("disputeAddEvidence", "UKKNNFF"),
    ("disputeTake", "UFFFFKF"),
    ("disputeEscalate", "UFFFFKF"),
    ("disputeResolve", "UFFFFKF"),
    ("disputeWithdraw", "UKFNNFF"),
    ("reviewCreate", "UKKNNFF"),
    ("reviewUpdate", "UKNNNFF"),
    // It is not shown yet: whom it is about must not learn that it is there.
    ("reviewAnswer", "UNNNNFF"),
    ("uploadCreate", "UKKKKKF"),
    ("uploadComplete", "UKNNNNF"),
    ("avatarSet", "UKNNNNF"),
    ("notificationMarkRead", "UKKKKKK"),
    ("jobRetry", "UFFFFKF"),
    ("jobCancel", "UFFFFKF"),
    ("scheduledTaskRun", "UFFFFKF"),
    ("userSuspend", "UFFFFKF"),
    ("userRestore", "UFFFFKF"),
    ("feeScheduleCreate", "UFFFFKF"),
    ("outgoingPause", "UFFFFKF"),
    ("outgoingResume", "UFFFFKF"),
    ("unallocatedAssign", "UFFFFKF"),
    ("unallocatedReturn", "UFFFFKF"),
    ("treasuryMove", "UFFFFKF"),
];

const QUERIES: &[(&str, &str)] = &[
    ("node", "0K000K0"),
    ("nodes", "KKKKKKK"),
    ("viewer", "0KKKKKK"),
    ("user", "KKKKKKK"),
    ("freelancers", "KKKKKKK"),
    ("project", "0K000K0"),
    ("projects", "KKKKKKK"),
    ("skills", "KKKKKKK"),
    ("categories", "KKKKKKK"),
    ("contract", "0KK00K0"),
    ("payment", "0KK00K0"),
    ("dispute", "0KK00K0"),
    ("disputes", "UFFFFKF"),
    ("quote", "KKKKKKK"),
    ("priceSuggestion", "KKKKKKK"),
    ("jobs", "UFFFFKF"),
    ("queues", "UFFFFKF"),
    ("scheduledTasks", "UFFFFKF"),
    ("rateLimit", "KKKKKKK"),
    ("auditLog", "UFFFFKF"),
    ("users", "UFFFFKF"),
    ("payments", "UFFFFKF"),
    ("unallocatedDeposits", "UFFFFKF"),
    ("contracts", "UFFFFKF"),
    ("feeSchedules", "UFFFFKF"),
    ("analytics", "UFFFFKF"),
    ("fraudReport", "UFFFFKF"),
    ("treasury", "UFFFFKF"),
    ("reconciliations", "UFFFFKF"),
];

const SUBSCRIPTIONS: &[(&str, &str)] =
    &[("paymentUpdated", "NKKNNKN"), ("notificationReceived", "UKKKKKK"), ("jobUpdated", "UFFFFKF")];

/// The things that the calls are about, and everybody's tokens in the order of the columns.
struct Fixture {
    app: TestApp,
    tokens: [String; 7],
    ids: BTreeMap<&'static str, String>,
}

async fn fixture() -> Fixture {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let Tenant { deal, ids } = Box::pin(tenant(&app, &admin, "carla", "felix")).await;
    let (other_client, other_freelancer) = (app.client("olga").await, app.freelancer("otto").await);
    let suspended = app.client("sue").await;
    suspend(&app, &suspended).await;
    let tokens = [
        String::new(),
        deal.client.token,
        deal.freelancer.token,
        other_client.token,
        other_freelancer.token,
        admin.token,
        suspended.token,
    ];
    Fixture { app, tokens, ids }
}

/// A client and a freelancer with a contract, and a thing of each kind that is theirs.
pub(crate) struct Tenant {
    pub(crate) deal: Deal,
    pub(crate) ids: BTreeMap<&'static str, String>,
}

/// One more pair of people on the same marketplace, with everything.
pub(crate) async fn tenant(app: &TestApp, admin: &Someone, client: &str, freelancer: &str) -> Tenant {
    let Deal { client, freelancer, contract, milestones } = app.deal_of(client, freelancer, &[100, 50]).await;
    let open = app.project(&client).await;
    let proposal = app.proposal(&freelancer, &open, &[100]).await;
    let draft = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { project { id } userErrors { message } } }";
    let category =
        app.gql("", "{ categories { id } }", json!({})).await["data"]["categories"][0]["id"].clone();
    let draft = ok(app
        .mutate(&client.token, draft, json!({
            "title": "Not yet public", "description": "Something that is still being thought through by its client.",
            "categoryId": category, "budgetType": "FIXED", "budgetMin": { "amount": "1" },
            "budgetMax": { "amount": "2" }, "experienceLevel": "ENTRY",
        }))
        .await);
    let deal = Deal { client, freelancer, contract, milestones };
    let deposit = ok(app.fund(&deal, &deal.milestones[1], &new_key()).await);
    let amend = "mutation($input: ContractAmendInput!) { contractAmend(input: $input) { amendment { id } userErrors { message } } }";
    let amend_input =
        json!({ "contractId": deal.contract, "reason": "Clearer.", "description": "The shop, in parts." });
    let amendment = ok(app.mutate(&deal.client.token, amend, amend_input).await);
    let upload = "mutation($input: UploadCreateInput!) { uploadCreate(input: $input) { upload { id } userErrors { message } } }";
    let upload = ok(app
        .mutate(
            &deal.client.token,
            upload,
            json!({
                "purpose": "AVATAR", "filename": "me.png", "contentType": "image/png", "byteSize": 100,
            }),
        )
        .await);
    let invitation = "mutation($input: InvitationSendInput!) { invitationSend(input: $input) { invitation { id } userErrors { message } } }";
    let invited = json!({ "projectId": app.project(&deal.client).await, "freelancerId": deal.freelancer.id });
    let invitation = ok(app.mutate(&deal.client.token, invitation, invited).await);
    let item = "mutation($input: PortfolioItemCreateInput!) { portfolioItemCreate(input: $input) { portfolioItem { id } userErrors { message } } }";
    let item = ok(app.mutate(&deal.freelancer.token, item, json!({ "title": "A shop" })).await);
    let dispute = quarrel(app, &deal).await;
    let session = json!({ "email": deal.client.email, "password": PASSWORD });
    let session = ok(app.mutate("", SESSION, session).await);
    app.drain().await;
    let private = "{ viewer { wallets { id } notifications { nodes { id } } } }";
    let private = app.gql(&deal.client.token, private, json!({})).await;
    let jobs =
        app.gql(&admin.token, "{ jobs(filter: { status: SCHEDULED }) { nodes { id } } }", json!({})).await;

    let ids = BTreeMap::from([
        ("user", deal.client.id.clone()),
        ("contract", deal.contract.clone()),
        ("amendment", text(&amendment["amendment"]["id"])),
        ("milestone", deal.milestones[0].clone()),
        ("open", open),
        ("proposal", proposal),
        ("draft", text(&draft["project"]["id"])),
        ("payment", text(&deposit["payment"]["id"])),
        ("dispute", dispute),
        ("review", opinion(app, &deal).await),
        ("upload", text(&upload["upload"]["id"])),
        ("session", text(&session["session"]["id"])),
        ("wallet", text(&private["data"]["viewer"]["wallets"][0]["id"])),
        ("notification", text(&private["data"]["viewer"]["notifications"]["nodes"][0]["id"])),
        ("job", text(&jobs["data"]["jobs"]["nodes"][0]["id"])),
        ("category", text(&category)),
        ("freelancer", deal.freelancer.id.clone()),
        ("invitation", text(&invitation["invitation"]["id"])),
        ("portfolioItem", text(&item["portfolioItem"]["id"])),
        ("skill", skill(app, &format!("Matrices of {}", deal.client.id)).await),
    ]);
    Tenant { deal, ids }
}

const SESSION: &str = "mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { session { id } userErrors { message } } }";

/// What the client thinks of the freelancer, not shown yet.
async fn opinion(app: &TestApp, deal: &Deal) -> String {
    let now = app.app.clock.now();
    let row = review::Model {
        id: app.app.clock.new_id(),
        contract_id: deal.contract.parse().unwrap(),
        author_id: deal.client.id.parse().unwrap(),
        subject_id: deal.freelancer.id.parse().unwrap(),
        rating: 40,
        skill: 40,
        quality: 40,
        communication: 40,
        deadline: 40,
        cooperation: 40,
        comment: "Good to work with.".to_owned(),
        answer: None,
        answered_at: None,
        reveal_at: now + chrono::Duration::days(14),
        shown_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let id = row.id.to_string();
    review::Entity::insert(row.into_active_model())
        .exec_without_returning(app.app.db.writer())
        .await
        .unwrap();
    id
}

async fn suspend(app: &TestApp, someone: &Someone) {
    let id: UserId = someone.id.parse().unwrap();
    let change =
        user::ActiveModel { id: Set(id), suspended_at: Set(Some(app.app.clock.now())), ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();
}

/// A dispute of the client's. It is written as it is: all that it would freeze is needed for other cells.
async fn quarrel(app: &TestApp, deal: &Deal) -> String {
    let now = app.app.clock.now();
    let row = dispute::Model {
        id: app.app.clock.new_id(),
        contract_id: deal.contract.parse().unwrap(),
        milestone_id: deal.milestones[0].parse().unwrap(),
        opened_by: deal.client.id.parse().unwrap(),
        kind: DisputeKind::Other,
        status: DisputeStatus::Open,
        description: "It is late.".to_owned(),
        taken_by: None,
        escalation_note: None,
        resolved_by: None,
        resolution: None,
        refund_amount: None,
        release_amount: None,
        ends_contract: false,
        auto_release_at: None,
        version: 1,
        taken_at: None,
        escalated_at: None,
        ended_at: None,
        created_at: now,
        updated_at: now,
    };
    row.into_active_model().insert(app.app.db.writer()).await.unwrap().id.to_string()
}

/// An input that names the fixture's things, and is wrong in some other way where it would change much.
pub(crate) fn input(mutation: &str, ids: &BTreeMap<&'static str, String>) -> Value {
    let id = |name: &str| json!(ids[name]);
    let milestone = || json!({ "milestoneId": id("milestone"), "idempotencyKey": new_key() });
    match mutation {
        "accountRegister" => json!({ "email": "x", "password": "x", "displayName": "x", "role": "CLIENT" }),
        "accountVerify" => json!({ "token": "no such token" }),
        // Too short: nobody is signed out.
        "passwordChange" => json!({ "password": PASSWORD, "newPassword": "short" }),
        "passwordResetBegin" => json!({ "email": "nobody@example.com" }),
        "passwordResetComplete" => json!({ "token": "no such token", "newPassword": PASSWORD }),
        "sessionCreate" => json!({ "email": "nobody@example.com", "password": "wrong" }),
        "sessionRefresh" => json!({ "refreshToken": "no such token" }),
        "sessionRevoke" => json!({ "sessionId": id("session") }),
        "profileUpdate" => json!({ "headline": "Here to work" }),
        "walletLinkBegin" => json!({ "address": "0x12" }),
        "walletLinkComplete" => json!({ "message": "x", "signature": "0x" }),
        "walletSetPayout" => json!({ "walletId": id("wallet"), "password": PASSWORD }),
        "projectCreate" => json!({
            "title": "x", "description": "x", "categoryId": id("category"), "budgetType": "FIXED",
            "budgetMin": { "amount": "1" }, "budgetMax": { "amount": "2" }, "experienceLevel": "ENTRY",
        }),
        "projectPublish" => json!({ "projectId": id("draft") }),
        "projectUpdate" => json!({ "projectId": id("draft"), "title": "x" }),
        "projectCancel" => json!({ "projectId": id("open"), "reason": "x".repeat(2_001) }),
        // One has a proposal, the others are in no state for it.
        "projectDelete" | "projectReopen" | "projectRenew" => json!({ "projectId": id("open") }),
        "projectHold" => json!({ "projectId": id("draft") }),
        "proposalSubmit" => json!({
            "projectId": id("open"), "coverLetter": "x", "bid": { "amount": "5" }, "availability": "FLEXIBLE",
        }),
        "proposalUpdate" => json!({ "proposalId": id("proposal"), "coverLetter": "x" }),
        "proposalShortlist" => json!({ "proposalId": id("proposal"), "shortlisted": true }),
        "draftCreate" => {
            json!({ "kind": "COVER_LETTER", "projectId": id("open"), "notes": "I can do this." })
        }
        "proposalReject" | "proposalWithdraw" => json!({ "proposalId": id("proposal") }),
        "proposalAccept" => json!({ "proposalId": id("proposal"), "description": "As agreed, in parts." }),
        "contractAccept" | "contractDecline" | "contractRetract" => json!({ "contractId": id("contract") }),
        "contractAmend" => {
            json!({ "contractId": id("contract"), "reason": "Clearer.", "description": "In parts, as agreed." })
        }
        "amendmentAccept" | "amendmentReject" | "amendmentWithdraw" => {
            json!({ "amendmentId": id("amendment") })
        }
        "contractPause" | "contractResume" => json!({ "contractId": id("contract") }),
        "contractTerminate" => json!({ "contractId": id("contract"), "reason": "Enough." }),
        "contractBonus" => {
            json!({ "contractId": id("contract"), "amount": { "amount": "5" }, "idempotencyKey": new_key() })
        }
        "milestoneFund" | "milestoneApprove" => milestone(),
        "milestoneSubmit" => json!({ "milestoneId": id("milestone"), "note": "Done." }),
        "milestoneRequestChanges" => json!({ "milestoneId": id("milestone"), "feedback": "More." }),
        "milestoneRefund" => {
            json!({ "milestoneId": id("milestone"), "reason": "No time.", "idempotencyKey": new_key() })
        }
        "paymentReportTransaction" => {
            json!({ "paymentId": id("payment"), "transactionHash": format!("0x{}", "ab".repeat(32)) })
        }
        "paymentRetry" | "paymentApprove" => {
            json!({ "paymentId": id("payment"), "idempotencyKey": new_key() })
        }
        "paymentHold" => json!({ "paymentId": id("payment"), "reason": "Something is odd." }),
        "paymentResume" => json!({ "paymentId": id("payment") }),
        "paymentRedirect" => {
            json!({ "paymentId": id("payment"), "reason": "Their wallet is blocked.", "idempotencyKey": new_key() })
        }
        "paymentBookCost" => {
            json!({ "paymentId": id("payment"), "cost": { "amount": "1" }, "idempotencyKey": new_key() })
        }
        "portfolioItemCreate" => json!({ "title": "" }),
        "portfolioItemUpdate" | "portfolioItemDelete" => json!({ "portfolioItemId": id("portfolioItem") }),
        "savedProjectAdd" | "savedProjectRemove" => json!({ "projectId": id("open") }),
        "savedFreelancerAdd" | "savedFreelancerRemove" => json!({ "freelancerId": id("freelancer") }),
        "invitationSend" => json!({ "projectId": id("open"), "freelancerId": id("freelancer") }),
        "invitationDecline" | "invitationWithdraw" => json!({ "invitationId": id("invitation") }),
        "skillCreate" | "categoryCreate" => json!({ "name": "" }),
        "skillUpdate" | "skillVerify" | "skillDelete" | "skillRestore" => json!({ "skillId": id("skill") }),
        "categoryUpdate" | "categoryArchive" | "categoryRestore" => json!({ "categoryId": id("category") }),
        "disputeOpen" => {
            json!({ "milestoneId": id("milestone"), "kind": "OTHER", "description": "It is not what we agreed on." })
        }
        "disputeAddEvidence" | "disputeEscalate" => json!({ "disputeId": id("dispute"), "note": "Look." }),
        "disputeTake" | "disputeWithdraw" => json!({ "disputeId": id("dispute") }),
        "disputeResolve" => json!({
            "disputeId": id("dispute"), "refundAmount": { "amount": "1" }, "resolution": "So it shall be.",
            "idempotencyKey": new_key(),
        }),
        "uploadCreate" => {
            json!({ "purpose": "AVATAR", "filename": "x.exe", "contentType": "x/y", "byteSize": 1 })
        }
        "uploadComplete" | "avatarSet" => json!({ "uploadId": id("upload") }),
        "notificationMarkRead" => json!({ "notificationIds": [id("notification")] }),
        "scheduledTaskRun" => json!({ "name": "offers-lapse" }),
        "jobRetry" | "jobCancel" => json!({ "jobId": id("job") }),
        // The reason is missing: nobody is suspended.
        "userSuspend" => json!({ "userId": id("user"), "reason": "" }),
        "userRestore" => json!({ "userId": id("user") }),
        // No such kind of id: nothing is moved.
        "unallocatedAssign" => json!({
            "unallocatedId": id("payment"), "paymentId": id("payment"), "idempotencyKey": new_key(),
        }),
        "unallocatedReturn" => json!({ "unallocatedId": id("payment"), "idempotencyKey": new_key() }),
        // No transaction: nothing is recorded.
        "treasuryMove" => json!({
            "from": "CHAIN", "to": "CIRCLE", "amount": { "amount": "1000000" }, "reference": "none",
            "idempotencyKey": new_key(),
        }),
        "feeScheduleCreate" => json!({ "basisPoints": 5_000, "effectiveAt": "2030-01-01T00:00:00Z" }),
        // The reason is missing: nothing is paused, and then nothing resumed.
        "outgoingPause" => json!({ "reason": "" }),
        "outgoingResume" => json!({}),
        "reviewCreate" => {
            json!({ "contractId": id("contract"), "scores": scores(), "comment": "Good to work with." })
        }
        "reviewUpdate" => {
            json!({ "reviewId": id("review"), "scores": scores(), "comment": "Good to work with." })
        }
        "reviewAnswer" => json!({ "reviewId": id("review"), "answer": "Thank you." }),
        other => panic!("say how {other} is called"),
    }
}

/// A read of the fixture's most private thing of its kind.
fn query(name: &str, ids: &BTreeMap<&'static str, String>) -> String {
    let of = |id: &str| format!("{{ it: {name}(id: \"{}\") {{ id }} }}", ids[id]);
    match name {
        "node" | "project" => of("draft"),
        "user" => of("user"),
        "contract" => of("contract"),
        "payment" => of("payment"),
        "dispute" => of("dispute"),
        "nodes" => format!("{{ it: nodes(ids: [\"{}\"]) {{ id }} }}", ids["payment"]),
        "viewer" => "{ it: viewer { id } }".to_owned(),
        "freelancers"
        | "projects"
        | "skills"
        | "jobs"
        | "auditLog"
        | "disputes"
        | "users"
        | "payments"
        | "contracts"
        | "reconciliations"
        | "unallocatedDeposits" => {
            format!("{{ it: {name} {{ nodes {{ id }} }} }}")
        }
        "categories" => "{ it: categories { id } }".to_owned(),
        "quote" => "{ it: quote(input: { amount: { amount: \"10\" } }) { fee { amount } } }".to_owned(),
        "priceSuggestion" => format!(
            "{{ it: priceSuggestion(input: {{ categoryId: \"{}\", complexity: MODERATE }}) {{ confidence }} }}",
            ids["category"]
        ),
        "queues" | "scheduledTasks" => format!("{{ it: {name} {{ name }} }}"),
        "treasury" => "{ it: treasury { inLedger { amount } } }".to_owned(),
        "feeSchedules" => "{ it: feeSchedules { version } }".to_owned(),
        "analytics" => {
            let input = r#"{ from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", interval: WEEK }"#;
            format!("{{ it: analytics(input: {input}) {{ total {{ proposals }} }} }}")
        }
        "fraudReport" => format!("{{ it: fraudReport(subjectId: \"{}\") {{ score }} }}", ids["user"]),
        "rateLimit" => "{ it: rateLimit { limit } }".to_owned(),
        other => panic!("say how {other} is asked"),
    }
}

fn scores() -> Value {
    json!({ "rating": 4.0, "skill": 4.0, "quality": 4.0, "communication": 4.0, "deadline": 4.0, "cooperation": 4.0 })
}

fn letter(code: &str) -> char {
    match code {
        "UNAUTHENTICATED" => 'U',
        "FORBIDDEN" => 'F',
        "NOT_FOUND" => 'N',
        "INTERNAL" => '!',
        _ => 'K',
    }
}

/// What an answer says about the right to it.
fn verdict(answer: &Value, thing: &Value) -> char {
    if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
        return letter(code);
    }
    assert!(answer.get("errors").is_none(), "an error without a code: {answer}");
    if let Some(code) = thing["userErrors"][0]["code"].as_str() {
        return letter(code);
    }
    if thing.is_null() { '0' } else { 'K' }
}

/// Holds the cells of a row against what was declared.
fn compare(wrong: &mut Vec<String>, row: &str, expected: &str, seen: &[char]) {
    for ((actor, expected), seen) in ACTORS.iter().zip(expected.chars()).zip(seen) {
        if expected != *seen {
            wrong.push(format!("{row} as {actor}: {seen}, not {expected}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_what_is_theirs_and_nothing_else() {
    let Fixture { app, tokens, ids } = Box::pin(fixture()).await;
    let mut wrong = Vec::new();
    // Reads first: what the mutations change must not change what is seen.
    for (name, expected) in QUERIES {
        let mut seen = Vec::new();
        for token in &tokens {
            let answer = app.gql(token, &query(name, &ids), json!({})).await;
            seen.push(verdict(&answer, &answer["data"]["it"]));
        }
        compare(&mut wrong, name, expected, &seen);
    }
    for (name, expected) in SUBSCRIPTIONS {
        let argument = if *name == "paymentUpdated" {
            format!("(paymentId: \"{}\")", ids["payment"])
        } else {
            String::new()
        };
        let document = format!("subscription {{ it: {name}{argument} {{ id }} }}");
        let mut seen = Vec::new();
        for token in &tokens {
            let actor = match token.as_str() {
                "" => Actor::Anonymous,
                token => account::session::authenticate(&app.app, token).await.unwrap(),
            };
            let request = async_graphql::Request::new(&document).data(actor);
            let mut stream = app.schema.execute_stream(request).boxed();
            // Where nothing is to be told yet, silence is a yes.
            seen.push(match tokio::time::timeout(Duration::from_millis(300), stream.next()).await {
                Err(_) => 'K',
                Ok(first) => {
                    let answer = serde_json::to_value(first.expect("an answer")).unwrap();
                    verdict(&answer, &answer["data"]["it"])
                }
            });
        }
        compare(&mut wrong, name, expected, &seen);
    }
    for (name, expected) in MUTATIONS {
        let type_name = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        // Those whose right it is come last: what they change, the others must not have been near.
        let mut seen = ['?'; 7];
        for index in [0, 6, 3, 4, 5, 2, 1] {
            let answer = if *name == "accountVerifyResend" {
                let document = format!("mutation {{ it: {name} {{ userErrors {{ code }} }} }}");
                app.gql(&tokens[index], &document, json!({})).await
            } else {
                let document = format!(
                    "mutation($input: {type_name}!) {{ it: {name}(input: $input) {{ userErrors {{ code }} }} }}"
                );
                app.gql(&tokens[index], &document, json!({ "input": input(name, &ids) })).await
            };
            seen[index] = verdict(&answer, &answer["data"]["it"]);
        }
        compare(&mut wrong, name, expected, &seen);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    app.finish().await;
}

/// No cell is undeclared: each root field stands in a table, and each table names root fields only.
#[test]
fn every_root_field_is_declared() {
    let document = parse_schema(api::graphql::sdl()).unwrap();
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(found) = definition else { continue };
        if let TypeKind::Object(object) = found.node.kind {
            let names = object.fields.into_iter().map(|field| field.node.name.node.to_string()).collect();
            fields.insert(found.node.name.node.to_string(), names);
        }
    }
    for (root, table) in [("Mutation", MUTATIONS), ("Query", QUERIES), ("Subscription", SUBSCRIPTIONS)] {
        let declared: BTreeSet<String> = table.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(declared, fields[root], "{root}");
        assert!(table.iter().all(|(_, cells)| cells.len() == ACTORS.len()), "{root}: a cell an actor");
    }
}
