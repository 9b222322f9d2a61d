//! Files: sent by a real presigned PUT, checked, attached, shown to who may see them, and deleted.

mod bytes;
mod faults;
mod life;
mod rights;

use std::time::Duration;

use domain::{
    entities::{UploadId, upload},
    ports::storage::PresignedRequest,
};
use reqwest::{Client, Response, StatusCode};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{Someone, TestApp, ok, text};

const CREATE: &str = "mutation($input: UploadCreateInput!) { uploadCreate(input: $input) {
    upload { id status url } request { method url headers { name value } }
    userErrors { field code message } } }";
const COMPLETE: &str = "mutation($input: UploadCompleteInput!) { uploadComplete(input: $input) {
    upload { id status } userErrors { field code message } } }";
const AVATAR: &str = "mutation($input: AvatarSetInput!) { avatarSet(input: $input) {
    user { id avatar { url smallUrl thumbnailUrl } } userErrors { field code message } } }";
const LOOK: &str = "query($id: ID!) { node(id: $id) { id ... on Upload {
    purpose filename contentType byteSize status rejectionReason url } } }";

/// An App whose access tokens outlive the days that go by in a test.
async fn start() -> TestApp {
    TestApp::start_with(|settings| settings.access_token_ttl = Duration::from_secs(7 * 24 * 3600)).await
}

/// A file to send.
#[derive(Clone, Copy)]
pub struct File<'a> {
    purpose: &'a str,
    name: &'a str,
    content_type: &'a str,
    bytes: &'a [u8],
}

impl<'a> File<'a> {
    pub fn new(purpose: &'a str, name: &'a str, content_type: &'a str, bytes: &'a [u8]) -> Self {
        Self { purpose, name, content_type, bytes }
    }

    fn input(&self) -> Value {
        json!({ "purpose": self.purpose, "filename": self.name, "contentType": self.content_type,
            "byteSize": self.bytes.len() })
    }
}

/// Asks for a place: the upload's id and the request that sends the file.
async fn create(app: &TestApp, by: &Someone, file: File<'_>) -> (String, PresignedRequest) {
    let payload = ok(app.mutate(&by.token, CREATE, file.input()).await);
    assert_eq!(payload["upload"]["status"], "PENDING");
    assert_eq!(payload["upload"]["url"], Value::Null);
    assert_eq!(payload["request"]["method"], "PUT");
    let headers = payload["request"]["headers"].as_array().unwrap().iter();
    let headers = headers.map(|header| (text(&header["name"]), text(&header["value"]))).collect();
    let request = PresignedRequest { method: "PUT", url: text(&payload["request"]["url"]), headers };
    (text(&payload["upload"]["id"]), request)
}

/// Sends bytes by a presigned request, as any HTTP client does.
async fn put(request: &PresignedRequest, bytes: &[u8]) -> StatusCode {
    let mut put = Client::new().put(&request.url).body(bytes.to_vec());
    for (name, value) in request.headers.iter().filter(|(name, _)| name != "content-length") {
        put = put.header(name, value);
    }
    put.send().await.unwrap().status()
}

/// Creates, sends and completes; then everything that is due is done. The upload's id.
async fn sent(app: &TestApp, by: &Someone, file: File<'_>) -> String {
    let (id, request) = create(app, by, file).await;
    assert_eq!(put(&request, file.bytes).await, StatusCode::OK);
    complete(app, by, &id).await;
    app.drain().await;
    id
}

/// The same for a file that must be found good.
pub async fn ready(app: &TestApp, by: &Someone, file: File<'_>) -> String {
    let id = sent(app, by, file).await;
    let upload = look(app, by, &id).await;
    assert_eq!(upload["status"], "READY", "{upload:#}");
    id
}

async fn complete(app: &TestApp, by: &Someone, id: &str) -> Value {
    ok(app.mutate(&by.token, COMPLETE, json!({ "uploadId": id })).await)["upload"].clone()
}

/// The upload as somebody sees it; null when they may not.
pub async fn look(app: &TestApp, by: &Someone, id: &str) -> Value {
    app.gql(&by.token, LOOK, json!({ "id": id })).await["data"]["node"].clone()
}

/// Follows a link with no credentials.
pub async fn get(link: &Value) -> Response {
    reqwest::get(text(link)).await.unwrap()
}

async fn row(app: &TestApp, id: &str) -> upload::Model {
    let id: UploadId = id.parse().unwrap();
    upload::Entity::find_by_id(id).one(app.app.db.reader()).await.unwrap().unwrap()
}

/// Whether an object lies in the bucket.
async fn lies(app: &TestApp, key: &str) -> bool {
    app.app.storage.head(key).await.unwrap().is_some()
}

/// A picture of one colour in a format.
fn picture(width: u32, height: u32, red: u8, format: image::ImageFormat) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([red, 20, 40]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(red: u8) -> Vec<u8> {
    picture(300, 200, red, image::ImageFormat::Png)
}
