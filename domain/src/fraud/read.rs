//! The facts that signals come from: one statement each, none of which looks at more than a bounded number of rows.

use chrono::{DateTime, Duration, Utc};
use entities::{
    BudgetType, ContractId, ContractStatus, DisputeKind, DisputeStatus, ProjectId, ProposalId, Usdc, UserId,
    audit_entry, contract, dispute, project, proposal, session, user, wallet,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::signals::{
    LARGE_FIXED, LARGE_HOURLY, PersonFacts, ProjectFacts, ProposalFacts, busiest_day, most_names_a_day,
};
use crate::{App, error::Result};

/// How far back somebody's proposals and sessions are looked at.
const LOOK_BACK: Duration = Duration::days(30);
/// As many of somebody's proposals, contracts and disputes are looked at: the newest.
const MOST: u64 = 500;
/// As many sessions: each is held against the others.
const MOST_SESSIONS: u64 = 200;
/// As many projects of a category make up what is usual: the newest.
const COMPARED: u64 = 200;
/// As many projects or proposals of others are held against a text: the newest.
const NEWEST: u64 = 2_000;
/// As many equal texts are counted.
const EQUAL: u64 = 50;

/// What a contract is to those who judge its parties: id, client, state, and who ended it.
type ContractFacts = (ContractId, UserId, ContractStatus, Option<UserId>);
/// What a dispute is to them: contract, who opened it, kind, state, and what went to the client and the freelancer.
type DisputeFacts = (ContractId, UserId, DisputeKind, DisputeStatus, Option<Usdc>, Option<Usdc>);

/// What is known of a person.
pub(super) async fn person(app: &App, person: &user::Model) -> Result<PersonFacts> {
    let conn = app.db.reader();
    let (id, since) = (person.id, app.clock.now() - LOOK_BACK);

    let wallets = wallet::Entity::find().filter(wallet::Column::UserId.eq(id)).count(conn).await?;

    let proposals: Vec<DateTime<Utc>> = proposal::Entity::find()
        .select_only()
        .column(proposal::Column::CreatedAt)
        .filter(proposal::Column::FreelancerId.eq(id))
        .filter(proposal::Column::CreatedAt.gte(since))
        .order_by_desc(proposal::Column::Id)
        .limit(MOST)
        .into_tuple()
        .all(conn)
        .await?;

    let contracts: Vec<ContractFacts> = contract::Entity::find()
        .select_only()
        .columns([
            contract::Column::Id,
            contract::Column::ClientId,
            contract::Column::Status,
            contract::Column::EndedBy,
        ])
        .filter(
            Condition::any()
                .add(contract::Column::ClientId.eq(id))
                .add(contract::Column::FreelancerId.eq(id)),
        )
        .order_by_desc(contract::Column::Id)
        .limit(MOST)
        .into_tuple()
        .all(conn)
        .await?;

    let disputes: Vec<DisputeFacts> = dispute::Entity::find()
        .select_only()
        .columns([
            dispute::Column::ContractId,
            dispute::Column::OpenedBy,
            dispute::Column::Kind,
            dispute::Column::Status,
            dispute::Column::RefundAmount,
            dispute::Column::ReleaseAmount,
        ])
        .filter(dispute::Column::ContractId.is_in(contracts.iter().map(|(contract, ..)| *contract)))
        .order_by_desc(dispute::Column::Id)
        .limit(MOST)
        .into_tuple()
        .all(conn)
        .await?;

    let suspensions = audit_entry::Entity::find()
        .filter(audit_entry::Column::Subject.eq(id.to_string()))
        .filter(audit_entry::Column::Action.eq("user.suspend"))
        .count(conn)
        .await?;

    let sessions: Vec<(DateTime<Utc>, Option<String>)> = session::Entity::find()
        .select_only()
        .columns([session::Column::CreatedAt, session::Column::UserAgent])
        .filter(session::Column::UserId.eq(id))
        .filter(session::Column::CreatedAt.gte(since))
        .order_by_desc(session::Column::Id)
        .limit(MOST_SESSIONS)
        .into_tuple()
        .all(conn)
        .await?;

    let is_client = |wanted: ContractId| {
        contracts.iter().any(|(contract, client, ..)| *contract == wanted && *client == id)
    };
    let lost = disputes.iter().filter(|(contract, _, _, status, refund, release)| {
        let (refund, release) = (refund.unwrap_or(Usdc::ZERO), release.unwrap_or(Usdc::ZERO));
        let (theirs, others) = if is_client(*contract) { (refund, release) } else { (release, refund) };
        *status == DisputeStatus::Resolved && others > theirs
    });
    let accused = disputes.iter().filter(|(_, opened_by, kind, status, ..)| {
        *opened_by != id && *kind == DisputeKind::Fraud && *status != DisputeStatus::Withdrawn
    });
    let cancelled = contracts.iter().filter(|(_, client, status, ended_by)| match status {
        ContractStatus::Terminated => *ended_by == Some(id),
        ContractStatus::Retracted => *client == id,
        _ => false,
    });
    Ok(PersonFacts {
        email_proven: person.email_verified_at.is_some(),
        age: age(app, person),
        has_wallet: wallets > 0,
        proposals_a_day: busiest_day(proposals),
        fraud_disputes: accused.count(),
        disputes_lost: lost.count(),
        cancelled: cancelled.count(),
        rating: person.rating,
        review_count: person.review_count,
        suspensions,
        suspended: person.suspended_at.is_some(),
        agents_a_day: most_names_a_day(
            sessions.into_iter().filter_map(|(at, agent)| Some((at, agent?))).collect(),
        ),
    })
}

/// What is known of a project beside its client.
pub(super) async fn project<'a>(
    app: &App,
    row: &'a project::Model,
    client: &user::Model,
) -> Result<ProjectFacts<'a>> {
    use project::Column;
    let conn = app.db.reader();
    // Others' alone: nobody makes their own budget the usual one.
    let others: Vec<Usdc> = project::Entity::find()
        .select_only()
        .column(Column::BudgetMax)
        .filter(Column::CategoryId.eq(row.category_id))
        .filter(Column::BudgetType.eq(row.budget_type))
        .filter(Column::ClientId.ne(row.client_id))
        .filter(Column::PublishedAt.is_not_null())
        .order_by_desc(Column::Id)
        .limit(COMPARED)
        .into_tuple()
        .all(conn)
        .await?;

    let equal = project::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Description.eq(row.description.as_str()))
        .filter(Column::Id.ne(row.id))
        .filter(Column::PublishedAt.is_not_null())
        .limit(EQUAL);
    let newest = project::Entity::find()
        .select_only()
        .column(Column::Id)
        .order_by_desc(Column::Id)
        .limit(NEWEST)
        .into_query();
    let own: Vec<ProjectId> =
        equal.clone().filter(Column::ClientId.eq(row.client_id)).into_tuple().all(conn).await?;
    let foreign: Vec<ProjectId> = equal
        .filter(Column::ClientId.ne(row.client_id))
        .filter(Column::Id.in_subquery(newest))
        .into_tuple()
        .all(conn)
        .await?;

    Ok(ProjectFacts {
        texts: [&row.title, &row.description],
        budget_max: row.budget_max,
        large: match row.budget_type {
            BudgetType::Fixed => LARGE_FIXED,
            BudgetType::Hourly => LARGE_HOURLY,
        },
        others,
        repeats: (own.len(), foreign.len()),
        client_age: age(app, client),
    })
}

/// What is known of a proposal beside its freelancer.
pub(super) async fn proposal<'a>(
    app: &App,
    row: &'a proposal::Model,
    about: &project::Model,
) -> Result<ProposalFacts<'a>> {
    use proposal::Column;
    let conn = app.db.reader();
    let equal = proposal::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CoverLetter.eq(row.cover_letter.as_str()))
        .filter(Column::Id.ne(row.id))
        .limit(EQUAL);
    let newest = proposal::Entity::find()
        .select_only()
        .column(Column::Id)
        .order_by_desc(Column::Id)
        .limit(NEWEST)
        .into_query();
    let own: Vec<ProposalId> =
        equal.clone().filter(Column::FreelancerId.eq(row.freelancer_id)).into_tuple().all(conn).await?;
    let foreign: Vec<ProposalId> = equal
        .filter(Column::FreelancerId.ne(row.freelancer_id))
        .filter(Column::Id.in_subquery(newest))
        .into_tuple()
        .all(conn)
        .await?;

    Ok(ProposalFacts {
        letter: &row.cover_letter,
        repeats: (own.len(), foreign.len()),
        bid: row.bid,
        budget: (about.budget_min, about.budget_max),
        after: about.published_at.map(|at| (row.created_at - at).num_seconds()),
    })
}

/// How old an account is, in seconds.
fn age(app: &App, person: &user::Model) -> i64 {
    (app.clock.now() - person.created_at).num_seconds()
}
