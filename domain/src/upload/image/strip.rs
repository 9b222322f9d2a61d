//! Taking out of an animation what is not the animation. Its frames are not touched: only the containers around
//! them are read, which takes less than a crate for each of the three.

use image::ImageFormat;

/// The chunks of PNG (third edition, 2025) that make the picture; texts, EXIF and times are not among them.
const PNG: [&[u8; 4]; 15] = [
    b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"cHRM", b"sRGB",
    b"iCCP", b"cICP", b"sBIT", b"bKGD",
];
/// The chunks of WebP (RFC 9649) that make the picture.
const WEBP: [&[u8; 4]; 7] = [b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"];
/// The extensions of GIF that say how often to play.
const GIF: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
/// What ends a GIF.
const GIF_TRAILER: u8 = 0x3b;

/// The same animation without metadata, and with nothing after it. `None` when its container is damaged.
pub(super) fn strip(bytes: &[u8], format: ImageFormat) -> Option<Vec<u8>> {
    match format {
        ImageFormat::Png => png(bytes),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Gif => gif(bytes),
        _ => None,
    }
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let (signature, mut rest) = bytes.split_at_checked(8)?;
    let mut kept = signature.to_vec();
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?);
        let name = rest.get(4..)?.first_chunk::<4>()?;
        // Length, name and checksum are 12 bytes.
        let (chunk, next) = rest.split_at_checked(usize::try_from(length).ok()?.checked_add(12)?)?;
        if PNG.contains(&name) {
            kept.extend_from_slice(chunk);
        }
        if name == b"IEND" {
            return Some(kept);
        }
        rest = next;
    }
}

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    let mut rest = bytes.get(12..usize::try_from(size).ok()?.checked_add(8)?)?;
    let mut kept = b"WEBP".to_vec();
    while let Some(name) = rest.first_chunk::<4>() {
        let length = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?);
        // Name and length are 8 bytes, and a chunk is filled up to an even number.
        let whole = usize::try_from(length).ok()?.checked_next_multiple_of(2)?.checked_add(8)?;
        let (chunk, next) = rest.split_at_checked(whole)?;
        let start = kept.len();
        if WEBP.contains(&name) {
            kept.extend_from_slice(chunk);
        }
        if name == b"VP8X" {
            // Its flags announce EXIF and XMP no more.
            *kept.get_mut(start + 8)? &= !0b1100;
        }
        rest = next;
    }
    let size = u32::try_from(kept.len()).ok()?.to_le_bytes();
    Some([b"RIFF".as_slice(), &size, &kept].concat())
}

fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut at = 13 + palette(*bytes.get(10)?);
    let mut kept = bytes.get(..at)?.to_vec();
    loop {
        let (end, keep) = match *bytes.get(at).unwrap_or(&GIF_TRAILER) {
            GIF_TRAILER => {
                kept.push(GIF_TRAILER);
                return Some(kept);
            }
            // A frame.
            0x2c => (after_blocks(bytes, at + 11 + palette(*bytes.get(at + 9)?))?, true),
            // An extension: how a frame is shown, how often all are, or words.
            0x21 => {
                let keep = match *bytes.get(at + 1)? {
                    0xf9 => true,
                    0xff => GIF.contains(&bytes.get(at + 3..at + 14)?),
                    _ => false,
                };
                (after_blocks(bytes, at + 2)?, keep)
            }
            _ => return None,
        };
        if keep {
            kept.extend_from_slice(bytes.get(at..end)?);
        }
        at = end;
    }
}

/// How many bytes of colours follow flags that say so.
const fn palette(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Where a row of blocks ends: each is led by its length, the last is empty.
fn after_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(chunks: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in chunks {
            bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(*data);
            bytes.extend([1, 2, 3, 4]);
        }
        bytes
    }

    fn webp_of(chunks: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"WEBP".to_vec();
        for (name, data) in chunks {
            bytes.extend(name.as_bytes());
            bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            bytes.extend(*data);
            bytes.extend(vec![0; data.len() % 2]);
        }
        [b"RIFF".as_slice(), &u32::try_from(bytes.len()).unwrap().to_le_bytes(), &bytes].concat()
    }

    #[test]
    fn words_go_and_frames_stay() {
        let (ends, frame) = (("IEND", b"".as_slice()), ("fdAT", b"frame".as_slice()));
        let sent = [
            png_of(&[
                ("IHDR", b"head"),
                ("eXIf", b"where"),
                ("iTXt", b"who"),
                ("tIME", b"when"),
                frame,
                ends,
            ]),
            b"more".to_vec(),
        ]
        .concat();
        assert_eq!(strip(&sent, ImageFormat::Png), Some(png_of(&[("IHDR", b"head"), frame, ends])));

        let frame = ("ANMF", b"frame".as_slice());
        let sent = [
            webp_of(&[("VP8X", &[0b10_1110, 0, 0, 0]), ("EXIF", b"where"), frame, ("XMP ", b"who")]),
            b"more".to_vec(),
        ]
        .concat();
        assert_eq!(strip(&sent, ImageFormat::WebP), Some(webp_of(&[("VP8X", &[0b10_0010, 0, 0, 0]), frame])));
    }

    #[test]
    fn any_piece_is_stripped_or_refused_never_a_panic() {
        let whole = [
            (ImageFormat::Png, png_of(&[("IHDR", b"head"), ("IEND", b"")])),
            (ImageFormat::WebP, webp_of(&[("VP8X", &[0xff; 10]), ("VP8X", b"")])),
            (
                ImageFormat::Gif,
                [b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0".as_slice(), &[0x21, 0xff, 200]].concat(),
            ),
        ];
        for (format, bytes) in whole {
            for end in 0..=bytes.len() {
                drop(strip(bytes.get(..end).unwrap_or_default(), format));
            }
            assert_eq!(strip(b"", format), None);
        }
    }
}
