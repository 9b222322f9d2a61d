//! What the three days of `tests/days` begin with, beside what the other examples have.
//!
//! Each step of a day has a thing of its own, so that days and examples can be run in any order.

use domain::{
    App, amendment, dispute,
    entities::{
        AmendmentId, ContractId, DisputeId, InvitationId, ProposalId, ProposalStatus, SkillId, UserId,
        contract, contract_amendment, dispute as disputes, invitation as invitations, milestone, project,
        proposal, user,
    },
    invitation,
    proposal::PlannedMilestone,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::{Result, Values};
use super::{
    acting,
    content::{
        self, CATALOGUE, DOOR, GLAZES, INDEX, KILN, LABELS, SEARCH, SENSOR, SENTENCES, SIGNED, STUDIO,
    },
    market::{Milestones, agree, bid, offer, post, usdc},
    people::Cast,
};

/// Contracts that run, for their milestones to be paid.
#[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "only `dev` has a chain to pay them on"))]
pub(super) struct Contracts {
    /// With the demo's freelancer: four milestones.
    pub(super) studio: Option<contract::Model>,
    /// With the same: its one milestone will have been paid.
    pub(super) labels: Option<contract::Model>,
    /// With the same: handed in, and nobody answers.
    pub(super) sensor: Option<contract::Model>,
    /// With the designer: about to be disputed.
    pub(super) door: Option<contract::Model>,
}

/// Everything that needs no money, as far as it is missing.
pub(super) async fn build(
    app: &App,
    cast: &Cast,
    skills: &[SkillId],
    values: &mut Values,
) -> Result<Contracts> {
    let (client, publisher) = (&cast.client, &cast.publisher);
    let (felix, noor, mateo) = (&cast.freelancer, &cast.designer, &cast.writer);

    // For the client: bids to weigh, one to accept, somebody to invite.
    let catalogue = post(app, client, skills, &CATALOGUE).await?;
    let drawn =
        bid(app, &catalogue, noor, content::OTHER_LETTER, &[("Layout", 310), ("Print files", 90)]).await?;
    let written = bid(app, &catalogue, mateo, SENTENCES, &[("Everything", 380)]).await?;
    values.insert("day_project", catalogue.id.to_string());
    put(values, "day_good_bid", submitted(drawn));
    put(values, "day_other_bid", submitted(written));
    values.insert("day_freelancer", felix.id.to_string());
    let glazes = post(app, client, skills, &GLAZES).await?;
    let texts = bid(app, &glazes, mateo, SENTENCES, &[("Five texts", 240)]).await?;
    put(values, "day_bid_to_accept", submitted(texts));

    // For the freelancer: bids to change and to take back, an offer, an invitation, something new.
    let index = post(app, publisher, skills, &INDEX).await?;
    let wanted = bid(app, &index, felix, content::LETTER, &[("Index", 420), ("Search box", 160)]).await?;
    put(values, "day_own_bid", submitted(wanted));
    let signed = post(app, publisher, skills, &SIGNED).await?;
    let unwanted = bid(app, &signed, felix, content::LETTER, &[("Page", 350)]).await?;
    put(values, "day_own_other_bid", submitted(unwanted));
    let search = post(app, publisher, skills, &SEARCH).await?;
    values.insert("day_new_project", search.id.to_string());
    let kiln = post(app, client, skills, &KILN).await?;
    let calendar = bid(app, &kiln, felix, content::LETTER, &[("Calendar", 280)]).await?;
    let offered = offer(app, client, &kiln, calendar.as_ref()).await?;
    put(values, "day_offer", offered.map(|contract| contract.id));
    put(values, "day_invitation", invited(app, publisher, felix.id, skills).await?);

    let plan: Milestones<'_> = &[("Front page", 170), ("Map", 140), ("Photo wall", 160), ("Guest book", 90)];
    let contracts = Contracts {
        studio: agree(app, client, felix, skills, &STUDIO, plan).await?,
        labels: agree(app, client, felix, skills, &LABELS, &[("Labels", 60)]).await?,
        sensor: agree(app, client, felix, skills, &SENSOR, &[("Prototype", 130)]).await?,
        door: agree(app, client, noor, skills, &DOOR, &[("Drawings", 220)]).await?,
    };
    if let Some(studio) = &contracts.studio {
        values.insert("day_contract", studio.id.to_string());
        put(values, "day_amendment", amended(app, client, studio.id).await?);
    }
    put(values, "day_finished_contract", contracts.labels.as_ref().map(|contract| contract.id));
    values.insert("day_person", mateo.id.to_string());
    Ok(contracts)
}

/// The dispute over the drawings, once their money is there.
#[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "elsewhere it never is"))]
pub(super) async fn dispute_drawings(
    app: &App,
    client: &user::Model,
    door: ContractId,
) -> Result<Option<DisputeId>> {
    let known =
        disputes::Entity::find().filter(disputes::Column::ContractId.eq(door)).one(app.db.reader()).await?;
    if let Some(known) = known {
        return Ok(Some(known.id));
    }
    let drawings =
        milestone::Entity::find().filter(milestone::Column::ContractId.eq(door)).one(app.db.reader()).await?;
    let Some(drawings) = drawings else { return Ok(None) };
    let ask = dispute::Opening {
        milestone: drawings.id,
        kind: domain::entities::DisputeKind::Deadline,
        description: "The door was to be painted before the fair. There is one sketch, and the fair is over.",
        uploads: &[],
    };
    Ok(Some(dispute::open(app, &acting(client), ask).await?.id))
}

/// A value, where there is one.
pub(super) fn put(values: &mut Values, name: &'static str, id: Option<impl ToString>) {
    if let Some(id) = id {
        values.insert(name, id.to_string());
    }
}

/// A bid that waits for its answer.
fn submitted(bid: Option<proposal::Model>) -> Option<ProposalId> {
    bid.filter(|bid| bid.status == ProposalStatus::Submitted).map(|bid| bid.id)
}

/// The publisher asks the freelancer for a bid on the first of their projects.
async fn invited(
    app: &App,
    publisher: &user::Model,
    freelancer: UserId,
    skills: &[SkillId],
) -> Result<Option<InvitationId>> {
    let known = invitations::Entity::find()
        .filter(invitations::Column::ClientId.eq(publisher.id))
        .filter(invitations::Column::FreelancerId.eq(freelancer))
        .one(app.db.reader())
        .await?;
    if let Some(known) = known {
        return Ok(Some(known.id));
    }
    let [first, ..] = &content::PUBLISHER;
    let project: project::Model = post(app, publisher, skills, first).await?;
    if project.status != domain::entities::ProjectStatus::Open {
        return Ok(None);
    }
    let input = invitation::New {
        project_id: project.id,
        freelancer_id: freelancer,
        message: "You built a shop for a friend of ours. Do you draw as well?".to_owned(),
    };
    match invitation::send(app, &acting(publisher), input).await {
        Ok(sent) => Ok(Some(sent.id)),
        // They may have bid on it by themselves.
        Err(domain::Error::Rejected { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The client proposes one more milestone.
async fn amended(app: &App, client: &user::Model, contract: ContractId) -> Result<Option<AmendmentId>> {
    let known = contract_amendment::Entity::find()
        .filter(contract_amendment::Column::ContractId.eq(contract))
        .order_by_asc(contract_amendment::Column::Id)
        .one(app.db.reader())
        .await?;
    if let Some(known) = known {
        return Ok(Some(known.id));
    }
    let input = amendment::NewAmendment {
        contract_id: contract,
        reason: "Visitors asked for the programme on paper.".to_owned(),
        description: None,
        end_at: None,
        add: vec![PlannedMilestone {
            title: "Programme to print".to_owned(),
            amount: usdc(70),
            due_at: None,
        }],
        change: Vec::new(),
        remove: Vec::new(),
    };
    Ok(Some(amendment::propose(app, &acting(client), input).await?.id))
}
