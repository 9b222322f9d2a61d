//! An S3 server over a local folder.
//!
//! The protocol, with its SigV4 check, is `s3s`; the objects are files, kept by `s3s-fs`. What those two leave open
//! (keys that leave the folder, fsync, left-over metadata, CORS) is closed in [`store`] and here.
//! Wall time decides about signatures and link expiry, as with every other S3.

mod keys;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, Method, StatusCode, header};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use self::store::Store;

/// How long [`S3::shutdown`] waits for transfers under way.
const DRAIN: Duration = Duration::from_secs(5);

/// What an S3 server needs to start.
#[derive(Clone)]
pub struct S3Config {
    /// The folder that holds the bucket's folder and the metadata; made when it is not there.
    pub root: PathBuf,
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The one access key id that is known.
    pub access_key: String,
    /// The secret that belongs to it.
    pub secret_key: String,
    /// The one bucket, made when it is not there. AWS' naming rules hold.
    pub bucket: String,
    /// The region that signatures must be made for.
    pub region: String,
}

impl std::fmt::Debug for S3Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Config")
            .field("root", &self.root)
            .field("listen", &self.listen)
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Why an S3 server did not start.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The sandbox serves this machine only.
    #[error("the sandbox's S3 server listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The bucket's name breaks AWS' rules.
    #[error("{0:?} is not a valid bucket name")]
    BucketName(String),
    /// The folder cannot be made, opened or written.
    #[error("the S3 folder {folder} cannot be used: {reason}")]
    Folder {
        /// The folder in question.
        folder: PathBuf,
        /// What the file system said.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("the S3 server cannot listen on {address}: {source}")]
    Listen {
        /// The address in question.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// A running S3 server. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl S3 {
    /// Opens the folder, makes the bucket and starts to serve.
    ///
    /// # Errors
    /// [`S3Error`], before anything listens.
    pub async fn start(config: S3Config) -> Result<Self, S3Error> {
        if !config.listen.ip().is_loopback() {
            return Err(S3Error::NotLoopback(config.listen));
        }
        if !s3s::path::check_bucket_name(&config.bucket) {
            return Err(S3Error::BucketName(config.bucket));
        }
        let listen_error = |source| S3Error::Listen { address: config.listen, source };
        let store = Store::open(&config.root, &config.bucket, &config.region)?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(config.access_key, config.secret_key));
        let router = Router::new().fallback(forward).layer(cors()).with_state(builder.build());

        let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let stopped = stop.clone().cancelled_owned();
        tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
            if let Err(error) = served.await {
                tracing::error!(%error, "the sandbox's S3 server ended");
            }
        });
        tasks.close();
        Ok(Self { address, stop, tasks })
    }

    /// The endpoint for clients, such as `http://127.0.0.1:9000`. Use path style.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening, and waits at most five seconds for transfers under way.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("the sandbox's S3 server stopped with transfers under way");
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Hands an HTTP request to `s3s`. S3 lives at `/`: a path of our own in front would break the signatures.
async fn forward(State(service): State<S3Service>, request: Request) -> Response {
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::error!(?error, "the sandbox's S3 server failed on a request");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Lets a browser front-end of any origin use presigned links. The signature guards, not the origin.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::ETAG,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::CONTENT_DISPOSITION,
            header::ACCEPT_RANGES,
            header::LAST_MODIFIED,
            HeaderName::from_static("x-amz-request-id"),
        ])
        .allow_private_network(true)
        .max_age(Duration::from_secs(3_600))
}
