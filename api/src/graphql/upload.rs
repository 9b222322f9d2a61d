//! Files: asked for, sent straight to S3, checked, attached.

use std::fmt::Display;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    entities::{UploadId, upload},
    ports::storage::PresignedRequest,
    upload as uploads,
};

use super::{
    enums::{UploadPurpose, UploadStatus},
    support::{actor, app, parse_id},
    user::User,
};
use crate::{
    error::{UserError, answer, fault},
    loaders::{FilesOf, load, load_or_default, see_files},
};

/// A file.
#[derive(Debug, Clone)]
pub struct Upload(pub upload::Model);

/// A file: asked for by uploadCreate, sent straight to the bucket, announced by uploadComplete, checked, then
/// attached to what it belongs to. One that is not used within 24 hours is deleted.
#[Object]
impl Upload {
    /// Which file.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is for.
    async fn purpose(&self) -> UploadPurpose {
        self.0.purpose.into()
    }

    /// Its name, as its owner gave it.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// Its media type: as declared, and once it is READY as found.
    async fn content_type(&self) -> &str {
        &self.0.content_type
    }

    /// Its size in bytes: as declared, and once it is READY as stored. A picture is written anew, so its size
    /// changes.
    async fn byte_size(&self) -> i32 {
        i32::try_from(self.0.byte_size).unwrap_or(i32::MAX)
    }

    /// Where it is in its life.
    async fn status(&self) -> UploadStatus {
        self.0.status.into()
    }

    /// Why it was refused or given up; null unless REJECTED.
    async fn rejection_reason(&self) -> Option<&str> {
        self.0.rejection_reason.as_deref()
    }

    /// A link that saves the file under its name, good for 15 minutes. Null unless it is READY and you may see
    /// what it belongs to.
    #[graphql(complexity = 3)]
    async fn url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match see_files(ctx, [self.0.clone()]).await?.first() {
            Some(seen) => uploads::link(app(ctx)?, seen).await.map_err(fault),
            None => Ok(None),
        }
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// The files that belong to a thing and that the viewer may see.
pub(super) async fn of_subject(ctx: &Context<'_>, subject: impl Display) -> Result<Vec<Upload>> {
    let files = load_or_default(ctx, FilesOf(subject.to_string())).await?;
    Ok(see_files(ctx, files).await?.into_iter().map(Upload).collect())
}

/// A picture, without any metadata, in the format it was sent in. The sizes are those of its longer side at most,
/// for a person's picture and for one of a portfolio.
#[derive(Debug, Clone, SimpleObject)]
pub struct Image {
    /// As large as it is kept: 1,024 pixels, or 2,560 in a portfolio. Good for 15 minutes.
    pub url: String,
    /// 256 pixels, or 1,024 in a portfolio. Good for 15 minutes.
    pub small_url: String,
    /// For lists: 64 pixels, or 256 in a portfolio. Good for 15 minutes.
    pub thumbnail_url: String,
    /// The upload that it came from.
    pub upload: Upload,
}

/// The picture of a person, by the upload that their profile names.
pub(super) async fn avatar(ctx: &Context<'_>, id: Option<UploadId>) -> Result<Option<Image>> {
    let Some(id) = id else { return Ok(None) };
    image(ctx, load(ctx, id).await?).await
}

/// The pictures that belong to something that everybody may see.
pub(super) async fn pictures_of(ctx: &Context<'_>, subject: impl Display) -> Result<Vec<Image>> {
    let files = load_or_default(ctx, FilesOf(subject.to_string())).await?;
    let mut images = Vec::new();
    for file in files {
        images.extend(image(ctx, file).await?);
    }
    Ok(images)
}

async fn image(ctx: &Context<'_>, row: upload::Model) -> Result<Option<Image>> {
    let Some(picture) = uploads::picture(app(ctx)?, &row).await.map_err(fault)? else { return Ok(None) };
    // Two sizes, the larger one first.
    let mut smaller = picture.smaller.into_iter().map(|(_, url)| url);
    Ok(Some(Image {
        small_url: smaller.next().unwrap_or_else(|| picture.url.clone()),
        thumbnail_url: smaller.next().unwrap_or_else(|| picture.url.clone()),
        url: picture.url,
        upload: Upload(row),
    }))
}

/// The request that sends a file: make it exactly so, with the file as its body.
#[derive(Debug, Clone, SimpleObject)]
pub struct UploadRequest {
    /// The HTTP method: PUT.
    pub method: String,
    /// Where to. Good for 15 minutes, for this file only.
    pub url: String,
    /// Headers that must be sent as they are: the link is signed with them. Browsers set content-length by
    /// themselves.
    pub headers: Vec<UploadHeader>,
}

/// A header of a request.
#[derive(Debug, Clone, SimpleObject)]
pub struct UploadHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl From<PresignedRequest> for UploadRequest {
    fn from(request: PresignedRequest) -> Self {
        let headers = request.headers.into_iter().map(|(name, value)| UploadHeader { name, value }).collect();
        Self { method: request.method.to_owned(), url: request.url, headers }
    }
}

/// A file that you want to send.
#[derive(Debug, InputObject)]
pub struct UploadCreateInput {
    /// What it is for: that decides which types and sizes are taken.
    pub purpose: UploadPurpose,
    /// Its name with its extension, up to 255 characters.
    pub filename: String,
    /// Its media type, such as "image/png"; it must go with the extension.
    pub content_type: String,
    /// Its exact size in bytes: the link takes no other.
    pub byte_size: i32,
}

/// The file's place, and how to send it there.
#[derive(Debug, SimpleObject)]
pub struct UploadCreatePayload {
    /// The upload, PENDING; null when something has to be mended first.
    pub upload: Option<Upload>,
    /// The request to make; then call uploadComplete.
    pub request: Option<UploadRequest>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Which file was sent.
#[derive(Debug, InputObject)]
pub struct UploadCompleteInput {
    /// One of your uploads.
    pub upload_id: ID,
}

/// The upload after the change, or why there was none.
#[derive(Debug, SimpleObject)]
pub struct UploadPayload {
    /// The upload; null when something has to be mended first.
    pub upload: Option<Upload>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Which picture shall be yours.
#[derive(Debug, InputObject)]
pub struct AvatarSetInput {
    /// One of your uploads for AVATAR, READY.
    pub upload_id: ID,
}

/// You, with the new picture, or why there is none.
#[derive(Debug, SimpleObject)]
pub struct AvatarSetPayload {
    /// You; null when something has to be mended first.
    pub user: Option<User>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// Sending files.
#[derive(Debug, Default)]
pub struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Asks for a place for a file and gives the request that sends it there: PUT the file, then call
    /// uploadComplete.
    async fn upload_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: UploadCreateInput,
    ) -> Result<UploadCreatePayload> {
        let input = uploads::Input {
            purpose: input.purpose.into(),
            filename: input.filename,
            content_type: input.content_type,
            byte_size: input.byte_size.into(),
        };
        let (created, user_errors) = answer(uploads::create(app(ctx)?, actor(ctx)?, input).await)?;
        let (upload, request) = created.map(|(row, request)| (Upload(row), request.into())).unzip();
        Ok(UploadCreatePayload { upload, request, user_errors })
    }

    /// Says that the file was sent: it is checked now and becomes READY or REJECTED within moments. Saying it
    /// twice is fine.
    async fn upload_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which file.")] input: UploadCompleteInput,
    ) -> Result<UploadPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("uploadId", &input.upload_id);
        let (upload, user_errors) = answer(async { uploads::complete(app, actor, id?).await }.await)?;
        Ok(UploadPayload { upload: upload.map(Upload), user_errors })
    }

    /// Makes a picture yours. The one before it is deleted, its file too.
    async fn avatar_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which picture.")] input: AvatarSetInput,
    ) -> Result<AvatarSetPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let id = parse_id("uploadId", &input.upload_id);
        let (user, user_errors) = answer(async { uploads::avatar_set(app, actor, id?).await }.await)?;
        Ok(AvatarSetPayload { user: user.map(User), user_errors })
    }
}
