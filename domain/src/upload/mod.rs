//! Files: asked for, sent to S3 by their owner, checked by a job, then attached to what they belong to.
//!
//! The owner's link writes below `incoming/`; the job checks those bytes under a pinned ETag and stores what
//! it checked under a key that no link ever wrote. What is shown is never what could still be exchanged.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entities::{UploadId, UploadPurpose, UploadStatus, UserId, upload};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use crate::{
    Actor, App, Code, Error, Tx,
    check::Check,
    clock::random_token,
    error::Result,
    policy::{Action, authorise},
    ports::storage::PresignedRequest,
};

mod access;
mod attach;
mod avatar;
pub mod delete;
mod file;
mod image;
pub mod jobs;
pub mod process;
mod record;
pub mod state;

pub use access::{Picture, find, link, of_subject, picture, seen};
pub(crate) use attach::give_up;
pub use attach::{MOST_A_THING, attach};
pub use avatar::avatar_set;
pub use record::wake;

use file::Kind;
use record::{incoming_key, lock_own, queue_look, step};
use state::Step;

/// How long a presigned link is good, in S3's own time.
pub const LINK_VALID: Duration = Duration::from_secs(15 * 60);
/// How long a file may wait to be sent, and once more to be attached.
const KEPT_UNUSED: chrono::Duration = chrono::Duration::hours(24);
/// How many files one person may have that belong to nothing yet.
const MOST_UNUSED: u64 = 100;

/// A file that somebody wants to send.
#[derive(Debug, Clone)]
pub struct Input {
    /// What for.
    pub purpose: UploadPurpose,
    /// Its name, with the extension.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Bytes, exactly: the link takes no other length.
    pub byte_size: i64,
}

/// Notes that a file is to come, and gives the request that sends it: bound to key, type and length, good for
/// fifteen minutes.
pub async fn create(app: &App, actor: &Actor, input: Input) -> Result<(upload::Model, PresignedRequest)> {
    authorise(actor, Action::UploadCreate, "", "upload")?;
    let owner_id = actor.signed_in()?.id;
    let (filename, content_type) = checked(&input)?;
    let now = app.clock.now();
    let id: UploadId = app.clock.new_id();
    let row = upload::Model {
        id,
        owner_id,
        purpose: input.purpose,
        filename,
        content_type,
        byte_size: input.byte_size,
        status: UploadStatus::Pending,
        rejection_reason: None,
        // Never the file's name: what people type has no place in a key.
        object_key: format!("uploads/{}/{}", id.0, random_token()?),
        etag: None,
        attached_to: None,
        version: 1,
        look: 0,
        due_at: Some(now + KEPT_UNUSED),
        created_at: now,
        updated_at: now,
    };
    let size = u64::try_from(row.byte_size).unwrap_or_default();
    let request = app.storage.presign_put(&incoming_key(&row), &row.content_type, size, LINK_VALID).await?;

    let tx = app.db.begin().await?;
    if unused(&tx, owner_id).await? >= MOST_UNUSED {
        let message = format!("You have {MOST_UNUSED} files that belong to nothing: use them or wait a day.");
        return Err(Error::rejected("", Code::LimitReached, message));
    }
    let row = upload::Entity::insert(row.into_active_model()).exec_with_returning(&*tx).await?;
    queue_look(app, &tx, &row).await?;
    tx.commit().await?;
    Ok((row, request))
}

/// The owner says that the bytes are there: they are checked. Saying it again changes nothing.
pub async fn complete(app: &App, actor: &Actor, id: UploadId) -> Result<upload::Model> {
    authorise(actor, Action::OwnAccount, "", "account")?;
    let tx = app.db.begin().await?;
    let row = locked_for(&tx, actor, id).await?;
    if matches!(row.status, UploadStatus::Processing | UploadStatus::Ready) {
        return Ok(row);
    }
    let row = step(app, &tx, &row, Step::Complete, Some(app.clock.now()), |_| ()).await?;
    tx.commit().await?;
    Ok(row)
}

/// Locks an upload that the actor may use.
async fn locked_for(tx: &Tx, actor: &Actor, id: UploadId) -> Result<upload::Model> {
    let row = lock_own(tx, id, actor.signed_in()?.id).await?;
    authorise(actor, Action::UploadUse(&row), "uploadId", "upload")?;
    Ok(row)
}

/// The name and the type as they are kept, or everything that is wrong with the input.
fn checked(input: &Input) -> Result<(String, String)> {
    let mut check = Check::new();
    let filename = check.line("filename", &input.filename, 1..=255);
    check.ensure(
        !filename.contains(misleading),
        "filename",
        Code::Invalid,
        "Leave out slashes and marks that turn the direction of the text.",
    );
    let kinds = file::kinds(input.purpose);
    let kind = Kind::by_name(&filename).filter(|kind| kinds.contains(kind));
    // A parameter such as a charset is left out of the link: what is signed has to be sent to the letter.
    let content_type = input.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind {
        None => {
            let taken: Vec<_> = kinds.iter().flat_map(|kind| kind.extensions()).copied().collect();
            let message = format!("{} takes: {}.", input.purpose.as_str(), taken.join(", "));
            check.problem("filename", Code::Invalid, message);
        }
        Some(kind) => check.ensure(
            kind.content_types().contains(&content_type.as_str()),
            "contentType",
            Code::Invalid,
            format!("A file of this name has the type {}.", kind.content_type()),
        ),
    }
    check.range("byteSize", input.byte_size, 1..=file::largest(input.purpose));
    check.done()?;
    Ok((filename, content_type))
}

/// Characters that make a name look like another one, or like a path.
fn misleading(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

async fn unused(tx: &Tx, owner: UserId) -> Result<u64> {
    Ok(upload::Entity::find()
        .filter(upload::Column::OwnerId.eq(owner))
        .filter(upload::Column::AttachedTo.is_null())
        .filter(upload::Column::Status.ne(UploadStatus::Rejected))
        .count(&**tx)
        .await?)
}

/// When a checked file that belongs to nothing goes.
fn unused_until(app: &App) -> Option<DateTime<Utc>> {
    Some(app.clock.now() + KEPT_UNUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(purpose: UploadPurpose, filename: &str, content_type: &str, byte_size: i64) -> Input {
        Input { purpose, filename: filename.to_owned(), content_type: content_type.to_owned(), byte_size }
    }

    #[test]
    fn takes_what_the_purpose_takes() {
        use UploadPurpose::{Avatar, Deliverable, MessageFile};
        for good in [
            input(Avatar, "me.JPEG", "image/jpeg", 5 * 1024 * 1024),
            input(Avatar, "me.png", "IMAGE/PNG", 1),
            input(Deliverable, "notes.md", "text/plain; charset=utf-8", 10 * 1024 * 1024),
            input(MessageFile, "Rechnung März.pdf", "application/pdf", 7),
            input(Deliverable, "code.zip", "application/x-zip-compressed", 7),
        ] {
            assert!(checked(&good).is_ok(), "{good:?}");
        }
        for (bad, code) in [
            (input(Avatar, "me.pdf", "application/pdf", 1), "INVALID"),
            (input(Avatar, "me.png", "image/jpeg", 1), "INVALID"),
            (input(Avatar, "me.svg", "image/svg+xml", 1), "INVALID"),
            (input(Avatar, "me.png", "image/png", 5 * 1024 * 1024 + 1), "OUT_OF_RANGE"),
            (input(Deliverable, "a.zip", "application/zip", 0), "OUT_OF_RANGE"),
            (input(Deliverable, "", "application/zip", 1), "REQUIRED"),
            (input(Deliverable, "../a.zip", "application/zip", 1), "INVALID"),
            (input(Deliverable, "a\u{202e}fdp.zip", "application/zip", 1), "INVALID"),
            (input(Deliverable, "png", "image/png", 1), "INVALID"),
        ] {
            assert_eq!(checked(&bad).unwrap_err().code(), code, "{bad:?}");
        }
    }
}
