//! A freelancer mends their proposal while the client has not looked at it closely.

use entities::{Availability, ProposalId, ProposalStatus, Role, UploadId, UploadPurpose, Usdc, proposal};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{NewProposal, PlannedMilestone, locked_below_project, plan, suggested};
use crate::{
    Actor, App, Code, Error,
    error::Result,
    policy::{self, Action, authorise},
    project as projects, upload,
};

/// What changes; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// 50 to 5,000 characters.
    pub cover_letter: Option<String>,
    /// The whole price (fixed) or the rate an hour (hourly).
    pub bid: Option<Usdc>,
    /// Hours, on an hourly project.
    pub estimated_hours: Option<i32>,
    /// When the freelancer can start.
    pub availability: Option<Availability>,
    /// The whole plan anew; an empty one takes it away.
    pub milestones: Option<Vec<PlannedMilestone>>,
    /// Files to add.
    pub upload_ids: Vec<UploadId>,
}

/// Changes a SUBMITTED proposal: all of it has to keep to the limits together.
pub async fn update(app: &App, actor: &Actor, id: ProposalId, changes: Changes) -> Result<proposal::Model> {
    policy::enter(actor, &[Role::Freelancer])?;
    let tx = app.db.begin().await?;
    let (project, proposal) = locked_below_project(&tx, id).await?;
    authorise(actor, Action::ProposalUpdate(&proposal), "proposalId", "proposal")?;
    if proposal.status != ProposalStatus::Submitted {
        let message = format!(
            "The proposal is {}; it can be changed only while it is SUBMITTED.",
            proposal.status.as_str()
        );
        return Err(Error::rejected("proposalId", Code::IllegalState, message));
    }
    let planned_anew = changes.milestones.is_some();
    let milestones = match changes.milestones {
        Some(milestones) => milestones,
        None => suggested(&tx, id).await?,
    };
    let mut whole = NewProposal {
        project_id: project.id,
        cover_letter: changes.cover_letter.unwrap_or_else(|| proposal.cover_letter.clone()),
        bid: changes.bid.unwrap_or(proposal.bid),
        estimated_hours: changes.estimated_hours.or(proposal.estimated_hours),
        availability: changes.availability.unwrap_or(proposal.availability),
        milestones,
        upload_ids: changes.upload_ids,
    };
    plan::check(&mut whole, project.budget_type)?;
    if planned_anew {
        plan::remove(&tx, id).await?;
        plan::store(app, &tx, id, whole.milestones).await?;
    }
    let subject = id.to_string();
    let (purpose, files) = (UploadPurpose::ProposalAttachment, &whole.upload_ids);
    upload::attach(app, &tx, actor, purpose, files, &subject, "uploadIds").await?;

    let mut change = proposal.into_active_model();
    change.cover_letter = Set(whole.cover_letter);
    change.bid = Set(whole.bid);
    change.estimated_hours = Set(whole.estimated_hours);
    change.availability = Set(whole.availability);
    change.updated_at = Set(app.clock.now());
    let proposal = change.update(&*tx).await?;
    projects::touch(app, &tx, project.id).await?;
    tx.commit().await?;
    Ok(proposal)
}
