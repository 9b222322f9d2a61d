//! The real storage: a bucket of S3, or of a server that speaks its protocol.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Builder, Credentials, Region, RequestChecksumCalculation,
        ResponseChecksumValidation, SharedCredentialsProvider, SharedHttpClient, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    operation::get_object::GetObjectOutput,
    presigning::{self, PresigningConfig},
    primitives::ByteStream,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{ObjectInfo, PresignedRequest, Storage, disposition::attachment};
use crate::ports::PortError;

/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long one attempt may take. The largest object that passes through us has 10 MB.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);
/// How long a call may take with all its attempts.
const CALL_LIMIT: Duration = Duration::from_secs(45);
/// Attempts in one call, the first included; beyond them a job looks again later.
const ATTEMPTS: u32 = 3;
/// Which bucket, and who we are to it.
#[derive(Debug, Clone)]
pub struct StorageSettings {
    /// The bucket's name.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// Where a server other than AWS' is.
    pub endpoint: Option<Url>,
    /// Whether the bucket's name goes into the path and not into the host name: most other servers need it.
    pub path_style: bool,
    /// Access key id and secret key. `None` is the SDK's default chain: environment, profile, container and
    /// instance roles.
    pub credentials: Option<(String, SecretString)>,
}

/// A [`Storage`] in one bucket.
pub struct S3Storage {
    client: Client,
    bucket: String,
}

impl S3Storage {
    /// Makes the client; nothing is sent to the bucket. Call [`Storage::verify`] to see whether it answers.
    ///
    /// # Errors
    /// [`PortError::Refused`] when no source of credentials can be set up.
    pub async fn connect(settings: StorageSettings) -> Result<Self, PortError> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let credentials = match settings.credentials {
            Some((id, secret)) => SharedCredentialsProvider::new(Credentials::new(
                id,
                secret.expose_secret(),
                None,
                None,
                "settings",
            )),
            None => default_chain(&settings.region, http.clone()).await?,
        };
        let mut config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .credentials_provider(credentials)
            .region(Region::new(settings.region))
            .force_path_style(settings.path_style)
            // Otherwise every PUT carries a checksum that older servers refuse and that presigned links cannot give.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_LIMIT)
                    .operation_attempt_timeout(ATTEMPT_LIMIT)
                    .operation_timeout(CALL_LIMIT)
                    .build(),
            );
        config.set_endpoint_url(settings.endpoint.map(|url| url.as_str().trim_end_matches('/').to_owned()));
        Ok(Self { client: Client::from_conf(config.build()), bucket: settings.bucket })
    }
}

/// Whatever the machine offers. The SDK asks for it lazily and renews it by itself; only the credentials are taken
/// from there, so that a stray `AWS_ENDPOINT_URL` changes nothing.
async fn default_chain(region: &str, http: SharedHttpClient) -> Result<SharedCredentialsProvider, PortError> {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(region.to_owned()))
        .load()
        .await
        .credentials_provider()
        .ok_or_else(|| refused("no source of AWS credentials".to_owned()))
}

#[async_trait]
impl Storage for S3Storage {
    async fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        byte_size: u64,
        valid_for: Duration,
    ) -> Result<PresignedRequest, PortError> {
        let length =
            i64::try_from(byte_size).map_err(|_| refused(format!("{byte_size} bytes are too many")))?;
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .content_length(length)
            .presigned(expiry(valid_for)?)
            .await
            .map(|request| presigned("PUT", &request))
            .map_err(failed)
    }

    /// The type is always `application/octet-stream`: with the attachment disposition no browser shows the object
    /// as a page of the bucket's host.
    async fn presign_get(
        &self,
        key: &str,
        filename: &str,
        valid_for: Duration,
    ) -> Result<PresignedRequest, PortError> {
        self.client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_disposition(attachment(filename))
            .response_content_type("application/octet-stream")
            .presigned(expiry(valid_for)?)
            .await
            .map(|request| presigned("GET", &request))
            .map_err(failed)
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, PortError> {
        let head = match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => head,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let byte_size = head.content_length.and_then(|length| u64::try_from(length).ok());
        match (byte_size, head.e_tag) {
            (Some(byte_size), Some(etag)) => {
                Ok(Some(ObjectInfo { byte_size, etag, content_type: head.content_type }))
            }
            _ => Err(transient("a HEAD without length or ETag".to_owned())),
        }
    }

    async fn get(&self, key: &str, etag: &str, limit: u64) -> Result<Option<Vec<u8>>, PortError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key).if_match(etag);
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if matches!(status(&error), Some(404 | 412)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if object.e_tag.as_deref() != Some(etag) {
            return Ok(None);
        }
        // The limits above end with the headers: the body gets one of its own.
        tokio::time::timeout(CALL_LIMIT, read(object, limit))
            .await
            .map_err(|_| transient("the object did not arrive in time".to_owned()))?
    }

    async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        put.body(ByteStream::from(bytes)).send().await.map(drop).map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        match self.client.delete_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(()),
            // AWS answers 204; some other servers do not.
            Err(error) if error.code() == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn verify(&self) -> Result<(), PortError> {
        let head = self.client.head_bucket().bucket(&self.bucket).send().await;
        head.map(drop).map_err(|error| match status(&error) {
            Some(301) => refused("the bucket is in another region".to_owned()),
            Some(403) => refused("the bucket is not open to these credentials".to_owned()),
            Some(404) => refused("there is no such bucket".to_owned()),
            _ => failed(error),
        })
    }
}

/// The body, or `None` once it is longer than the limit.
async fn read(mut object: GetObjectOutput, limit: u64) -> Result<Option<Vec<u8>>, PortError> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        object.body.try_next().await.map_err(|_| transient("the object broke off".to_owned()))?
    {
        let total = u64::try_from(bytes.len() + chunk.len()).unwrap_or(u64::MAX);
        if total > limit {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

fn expiry(valid_for: Duration) -> Result<PresigningConfig, PortError> {
    PresigningConfig::expires_in(valid_for).map_err(|error| refused(error.to_string()))
}

fn presigned(method: &'static str, request: &presigning::PresignedRequest) -> PresignedRequest {
    PresignedRequest {
        method,
        url: request.uri().to_owned(),
        headers: request.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// The error without the request: that one carries signatures.
fn failed<E: ProvideErrorMetadata>(error: SdkError<E>) -> PortError {
    match &error {
        SdkError::ServiceError(_) => {
            let status = status(&error).unwrap_or_default();
            // The answer to a HEAD has no body, so neither code nor message.
            let code = error.code().unwrap_or_default();
            let reason =
                format!("HTTP {status} {code} {}", error.message().unwrap_or_default()).trim_end().to_owned();
            let passes = status >= 500
                || matches!(status, 408 | 429)
                || matches!(
                    code,
                    "RequestTimeout" | "SlowDown" | "OperationAborted" | "RequestTimeTooSkewed"
                );
            if passes { transient(reason) } else { refused(reason) }
        }
        SdkError::ConstructionFailure(_) => refused("the request cannot be made".to_owned()),
        SdkError::TimeoutError(_) => transient("no answer in time".to_owned()),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            transient("no answer in time".to_owned())
        }
        SdkError::DispatchFailure(failure) if failure.is_io() => transient("no connection".to_owned()),
        SdkError::DispatchFailure(_) => transient("not sent: no connection, or no credentials".to_owned()),
        _ => transient("an answer that is not S3's".to_owned()),
    }
}

const fn transient(reason: String) -> PortError {
    PortError::Transient { port: "storage", reason }
}

const fn refused(reason: String) -> PortError {
    PortError::Refused { port: "storage", reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn storage(endpoint: &str, path_style: bool) -> S3Storage {
        S3Storage::connect(StorageSettings {
            bucket: "files".to_owned(),
            region: "eu-central-1".to_owned(),
            endpoint: Some(endpoint.parse().unwrap()),
            path_style,
            credentials: Some(("AKIDEXAMPLE".to_owned(), "hunter2hunter2".into())),
        })
        .await
        .unwrap()
    }

    fn signed_headers(request: &PresignedRequest) -> String {
        let url: Url = request.url.parse().unwrap();
        let found = url.query_pairs().find(|(name, _)| name == "X-Amz-SignedHeaders");
        found.map(|(_, value)| value.into_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_put_link_binds_type_and_length_and_asks_for_no_checksum() {
        let storage = storage("http://127.0.0.1:1/", true).await;
        let request =
            storage.presign_put("a/b.png", "image/png", 1234, Duration::from_secs(900)).await.unwrap();
        assert!(request.url.starts_with("http://127.0.0.1:1/files/a/b.png?"), "{}", request.url);
        assert_eq!(signed_headers(&request), "content-length;content-type;host");
        assert!(request.url.contains("X-Amz-Expires=900"));
        assert!(!request.url.to_lowercase().contains("checksum"), "{}", request.url);
        assert!(!request.url.contains("hunter2"));
        let mut headers = request.headers;
        headers.sort();
        let expected = [("content-length", "1234"), ("content-type", "image/png")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let week = Duration::from_secs(7 * 24 * 3600 + 1);
        assert!(storage.presign_put("a", "image/png", 1, week).await.is_err());
    }

    #[tokio::test]
    async fn a_get_link_saves_under_the_name() {
        let storage = storage("https://s3.example", false).await;
        let request = storage.presign_get("a/b", "Année \"1\".pdf", Duration::from_secs(60)).await.unwrap();
        assert!(request.url.starts_with("https://files.s3.example/a/b?"), "{}", request.url);
        let url: Url = request.url.parse().unwrap();
        let query: std::collections::HashMap<_, _> = url.query_pairs().collect();
        assert_eq!(
            query["response-content-disposition"],
            "attachment; filename=\"Ann_e _1_.pdf\"; filename*=UTF-8''Ann%C3%A9e%20%221%22.pdf"
        );
        assert_eq!(query["response-content-type"], "application/octet-stream");
        assert_eq!(request.headers, []);
    }

    #[tokio::test]
    async fn nobody_there_is_transient() {
        let storage = storage("http://127.0.0.1:1", true).await;
        let error = storage.verify().await.unwrap_err();
        assert_eq!(error, transient("no connection".to_owned()));
    }
}
