//! Which files are taken: by extension and declared type first, by their bytes later.

use entities::UploadPurpose;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    Gif,
    Webp,
    Pdf,
    Doc,
    Docx,
    Text,
    Markdown,
    Zip,
}

const PICTURES: &[Kind] = &[Kind::Jpeg, Kind::Png, Kind::Gif, Kind::Webp];
const ALL: &[Kind] = &[
    Kind::Jpeg,
    Kind::Png,
    Kind::Gif,
    Kind::Webp,
    Kind::Pdf,
    Kind::Doc,
    Kind::Docx,
    Kind::Text,
    Kind::Markdown,
    Kind::Zip,
];

impl Kind {
    /// The extensions that it goes by, lower-case.
    pub(super) const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Pdf => &["pdf"],
            Self::Doc => &["doc"],
            Self::Docx => &["docx"],
            Self::Text => &["txt"],
            Self::Markdown => &["md"],
            Self::Zip => &["zip"],
        }
    }

    /// The types that it may be declared as, the proper one first: what browsers say of `.md` and `.zip`
    /// depends on the system below them.
    pub(super) const fn content_types(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["image/jpeg"],
            Self::Png => &["image/png"],
            Self::Gif => &["image/gif"],
            Self::Webp => &["image/webp"],
            Self::Pdf => &["application/pdf"],
            Self::Doc => &["application/msword"],
            Self::Docx => &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
            Self::Text => &["text/plain"],
            Self::Markdown => &["text/markdown", "text/x-markdown", "text/plain"],
            Self::Zip => &["application/zip", "application/x-zip-compressed"],
        }
    }

    /// The proper type.
    pub(super) const fn content_type(self) -> &'static str {
        // Every list above has a first entry.
        self.content_types()[0]
    }

    /// Whether the bytes are of this kind.
    pub(super) fn matches(self, bytes: &[u8]) -> bool {
        match self {
            Self::Jpeg => infer::image::is_jpeg(bytes),
            Self::Png => infer::image::is_png(bytes),
            Self::Gif => infer::image::is_gif(bytes),
            Self::Webp => infer::image::is_webp(bytes),
            // A PDF that is an archive too is read as either, depending on who opens it.
            Self::Pdf => infer::archive::is_pdf(bytes) && !ends_as_zip(bytes),
            Self::Doc => infer::doc::is_doc(bytes),
            Self::Docx => is_docx(bytes),
            Self::Text | Self::Markdown => is_text(bytes),
            Self::Zip => infer::archive::is_zip(bytes) && ends_as_zip(bytes),
        }
    }

    /// The kind that a file's name says it is.
    pub(super) fn by_name(filename: &str) -> Option<Self> {
        let extension = filename.rsplit_once('.')?.1.to_ascii_lowercase();
        ALL.iter().copied().find(|kind| kind.extensions().contains(&extension.as_str()))
    }
}

/// What a purpose takes.
pub(super) const fn kinds(purpose: UploadPurpose) -> &'static [Kind] {
    match purpose {
        UploadPurpose::Avatar | UploadPurpose::PortfolioImage => PICTURES,
        UploadPurpose::ProposalAttachment
        | UploadPurpose::ProjectFile
        | UploadPurpose::Deliverable
        | UploadPurpose::Evidence
        | UploadPurpose::MessageFile => ALL,
    }
}

/// How large a file of a purpose may be, in bytes. A MB is the 1,048,576 bytes that file managers show, so
/// that what they call 5 MB is never refused.
pub(super) const fn largest(purpose: UploadPurpose) -> i64 {
    const MB: i64 = 1024 * 1024;
    match purpose {
        UploadPurpose::Avatar => 5 * MB,
        _ => 10 * MB,
    }
}

/// The smaller sizes that a picture of this purpose is kept in too, in pixels of the longer side.
pub(super) const fn sizes(purpose: UploadPurpose) -> &'static [u32] {
    match purpose {
        UploadPurpose::Avatar => &[256, 64],
        UploadPurpose::PortfolioImage => &[1024, 256],
        _ => &[],
    }
}

/// `infer` knows the order of entries that Word and LibreOffice use; others are known by the document's entry.
fn is_docx(bytes: &[u8]) -> bool {
    const ENTRY: &[u8] = b"word/document.xml";
    let holds_document = || bytes.windows(ENTRY.len()).any(|window| window == ENTRY);
    ends_as_zip(bytes) && (infer::doc::is_docx(bytes) || (infer::archive::is_zip(bytes) && holds_document()))
}

/// Whether an archive's directory ends the file, perhaps followed by a comment.
fn ends_as_zip(bytes: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"PK\x05\x06";
    const RECORD: usize = 22;
    const LONGEST_COMMENT: usize = 65_535;
    let tail = &bytes[bytes.len().saturating_sub(RECORD + LONGEST_COMMENT)..];
    tail.windows(RECORD).any(|record| record.starts_with(SIGNATURE))
}

/// UTF-8 without NUL, and not one of the formats that can pass for it.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
        && !infer::archive::is_pdf(bytes)
        && !infer::archive::is_zip(bytes)
        && !infer::image::is_gif(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    fn zip(entry: &str) -> Vec<u8> {
        [b"PK\x03\x04".as_slice(), &[0; 26], entry.as_bytes(), EMPTY_ZIP].concat()
    }

    #[test]
    fn bytes_tell_what_a_name_cannot() {
        let pdf = b"%PDF-1.7\n%%EOF".as_slice();
        assert!(Kind::Pdf.matches(pdf));
        assert!(!Kind::Pdf.matches(&[pdf, EMPTY_ZIP].concat()), "a PDF that is an archive too");
        assert!(!Kind::Text.matches(pdf));
        assert!(Kind::Text.matches("BMW, Maße und Gewichte".as_bytes()));
        assert!(Kind::Markdown.matches(b"<h1 align=center>Hello</h1>"));
        assert!(!Kind::Text.matches(b"caf\xe9") && !Kind::Text.matches(b"a\0b"));
        assert!(Kind::Zip.matches(&zip("src/main.rs")) && !Kind::Docx.matches(&zip("src/main.rs")));
        assert!(Kind::Docx.matches(&zip("word/document.xml")));
        assert!(!Kind::Zip.matches(b"PK\x03\x04 and so on"));
        assert!(!Kind::Doc.matches(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"));
        assert!(!Kind::Png.matches(b"GIF89a") && Kind::Gif.matches(b"GIF89a"));
        for kind in ALL {
            assert_eq!(kind.matches(b""), matches!(kind, Kind::Text | Kind::Markdown), "{kind:?}");
        }
    }
}
