//! Who may see a file: those who may see the thing that it belongs to.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use entities::{
    AnyId, EvidenceId, ProjectId, ProposalId, SubmissionId, UploadId, UploadPurpose, UploadStatus, contract,
    dispute, dispute_evidence, milestone, project, proposal, submission, upload,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};

use super::{LINK_VALID, file::sizes, record::size_key};
use crate::{
    Actor, App, Error, contract::state::FALLEN, dispute as disputes, error::Result, milestone as milestones,
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
    if seen(app, actor, [&row]).await?.is_empty() { Err(missing()) } else { Ok(row) }
}

/// A link to a file for fifteen minutes that saves it under its name; `None` unless it is READY. Whether the
/// actor may have it is for [`seen`] to say.
pub async fn link(app: &App, row: &upload::Model) -> Result<Option<String>> {
    if row.status != UploadStatus::Ready {
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

/// Which of these files the actor may see: their own, and admins all; else those that belong to something that
/// they may see. One statement a purpose, however many files there are.
pub async fn seen<'a>(
    app: &App,
    actor: &Actor,
    rows: impl IntoIterator<Item = &'a upload::Model>,
) -> Result<HashSet<UploadId>> {
    let mut seen = HashSet::new();
    let mut subjects: HashMap<UploadPurpose, HashSet<AnyId>> = HashMap::new();
    let mut rest = Vec::new();
    for row in rows {
        if actor.sees_all() || actor.is(row.owner_id) || is_public(row) {
            seen.insert(row.id);
        } else if let Some(subject) = row.attached_to.as_deref().and_then(|id| AnyId::from_str(id).ok()) {
            subjects.entry(row.purpose).or_default().insert(subject);
            rest.push((row.id, (row.purpose, subject)));
        }
    }
    let mut open = HashSet::new();
    for (purpose, subjects) in subjects {
        let found = open_to(app, actor, purpose, &subjects).await?;
        open.extend(found.into_iter().map(|subject| (purpose, subject)));
    }
    seen.extend(rest.into_iter().filter(|(_, key)| open.contains(key)).map(|(id, _)| id));
    Ok(seen)
}

/// An avatar in use and the pictures of a portfolio are part of a public profile.
fn is_public(row: &upload::Model) -> bool {
    matches!(row.purpose, UploadPurpose::Avatar | UploadPurpose::PortfolioImage) && row.attached_to.is_some()
}

/// Of the things that files of a purpose belong to, those whose files the actor may see.
async fn open_to(
    app: &App,
    actor: &Actor,
    purpose: UploadPurpose,
    subjects: &HashSet<AnyId>,
) -> Result<Vec<AnyId>> {
    /// The ids of one kind, looked for in a select of that kind.
    macro_rules! among {
        ($kind:ident, $select:expr, $column:expr) => {{
            let ids =
                subjects.iter().filter_map(|id| if let AnyId::$kind(id) = id { Some(*id) } else { None });
            let found: Vec<$kind> = $select
                .filter($column.is_in(ids))
                .select_only()
                .column($column)
                .into_tuple()
                .all(app.db.reader())
                .await?;
            found.into_iter().map(AnyId::$kind).collect()
        }};
    }
    Ok(match purpose {
        UploadPurpose::ProposalAttachment => {
            among!(ProposalId, proposals::visible(actor), proposal::Column::Id)
        }
        UploadPurpose::Deliverable => among!(SubmissionId, work(actor), submission::Column::Id),
        UploadPurpose::ProjectFile => among!(ProjectId, briefs(actor), project::Column::Id),
        UploadPurpose::Evidence => among!(EvidenceId, evidence(actor), dispute_evidence::Column::Id),
        // What the other purposes belong to does not exist yet: for their owner only.
        _ => Vec::new(),
    })
}

/// What was handed in is for the parties of its contract.
fn work(actor: &Actor) -> Select<submission::Entity> {
    let milestones = milestones::visible(actor).select_only().column(milestone::Column::Id).into_query();
    submission::Entity::find().filter(submission::Column::MilestoneId.in_subquery(milestones))
}

/// Evidence is for the parties of the contract that the dispute is about.
fn evidence(actor: &Actor) -> Select<dispute_evidence::Entity> {
    let seen = disputes::visible(actor).select_only().column(dispute::Column::Id).into_query();
    dispute_evidence::Entity::find().filter(dispute_evidence::Column::DisputeId.in_subquery(seen))
}

/// A project's files are for its client and for a freelancer with a contract on it: an offer counts until it
/// is declined, retracted or lapsed.
fn briefs(actor: &Actor) -> Select<project::Entity> {
    let Some(user) = actor.user_id() else {
        return project::Entity::find().filter(project::Column::Id.is_null());
    };
    let worked_on = contract::Entity::find()
        .select_only()
        .column(contract::Column::ProjectId)
        .filter(contract::Column::FreelancerId.eq(user))
        .filter(contract::Column::Status.is_not_in(FALLEN))
        .into_query();
    let own = project::Column::ClientId.eq(user);
    project::Entity::find().filter(Condition::any().add(own).add(project::Column::Id.in_subquery(worked_on)))
}
