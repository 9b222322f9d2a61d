//! Reading the log: administrators only.

use chrono::{DateTime, Utc};
use entities::{UserId, audit_entry};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

use crate::{
    Actor,
    check::Check,
    error::Result,
    page::List,
    policy::{self, Action},
};

/// Which entries are wanted; what is `None` does not narrow the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// What this person did.
    pub actor_id: Option<UserId>,
    /// This action, exactly.
    pub action: Option<String>,
    /// What was done to this thing: its public id.
    pub subject: Option<String>,
    /// At this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

/// The entries, newest first.
pub fn list(actor: &Actor, filter: &Filter) -> Result<List<audit_entry::Entity>> {
    use audit_entry::Column;
    policy::authorise(actor, Action::Administer, "", "audit log")?;
    let mut check = Check::new();
    let action = filter.action.as_deref().map(|action| check.line("filter.action", action, 1..=64));
    let subject = filter.subject.as_deref().map(|subject| check.line("filter.subjectId", subject, 1..=100));
    check.time("filter.from", filter.from);
    check.time("filter.to", filter.to);
    check.done()?;
    let narrow = Condition::all()
        .add_option(filter.actor_id.map(|person| Column::ActorId.eq(person)))
        .add_option(action.map(|action| Column::Action.eq(action)))
        .add_option(subject.map(|subject| Column::Subject.eq(subject)))
        .add_option(filter.from.map(|from| Column::CreatedAt.gte(from)))
        .add_option(filter.to.map(|to| Column::CreatedAt.lt(to)));
    Ok(List::by(audit_entry::Entity::find().filter(narrow), Column::Sequence, Column::Id, true))
}

/// The entries that the actor may see: administrators see them all, nobody else any.
pub fn visible(actor: &Actor) -> Select<audit_entry::Entity> {
    let all = audit_entry::Entity::find();
    match policy::can(actor, Action::Administer) {
        Ok(()) => all,
        Err(_) => all.filter(audit_entry::Column::Id.is_null()),
    }
}
