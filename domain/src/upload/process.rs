//! Checking what was sent. Every step can be repeated: a crash anywhere ends in the same file.

use chrono::Duration;
use entities::{UploadId, UploadStatus, upload};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};

use super::{
    file::Kind,
    image::{self, Checked},
    record::{delete_incoming, incoming_key, lock, reject, size_key, step},
    state::Step,
    unused_until,
};
use crate::{App, error::Result, queue::Outcome};

/// How long "nothing is there" may still be a PUT that is about to end.
const GRACE: Duration = Duration::seconds(30);
/// How long until the next look within that grace.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Checks an upload that its owner completed; ends one that was not sent or not used in time.
pub async fn run(app: &App, id: UploadId) -> Result<Outcome> {
    let Some(row) = upload::Entity::find_by_id(id).one(app.db.reader()).await? else {
        return Ok(Outcome::Done);
    };
    match row.status {
        UploadStatus::Pending | UploadStatus::Ready => expire(app, id).await,
        UploadStatus::Processing => check(app, row).await,
        UploadStatus::Rejected => Ok(Outcome::Done),
    }
}

/// Ends an upload whose time is over.
async fn expire(app: &App, id: UploadId) -> Result<Outcome> {
    let tx = app.db.begin().await?;
    let Some(row) = lock(&tx, id).await? else { return Ok(Outcome::Done) };
    let Some(due) = row.due_at else { return Ok(Outcome::Done) };
    let left = due - app.clock.now();
    if left > Duration::zero() {
        // A job that is a little early comes back; one of an earlier state has a successor already.
        let early = left < Duration::minutes(1);
        return Ok(if early { Outcome::RetryIn(left.to_std().unwrap_or_default()) } else { Outcome::Done });
    }
    let reason = match row.status {
        UploadStatus::Pending => "Nothing was uploaded within 24 hours.",
        UploadStatus::Ready => "It was not used within 24 hours.",
        UploadStatus::Processing | UploadStatus::Rejected => return Ok(Outcome::Done),
    };
    reject(app, &tx, &row, Step::Discard, reason.to_owned()).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

async fn check(app: &App, row: upload::Model) -> Result<Outcome> {
    let etag = match pin(app, &row).await? {
        Pin::Etag(etag) => etag,
        Pin::Refused(reason) => return refuse(app, &row, reason).await,
        Pin::NotYet => return Ok(Outcome::RetryIn(AGAIN)),
    };
    let limit = u64::try_from(row.byte_size).unwrap_or_default();
    let Some(bytes) = app.storage.get(&incoming_key(&row), &etag, limit).await? else {
        return refuse(app, &row, "The file was exchanged while it was checked.".to_owned()).await;
    };
    match look_into(&row, bytes).await {
        Ok(file) => store(app, &row, &etag, file).await,
        Err(reason) => refuse(app, &row, reason).await,
    }
}

enum Pin {
    Etag(String),
    Refused(String),
    NotYet,
}

/// Writes down which bytes are being checked, so that a repetition checks the same ones or none.
async fn pin(app: &App, row: &upload::Model) -> Result<Pin> {
    if let Some(etag) = &row.etag {
        return Ok(Pin::Etag(etag.clone()));
    }
    let Some(object) = app.storage.head(&incoming_key(row)).await? else {
        let waited = app.clock.now() - row.updated_at;
        return Ok(if waited < GRACE {
            Pin::NotYet
        } else {
            Pin::Refused("Nothing was uploaded: send the file before you complete it.".to_owned())
        });
    };
    if i64::try_from(object.byte_size) != Ok(row.byte_size) {
        let (declared, sent) = (row.byte_size, object.byte_size);
        return Ok(Pin::Refused(format!("The file has {sent} bytes; {declared} were declared.")));
    }
    let tx = app.db.begin().await?;
    let Some(current) = lock(&tx, row.id).await? else { return Ok(Pin::NotYet) };
    if let Some(etag) = current.etag {
        return Ok(Pin::Etag(etag));
    }
    let change =
        upload::ActiveModel { id: Set(row.id), etag: Set(Some(object.etag.clone())), ..Default::default() };
    change.update(&*tx).await?;
    tx.commit().await?;
    Ok(Pin::Etag(object.etag))
}

/// Looks into the bytes on a thread that may take its time. A decoder that panics refuses the file.
async fn look_into(row: &upload::Model, bytes: Vec<u8>) -> Result<Checked, String> {
    let (purpose, kind) = (row.purpose, Kind::by_name(&row.filename));
    let Some(kind) = kind else { return Err("Its name has no extension that is taken.".to_owned()) };
    tokio::task::spawn_blocking(move || {
        if !kind.matches(&bytes) {
            return Err(format!("Its content is not that of {}.", kind.content_type()));
        }
        match image::format(kind) {
            Some(format) => image::clean(bytes, format, kind, purpose),
            None => Ok(Checked { content_type: kind.content_type(), bytes, smaller: Vec::new() }),
        }
    })
    .await
    .unwrap_or_else(|_| Err("It cannot be read.".to_owned()))
}

/// Stores what was checked where no link writes; then says that it is READY.
async fn store(app: &App, row: &upload::Model, etag: &str, file: Checked) -> Result<Outcome> {
    let byte_size = i64::try_from(file.bytes.len()).unwrap_or(i64::MAX);
    for (size, bytes) in file.smaller {
        app.storage.put(&size_key(row, size), file.content_type, bytes).await?;
    }
    app.storage.put(&row.object_key, file.content_type, file.bytes).await?;

    let tx = app.db.begin().await?;
    let Some(row) = lock(&tx, row.id).await? else { return Ok(Outcome::Done) };
    if row.status != UploadStatus::Processing || row.etag.as_deref() != Some(etag) {
        return Ok(Outcome::Done);
    }
    step(app, &tx, &row, Step::Accept, unused_until(app), |change| {
        change.content_type = Set(file.content_type.to_owned());
        change.byte_size = Set(byte_size);
    })
    .await?;
    delete_incoming(app, &tx, &row).await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

async fn refuse(app: &App, row: &upload::Model, reason: String) -> Result<Outcome> {
    let tx = app.db.begin().await?;
    let Some(row) = lock(&tx, row.id).await? else { return Ok(Outcome::Done) };
    if row.status == UploadStatus::Processing {
        reject(app, &tx, &row, Step::Refuse, reason).await?;
        tx.commit().await?;
    }
    Ok(Outcome::Done)
}
