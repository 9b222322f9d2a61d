//! What a file says of itself is not believed.

use image::{GenericImageView, ImageFormat};
use serde_json::json;

use super::{CREATE, File, create, get, lies, look, picture, png, put, ready, row, sent, start};
use crate::support::errors;

#[tokio::test]
async fn what_cannot_be_taken_is_refused_before_it_is_sent() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    for (purpose, filename, content_type, size, expected) in [
        ("AVATAR", "me.png", "image/png", 5 * 1024 * 1024 + 1, vec!["byteSize:OUT_OF_RANGE"]),
        ("DELIVERABLE", "a.zip", "application/zip", 10 * 1024 * 1024 + 1, vec!["byteSize:OUT_OF_RANGE"]),
        ("DELIVERABLE", "a.zip", "application/zip", 0, vec!["byteSize:OUT_OF_RANGE"]),
        ("AVATAR", "me.pdf", "application/pdf", 10, vec!["filename:INVALID"]),
        ("AVATAR", "me.svg", "image/svg+xml", 10, vec!["filename:INVALID"]),
        ("AVATAR", "me.png", "image/jpeg", 10, vec!["contentType:INVALID"]),
        ("EVIDENCE", "run.exe", "application/zip", 10, vec!["filename:INVALID"]),
        ("EVIDENCE", "../../etc/a.txt", "text/plain", 10, vec!["filename:INVALID"]),
        (
            "EVIDENCE",
            "",
            "text/plain",
            -1,
            vec!["filename:REQUIRED", "filename:INVALID", "byteSize:OUT_OF_RANGE"],
        ),
    ] {
        let input = json!({ "purpose": purpose, "filename": filename, "contentType": content_type, "byteSize": size });
        let payload = app.mutate(&ann.token, CREATE, input).await;
        assert_eq!(errors(&payload), expected, "{filename}");
        assert!(payload["upload"].is_null() && payload["request"].is_null());
    }
    let file = File::new("AVATAR", "me.png", "image/png", b"x").input();
    let nobody = app.gql("", CREATE, json!({ "input": file })).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}

#[tokio::test]
async fn the_bytes_have_to_be_what_the_name_says() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let (good, jpeg) = (png(1), picture(30, 20, 1, ImageFormat::Jpeg));
    let zip_in_pdf = [b"%PDF-1.7\n%%EOF\n".as_slice(), b"PK\x05\x06", &[0; 18]].concat();
    for (purpose, name, content_type, bytes, reason) in [
        ("AVATAR", "a.png", "image/png", b"<script>alert(1)</script>".to_vec(), "content"),
        ("AVATAR", "b.png", "image/png", jpeg, "content"),
        ("AVATAR", "c.png", "image/png", good[..good.len() / 2].to_vec(), "damaged"),
        ("AVATAR", "d.png", "image/png", good[..8].to_vec(), "damaged"),
        ("AVATAR", "e.png", "image/png", resized(&good, 20_000, 2), "too large"),
        ("PORTFOLIO_IMAGE", "f.png", "image/png", resized(&good, 11_000, 11_000), "too large"),
        ("DELIVERABLE", "g.pdf", "application/pdf", zip_in_pdf, "content"),
        ("DELIVERABLE", "h.pdf", "application/pdf", b"MZ and so on".to_vec(), "content"),
        ("DELIVERABLE", "i.txt", "text/plain", b"caf\xe9".to_vec(), "content"),
        ("DELIVERABLE", "j.zip", "application/zip", b"PK\x03\x04".to_vec(), "content"),
        (
            "DELIVERABLE",
            "k.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            b"PK\x03\x04".to_vec(),
            "content",
        ),
        (
            "DELIVERABLE",
            "l.doc",
            "application/msword",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            "content",
        ),
    ] {
        let id = sent(&app, &ann, File::new(purpose, name, content_type, &bytes)).await;
        let upload = look(&app, &ann, &id).await;
        assert_eq!(upload["status"], "REJECTED", "{name}");
        assert!(upload["rejectionReason"].as_str().unwrap().contains(reason), "{upload:#}");
        assert!(upload["url"].is_null());
        let key = row(&app, &id).await.object_key;
        assert!(!lies(&app, &key).await);
        // The link is still good for a while: the bytes go when it is not.
        assert!(lies(&app, &format!("incoming/{key}")).await);
        app.advance(chrono::Duration::minutes(17));
        app.drain().await;
        assert!(!lies(&app, &format!("incoming/{key}")).await, "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_picture_is_written_anew() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    for (name, content_type, format) in [
        ("a.png", "image/png", ImageFormat::Png),
        ("a.jpg", "image/jpeg", ImageFormat::Jpeg),
        ("a.gif", "image/gif", ImageFormat::Gif),
        ("a.webp", "image/webp", ImageFormat::WebP),
    ] {
        // A polyglot: a picture to one program, a page or an archive to another.
        let hidden = b"<script>alert('hidden')</script>PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let bytes = [picture(1500, 900, 200, format).as_slice(), hidden].concat();
        let id = ready(&app, &ann, File::new("AVATAR", name, content_type, &bytes)).await;
        let upload = look(&app, &ann, &id).await;
        assert_eq!(upload["contentType"], content_type);
        let clean = get(&upload["url"]).await.bytes().await.unwrap();
        assert_eq!(upload["byteSize"], clean.len());
        assert!(!clean.windows(6).any(|window| window == b"hidden"), "{name}");
        let decoded = image::load_from_memory_with_format(&clean, format).unwrap();
        assert_eq!(decoded.dimensions(), (1024, 614), "{name}");
        let key = row(&app, &id).await.object_key;
        for size in [256, 64] {
            assert!(lies(&app, &format!("{key}-{size}")).await, "{name} {size}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn the_link_takes_this_file_only_and_never_changes_what_was_checked() {
    let app = start().await;
    let ann = app.freelancer("ann").await;
    let file = File::new("DELIVERABLE", "notes.txt", "text/plain", b"good text");
    let (id, request) = create(&app, &ann, file).await;
    assert_eq!(put(&request, b"good text, and more of it").await, 403, "another length");
    let mut other_type = request.clone();
    other_type.headers.iter_mut().filter(|(name, _)| name == "content-type").for_each(|(_, value)| {
        *value = "text/html".to_owned();
    });
    assert_eq!(put(&other_type, b"good text").await, 403, "another type");
    assert_eq!(put(&request, b"good text").await, 200);
    super::complete(&app, &ann, &id).await;
    app.drain().await;

    assert_eq!(put(&request, b"evil text").await, 200, "the link is still good");
    super::complete(&app, &ann, &id).await;
    app.drain().await;
    let upload = look(&app, &ann, &id).await;
    assert_eq!(get(&upload["url"]).await.text().await.unwrap(), "good text");
    app.finish().await;
}

/// A PNG whose header claims other sides, as a decompression bomb does.
fn resized(png: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut png = png.to_vec();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
