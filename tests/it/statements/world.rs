//! A small market in which everything has something below it.

mod rows;

use domain::{
    Actor, account, audit,
    entities::{UploadId, UploadPurpose, UploadStatus, UserId, submission, upload, user, user_skill},
    treasury,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, QueryOrder};
use serde_json::{Value, json};

use crate::{
    market::{self, merged},
    support::{Deal, Someone, TestApp, new_key, ok, text},
};

/// Four clients with two projects each, four freelancers who bid on all of them, and a finished milestone between
/// each two. The newest of all stand at the head of every list.
pub(super) struct World {
    pub(super) app: TestApp,
    pub(super) clients: Vec<Someone>,
    pub(super) freelancers: Vec<Someone>,
    /// The projects that are worked on, one a client.
    pub(super) projects: Vec<String>,
    /// The freelancer who registered last.
    pub(super) newest: Actor,
}

const ACCEPT: &str = "mutation($input: ContractAcceptInput!) { contractAccept(input: $input) {
    contract { milestones { id } } userErrors { field code message } } }";

impl World {
    pub(super) async fn build() -> Self {
        let app = TestApp::start().await;
        let mut skills = Vec::new();
        for name in ["Rust", "GraphQL", "SQL", "Writing"] {
            skills.push(market::skill(&app, name).await);
        }
        let (mut clients, mut freelancers) = (Vec::new(), Vec::new());
        for number in 0..4 {
            clients.push(app.client(&format!("client-{number}")).await);
            freelancers.push(app.freelancer(&format!("freelancer-{number}")).await);
        }
        for freelancer in &freelancers {
            knows(&app, freelancer, &skills[..2]).await;
        }
        for someone in clients.iter().chain(&freelancers) {
            let avatar = file(&app, someone, UploadPurpose::Avatar, &someone.id).await;
            let id = Set(someone.id.parse().unwrap());
            let change = user::ActiveModel { id, avatar_id: Set(Some(avatar)), ..Default::default() };
            change.update(app.app.db.writer()).await.unwrap();
        }
        let mut projects = Vec::new();
        for (number, (client, winner)) in clients.iter().zip(&freelancers).enumerate() {
            for worked_on in [false, true] {
                let category = market::category(&app, 2 * number + usize::from(worked_on)).await;
                let about = json!({ "skillIds": skills, "categoryId": category });
                let project = market::post(&app, &client.token, about).await;
                file(&app, client, UploadPurpose::ProjectFile, &project).await;
                let mut won = String::new();
                for freelancer in &freelancers {
                    let proposal = propose(&app, freelancer, &project).await;
                    file(&app, freelancer, UploadPurpose::ProposalAttachment, &proposal).await;
                    if freelancer.id == winner.id {
                        won = proposal;
                    }
                }
                if worked_on {
                    let deal = work(&app, client, winner, &won).await;
                    rows::about_contract(&app, &deal).await;
                    projects.push(project.clone());
                }
                rows::about_project(&app, client, winner, &project).await;
            }
        }
        for client in &clients {
            treasury::reconcile::reconcile(&app.app).await.unwrap();
            let admin = account::session::authenticate(&app.app, &client.token).await.unwrap();
            let tx = app.app.db.begin().await.unwrap();
            audit::record(&app.app, &tx, &admin, "user.look", Some(client.id.clone()), json!({}))
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        // Nobody waits for money from freelancers.
        let treasury = app.app.chain.treasury().to_string();
        for freelancer in &freelancers {
            app.evm.pay(&freelancer.address(), &treasury, 2_000_000).await.unwrap();
        }
        // One look of the scanner finds it, the next one sees that it is deep enough.
        app.mine(5).await;
        app.mine(1).await;
        let newest = account::session::authenticate(&app.app, &freelancers[3].token).await.unwrap();
        Self { app, clients, freelancers, projects, newest }
    }
}

/// A proposal with a plan.
async fn propose(app: &TestApp, by: &Someone, project: &str) -> String {
    let part = |title: &str, amount: &str| json!({ "title": title, "amount": { "amount": amount } });
    let plan = json!({ "milestones": [part("One", "400"), part("Two", "200")] });
    let input = merged(market::bid(project), plan);
    let answer: Value = app.gql(&by.token, market::SUBMIT, json!({ "input": input })).await;
    text(&answer["data"]["proposalSubmit"]["proposal"]["id"])
}

/// A contract whose first milestone is paid.
async fn work(app: &TestApp, client: &Someone, freelancer: &Someone, proposal: &str) -> Deal {
    let contract = app.offer(client, proposal).await;
    let accepted = ok(app.mutate(&freelancer.token, ACCEPT, json!({ "contractId": contract })).await);
    let milestones = accepted["contract"]["milestones"].as_array().unwrap();
    let milestones = milestones.iter().map(|milestone| text(&milestone["id"])).collect();
    let deal = Deal { client: client.clone(), freelancer: freelancer.clone(), contract, milestones };
    app.submitted(&deal, &deal.milestones[0]).await;
    let newest = submission::Entity::find().order_by_desc(submission::Column::Id);
    let handed_in = newest.one(app.app.db.reader()).await.unwrap().unwrap();
    file(app, freelancer, UploadPurpose::Deliverable, &handed_in.id.to_string()).await;
    ok(app.approve(&deal, &deal.milestones[0], &new_key()).await);
    app.mine(5).await;
    deal
}

/// A READY file that belongs to something.
async fn file(app: &TestApp, owner: &Someone, purpose: UploadPurpose, subject: &str) -> UploadId {
    let (id, now): (UploadId, _) = (app.app.clock.new_id(), app.app.clock.now());
    let row = upload::Model {
        id,
        owner_id: owner.id.parse().unwrap(),
        purpose,
        filename: "a file.png".to_owned(),
        content_type: "image/png".to_owned(),
        byte_size: 100,
        status: UploadStatus::Ready,
        rejection_reason: None,
        object_key: format!("{id}"),
        etag: None,
        attached_to: Some(subject.to_owned()),
        version: 3,
        look: 0,
        due_at: None,
        created_at: now,
        updated_at: now,
    };
    let insert = upload::Entity::insert(upload::ActiveModel::from(row));
    insert.exec_without_returning(app.app.db.writer()).await.unwrap();
    id
}

async fn knows(app: &TestApp, freelancer: &Someone, skills: &[String]) {
    let user_id: UserId = freelancer.id.parse().unwrap();
    for skill in skills {
        let row = user_skill::Model { user_id, skill_id: skill.parse().unwrap(), proficiency: 4, years: 5 };
        let insert = user_skill::Entity::insert(user_skill::ActiveModel::from(row));
        insert.exec_without_returning(app.app.db.writer()).await.unwrap();
    }
}
