//! Reviews: what the parties of an ended contract say about each other, double-blind.
//!
//! Neither sees the other's before both are in or the time to write is over: nobody can answer a review with a
//! review. Time runs from the contract's end, so that it is over for both at the same moment.

use chrono::Duration;
use entities::{ContractId, ContractStatus, ReviewId, Role, contract, review};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};

use crate::{
    Actor, App, Error, Tx,
    check::Check,
    error::{Code, Result},
    payment,
    policy::{self, Action, authorise},
};

mod find;
mod reveal;
mod scores;

pub use find::{of_contracts, of_users, visible};
pub use reveal::reveal_due;
pub use scores::{Scores, WORST};

/// How long after a contract's end its parties may review each other; then what is there is shown.
pub const OPEN_FOR: Duration = Duration::days(14);

/// A review as its author writes it.
#[derive(Debug, Clone)]
pub struct Words {
    /// The whole and its parts.
    pub scores: Scores,
    /// 10 to 5,000 characters.
    pub comment: String,
}

/// Reviews the other party of a contract that ended. Once both have, both are shown.
pub async fn create(app: &App, actor: &Actor, id: ContractId, words: Words) -> Result<review::Model> {
    let author = policy::enter(actor, &[Role::Client, Role::Freelancer])?.id;
    let comment = check(&words)?;
    let tx = app.db.begin().await?;
    let contract = locked_contract(&tx, id, "contractId").await?;
    authorise(actor, Action::ReviewCreate(&contract), "contractId", "contract")?;
    let ended_at = require_ended(&tx, &contract).await?;
    let now = app.clock.now();
    if now >= ended_at + OPEN_FOR {
        let message = "The contract ended more than fourteen days ago: the time to review it is over.";
        return Err(Error::rejected("contractId", Code::Expired, message));
    }
    let others = of_contract(&tx, id).await?;
    if others.iter().any(|review| review.author_id == author) {
        let message = "You have REVIEWED this contract already; it cannot become REVIEWED once more. Until it is shown you can change your review (reviewUpdate).";
        return Err(Error::rejected("contractId", Code::IllegalState, message));
    }
    let subject_id = if author == contract.client_id { contract.freelancer_id } else { contract.client_id };
    let scores = words.scores;
    let row = review::Model {
        id: app.clock.new_id(),
        contract_id: id,
        author_id: author,
        subject_id,
        rating: scores.rating,
        skill: scores.skill,
        quality: scores.quality,
        communication: scores.communication,
        deadline: scores.deadline,
        cooperation: scores.cooperation,
        comment,
        answer: None,
        answered_at: None,
        reveal_at: ended_at + OPEN_FOR,
        shown_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    review::Entity::insert(row.clone().into_active_model()).exec_without_returning(&*tx).await?;
    let mut written = row.clone();
    if !others.is_empty() {
        for shown in reveal::show(app, &tx, &contract, others.into_iter().chain([row])).await? {
            if shown.id == written.id {
                written = shown;
            }
        }
    }
    tx.commit().await?;
    Ok(written)
}

/// Its author writes a review anew, until it is shown.
pub async fn update(app: &App, actor: &Actor, id: ReviewId, words: Words) -> Result<review::Model> {
    policy::enter(actor, &[Role::Client, Role::Freelancer])?;
    let comment = check(&words)?;
    let tx = app.db.begin().await?;
    let review = locked(&tx, id).await?;
    authorise(actor, Action::ReviewUpdate(&review), "reviewId", "review")?;
    let now = app.clock.now();
    // Shown by the clock, even where nobody has come by to mark it.
    if review.shown_at.is_some() || now >= review.reveal_at {
        return Err(Error::illegal("reviewId", "review", "SHOWN", "CHANGED"));
    }
    let scores = words.scores;
    let change = review::ActiveModel {
        id: Set(id),
        rating: Set(scores.rating),
        skill: Set(scores.skill),
        quality: Set(scores.quality),
        communication: Set(scores.communication),
        deadline: Set(scores.deadline),
        cooperation: Set(scores.cooperation),
        comment: Set(comment),
        version: Set(review.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    let review = change.update(&*tx).await?;
    tx.commit().await?;
    Ok(review)
}

/// The reviewed person answers in public, once.
pub async fn reply(app: &App, actor: &Actor, id: ReviewId, answer: &str) -> Result<review::Model> {
    policy::enter(actor, &[Role::Client, Role::Freelancer])?;
    let mut check = Check::new();
    let answer = check.text("answer", answer, 1..=2_000);
    check.done()?;
    let tx = app.db.begin().await?;
    let review = locked(&tx, id).await?;
    authorise(actor, Action::ReviewAnswer(&review), "reviewId", "review")?;
    if review.answer.is_some() {
        return Err(Error::illegal("reviewId", "review", "ANSWERED", "ANSWERED"));
    }
    let now = app.clock.now();
    let change = review::ActiveModel {
        id: Set(id),
        answer: Set(Some(answer)),
        answered_at: Set(Some(now)),
        version: Set(review.version + 1),
        updated_at: Set(now),
        ..Default::default()
    };
    let review = change.update(&*tx).await?;
    tx.commit().await?;
    Ok(review)
}

fn check(words: &Words) -> Result<String> {
    let mut check = Check::new();
    words.scores.check(&mut check);
    let comment = check.text("comment", &words.comment, 10..=5_000);
    check.done()?;
    Ok(comment)
}

/// When the contract ended, if it ended in a way that can be reviewed: with money paid.
async fn require_ended(tx: &Tx, contract: &contract::Model) -> Result<chrono::DateTime<chrono::Utc>> {
    let reviewable = match contract.status {
        ContractStatus::Completed => true,
        ContractStatus::Terminated => payment::paid_out_on(tx, contract.id).await?,
        _ => false,
    };
    match contract.ended_at {
        Some(ended_at) if reviewable => Ok(ended_at),
        _ => {
            let status = contract.status.as_str();
            let message = format!(
                "The contract is {status}; it can become REVIEWED once it is COMPLETED, or TERMINATED after a payment."
            );
            Err(Error::rejected("contractId", Code::IllegalState, message))
        }
    }
}

/// A contract, locked: both parties' reviews wait for each other here.
async fn locked_contract(tx: &Tx, id: ContractId, field: &str) -> Result<contract::Model> {
    contract::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(|| Error::not_found(field, "contract"))
}

/// A review, locked with its contract, the contract first: as everybody does who shows it.
async fn locked(tx: &Tx, id: ReviewId) -> Result<review::Model> {
    let missing = || Error::not_found("reviewId", "review");
    let glance = review::Entity::find_by_id(id).one(&**tx).await?.ok_or_else(missing)?;
    locked_contract(tx, glance.contract_id, "reviewId").await?;
    review::Entity::find_by_id(id).lock_exclusive().one(&**tx).await?.ok_or_else(missing)
}

/// What stands about a contract, within the transaction that has it locked.
async fn of_contract(tx: &Tx, id: ContractId) -> Result<Vec<review::Model>> {
    Ok(review::Entity::find().filter(review::Column::ContractId.eq(id)).all(&**tx).await?)
}
