//! What somebody searches for, asked of either database.

use entities::{project, project_text, user, user_text};
use sea_orm::{
    DbBackend, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef, Select,
    sea_query::{Expr, ExprTrait},
};

use super::words::{fold, split};
use crate::{Code, check::Check};

/// The most words of a search.
pub const MOST_WORDS: usize = 20;

/// The name of the order by relevance, in cursors.
pub(crate) const RELEVANCE: &str = "relevance";

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Projects,
    People,
}

impl Index {
    /// The table of what is said, and SQLite's index over its words.
    const fn tables(self) -> (&'static str, &'static str) {
        match self {
            Self::Projects => ("project_texts", "project_words"),
            Self::People => ("user_texts", "user_words"),
        }
    }

    pub(super) fn to_texts(self) -> RelationDef {
        match self {
            Self::Projects => project::Entity::belongs_to(project_text::Entity)
                .from(project::Column::Id)
                .to(project_text::Column::ProjectId)
                .into(),
            Self::People => user::Entity::belongs_to(user_text::Entity)
                .from(user::Column::Id)
                .to(user_text::Column::UserId)
                .into(),
        }
    }
}

/// What somebody searches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    /// Whether they gave anything but spaces.
    given: bool,
    /// Its words, each once.
    words: Vec<String>,
    /// Whether the last word may go on: it does not when a sign follows it.
    open: bool,
}

impl Search {
    /// The search of a filter: at most 200 characters and [`MOST_WORDS`] words.
    pub(crate) fn parse(check: &mut Check, text: Option<&str>) -> Self {
        let text = check.line("filter.search", text.unwrap_or_default(), 0..=200);
        let folded = fold(&text);
        let mut words = Vec::new();
        let mut open = false;
        for word in split(&folded) {
            let new = !words.contains(&word);
            // A last word that stood there before has to be there as it is.
            open = new && !folded.ends_with(' ');
            if new {
                words.push(word);
            }
        }
        let (few, count) = (words.len() <= MOST_WORDS, words.len());
        let message = format!("Search for at most {MOST_WORDS} words; these are {count}.");
        check.ensure(few, "filter.search", Code::LimitReached, message);
        Self { given: !text.is_empty(), words, open }
    }

    /// Whether anything is searched for.
    pub(crate) const fn is_given(&self) -> bool {
        self.given
    }

    /// Refuses an order by relevance where nothing is searched for.
    pub(crate) fn check_order(&self, check: &mut Check, by_relevance: bool) {
        let message = "RELEVANCE says how well a thing fits a search: give filter.search, or another field.";
        check.ensure(self.given || !by_relevance, "orderBy.field", Code::Invalid, message);
    }

    /// Only the rows that hold every word. An empty search leaves them all; one without any letter or digit
    /// leaves none: it asks for something, and nothing is like it.
    pub(crate) fn narrow<E: EntityTrait>(
        &self,
        select: Select<E>,
        index: Index,
        backend: DbBackend,
    ) -> Select<E> {
        if !self.given {
            return select;
        }
        let select = select.join(JoinType::InnerJoin, index.to_texts());
        if self.words.is_empty() {
            return select.filter(Expr::cust("1 = 0"));
        }
        let (texts, words) = index.tables();
        select.filter(match backend {
            DbBackend::Postgres => {
                Expr::cust_with_values(format!("{texts}.words @@ CAST($1 AS tsquery)"), [self.tsquery()])
            }
            _ => Expr::cust_with_values(
                format!("{texts}.number IN (SELECT rowid FROM {words} WHERE {words} MATCH ?)"),
                [self.fts5()],
            ),
        })
    }

    /// How many of the words stand in the title, for a select that was narrowed: a whole number that both
    /// databases count alike, and that no other row can change.
    pub(crate) fn relevance(&self, index: Index) -> Expr {
        let title = Expr::col((index.tables().0, "title"));
        self.words
            .iter()
            .enumerate()
            .map(|(at, word)| -> Expr {
                let end = if self.may_go_on(at) { "" } else { " " };
                let stands = title.clone().like(format!("% {word}{end}%"));
                Expr::case(stands, 1_i64).finally(0_i64).into()
            })
            .reduce(|sum, one| sum.add(one))
            .unwrap_or_else(|| Expr::val(0_i64))
    }

    fn may_go_on(&self, at: usize) -> bool {
        self.open && at + 1 == self.words.len()
    }

    /// In quotes, a word of letters and digits is a word and nothing else.
    fn fts5(&self) -> String {
        self.join(" AND ", |word, open| format!("\"{word}\"{}", if open { " *" } else { "" }))
    }

    fn tsquery(&self) -> String {
        self.join(" & ", |word, open| format!("'{word}'{}", if open { ":*" } else { "" }))
    }

    fn join(&self, and: &str, one: impl Fn(&str, bool) -> String) -> String {
        let each: Vec<String> =
            self.words.iter().enumerate().map(|(at, word)| one(word, self.may_go_on(at))).collect();
        each.join(and)
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::QueryTrait;

    use super::*;

    fn parse(text: &str) -> Search {
        let mut check = Check::new();
        let search = Search::parse(&mut check, Some(text));
        check.done().expect("a search");
        search
    }

    #[test]
    fn words_are_asked_for_and_nothing_else() {
        for (text, fts5, tsquery) in [
            ("Rust", r#""rust" *"#, "'rust':*"),
            ("rust. ", r#""rust""#, "'rust'"),
            ("a b", r#""a" AND "b" *"#, "'a' & 'b':*"),
            ("b a b", r#""b" AND "a""#, "'b' & 'a'"),
            ("x' | y\" OR z*", r#""x" AND "y" AND "or" AND "z""#, "'x' & 'y' & 'or' & 'z'"),
            ("NEAR(a:b)", r#""near" AND "a" AND "b""#, "'near' & 'a' & 'b'"),
        ] {
            let search = parse(text);
            assert_eq!((search.fts5().as_str(), search.tsquery().as_str()), (fts5, tsquery), "{text}");
        }
    }

    #[test]
    fn nothing_to_search_for_is_told_from_nothing_to_find() {
        let sql = |text| {
            let select = parse(text).narrow(project::Entity::find(), Index::Projects, DbBackend::Sqlite);
            select.build(DbBackend::Sqlite).to_string()
        };
        assert!(!sql("  ").contains("WHERE"));
        assert!(sql("🦀").ends_with("WHERE 1 = 0"));
    }

    #[test]
    fn twenty_words_are_enough() {
        let words = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let good = |text: &str| {
            let mut check = Check::new();
            Search::parse(&mut check, Some(text));
            check.done().is_ok()
        };
        assert!(good(&words(MOST_WORDS)) && !good(&words(MOST_WORDS + 1)));
        assert!(good(&format!("{} 0 0 0", words(MOST_WORDS))), "a word counts once");
    }
}
