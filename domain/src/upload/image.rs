//! Pictures: decoded within limits, turned upright, written anew without whatever was hidden in them.

use std::io::Cursor;

use entities::UploadPurpose;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    codecs::{gif::GifDecoder, jpeg::JpegEncoder, png::PngDecoder, webp::WebPDecoder},
    imageops::FilterType,
    metadata::Orientation,
};

use super::file::{Kind, sizes};

mod strip;

/// The longest side of a picture, in pixels.
const LONGEST_SIDE: u32 = 12_000;
/// The most pixels of a picture: 40 megapixels.
const MOST_PIXELS: u64 = 40_000_000;
/// The most memory that decoding takes, in bytes.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// The most that a picture may grow to when it is written anew, in bytes.
const LARGEST_RESULT: usize = 32 * 1024 * 1024;
/// Of 100: high enough that the loss is not seen.
const JPEG_QUALITY: u8 = 90;

/// A file that was found good, as it is to be stored.
pub(super) struct Checked {
    pub(super) content_type: &'static str,
    pub(super) bytes: Vec<u8>,
    /// Smaller sizes of a picture, by the pixels of the longer side.
    pub(super) smaller: Vec<(u32, Vec<u8>)>,
}

/// The format of a kind that is a picture.
pub(super) const fn format(kind: Kind) -> Option<ImageFormat> {
    match kind {
        Kind::Jpeg => Some(ImageFormat::Jpeg),
        Kind::Png => Some(ImageFormat::Png),
        Kind::Gif => Some(ImageFormat::Gif),
        Kind::Webp => Some(ImageFormat::WebP),
        Kind::Pdf | Kind::Doc | Kind::Docx | Kind::Text | Kind::Markdown | Kind::Zip => None,
    }
}

/// Decodes a picture and writes it anew in its own format: no metadata, nothing before or after it. Of an
/// animation, an avatar or a portfolio picture keeps the first frame; anywhere else it is somebody's work and
/// keeps all of them as they came, once the first was seen to be sound: our encoders would harm them.
///
/// # Errors
/// The reason why it is refused, for its owner.
pub(super) fn clean(
    bytes: Vec<u8>,
    format: ImageFormat,
    kind: Kind,
    purpose: UploadPurpose,
) -> Result<Checked, String> {
    let picture = decode(&bytes, format)?;
    let content_type = kind.content_type();
    let Some(longest) = shown_at_most(purpose) else {
        if animated(&bytes, format) {
            let bytes = strip::strip(&bytes, format).ok_or_else(damaged)?;
            return Ok(Checked { content_type, bytes, smaller: Vec::new() });
        }
        return Ok(Checked { content_type, bytes: encode(&picture, format)?, smaller: Vec::new() });
    };
    let smaller = sizes(purpose)
        .iter()
        .map(|size| Ok((*size, encode(&fit(&picture, *size), format)?)))
        .collect::<Result<_, String>>()?;
    Ok(Checked { content_type, bytes: encode(&fit(&picture, longest), format)?, smaller })
}

/// Pictures that are shown on pages need no more pixels than this on their longer side; files are kept as
/// large as they are.
const fn shown_at_most(purpose: UploadPurpose) -> Option<u32> {
    match purpose {
        UploadPurpose::Avatar => Some(1024),
        UploadPurpose::PortfolioImage => Some(2560),
        _ => None,
    }
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(told)?;
    let (width, height) = decoder.dimensions();
    // A small file may hold a huge picture: its header is believed before its pixels are made.
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(too_many_pixels());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(told)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn fit(picture: &DynamicImage, longest: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= longest {
        picture.clone()
    } else {
        picture.resize(longest, longest, FilterType::Triangle)
    }
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> Result<Vec<u8>, String> {
    let mut bytes = Cursor::new(Vec::new());
    let written = match format {
        ImageFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
            match picture {
                DynamicImage::ImageLuma8(_) => picture.write_with_encoder(encoder),
                _ => DynamicImage::from(picture.to_rgb8()).write_with_encoder(encoder),
            }
        }
        // What these two write is 8 bits a channel.
        ImageFormat::Gif | ImageFormat::WebP => {
            DynamicImage::from(picture.to_rgba8()).write_to(&mut bytes, format)
        }
        _ => picture.write_to(&mut bytes, format),
    };
    written.map_err(told)?;
    let bytes = bytes.into_inner();
    if bytes.len() > LARGEST_RESULT { Err(too_many_pixels()) } else { Ok(bytes) }
}

fn animated(bytes: &[u8], format: ImageFormat) -> bool {
    let bytes = Cursor::new(bytes);
    match format {
        ImageFormat::Gif => GifDecoder::new(bytes).is_ok_and(|gif| gif.into_frames().take(2).count() > 1),
        ImageFormat::WebP => WebPDecoder::new(bytes).is_ok_and(|webp| webp.has_animation()),
        ImageFormat::Png => PngDecoder::new(bytes).is_ok_and(|png| png.is_apng().unwrap_or(false)),
        _ => false,
    }
}

fn told(error: ImageError) -> String {
    match error {
        ImageError::Limits(_) => too_many_pixels(),
        _ => damaged(),
    }
}

fn damaged() -> String {
    "The picture is damaged: it cannot be decoded.".to_owned()
}

fn too_many_pixels() -> String {
    let megapixels = MOST_PIXELS / 1_000_000;
    format!("The picture is too large: at most {megapixels} megapixels and {LONGEST_SIDE} pixels a side.")
}

#[cfg(test)]
mod tests;
