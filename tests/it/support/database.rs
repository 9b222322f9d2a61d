//! A database a test, copied from a template that is migrated once: SQLite, or PostgreSQL with DATABASE_URL.

use std::path::Path;

use domain::{Db, Purpose};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::OnceCell;
use url::Url;

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

enum Template {
    Sqlite(Vec<u8>),
    Postgres { server: Url, name: String },
}

/// Migrates a database: our tables, then apalis'.
pub async fn migrate(db: &Db) {
    Migrator::up(db.writer(), None).await.unwrap();
    jobs::migrate(db).await.unwrap();
}

/// A fresh database. `folder` keeps a SQLite file; it outlives the test's App.
pub async fn fresh(folder: &Path) -> Db {
    match TEMPLATE.get_or_init(template).await {
        Template::Sqlite(bytes) => {
            let file = folder.join("test.db");
            std::fs::write(&file, bytes).unwrap();
            hasty(Db::open(&format!("sqlite://{}", file.display()), Purpose::Serve).await.unwrap()).await
        }
        Template::Postgres { server, name } => {
            let copy = format!("{name}_{}", ulid::Ulid::new().to_string().to_lowercase());
            let admin = Db::open(server.as_str(), Purpose::Serve).await.unwrap();
            let create = format!("CREATE DATABASE {copy} TEMPLATE {name}");
            // Two tests may copy at once: PostgreSQL then asks the later one to wait.
            for attempt in 0.. {
                match admin.writer().execute_unprepared(&create).await {
                    Ok(_) => break,
                    Err(error) if attempt > 100 => panic!("{error}"),
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                }
            }
            admin.close().await.unwrap();
            Db::open(database(server, &copy).as_str(), Purpose::Serve).await.unwrap()
        }
    }
}

/// No test cuts the power: that SQLite waits for the disk would be most of the time that they take. What dies in them are
/// processes, and those lose nothing of it. The writer is one connection for all its life.
async fn hasty(db: Db) -> Db {
    db.writer().execute_unprepared("PRAGMA synchronous = OFF").await.unwrap();
    db
}

/// Where a database that [`fresh`] made in that folder is, for whoever opens it once more.
pub async fn url(db: &Db, folder: &Path) -> String {
    match TEMPLATE.get_or_init(template).await {
        Template::Sqlite(_) => format!("sqlite://{}", folder.join("test.db").display()),
        Template::Postgres { server, .. } => {
            let name = Statement::from_string(db.backend(), "SELECT current_database() AS name");
            let row = db.reader().query_one_raw(name).await.unwrap().unwrap();
            database(server, &row.try_get::<String>("", "name").unwrap()).into()
        }
    }
}

fn database(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

async fn template() -> Template {
    // The tests' own switch, set by scripts/test-pg.
    if let Ok(url) = std::env::var("DATABASE_URL") {
        let server: Url = url.parse().unwrap();
        let name = format!("megilance_{}", ulid::Ulid::new().to_string().to_lowercase());
        let admin = Db::open(server.as_str(), Purpose::Serve).await.unwrap();
        admin.writer().execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        let db = Db::open(database(&server, &name).as_str(), Purpose::Serve).await.unwrap();
        migrate(&db).await;
        // A database that somebody is connected to cannot be copied.
        db.close().await.unwrap();
        return Template::Postgres { server, name };
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.db");
    let db = Db::open(&format!("sqlite://{}?mode=rwc", file.display()), Purpose::Serve).await.unwrap();
    migrate(&db).await;
    // Closing the writer last folds the WAL into the file.
    db.close().await.unwrap();
    Template::Sqlite(std::fs::read(&file).unwrap())
}
