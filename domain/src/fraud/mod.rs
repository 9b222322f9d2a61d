//! Fraud reports, for administrators: what is suspicious about a person, a project or a proposal, each signal with its
//! points and the fact that it comes from. Nothing is done by it: a person looks, and decides.

use entities::{AnyId, ProjectId, UserId, project, proposal, user};
use sea_orm::EntityTrait;

use crate::{
    Actor, App,
    error::{Code, Error, Result},
    policy::{self, Action},
};

mod read;
pub mod signals;
mod text;

pub use signals::{Band, Kind, MOST_POINTS, Signal};

/// What a report tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A person.
    User(user::Model),
    /// A project.
    Project(project::Model),
    /// A proposal.
    Proposal(proposal::Model),
}

/// What is suspicious about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// About what.
    pub subject: Subject,
    /// What was noticed: its own first, then what its owner adds.
    pub signals: Vec<Signal>,
}

impl Report {
    /// The points of the signals together, at most [`MOST_POINTS`].
    pub fn score(&self) -> i32 {
        signals::score(&self.signals)
    }

    /// How suspicious that is.
    pub fn band(&self) -> Band {
        Band::of(self.score())
    }
}

/// The report about the user, project or proposal with this id, which stands in the input field `subjectId`. Its
/// statements are as many whatever is found, and look at a bounded number of rows each.
///
/// # Errors
///
/// FORBIDDEN to all but administrators, INVALID_ID for an id of another kind, NOT_FOUND for one of nothing.
pub async fn report(app: &App, actor: &Actor, subject: &str) -> Result<Report> {
    policy::authorise(actor, Action::Administer, "", "fraud report")?;
    match subject.parse::<AnyId>() {
        Ok(AnyId::UserId(id)) => {
            let person = person(app, id).await?.ok_or_else(|| Error::not_found("subjectId", "user"))?;
            let signals = signals::of_person(&read::person(app, &person).await?);
            Ok(Report { subject: Subject::User(person), signals })
        }
        Ok(AnyId::ProjectId(id)) => {
            let row = project(app, id).await?.ok_or_else(|| Error::not_found("subjectId", "project"))?;
            let client = owner(app, row.client_id).await?;
            let mut signals = signals::of_project(&read::project(app, &row, &client).await?);
            let theirs = signals::of_person(&read::person(app, &client).await?);
            signals.extend(signals::halved(theirs, "Its client"));
            Ok(Report { subject: Subject::Project(row), signals })
        }
        Ok(AnyId::ProposalId(id)) => {
            let row = proposal::Entity::find_by_id(id).one(app.db.reader()).await?;
            let row = row.ok_or_else(|| Error::not_found("subjectId", "proposal"))?;
            let about = project(app, row.project_id).await?;
            let about = about.ok_or_else(|| Error::bug("a proposal without its project"))?;
            let freelancer = owner(app, row.freelancer_id).await?;
            let mut signals = signals::of_proposal(&read::proposal(app, &row, &about).await?);
            let theirs = signals::of_person(&read::person(app, &freelancer).await?);
            signals.extend(signals::halved(theirs, "Its freelancer"));
            Ok(Report { subject: Subject::Proposal(row), signals })
        }
        _ => {
            let message = "Give the id of a user (usr_...), a project (prj_...) or a proposal (ppl_...).";
            Err(Error::rejected("subjectId", Code::InvalidId, message))
        }
    }
}

async fn person(app: &App, id: UserId) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(id).one(app.db.reader()).await?)
}

async fn project(app: &App, id: ProjectId) -> Result<Option<project::Model>> {
    Ok(project::Entity::find_by_id(id).one(app.db.reader()).await?)
}

/// Whom a thing belongs to: a foreign key says that they are there.
async fn owner(app: &App, id: UserId) -> Result<user::Model> {
    person(app, id).await?.ok_or_else(|| Error::bug("a thing whose owner has no row"))
}
