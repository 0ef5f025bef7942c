//! Columns of texts: lengths and bytes, packed by zstd where that helps.
//!
//! ```text
//! 0 plain  | body
//! 1 packed | body length:varint | zstd(body)
//! body = (length:varint)* | all bytes
//! ```

use model::Strings;
use model::wire::{Cursor, put_varint};

use super::DecodeError;

const PLAIN: u8 = 0;
const PACKED: u8 = 1;
const ZSTD_LEVEL: i32 = 3;
/// Longest body unpacked, in bytes: a chunk of the largest texts stays far below.
const BODY_MAX: u64 = 1 << 30;

/// Appends the encoded texts.
pub(super) fn encode(texts: &Strings, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    texts.iter().for_each(|t| put_varint(&mut body, t.len() as u64));
    texts.iter().for_each(|t| body.extend_from_slice(t.as_bytes()));
    match zstd::bulk::compress(&body, ZSTD_LEVEL) {
        Ok(packed) if packed.len() + 8 < body.len() => {
            out.push(PACKED);
            put_varint(out, body.len() as u64);
            out.extend_from_slice(&packed);
        }
        _ => {
            out.push(PLAIN);
            out.extend_from_slice(&body);
        }
    }
}

/// The inverse of [`encode`] for `count` texts.
pub(super) fn decode(bytes: &[u8], count: usize) -> Result<Strings, DecodeError> {
    let mut r = Cursor(bytes);
    match r.byte()? {
        PLAIN => decode_body(r.0, count),
        PACKED => {
            let len = r.varint()?;
            if len > BODY_MAX {
                return Err(DecodeError(format!("texts of {len} bytes")));
            }
            let body = zstd::bulk::decompress(r.0, len as usize).map_err(|e| DecodeError(e.to_string()))?;
            decode_body(&body, count)
        }
        other => Err(DecodeError(format!("unknown text encoding {other}"))),
    }
}

fn decode_body(body: &[u8], count: usize) -> Result<Strings, DecodeError> {
    let mut r = Cursor(body);
    let lengths = (0..count).map(|_| r.varint()).collect::<Result<Vec<_>, _>>()?;
    let mut texts = Strings::default();
    for len in lengths {
        let text =
            std::str::from_utf8(r.take(len as usize)?).map_err(|_| DecodeError("text is not UTF-8".to_owned()))?;
        texts.push(text);
    }
    Ok(texts)
}
