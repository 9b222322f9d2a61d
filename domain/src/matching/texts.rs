//! What may be told to the assistant: texts that everybody may read, and neither names nor addresses.

use std::collections::{BTreeMap, BTreeSet};

use entities::{ProjectId, UserId};
use sea_orm::QueryResult;

use super::{rows, values};
use crate::{App, error::Result};

/// Characters of a text that are compared: most of what it is about, and less than every model takes.
const SHORT: usize = 1_500;

/// Whose text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    Project(ProjectId),
    Freelancer(UserId),
}

impl From<ProjectId> for Subject {
    fn from(id: ProjectId) -> Self {
        Self::Project(id)
    }
}

impl From<UserId> for Subject {
    fn from(id: UserId) -> Self {
        Self::Freelancer(id)
    }
}

/// What a project or a freelancer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// A project's title, a freelancer's headline.
    pub(crate) title: String,
    /// The names of the skills, the most wanted or the best known first.
    pub(crate) skills: Vec<String>,
    /// A project's description, what a freelancer says of themselves.
    pub(crate) body: String,
}

impl Text {
    /// All of it in one text, cut to size; empty where nothing is said.
    pub(crate) fn short(&self) -> String {
        let skills = self.skills.join(", ");
        let parts = [self.title.as_str(), &skills, &self.body];
        let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        said.join("\n").chars().take(SHORT).collect()
    }
}

/// The texts of some subjects, by two statements a kind. A project that was never published has none: nobody else has
/// read it yet.
pub(crate) async fn of(app: &App, subjects: &BTreeSet<Subject>) -> Result<BTreeMap<Subject, Text>> {
    let (mut projects, mut people) = (Vec::new(), Vec::new());
    for subject in subjects {
        match subject {
            Subject::Project(id) => projects.push(id.0),
            Subject::Freelancer(id) => people.push(id.0),
        }
    }
    let mut texts = BTreeMap::new();
    if !projects.is_empty() {
        let (count, ids) = (projects.len(), values(projects.into_iter()));
        for row in rows::ask(app, rows::project_texts(count), ids.clone()).await? {
            let text = text(row.try_get("", "title")?, row.try_get("", "description")?);
            texts.insert(Subject::Project(row.try_get("", "id")?), text);
        }
        for row in rows::ask(app, rows::project_skill_names(count), ids).await? {
            add_skill(&mut texts, Subject::Project(row.try_get("", "project_id")?), &row)?;
        }
    }
    if !people.is_empty() {
        let (count, ids) = (people.len(), values(people.into_iter()));
        for row in rows::ask(app, rows::freelancer_texts(count), ids.clone()).await? {
            let text = text(row.try_get("", "headline")?, row.try_get("", "bio")?);
            texts.insert(Subject::Freelancer(row.try_get("", "id")?), text);
        }
        for row in rows::ask(app, rows::freelancer_skill_names(count), ids).await? {
            add_skill(&mut texts, Subject::Freelancer(row.try_get("", "user_id")?), &row)?;
        }
    }
    Ok(texts)
}

fn text(title: Option<String>, body: Option<String>) -> Text {
    let plain = |text: Option<String>| text.as_deref().map(plain).unwrap_or_default();
    Text { title: plain(title), skills: Vec::new(), body: plain(body) }
}

fn add_skill(texts: &mut BTreeMap<Subject, Text>, of: Subject, row: &QueryResult) -> Result<()> {
    let name: String = row.try_get("", "name")?;
    if let Some(text) = texts.get_mut(&of) {
        text.skills.push(plain(&name));
    }
    Ok(())
}

/// A text in one line, without e-mail addresses: some people write theirs into what everybody may read.
fn plain(text: &str) -> String {
    text.split_whitespace().filter(|word| !word.contains('@')).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_line_breaks_are_left_out() {
        assert_eq!(
            plain(" I write\n Rust: <felix@example.com>, mailto:a@b.c\tat night "),
            "I write Rust: at night"
        );
    }

    #[test]
    fn a_text_is_short_and_empty_when_nothing_is_said() {
        assert_eq!(Text::default().short(), "");
        let skills = vec!["Rust".to_owned(), "SQL".to_owned()];
        let text = Text { title: "A shop".to_owned(), skills: skills.clone(), body: "ü".repeat(9_000) };
        let short = text.short();
        assert!(short.starts_with("A shop\nRust, SQL\nüü"), "{short}");
        assert_eq!(short.chars().count(), SHORT);
        assert_eq!(Text { skills, ..Text::default() }.short(), "Rust, SQL");
    }
}
