//! Storage that fails in the middle: whichever call it is, the file ends as it would have.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use domain::ports::{
    PortError,
    storage::{ObjectInfo, PresignedRequest, Storage},
};

use super::{AVATAR, File, complete, create, get, lies, look, png, put, row, start};
use crate::support::ok;

/// The real storage, but one call does its work and then says that it failed: as after a crash, nobody knows.
struct Faulty {
    real: Arc<dyn Storage>,
    calls: AtomicUsize,
    fails: usize,
}

impl Faulty {
    fn answer<T>(&self, answer: Result<T, PortError>) -> Result<T, PortError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.fails {
            return Err(PortError::Transient { port: "storage", reason: "the line went dead".to_owned() });
        }
        answer
    }
}

#[async_trait]
impl Storage for Faulty {
    async fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        byte_size: u64,
        valid_for: std::time::Duration,
    ) -> Result<PresignedRequest, PortError> {
        self.real.presign_put(key, content_type, byte_size, valid_for).await
    }

    async fn presign_get(
        &self,
        key: &str,
        filename: &str,
        valid_for: std::time::Duration,
    ) -> Result<PresignedRequest, PortError> {
        self.real.presign_get(key, filename, valid_for).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, PortError> {
        self.answer(self.real.head(key).await)
    }

    async fn get(&self, key: &str, etag: &str, limit: u64) -> Result<Option<Vec<u8>>, PortError> {
        self.answer(self.real.get(key, etag, limit).await)
    }

    async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        self.answer(self.real.put(key, content_type, bytes).await)
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.answer(self.real.delete(key).await)
    }

    async fn verify(&self) -> Result<(), PortError> {
        self.real.verify().await
    }
}

#[tokio::test]
async fn whichever_call_fails_the_file_ends_the_same() {
    let mut app = start().await;
    let ann = app.freelancer("ann").await;
    let real = app.app.storage.clone();
    // HEAD, GET, a PUT for each of three sizes; then one deletion for each of them.
    const CALLS: usize = 8;
    let mut previous: Option<String> = None;
    for fails in 0..=CALLS {
        let bytes = png(u8::try_from(fails).unwrap());
        let (id, request) = create(&app, &ann, File::new("AVATAR", "a.png", "image/png", &bytes)).await;
        assert_eq!(put(&request, &bytes).await, 200);
        complete(&app, &ann, &id).await;
        let faulty = Arc::new(Faulty { real: real.clone(), calls: AtomicUsize::new(0), fails });
        app.app.storage = faulty.clone();
        for _ in 0..2 {
            app.drain().await;
            // Past the back-off, not yet to where the link ends.
            app.advance(chrono::Duration::seconds(10));
        }
        assert_eq!(look(&app, &ann, &id).await["status"], "READY", "call {fails}");
        ok(app.mutate(&ann.token, AVATAR, serde_json::json!({ "uploadId": id })).await);
        for _ in 0..2 {
            app.drain().await;
            app.advance(chrono::Duration::seconds(10));
        }
        app.app.storage = real.clone();
        assert!(
            previous.is_none() || fails == CALLS || faulty.calls.load(Ordering::SeqCst) > CALLS,
            "it failed"
        );
        assert_eq!(get(&look(&app, &ann, &id).await["url"]).await.status(), 200);
        if let Some(old) = previous.replace(row(&app, &id).await.object_key) {
            for key in [old.clone(), format!("{old}-256"), format!("{old}-64")] {
                assert!(!lies(&app, &key).await, "call {fails}: {key}");
            }
        }
    }
    app.finish().await;
}
