//! The thin layer over `s3s-fs`: one bucket, keys that stay in it, one region, objects on the disk before the answer.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use super::S3Error;
use super::keys::{self, BadKey};

/// `s3s-fs` with its gaps closed. Operations that are not here answer `NotImplemented`; making and removing buckets
/// is among them on purpose.
pub(super) struct Store {
    files: FileSystem,
    root: PathBuf,
    bucket: String,
    region: String,
}

impl Store {
    /// Opens the folder and makes the bucket's folder in it.
    pub(super) fn open(root: &Path, bucket: &str, region: &str) -> Result<Self, S3Error> {
        let unusable = |reason: String| S3Error::Folder { folder: root.to_owned(), reason };
        std::fs::create_dir_all(root.join(bucket)).map_err(|error| unusable(error.to_string()))?;
        let root = root.canonicalize().map_err(|error| unusable(error.to_string()))?;
        let files = FileSystem::new(&root).map_err(|error| unusable(format!("{error:?}")))?;
        Ok(Self { files, root, bucket: bucket.to_owned(), region: region.to_owned() })
    }

    /// What AWS would check before it looks at the object: the signature's region and the bucket.
    fn admit<T>(&self, request: &S3Request<T>, bucket: &str) -> S3Result<()> {
        // Signature version 2 has no region: it is refused here too.
        if request.region.as_ref().map(s3s::region::Region::as_str) != Some(self.region.as_str()) {
            return Err(s3_error!(
                AuthorizationHeaderMalformed,
                "the signature must be version 4, for region '{}'",
                self.region
            ));
        }
        if bucket != self.bucket {
            return Err(s3_error!(NoSuchBucket));
        }
        Ok(())
    }

    /// As [`Self::admit`], and the key must be one that stays in the bucket.
    fn admit_key<T>(&self, request: &S3Request<T>, bucket: &str, key: &str) -> S3Result<()> {
        self.admit(request, bucket)?;
        self.check_key(key)
    }

    fn check_key(&self, key: &str) -> S3Result<()> {
        keys::check(&self.bucket, key).map_err(|bad| match bad {
            BadKey::Shape => s3_error!(InvalidArgument, "this key is not taken here"),
            BadKey::TooLong => s3_error!(KeyTooLongError),
        })
    }

    /// The folder `a` of the object `a/b` is no object.
    fn is_folder(&self, key: &str) -> bool {
        self.object(key).is_dir()
    }

    fn object(&self, key: &str) -> PathBuf {
        self.root.join(&self.bucket).join(key)
    }

    /// Brings an object, its sidecars and the folders' entries to the disk.
    async fn sync(&self, key: &str) -> S3Result<()> {
        let mut paths = vec![self.object(key)];
        paths.extend(keys::sidecars(&self.root, &self.bucket, key));
        let folders = self.object(key);
        let folders = folders.ancestors().skip(1);
        let below_root = |path: &&Path| path.starts_with(&self.root);
        paths.extend(folders.take_while(below_root).map(Path::to_owned));
        let synced = tokio::task::spawn_blocking(move || paths.iter().try_for_each(sync_path));
        match synced.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(s3_error!(error, InternalError)),
            Err(error) => Err(s3_error!(error, InternalError)),
        }
    }

    /// `s3s-fs` leaves the attributes of a removed object behind.
    fn forget_sidecars(&self, key: &str) {
        for path in keys::sidecars(&self.root, &self.bucket, key) {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "an object's metadata stays behind");
            }
        }
    }
}

/// A removed sidecar is fine: another request may have deleted the object meanwhile.
fn sync_path(path: &PathBuf) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl S3 for Store {
    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.admit(&request, &request.input.bucket)?;
        self.files.head_bucket(request).await
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        self.admit(&request, &request.input.bucket)?;
        self.files.list_objects(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.admit(&request, &request.input.bucket)?;
        self.files.list_objects_v2(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        if self.is_folder(&request.input.key) {
            return Err(s3_error!(NoSuchKey));
        }
        self.files.head_object(request).await
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        if self.is_folder(&request.input.key) {
            return Err(s3_error!(NoSuchKey));
        }
        self.files.get_object(request).await
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        let key = request.input.key.clone();
        let put = self.files.put_object(request).await;
        // `s3s-fs` compares checksums after the file is in place: a broken upload must not stay there.
        if let Err(error) = &put
            && *error.code() == S3ErrorCode::BadDigest
        {
            let _ = std::fs::remove_file(self.object(&key));
            self.forget_sidecars(&key);
        }
        let put = put?;
        self.sync(&key).await?;
        Ok(put)
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        self.admit_key(&request, bucket, key)?;
        let key = request.input.key.clone();
        let copied = self.files.copy_object(request).await?;
        self.sync(&key).await?;
        Ok(copied)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        let key = request.input.key.clone();
        if self.is_folder(&key) {
            return Ok(S3Response::new(DeleteObjectOutput::default()));
        }
        let deleted = self.files.delete_object(request).await?;
        self.forget_sidecars(&key);
        self.sync(&key).await?;
        Ok(deleted)
    }

    async fn delete_objects(
        &self,
        mut request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.admit(&request, &request.input.bucket)?;
        let objects = &mut request.input.delete.objects;
        objects.iter().try_for_each(|object| self.check_key(&object.key))?;
        objects.retain(|object| !self.is_folder(&object.key));
        let keys: Vec<_> = objects.iter().map(|object| object.key.clone()).collect();
        let deleted = self.files.delete_objects(request).await?;
        for key in &keys {
            self.forget_sidecars(key);
            self.sync(key).await?;
        }
        Ok(deleted)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        self.files.upload_part(request).await
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        self.files.list_parts(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        let key = request.input.key.clone();
        let completed = self.files.complete_multipart_upload(request).await?;
        self.sync(&key).await?;
        Ok(completed)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.admit_key(&request, &request.input.bucket, &request.input.key)?;
        self.files.abort_multipart_upload(request).await
    }
}
