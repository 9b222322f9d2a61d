//! The text search: what projects and people say, cut into words by `domain::search`, and each database's
//! index over the words.
//!
//! The words stand in tables of their own: rows that are read all day stay short, and FTS5 needs a number for
//! each row that lasts (SQLite's VACUUM renumbers a table whose key is not a number). Both indexes take the
//! words as they stand between the spaces; neither database cuts or folds anything. The tables start empty:
//! `megilance migrate up` fills them with `domain::search::fill`, by the same code that writes them later.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

use crate::helpers::{drop_tables, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What is searched.
struct Index {
    /// The table of the words.
    texts: &'static str,
    /// The FTS5 table over it.
    words: &'static str,
    /// Whose words: the column, and the table that it refers to.
    column: &'static str,
    parent: &'static str,
}

const INDEXES: [Index; 2] = [
    Index { texts: "project_texts", words: "project_words", column: "project_id", parent: "projects" },
    Index { texts: "user_texts", words: "user_words", column: "user_id", parent: "users" },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in INDEXES {
            manager.create_table(index.table()).await?;
            unique(manager, index.texts, &[index.column]).await?;
            let statements = match manager.get_database_backend() {
                DbBackend::Postgres => index.postgres(),
                _ => index.sqlite(),
            };
            for statement in statements {
                manager.get_connection().execute_unprepared(&statement).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for Index { texts, words, .. } in INDEXES {
            // The triggers go with their table.
            drop_tables(manager, &[texts]).await?;
            if manager.get_database_backend() == DbBackend::Sqlite {
                drop_tables(manager, &[words]).await?;
            }
        }
        Ok(())
    }
}

impl Index {
    fn table(&self) -> TableCreateStatement {
        Table::create()
            .table(self.texts)
            .col(big_integer("number").auto_increment().primary_key())
            .col(uuid(self.column))
            .col(text("title"))
            .col(text("text"))
            .foreign_key(
                // The words are ours to make again: they never keep anybody from being deleted.
                ForeignKey::create()
                    .from(self.texts, self.column)
                    .to(self.parent, "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned()
    }

    /// `ascii` takes everything beyond ASCII for part of a word, so the spaces alone divide. Only whether a row
    /// holds a word is asked: neither positions nor sizes are kept.
    fn sqlite(&self) -> Vec<String> {
        let Self { texts, words, .. } = self;
        let enter = format!("INSERT INTO {words} (rowid, text) VALUES (NEW.number, NEW.text);");
        let leave =
            format!("INSERT INTO {words} ({words}, rowid, text) VALUES ('delete', OLD.number, OLD.text);");
        vec![
            format!(
                "CREATE VIRTUAL TABLE {words} USING fts5(text, content='{texts}', content_rowid='number',
                 tokenize='ascii', detail='none', columnsize=0)"
            ),
            format!("CREATE TRIGGER {texts}_enter AFTER INSERT ON {texts} BEGIN {enter} END"),
            format!("CREATE TRIGGER {texts}_change AFTER UPDATE ON {texts} BEGIN {leave} {enter} END"),
            format!("CREATE TRIGGER {texts}_leave AFTER DELETE ON {texts} BEGIN {leave} END"),
        ]
    }

    /// The words become lexemes as they are: no parser or dictionary of PostgreSQL's is asked.
    fn postgres(&self) -> Vec<String> {
        let texts = self.texts;
        vec![
            format!(
                "ALTER TABLE {texts} ADD COLUMN words tsvector NOT NULL
                 GENERATED ALWAYS AS (array_to_tsvector(string_to_array(text, ' '))) STORED"
            ),
            format!("CREATE INDEX ix_{texts}_words ON {texts} USING gin (words)"),
        ]
    }
}
