//! Numbers, texts and the heads of lists, each in the smallest form that holds it.

/// Head of a list with a count of four bytes.
pub(super) const ARRAY_32: u8 = 0xdd;
/// Head of a map with a count of four bytes.
pub(super) const MAP_32: u8 = 0xdf;

/// The head of a list.
pub(super) fn write_list_head(out: &mut Vec<u8>, len: usize) {
    match u8::try_from(len) {
        Ok(few @ ..16) => out.push(0x90 | few),
        _ => write_head(out, ARRAY_32, len),
    }
}

/// A kind and a length of four bytes; what an answer may hold is far below what these count.
pub(super) fn write_head(out: &mut Vec<u8>, kind: u8, len: usize) {
    out.push(kind);
    out.extend_from_slice(&(len as u32).to_be_bytes());
}

/// A text.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(few @ ..32) => out.push(0xa0 | few),
        Ok(len) => out.extend_from_slice(&[0xd9, len]),
        Err(_) => write_head(out, 0xdb, text.len()),
    }
    out.extend_from_slice(text.as_bytes());
}

/// An integer, signed.
pub(super) fn write_integer(out: &mut Vec<u8>, value: i64) {
    if let Ok(small @ -32..) = i8::try_from(value) {
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(v) = i8::try_from(value) {
        out.push(0xd0);
        out.extend_from_slice(&v.to_be_bytes());
    } else if let Ok(v) = i16::try_from(value) {
        out.push(0xd1);
        out.extend_from_slice(&v.to_be_bytes());
    } else if let Ok(v) = i32::try_from(value) {
        out.push(0xd2);
        out.extend_from_slice(&v.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// An unsigned integer; signed where it fits, as InfluxDB has it.
pub(super) fn write_unsigned(out: &mut Vec<u8>, value: u64) {
    match i64::try_from(value) {
        Ok(small) => write_integer(out, small),
        Err(_) => {
            out.push(0xcf);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_can_be() {
        let bytes = |value| {
            let mut out = Vec::new();
            write_integer(&mut out, value);
            out
        };
        for (value, expected) in [
            (127, b"\x7f".as_slice()),
            (128, b"\xd1\0\x80"),
            (-32, b"\xe0"),
            (-33, b"\xd0\xdf"),
            (40_000, b"\xd2\0\0\x9c\x40"),
            (i64::MIN, b"\xd3\x80\0\0\0\0\0\0\0"),
        ] {
            assert_eq!(bytes(value), expected, "{value}");
        }
        let mut out = Vec::new();
        write_unsigned(&mut out, u64::MAX);
        assert_eq!(out, [0xcf, 255, 255, 255, 255, 255, 255, 255, 255]);
        let mut out = Vec::new();
        write_text(&mut out, &"x".repeat(300));
        assert!(out.starts_with(b"\xdb\0\0\x01\x2cx") && out.len() == 305);
    }
}
