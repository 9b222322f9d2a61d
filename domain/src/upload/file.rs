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
