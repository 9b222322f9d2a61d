use image::{
    Delay, Frame, GenericImageView, ImageBuffer, ImageEncoder, Luma, Rgb, RgbImage, RgbaImage,
    codecs::{gif::GifEncoder, png::PngEncoder},
};

use super::*;

/// A picture whose left half is red and whose right half is blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
        .into()
}

/// EXIF with the one entry that says how the camera was held.
fn exif(orientation: u8) -> Vec<u8> {
    [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0], &[0; 4]].concat()
}

fn clean_as(bytes: Vec<u8>, kind: Kind, purpose: UploadPurpose) -> Result<Checked, String> {
    clean(bytes, format(kind).unwrap(), kind, purpose)
}

fn animation() -> Vec<u8> {
    let mut bytes = Vec::new();
    let frame = |red| {
        Frame::from_parts(
            RgbaImage::from_pixel(20, 10, [red, 0, 0, 255].into()),
            0,
            0,
            Delay::from_numer_denom_ms(50, 1),
        )
    };
    GifEncoder::new(&mut bytes).encode_frames([frame(10), frame(200)]).unwrap();
    bytes
}

#[test]
fn a_picture_is_turned_upright_and_its_metadata_goes() {
    for kind in [Kind::Jpeg, Kind::Png, Kind::Webp] {
        let mut bytes = Cursor::new(Vec::new());
        let picture = halves(40, 20);
        match kind {
            Kind::Jpeg => {
                let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
                encoder.set_exif_metadata(exif(6)).unwrap();
                picture.write_with_encoder(encoder).unwrap();
            }
            Kind::Png => {
                let mut encoder = PngEncoder::new(&mut bytes);
                encoder.set_exif_metadata(exif(6)).unwrap();
                picture.write_with_encoder(encoder).unwrap();
            }
            _ => {
                let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut bytes);
                encoder.set_exif_metadata(exif(6)).unwrap();
                picture.write_with_encoder(encoder).unwrap();
            }
        }
        let sent = bytes.into_inner();
        let checked = clean_as(sent, kind, UploadPurpose::Deliverable).unwrap();
        let mut decoder = ImageReader::with_format(Cursor::new(&checked.bytes), format(kind).unwrap())
            .into_decoder()
            .unwrap();
        assert_eq!(decoder.exif_metadata().unwrap(), None, "{kind:?}");
        let upright = DynamicImage::from_decoder(decoder).unwrap();
        assert_eq!(upright.dimensions(), (20, 40), "{kind:?}");
        // Turned by a quarter to the right: what was left is above.
        assert!(upright.get_pixel(10, 5)[0] > 200 && upright.get_pixel(10, 35)[2] > 200, "{kind:?}");
    }
}

#[test]
fn work_is_kept_as_large_and_as_deep_as_it_is() {
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_pixel(3000, 10, Luma([0x1234]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(deep).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let kept = clean_as(bytes.get_ref().clone(), Kind::Png, UploadPurpose::Deliverable).unwrap();
    let decoded = image::load_from_memory(&kept.bytes).unwrap();
    assert_eq!((decoded.dimensions(), decoded.color()), ((3000, 10), image::ColorType::L16));
    assert!(kept.smaller.is_empty());
    let shown = clean_as(bytes.into_inner(), Kind::Png, UploadPurpose::PortfolioImage).unwrap();
    assert_eq!(image::load_from_memory(&shown.bytes).unwrap().width(), 2560);
    assert_eq!(shown.smaller.iter().map(|(size, _)| *size).collect::<Vec<_>>(), [1024, 256]);
}

#[test]
fn a_small_avatar_is_not_blown_up() {
    let mut bytes = Cursor::new(Vec::new());
    halves(100, 50).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let checked = clean_as(bytes.into_inner(), Kind::Png, UploadPurpose::Avatar).unwrap();
    let sizes: Vec<_> = checked
        .smaller
        .iter()
        .map(|(_, bytes)| image::load_from_memory(bytes).unwrap().dimensions())
        .collect();
    assert_eq!(sizes, [(100, 50), (64, 32)]);
}

#[test]
fn an_animation_moves_on_only_where_it_is_somebodys_work() {
    let sent = animation();
    // A comment and XMP before its end, and something after it.
    let (trailer, frames) = sent.split_last().unwrap();
    let words = b"\x21\xfe\x05where\0\x21\xff\x0bXMP DataXMP\x03who\0";
    let talking = [frames, words, &[*trailer], b"more"].concat();
    let work = clean_as(talking, Kind::Gif, UploadPurpose::Deliverable).unwrap();
    assert_eq!(work.bytes, sent);
    let avatar = clean_as(sent, Kind::Gif, UploadPurpose::Avatar).unwrap();
    let frames = GifDecoder::new(Cursor::new(avatar.bytes)).unwrap().into_frames().count();
    assert_eq!(frames, 1);
}

#[test]
fn any_piece_of_a_picture_is_refused_or_decoded_never_a_panic() {
    let mut jpeg = Cursor::new(Vec::new());
    halves(64, 64).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    for (kind, bytes) in [(Kind::Gif, animation()), (Kind::Jpeg, jpeg.into_inner())] {
        for end in 0..bytes.len() {
            let piece = bytes.get(..end).unwrap_or_default().to_vec();
            drop(clean_as(piece, kind, UploadPurpose::Avatar));
        }
    }
}
