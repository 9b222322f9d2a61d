//! Every field of every thing that `node` finds, as seven actors.
//!
//! A field answers everybody who sees its thing alike, or stands here with who sees what of it. One that nobody declared
//! fails, and so does one that is declared alike and differs.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{FieldDefinition, TypeKind, TypeSystemDefinition},
};
use domain::entities::{DisputeId, DisputeStatus, UserId, dispute, payment, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use super::{ACTORS, Fixture, compare, fixture, letter};
use crate::support::TestApp;

/// A thing of the fixture.
struct Thing {
    kind: &'static str,
    /// Its name among the fixture's ids.
    id: &'static str,
    /// Who sees it.
    seen: &'static str,
    /// Fields that answer all of them alike.
    alike: &'static str,
    /// The others: K there, - a list of nothing, 0 null, F refused.
    differs: &'static [(&'static str, &'static str)],
}

const THINGS: &[Thing] = &[
    Thing {
        kind: "Amendment",
        id: "amendment",
        seen: "0KK00K0",
        alike: "amount amountBefore answeredAt changes contract createdAt description endAt id proposedBy \
            reason status",
        differs: &[],
    },
    Thing {
        kind: "AuditEntry",
        id: "auditEntry",
        seen: "00000K0",
        alike: "action actor createdAt details hash id sequence subject subjectId",
        differs: &[],
    },
    Thing {
        kind: "Category",
        id: "category",
        seen: "KKKKKKK",
        alike: "archivedAt id name position slug",
        differs: &[],
    },
    Thing {
        kind: "Contract",
        id: "contract",
        seen: "0KK00K0",
        alike: "acceptedAt amendments amount client createdAt description dispute disputes endAt endReason \
            endedAt endedBy freelancer id inEscrow lapsesAt milestones paid pausedAt payments project \
            proposal startAt status",
        differs: &[("reviews", "0K-00K0")],
    },
    Thing {
        kind: "Dispute",
        id: "dispute",
        seen: "0KK00K0",
        alike: "contract createdAt description endedAt endsContract escalatedAt evidence id inEscrow kind \
            milestone openedBy payments refundAmount releaseAmount resolution resolvedBy status \
            takenAt takenBy",
        differs: &[("escalationNote", "00000K0")],
    },
    Thing {
        kind: "Invitation",
        id: "invitation",
        seen: "0KK00K0",
        alike: "answeredAt client createdAt freelancer id message project proposal status",
        differs: &[],
    },
    Thing {
        kind: "Job",
        id: "job",
        seen: "00000K0",
        alike: "attempts finishedAt id lastError maxAttempts payload queue runAt startedAt status subject",
        differs: &[],
    },
    Thing {
        kind: "Milestone",
        id: "milestone",
        seen: "0KK00K0",
        alike: "amount autoReleaseAt contract dueAt id payments position status submission title",
        differs: &[],
    },
    Thing {
        kind: "Notification",
        id: "notification",
        seen: "UK00000",
        alike: "body createdAt id kind priority readAt subject title",
        differs: &[],
    },
    Thing {
        kind: "Payment",
        id: "payment",
        seen: "0KK00K0",
        alike: "amount completedAt confirmations contract createdAt depositAddress dispute expiresAt \
            failureReason fee id jobs kind milestone needsApproval net payee payer paymentUri rail reason received retryOf \
            requiredConfirmations status transactionHash transfers",
        differs: &[("approvedBy", "00000K0"), ("heldBy", "00000K0")],
    },
    Thing {
        kind: "PortfolioItem",
        id: "portfolioItem",
        seen: "KKKKKKK",
        alike: "createdAt description id images link title updatedAt user",
        differs: &[],
    },
    Thing {
        kind: "Project",
        id: "open",
        seen: "KKKKKKK",
        alike: "budgetMax budgetMin budgetType cancelReason category client contract createdAt description \
            experienceLevel expiresAt files id invitations isSaved proposalCount publishedAt skills \
            status title updatedAt",
        differs: &[("matches", "0K000K0"), ("proposals", "-KK--K-")],
    },
    Thing {
        kind: "Project",
        id: "draft",
        seen: "0K000K0",
        alike: "budgetMax budgetMin budgetType cancelReason category client contract createdAt description \
            experienceLevel expiresAt files id invitations isSaved matches proposalCount proposals \
            publishedAt skills status title updatedAt",
        differs: &[],
    },
    Thing {
        kind: "Project",
        id: "signed",
        seen: "KKKKKKK",
        alike: "budgetMax budgetMin budgetType cancelReason category client createdAt description \
            experienceLevel expiresAt files id invitations isSaved proposalCount publishedAt skills \
            status title updatedAt",
        differs: &[("contract", "0KK00K0"), ("matches", "0K000K0"), ("proposals", "-KK--K-")],
    },
    Thing {
        kind: "Proposal",
        id: "proposal",
        seen: "0KK00K0",
        alike: "attachments availability bid coverLetter createdAt estimatedHours freelancer id milestones \
            project status updatedAt",
        differs: &[],
    },
    Thing {
        kind: "Review",
        id: "review",
        seen: "0K000K0",
        alike: "answer answeredAt author comment contract createdAt id project rating revealAt scores \
            shownAt subject updatedAt",
        differs: &[],
    },
    Thing {
        kind: "Skill",
        id: "skill",
        seen: "KKKKKKK",
        alike: "category deletedAt id name verifiedAt",
        differs: &[],
    },
    Thing {
        kind: "Upload",
        id: "upload",
        seen: "0K000K0",
        alike: "byteSize contentType createdAt filename id purpose rejectionReason status url",
        differs: &[],
    },
    Thing {
        kind: "User",
        id: "user",
        seen: "KKKKKKK",
        alike: "availability avatar bio createdAt displayName headline hourlyRate id isSaved location \
            portfolio proposals rating reviewCount reviews role skills suspendedAt suspensionReason \
            timeZone",
        differs: &[
            ("contracts", "-KK--K-"),
            ("email", "0K000K0"),
            ("emailVerifiedAt", "0K000K0"),
            ("invitations", "0K000K0"),
            ("ledger", "0-000-0"),
            ("ledgerStatement", "0K000K0"),
            ("matches", "0-000-0"),
            ("notifications", "0K000K0"),
            ("payments", "0K000K0"),
            ("projects", "KKKKKKK"),
            ("savedFreelancers", "0-000-0"),
            ("savedProjects", "0-000-0"),
            ("sessions", "0K000K0"),
            ("unreadNotificationCount", "0K000K0"),
            ("wallets", "0K000K0"),
        ],
    },
    Thing {
        kind: "User",
        id: "freelancer",
        seen: "KKKKKKK",
        alike: "availability avatar bio createdAt displayName headline hourlyRate id isSaved location \
            portfolio projects rating reviewCount reviews role skills suspendedAt suspensionReason \
            timeZone",
        differs: &[
            ("contracts", "-KK--K-"),
            ("email", "00K00K0"),
            ("emailVerifiedAt", "00K00K0"),
            ("invitations", "00K00K0"),
            ("ledger", "00-00-0"),
            ("ledgerStatement", "00K00K0"),
            ("matches", "00K00K0"),
            ("notifications", "00K00K0"),
            ("payments", "00-00-0"),
            ("proposals", "-KK--K-"),
            ("savedFreelancers", "00-00-0"),
            ("savedProjects", "00-00-0"),
            ("sessions", "00K00K0"),
            ("unreadNotificationCount", "00K00K0"),
            ("wallets", "00K00K0"),
        ],
    },
    Thing {
        kind: "User",
        id: "suspended",
        seen: "KKKKKKK",
        alike: "availability avatar bio contracts createdAt displayName headline hourlyRate id isSaved location \
            portfolio projects proposals rating reviewCount reviews role skills timeZone",
        differs: &[
            ("email", "00000KK"),
            ("emailVerifiedAt", "00000KK"),
            ("invitations", "00000--"),
            ("ledger", "00000--"),
            ("ledgerStatement", "00000KK"),
            ("matches", "00000--"),
            ("notifications", "00000KK"),
            ("payments", "00000--"),
            ("savedFreelancers", "00000--"),
            ("savedProjects", "00000--"),
            ("sessions", "00000KK"),
            ("suspendedAt", "00000KK"),
            ("suspensionReason", "00000KK"),
            ("unreadNotificationCount", "00000KK"),
            ("wallets", "00000KK"),
        ],
    },
    Thing {
        kind: "Wallet",
        id: "wallet",
        seen: "0K000K0",
        alike: "address chainId id isPayout payoutsFrom verifiedAt",
        differs: &[],
    },
];

/// The fields of the types that implement `Node`, and the kinds of all types.
struct Types {
    things: BTreeMap<String, Vec<FieldDefinition>>,
    leaves: Vec<String>,
}

fn types() -> Types {
    let (mut things, mut leaves) = (BTreeMap::new(), Vec::new());
    for scalar in ["ID", "String", "Int", "Float", "Boolean"] {
        leaves.push(scalar.to_owned());
    }
    for definition in parse_schema(api::graphql::sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(found) = definition else { continue };
        let name = found.node.name.node.to_string();
        match found.node.kind {
            TypeKind::Object(object) if object.implements.iter().any(|of| of.node == "Node") => {
                things.insert(name, object.fields.into_iter().map(|field| field.node).collect());
            }
            TypeKind::Scalar | TypeKind::Enum(_) => leaves.push(name),
            _ => (),
        }
    }
    Types { things, leaves }
}

/// What is asked of a field.
fn inside(types: &Types, field: &FieldDefinition) -> &'static str {
    let written = field.ty.node.to_string();
    let base = written.trim_matches(['[', ']', '!']);
    if types.leaves.iter().any(|leaf| leaf == base) {
        ""
    } else if base.ends_with("Connection") {
        "{ totalCount }"
    } else {
        "{ __typename }"
    }
}

/// What a field answers: its value, or the code of an error.
async fn ask(app: &TestApp, token: &str, thing: &Thing, id: &str, field: &str, inside: &str) -> Value {
    // The fields that cannot be asked without.
    let arguments = match field {
        "ledgerStatement" => r#"(from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z")"#,
        _ => "",
    };
    let document =
        format!("{{ node(id: \"{id}\") {{ ... on {} {{ it: {field}{arguments} {inside} }} }} }}", thing.kind);
    let answer = app.gql(token, &document, json!({})).await;
    match answer["errors"][0]["extensions"]["code"].as_str() {
        Some(code) => json!({ "code": code }),
        None => answer["data"]["node"]["it"].clone(),
    }
}

fn cell(value: &Value) -> char {
    match value {
        Value::Null => '0',
        Value::Array(list) if list.is_empty() => '-',
        Value::Object(object) => match (object.get("code"), object.get("totalCount")) {
            (Some(code), _) => letter(code.as_str().unwrap()),
            (_, Some(count)) if *count == json!(0) => '-',
            _ => 'K',
        },
        _ => 'K',
    }
}

/// An admin held the payment, and one approved it.
async fn handle(app: &TestApp, payment: &str, admin: &str) {
    let admin: UserId = admin.parse().unwrap();
    let change = payment::ActiveModel {
        id: Set(payment.parse().unwrap()),
        held_by: Set(Some(admin)),
        approved_by: Set(Some(admin)),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();
}

/// An admin took the dispute, and gave it on with a note.
async fn escalate(app: &TestApp, dispute: &str, admin: &str) {
    let id: DisputeId = dispute.parse().unwrap();
    let admin: UserId = admin.parse().unwrap();
    let change = dispute::ActiveModel {
        id: Set(id),
        status: Set(DisputeStatus::Escalated),
        taken_by: Set(Some(admin)),
        taken_at: Set(Some(app.app.clock.now())),
        escalation_note: Set(Some("For somebody who reads Rust.".to_owned())),
        escalated_at: Set(Some(app.app.clock.now())),
        ..Default::default()
    };
    change.update(app.app.db.writer()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_says_the_same_to_all_who_see_it_or_is_declared() {
    let Fixture { app, tokens, mut ids } = Box::pin(fixture()).await;
    let admin = app.gql(&tokens[5], "{ viewer { id } auditLog(first: 1) { nodes { id } } }", json!({})).await;
    escalate(&app, &ids["dispute"], admin["data"]["viewer"]["id"].as_str().unwrap()).await;
    handle(&app, &ids["payment"], admin["data"]["viewer"]["id"].as_str().unwrap()).await;
    ids.insert("auditEntry", admin["data"]["auditLog"]["nodes"][0]["id"].as_str().unwrap().to_owned());
    let signed = "query($id: ID!) { contract(id: $id) { project { id } } }";
    let signed = app.gql(&tokens[5], signed, json!({ "id": ids["contract"] })).await;
    ids.insert("signed", signed["data"]["contract"]["project"]["id"].as_str().unwrap().to_owned());

    let suspended = app.gql(&tokens[6], "{ viewer { id } }", json!({})).await;
    ids.insert("suspended", suspended["data"]["viewer"]["id"].as_str().unwrap().to_owned());
    let id: UserId = ids["suspended"].parse().unwrap();
    let reason = Set(Some("They asked to be paid elsewhere.".to_owned()));
    let change = user::ActiveModel { id: Set(id), suspension_reason: reason, ..Default::default() };
    change.update(app.app.db.writer()).await.unwrap();

    let types = types();
    let mut wrong = Vec::new();
    for thing in THINGS {
        let id = &ids[thing.id];
        for field in &types.things[thing.kind] {
            let (name, inside) = (field.name.node.as_str(), inside(&types, field));
            let mut answers = Vec::new();
            for token in &tokens {
                answers.push(ask(&app, token, thing, id, name, inside).await);
            }
            let row: Vec<char> = answers.iter().map(cell).collect();
            let label = format!("{} ({}).{name}", thing.kind, thing.id);
            if let Some((_, declared)) = thing.differs.iter().find(|(declared, _)| *declared == name) {
                compare(&mut wrong, &label, declared, &row);
                continue;
            }
            let seen = answers.iter().zip(thing.seen.chars()).filter(|(_, seen)| *seen == 'K');
            let mut seen: Vec<&Value> = seen.map(|(answer, _)| answer).collect();
            seen.dedup();
            let wrongly = seen.iter().any(|answer| answer.get("code").is_some());
            let hidden = row.iter().zip(thing.seen.chars()).all(|(cell, seen)| seen == 'K' || *cell == seen);
            if seen.len() != 1 || wrongly || !hidden {
                wrong.push(format!("{label}: {}", row.iter().collect::<String>()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    app.finish().await;
}

/// No cell is undeclared.
#[test]
fn every_field_of_every_thing_is_declared() {
    let types = types();
    for (kind, fields) in &types.things {
        let mut names: Vec<_> = fields.iter().map(|field| field.name.node.as_str()).collect();
        names.sort_unstable();
        let things: Vec<_> = THINGS.iter().filter(|thing| thing.kind == kind).collect();
        assert!(!things.is_empty(), "{kind}: who sees one?");
        for thing in things {
            assert!(thing.seen.len() == ACTORS.len());
            assert!(
                thing.differs.iter().all(|(_, cells)| cells.len() == ACTORS.len()),
                "{kind}: a cell an actor"
            );
            let declared = thing.alike.split_whitespace().chain(thing.differs.iter().map(|(name, _)| *name));
            let mut declared: Vec<_> = declared.collect();
            declared.sort_unstable();
            assert_eq!(declared, names, "{kind} ({})", thing.id);
        }
    }
}
