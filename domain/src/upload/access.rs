//! Who may see a file: those who may see the thing that it belongs to.

use std::str::FromStr;

use entities::{
    AnyId, EvidenceId, ProjectId, SubmissionId, UploadId, UploadPurpose, UploadStatus, contract, dispute,
    dispute_evidence, milestone, project, proposal, submission, upload,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::{LINK_VALID, file::sizes, record::size_key};
use crate::{
    Actor, App, Error,
    contract::{self as contracts, state::FALLEN},
    dispute as disputes,
    error::Result,
    proposal as proposals,
};

/// The files that belong to some things (their public ids), in the order they were made. It decides nothing:
/// each file's link is still only for who may see it.
pub async fn of_subject(conn: &impl ConnectionTrait, subjects: &[String]) -> Result<Vec<upload::Model>> {
    Ok(upload::Entity::find()
        .filter(upload::Column::AttachedTo.is_in(subjects.iter().cloned()))
        .order_by_asc(upload::Column::Id)
        .all(conn)
        .await?)
}

/// One upload that the actor may see.
pub async fn find(app: &App, actor: &Actor, id: UploadId) -> Result<upload::Model> {
    let missing = || Error::not_found("id", "upload");
    let row = upload::Entity::find_by_id(id).one(app.db.reader()).await?.ok_or_else(missing)?;
    if sees(app, actor, &row).await? { Ok(row) } else { Err(missing()) }
}

/// A link to the file for fifteen minutes that saves it under its name; `None` unless it is READY and the
/// actor may see it.
pub async fn url(app: &App, actor: &Actor, row: &upload::Model) -> Result<Option<String>> {
    if row.status != UploadStatus::Ready || !sees(app, actor, row).await? {
        return Ok(None);
    }
    let request = app.storage.presign_get(&row.object_key, &row.filename, LINK_VALID).await?;
    Ok(Some(request.url))
}

/// Links to a picture in each of its sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// As large as it is kept.
    pub url: String,
    /// The smaller sizes, the largest first: pixels of the longer side at most, and the link.
    pub smaller: Vec<(u32, String)>,
}

/// Links to a picture that everybody may see, for fifteen minutes; `None` unless it is READY and in use.
pub async fn picture(app: &App, row: &upload::Model) -> Result<Option<Picture>> {
    if row.status != UploadStatus::Ready || !is_public(row) {
        return Ok(None);
    }
    let mut smaller = Vec::new();
    for size in sizes(row.purpose) {
        let request = app.storage.presign_get(&size_key(row, *size), &row.filename, LINK_VALID).await?;
        smaller.push((*size, request.url));
    }
    let request = app.storage.presign_get(&row.object_key, &row.filename, LINK_VALID).await?;
    Ok(Some(Picture { url: request.url, smaller }))
}

/// Whether the actor may see a file: its owner and admins always; else whoever may see what it belongs to.
pub async fn sees(app: &App, actor: &Actor, row: &upload::Model) -> Result<bool> {
    if actor.sees_all() || actor.is(row.owner_id) || is_public(row) {
        return Ok(true);
    }
    let Some(subject) = row.attached_to.as_deref() else { return Ok(false) };
    let reader = app.db.reader();
    Ok(match (row.purpose, AnyId::from_str(subject)) {
        (UploadPurpose::ProposalAttachment, Ok(AnyId::ProposalId(id))) => {
            proposals::visible(actor).filter(proposal::Column::Id.eq(id)).count(reader).await? > 0
        }
        (UploadPurpose::Deliverable, Ok(AnyId::SubmissionId(id))) => sees_work(app, actor, id).await?,
        (UploadPurpose::Evidence, Ok(AnyId::EvidenceId(id))) => sees_evidence(app, actor, id).await?,
        (UploadPurpose::ProjectFile, Ok(AnyId::ProjectId(id))) => sees_brief(app, actor, id).await?,
        // What the other purposes belong to does not exist yet: for their owner only.
        _ => false,
    })
}

/// An avatar in use is part of a public profile.
fn is_public(row: &upload::Model) -> bool {
    row.purpose == UploadPurpose::Avatar && row.attached_to.is_some()
}

/// What was handed in is for the parties of its contract.
async fn sees_work(app: &App, actor: &Actor, id: SubmissionId) -> Result<bool> {
    let reader = app.db.reader();
    let Some(handed_in) = submission::Entity::find_by_id(id).one(reader).await? else { return Ok(false) };
    let milestone = milestone::Entity::find_by_id(handed_in.milestone_id).one(reader).await?;
    let Some(milestone) = milestone else { return Ok(false) };
    let own = contracts::visible(actor).filter(contract::Column::Id.eq(milestone.contract_id));
    Ok(own.count(reader).await? > 0)
}

/// Evidence is for the parties of the contract that the dispute is about.
async fn sees_evidence(app: &App, actor: &Actor, id: EvidenceId) -> Result<bool> {
    let reader = app.db.reader();
    let Some(brought) = dispute_evidence::Entity::find_by_id(id).one(reader).await? else { return Ok(false) };
    let own = disputes::visible(actor).filter(dispute::Column::Id.eq(brought.dispute_id));
    Ok(own.count(reader).await? > 0)
}

/// A project's files are for its client and for a freelancer with a contract on it: an offer counts until it
/// is declined, retracted or lapsed.
async fn sees_brief(app: &App, actor: &Actor, id: ProjectId) -> Result<bool> {
    let Some(user) = actor.user_id() else { return Ok(false) };
    let reader = app.db.reader();
    let owned = project::Entity::find_by_id(id).filter(project::Column::ClientId.eq(user));
    if owned.count(reader).await? > 0 {
        return Ok(true);
    }
    let contract = contract::Entity::find()
        .filter(contract::Column::ProjectId.eq(id))
        .filter(contract::Column::FreelancerId.eq(user))
        .filter(contract::Column::Status.is_not_in(FALLEN));
    Ok(contract.count(reader).await? > 0)
}
