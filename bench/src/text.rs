//! Numbers as text, appended to a byte buffer without going through `format!`.

/// Appends `value` in decimal.
pub fn push_uint(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// Appends `micro` millionths with all six decimals: `-1500000` becomes `-1.500000`.
pub fn push_micro(out: &mut Vec<u8>, micro: i64) {
    if micro < 0 {
        out.push(b'-');
    }
    let magnitude = micro.unsigned_abs();
    push_uint(out, magnitude / 1_000_000);
    out.push(b'.');
    for place in [100_000, 10_000, 1_000, 100, 10, 1] {
        out.push(b'0' + (magnitude / place % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_print_as_format_would() {
        for value in [0, 7, 10, 1_795_132_800_000_000_000, u64::MAX] {
            let mut out = b"x=".to_vec();
            push_uint(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), format!("x={value}"));
        }
    }

    #[test]
    fn millionths_print_with_six_decimals_and_their_sign() {
        for (micro, text) in [(0, "0.000000"), (25_123_456, "25.123456"), (-1_500_000, "-1.500000"), (-1, "-0.000001")]
        {
            let mut out = Vec::new();
            push_micro(&mut out, micro);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
