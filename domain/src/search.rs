//! Searching text, alike on both databases: by its words (projects and people, indexed), or by a piece of it
//! (short lists to pick from). What is found, and in which order: docs/adr/0011.

use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{BinOper, Expr, ExprTrait, Func},
};

mod index;
mod query;
mod words;

pub use index::fill;
pub(crate) use index::{index_person, index_project};
pub use query::MOST_WORDS;
pub(crate) use query::{Index, RELEVANCE, Search};
pub use words::{LONGEST_WORD, words};

/// One of the columns contains the piece, whatever its case. `%` and `_` mean themselves. A database may lower no more than
/// A to Z, as SQLite does: then what is beyond those letters is found as it is written, or as it was lowered by us before it
/// was stored.
pub fn any_contains<C: ColumnTrait>(columns: impl IntoIterator<Item = C>, piece: &str) -> Condition {
    let like = |text: Expr, wanted: Expr| {
        text.binary(BinOper::Like, wanted.binary(BinOper::Escape, Expr::Constant('!'.into())))
    };
    let by_us = Expr::value(pattern(&piece.to_lowercase()));
    let by_database = Expr::from(Func::lower(pattern(piece)));
    columns.into_iter().fold(Condition::any(), |any, column| {
        let lowered = Expr::from(Func::lower(Expr::col((column.entity_name(), column))));
        any.add(like(lowered.clone(), by_us.clone())).add(like(lowered, by_database.clone()))
    })
}

fn pattern(piece: &str) -> String {
    let mut pattern = String::from("%");
    for c in piece.trim().chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, EntityTrait, QueryFilter, QueryTrait};

    use super::*;

    #[test]
    fn signs_mean_themselves() {
        assert_eq!(pattern(" 100%_Rust! "), "%100!%!_Rust!!%");
        assert_eq!(pattern("a\0b"), "%ab%");
    }

    #[test]
    fn both_databases_are_asked_the_same() {
        use entities::project::{Column, Entity};
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            let select = Entity::find().filter(any_contains([Column::Title], "50%")).build(backend);
            let sql = select.to_string();
            let text = r#"LOWER("projects"."title") LIKE"#;
            let both = format!("{text} '%50!%%' ESCAPE '!' OR {text} LOWER('%50!%%') ESCAPE '!'");
            assert!(sql.contains(&both), "{sql}");
        }
    }
}
