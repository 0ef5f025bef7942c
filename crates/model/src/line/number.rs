//! Decimal numbers: integers eight digits at a time, floats by `fast_float2`.

use super::LineErrorKind;

/// A number of one of the three types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
}

/// A run of decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    /// How many.
    pub(super) len: usize,
    /// What they stand for; `None` beyond 64 bits.
    pub(super) value: Option<u64>,
}

/// The number at the start of `text` and its length. What follows is not looked at.
#[inline(always)]
pub(super) fn number(text: &[u8]) -> Result<(Number, usize), LineErrorKind> {
    let (negative, unsigned_text) = split_sign(text);
    let digits = scan_digits(unsigned_text);
    let len = digits.len + usize::from(negative);
    match (text.get(len), digits.value) {
        (Some(b'i'), _) if digits.len > 0 => integer(negative, digits).map(|v| (Number::Integer(v), len + 1)),
        (Some(b'u'), _) if digits.len == 0 || negative => Err(LineErrorKind::InvalidNumber),
        (Some(b'u'), Some(v)) => Ok((Number::Unsigned(v), len + 1)),
        (Some(b'u'), None) => Err(LineErrorKind::IntegerOutOfRange),
        _ => float(text).map(|(v, len)| (Number::Float(v), len)),
    }
}

#[inline]
fn float(text: &[u8]) -> Result<(f64, usize), LineErrorKind> {
    // A minus must be followed by a number here, not by `inf`.
    if matches!(text, [b'-', other, ..] if !other.is_ascii_digit() && *other != b'.') {
        return Err(LineErrorKind::InvalidNumber);
    }
    let (value, len) = fast_float2::parse_partial::<f64, _>(text).map_err(|_| LineErrorKind::InvalidNumber)?;
    if value.is_finite() { Ok((value, len)) } else { Err(LineErrorKind::FloatOutOfRange) }
}

#[inline]
pub(super) fn integer(negative: bool, digits: Digits) -> Result<i64, LineErrorKind> {
    let magnitude = digits.value.ok_or(LineErrorKind::IntegerOutOfRange)?;
    let value = if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    value.ok_or(LineErrorKind::IntegerOutOfRange)
}

/// True and the rest when a minus stands first.
#[inline]
pub(super) fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    }
}

/// The digits at the start of `text`.
#[inline]
pub(super) fn scan_digits(text: &[u8]) -> Digits {
    let mut rest = text;
    let mut value = Some(0u64);
    while let Some((chunk, after)) = rest.split_first_chunk() {
        let Some(eight) = eight_digits(*chunk) else { break };
        value = value.and_then(|v| v.checked_mul(100_000_000)).and_then(|v| v.checked_add(eight));
        rest = after;
    }
    while let Some((&b @ b'0'..=b'9', after)) = rest.split_first() {
        value = value.and_then(|v| v.checked_mul(10)).and_then(|v| v.checked_add(u64::from(b - b'0')));
        rest = after;
    }
    Digits { len: text.len() - rest.len(), value }
}

/// Eight decimal digits, the first worth most; `None` when one of them is no digit.
///
/// All eight are handled inside one word: neighbours are joined to pairs, then pairs to halves, then the halves.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let digits = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    // A byte above 9 carries into its high bit; one above 0x7f has it set already.
    if (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let halves = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((halves & 0xffff) * 10_000 + (halves >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_run_of_digits_ends_at_the_first_other_byte() {
        assert_eq!(scan_digits(b""), Digits { len: 0, value: Some(0) });
        assert_eq!(scan_digits(b"12345678 "), Digits { len: 8, value: Some(12_345_678) });
        assert_eq!(scan_digits(b"1795132800000000000\n"), Digits { len: 19, value: Some(1_795_132_800_000_000_000) });
        assert_eq!(scan_digits(b"18446744073709551616"), Digits { len: 20, value: None });
        assert_eq!(scan_digits(b"1234567:"), Digits { len: 7, value: Some(1_234_567) });
    }

    proptest! {
        #[test]
        fn digits_are_read_as_the_standard_library_does(value in any::<u64>(), zeros in 0usize..20, tail in "[^0-9]{0,9}") {
            let text = format!("{}{value}{tail}", "0".repeat(zeros));
            prop_assert_eq!(scan_digits(text.as_bytes()), Digits { len: text.len() - tail.len(), value: Some(value) });
        }

        #[test]
        fn any_byte_that_is_no_digit_is_found(mut text in prop::array::uniform8(b'0'..=b'9'), at in 0usize..8, byte: u8) {
            text[at] = byte;
            prop_assert_eq!(eight_digits(text).is_some(), byte.is_ascii_digit());
        }
    }
}
