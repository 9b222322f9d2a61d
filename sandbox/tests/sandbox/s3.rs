use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use reqwest::StatusCode;
use sandbox::s3::{S3, S3Config, S3Error};
use tempfile::TempDir;

const BUCKET: &str = "megilance-files";
const PNG: &str = "image/png";

fn config(root: &TempDir) -> S3Config {
    S3Config {
        root: root.path().join("s3"),
        listen: ([127, 0, 0, 1], 0).into(),
        access_key: "sandbox".to_owned(),
        secret_key: "sandbox-secret".to_owned(),
        bucket: BUCKET.to_owned(),
        region: "us-east-1".to_owned(),
    }
}

fn client(s3: &S3, secret: &str, region: &str) -> Client {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .http_client(http)
        .endpoint_url(s3.endpoint())
        .force_path_style(true)
        .region(Region::new(region.to_owned()))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .credentials_provider(Credentials::new("sandbox", secret, None, None, "test"))
        .build();
    Client::from_conf(config)
}

async fn start() -> (TempDir, S3, Client) {
    let root = tempfile::tempdir().unwrap();
    let s3 = S3::start(config(&root)).await.unwrap();
    let client = client(&s3, "sandbox-secret", "us-east-1");
    (root, s3, client)
}

async fn put(client: &Client, key: &str, content: &'static [u8]) {
    let put = client.put_object().bucket(BUCKET).key(key);
    put.content_type(PNG)
        .metadata("owner", "usr_1")
        .body(ByteStream::from_static(content))
        .send()
        .await
        .unwrap();
}

async fn read(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket(BUCKET).key(key);
    let body = got.send().await.unwrap().body;
    body.collect().await.unwrap().to_vec()
}

/// The status that S3 answers to a call that must fail.
macro_rules! refused {
    ($call:expr) => {
        $call.send().await.unwrap_err().raw_response().unwrap().status().as_u16()
    };
}

#[tokio::test]
async fn objects_are_kept_with_their_type_and_outlive_the_server() {
    let (root, s3, client1) = start().await;
    put(&client1, "avatars/1/a.png", b"0123456789").await;
    drop(s3);

    let s3 = S3::start(config(&root)).await.unwrap();
    let client = client(&s3, "sandbox-secret", "us-east-1");
    let head = client.head_object().bucket(BUCKET).key("avatars/1/a.png");
    let head = head.send().await.unwrap();
    assert_eq!(head.content_type(), Some(PNG));
    assert_eq!(head.content_length(), Some(10));
    assert_eq!(head.metadata().unwrap()["owner"], "usr_1");
    assert_eq!(read(&client, "avatars/1/a.png").await, b"0123456789");

    let range = client.get_object().bucket(BUCKET).key("avatars/1/a.png");
    let range = range.range("bytes=2-4").send().await.unwrap();
    assert_eq!(range.content_range(), Some("bytes 2-4/10"));
    assert_eq!(range.body.collect().await.unwrap().to_vec(), b"234");
    s3.shutdown().await;
}

#[tokio::test]
async fn lists_in_pages_and_deletes() {
    let (_root, _s3, client) = start().await;
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        put(&client, key, b"x").await;
    }
    let page = client.list_objects_v2().bucket(BUCKET).prefix("a/");
    let page = page.max_keys(2).send().await.unwrap();
    let keys = |list: &aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output| {
        let keys = list.contents().iter().map(|object| object.key().unwrap().to_owned());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys(&page), ["a/1", "a/2"]);
    let rest = client.list_objects_v2().bucket(BUCKET).prefix("a/");
    let rest = rest.set_continuation_token(page.next_continuation_token).send().await.unwrap();
    assert_eq!(keys(&rest), ["a/3"]);

    let delete = client.delete_object().bucket(BUCKET).key("a/1");
    delete.clone().send().await.unwrap();
    delete.send().await.unwrap(); // once more: not an error, as with AWS
    assert_eq!(refused!(client.get_object().bucket(BUCKET).key("a/1")), 404);
    let both = ["a/2", "b/1"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let both = Delete::builder().set_objects(Some(both.to_vec()));
    let delete = client.delete_objects().bucket(BUCKET);
    delete.delete(both.build().unwrap()).send().await.unwrap();
    let left = client.list_objects_v2().bucket(BUCKET).send().await;
    assert_eq!(keys(&left.unwrap()), ["a/3"]);
}

#[tokio::test]
async fn a_new_object_has_nothing_of_the_deleted_one() {
    let (root, _s3, client) = start().await;
    put(&client, "k", b"x").await;
    let delete = client.delete_object().bucket(BUCKET).key("k");
    delete.send().await.unwrap();
    let left: Vec<_> =
        std::fs::read_dir(root.path().join("s3")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [BUCKET]);
}

#[tokio::test]
async fn takes_large_objects_in_parts() {
    let (_root, _s3, client) = start().await;
    let upload = client.create_multipart_upload().bucket(BUCKET).key("big");
    let upload = upload.content_type("video/mp4").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let parts = [vec![1_u8; 5 * 1024 * 1024], vec![2_u8; 3]];
    let mut completed = Vec::new();
    for (part, number) in parts.iter().zip(1..) {
        let sent = client.upload_part().bucket(BUCKET).key("big").upload_id(id);
        let sent = sent.part_number(number).body(part.clone().into());
        let part = CompletedPart::builder().part_number(number);
        completed.push(part.set_e_tag(sent.send().await.unwrap().e_tag).build());
    }
    let all = CompletedMultipartUpload::builder().set_parts(Some(completed));
    let complete = client.complete_multipart_upload().bucket(BUCKET);
    let complete = complete.key("big").upload_id(id);
    complete.multipart_upload(all.build()).send().await.unwrap();
    assert_eq!(read(&client, "big").await, parts.concat());
    let head = client.head_object().bucket(BUCKET).key("big");
    assert_eq!(head.send().await.unwrap().content_type(), Some("video/mp4"));
}

#[tokio::test]
async fn only_the_right_signature_opens() {
    let (_root, s3, right) = start().await;
    put(&right, "k", b"x").await;
    let wrong_secret = client(&s3, "wrong", "us-east-1");
    assert_eq!(refused!(wrong_secret.get_object().bucket(BUCKET).key("k")), 403);
    let wrong_region = client(&s3, "sandbox-secret", "eu-west-1");
    assert_eq!(refused!(wrong_region.get_object().bucket(BUCKET).key("k")), 400);
    assert_eq!(refused!(right.get_object().bucket("other").key("k")), 404);
    assert_eq!(
        refused!(right.put_object().bucket("other").key("k").body(ByteStream::from_static(b"x"))),
        404
    );
    let unsigned = reqwest::get(format!("{}/{BUCKET}/k", s3.endpoint())).await;
    assert_eq!(unsigned.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn keys_do_not_leave_the_bucket() {
    let (root, _s3, client) = start().await;
    for key in ["../escaped", "a/../../escaped", "/escaped", "a//b", "a\\..\\b"] {
        let put = client.put_object().bucket(BUCKET).key(key);
        let status = refused!(put.body(ByteStream::from_static(b"x")));
        assert_eq!(status, 400, "{key}");
        assert_eq!(refused!(client.get_object().bucket(BUCKET).key(key)), 400);
        let escaped = ObjectIdentifier::builder().key(key).build().unwrap();
        let delete = client.delete_objects().bucket(BUCKET);
        let objects = Delete::builder().objects(escaped).build().unwrap();
        assert_eq!(refused!(delete.delete(objects)), 400, "{key}");
    }
    put(&client, "k", b"x").await;
    let copy = client.copy_object().bucket(BUCKET).key("copy");
    let source = format!("{BUCKET}/../secret");
    assert_eq!(refused!(copy.copy_source(source)), 400);
    assert!(!root.path().join("s3/escaped").exists());
    assert!(!root.path().join("escaped").exists());
}

fn for_minutes(minutes: u64) -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60 * minutes)).unwrap()
}

/// A link that ran out half an hour ago.
#[expect(clippy::disallowed_methods, reason = "signatures go by wall time, in S3 as here")]
fn expired() -> PresigningConfig {
    PresigningConfig::builder()
        .start_time(SystemTime::now() - Duration::from_secs(2_400))
        .expires_in(Duration::from_secs(600))
        .build()
        .unwrap()
}

/// Puts by a link, as a browser would.
async fn put_by(url: &str, content_type: &str, body: &'static [u8]) -> StatusCode {
    let put = reqwest::Client::new().put(url).body(body);
    let put = put.header("content-type", content_type);
    put.send().await.unwrap().status()
}

#[tokio::test]
async fn a_presigned_put_is_bound_to_key_type_and_length() {
    let (_root, _s3, client) = start().await;
    let put = || {
        let put = client.put_object().bucket(BUCKET).key("up/1");
        put.content_type(PNG).content_length(5)
    };
    let link = put().presigned(for_minutes(5)).await.unwrap();
    let url = link.uri();

    assert_eq!(put_by(url, "text/html", b"12345").await, 403, "the type");
    assert_eq!(put_by(url, PNG, b"123456").await, 403, "the length");
    let other_key = url.replace("up/1", "up/2");
    assert_eq!(put_by(&other_key, PNG, b"12345").await, 403, "the key");
    let longer = url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000");
    assert_ne!(&longer, url);
    assert_eq!(put_by(&longer, PNG, b"12345").await, 403, "the time");
    let get = reqwest::get(url).await.unwrap().status();
    assert_eq!(get, StatusCode::FORBIDDEN, "the method");
    let late = put().presigned(expired()).await.unwrap();
    assert_eq!(put_by(late.uri(), PNG, b"12345").await, 403, "expired");
    assert_eq!(refused!(client.head_object().bucket(BUCKET).key("up/1")), 404);

    assert_eq!(put_by(url, PNG, b"12345").await, StatusCode::OK);
    let head = client.head_object().bucket(BUCKET).key("up/1");
    assert_eq!(head.send().await.unwrap().content_type(), Some(PNG));
}

#[tokio::test]
async fn a_presigned_get_sets_the_name_and_the_type_of_the_download() {
    let (_root, _s3, client) = start().await;
    put(&client, "files/1", b"content").await;
    let get = || client.get_object().bucket(BUCKET).key("files/1");
    let attachment = "attachment; filename=\"report.pdf\"";
    let link = get().response_content_disposition(attachment).response_content_type("application/pdf");
    let link = link.presigned(for_minutes(5)).await.unwrap();
    let answer = reqwest::get(link.uri()).await.unwrap();
    assert_eq!(answer.headers()["content-disposition"], attachment);
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(answer.text().await.unwrap(), "content");

    let changed = link.uri().replace("report.pdf", "report.exe");
    assert_ne!(changed, link.uri());
    let changed = reqwest::get(changed).await.unwrap();
    assert_eq!(changed.status(), StatusCode::FORBIDDEN);
    let late = get().presigned(expired()).await.unwrap();
    let late = reqwest::get(late.uri()).await.unwrap();
    assert_eq!(late.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn browsers_of_any_origin_may_use_links() {
    let (_root, _s3, client) = start().await;
    let link = client.put_object().bucket(BUCKET).key("up/1");
    let link = link.presigned(for_minutes(5)).await.unwrap();
    let preflight = reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, link.uri())
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type,x-amz-meta-a");
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::OK);
    let says = |name: &str| preflight.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(says("access-control-allow-origin"), "*");
    assert!(says("access-control-allow-methods").contains("PUT"));
    assert!(says("access-control-allow-headers").contains("content-type"));

    // The answer to a refused request must be readable too, or the front-end learns nothing.
    let put = reqwest::Client::new().put(link.uri().replace("up/1", "up/2"));
    let refused = put.header("origin", "https://app.example").send().await;
    let refused = refused.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(refused.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn listens_on_loopback_only() {
    let root = tempfile::tempdir().unwrap();
    let everywhere = S3Config { listen: ([0, 0, 0, 0], 0).into(), ..config(&root) };
    let refused = S3::start(everywhere).await.unwrap_err();
    assert!(matches!(refused, S3Error::NotLoopback(_)));
    let bad_name = S3Config { bucket: "../x".to_owned(), ..config(&root) };
    let refused = S3::start(bad_name).await.unwrap_err();
    assert!(matches!(refused, S3Error::BucketName(_)));
}
