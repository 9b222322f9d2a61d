//! Projects, proposals and contracts of the demo.

use domain::{
    App,
    contract::{self, Terms},
    entities::{
        Availability, ContractStatus, ProjectStatus, ProposalStatus, SkillId, Usdc, category,
        contract as contracts, project as projects, proposal as proposals, user,
    },
    project::{self, NewProject},
    proposal::{self, NewProposal, PlannedMilestone},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{
    acting,
    content::{self, BOOKING, LETTERS, PUBLISHER, Posting, RECIPES, SHOP, STOCK, skill_named},
    people::Cast,
};
use crate::seed::{Result, Values, days::put};

/// Contracts that run, for their milestones to be paid.
#[cfg_attr(not(feature = "dev"), expect(dead_code, reason = "only `dev` has a chain to pay them on"))]
pub(super) struct Contracts {
    /// With five milestones.
    pub(super) shop: Option<contracts::Model>,
    /// With two milestones.
    pub(super) letters: Option<contracts::Model>,
}

/// Title and USDC of each milestone. The amounts differ, so that a deposit tells which one it pays.
pub(super) type Milestones<'a> = &'a [(&'a str, i64)];

/// Everything, as far as it is missing.
pub(super) async fn build(
    app: &App,
    cast: &Cast,
    skills: &[SkillId],
    values: &mut Values,
) -> Result<Contracts> {
    let (client, felix, noor) = (&cast.client, &cast.freelancer, &cast.designer);
    let recipes = post(app, client, skills, &RECIPES).await?;
    bid(app, &recipes, noor, content::OTHER_LETTER, &[("Design", 150), ("Cards", 330)]).await?;

    let booking = post(app, client, skills, &BOOKING).await?;
    let submitted =
        bid(app, &booking, felix, content::LETTER, &[("Calendar", 280), ("Mails and launch", 340)]).await?;
    let other = bid(app, &booking, noor, content::OTHER_LETTER, &[("Everything", 700)]).await?;
    if let Some(other) = other.filter(|other| other.status == ProposalStatus::Submitted) {
        proposal::shortlist(app, &acting(client), other.id, true).await?;
    }

    let stock = post(app, client, skills, &STOCK).await?;
    let offered =
        bid(app, &stock, felix, content::LETTER, &[("One list", 260), ("Till and market", 210)]).await?;
    let pending_contract = offer(app, client, &stock, offered.as_ref()).await?;

    let plan: Milestones<'_> = &[
        ("Design", 200),
        ("Catalogue", 250),
        ("Cart and checkout", 300),
        ("Shipping labels", 150),
        ("Launch", 100),
    ];
    let shop = agree(app, client, felix, skills, &SHOP, plan).await?;
    let plan: Milestones<'_> = &[("Import of old letters", 180), ("Mail templates", 120)];
    let letters = agree(app, client, felix, skills, &LETTERS, plan).await?;

    for posting in &PUBLISHER {
        post(app, &cast.publisher, skills, posting).await?;
    }
    values.insert("open_project", recipes.id.to_string());
    put(values, "submitted_proposal", submitted.map(|bid| bid.id));
    put(values, "pending_contract", pending_contract.map(|contract| contract.id));
    Ok(Contracts { shop, letters })
}

/// The client's project with this title; posted when it is not there.
pub(super) async fn post(
    app: &App,
    client: &user::Model,
    skills: &[SkillId],
    posting: &Posting,
) -> Result<projects::Model> {
    let known = projects::Entity::find()
        .filter(projects::Column::ClientId.eq(client.id))
        .filter(projects::Column::Title.eq(posting.title.as_ref()))
        .one(app.db.reader())
        .await?;
    if let Some(project) = known {
        return Ok(project);
    }
    let category = category::Entity::find().filter(category::Column::Slug.eq(posting.category));
    let category = category.one(app.db.reader()).await?.ok_or("a category is gone")?;
    let (least, most) = posting.budget;
    let new = NewProject {
        title: posting.title.to_string(),
        description: posting.description.to_owned(),
        category_id: category.id,
        skill_ids: posting.skills.iter().map(|name| skill_named(skills, name)).collect::<Result<_>>()?,
        budget_type: posting.pays,
        budget_min: usdc(least),
        budget_max: usdc(most),
        experience_level: posting.level,
        publish: true,
        upload_ids: Vec::new(),
    };
    Ok(project::create(app, &acting(client), new).await?)
}

/// The freelancer's proposal on the project; sent when it is not there and the project takes any.
pub(super) async fn bid(
    app: &App,
    project: &projects::Model,
    freelancer: &user::Model,
    letter: &str,
    plan: Milestones<'_>,
) -> Result<Option<proposals::Model>> {
    let known = proposals::Entity::find()
        .filter(proposals::Column::ProjectId.eq(project.id))
        .filter(proposals::Column::FreelancerId.eq(freelancer.id))
        .one(app.db.reader())
        .await?;
    if known.is_some() || project.status != ProjectStatus::Open {
        return Ok(known);
    }
    let milestones = plan.iter().map(|(title, amount)| PlannedMilestone {
        title: (*title).to_owned(),
        amount: usdc(*amount),
        due_at: None,
    });
    let new = NewProposal {
        project_id: project.id,
        cover_letter: letter.to_owned(),
        bid: usdc(plan.iter().map(|(_, amount)| amount).sum()),
        estimated_hours: None,
        availability: Availability::Immediate,
        milestones: milestones.collect(),
        upload_ids: Vec::new(),
    };
    Ok(Some(proposal::submit(app, &acting(freelancer), new).await?))
}

/// The contract on this proposal; offered when there is none and there can be one.
pub(super) async fn offer(
    app: &App,
    client: &user::Model,
    project: &projects::Model,
    proposal: Option<&proposals::Model>,
) -> Result<Option<contracts::Model>> {
    let Some(proposal) = proposal else { return Ok(None) };
    let of_proposal = contracts::Entity::find().filter(contracts::Column::ProposalId.eq(proposal.id));
    let known = of_proposal.one(app.db.reader()).await?;
    let live = matches!(proposal.status, ProposalStatus::Submitted | ProposalStatus::Shortlisted);
    if known.is_some() || !live || project.status != ProjectStatus::Open {
        return Ok(known);
    }
    let description =
        "As proposed: each milestone is funded before work on it begins, and paid on approval.".to_owned();
    let terms = Terms { description, start_at: None, end_at: None };
    Ok(Some(proposal::accept(app, &acting(client), proposal.id, terms).await?.1))
}

/// A contract that runs, from the project on.
pub(super) async fn agree(
    app: &App,
    client: &user::Model,
    freelancer: &user::Model,
    skills: &[SkillId],
    posting: &Posting,
    plan: Milestones<'_>,
) -> Result<Option<contracts::Model>> {
    let project = post(app, client, skills, posting).await?;
    let proposal = bid(app, &project, freelancer, content::LETTER, plan).await?;
    let contract = offer(app, client, &project, proposal.as_ref()).await?;
    match contract {
        Some(offered) if offered.status == ContractStatus::Pending => {
            Ok(Some(contract::accept(app, &acting(freelancer), offered.id).await?))
        }
        other => Ok(other),
    }
}

pub(super) fn usdc(whole: i64) -> Usdc {
    Usdc::whole(whole).unwrap_or_default()
}
