//! Floats as Go prints them: as short as they can be read back exactly, whole ones without `.0`. JSON has the exponent form
//! below 1e-6 and from 1e21 (`1e-7`, `1.5e+300`), CSV never.

/// Magnitudes in which the printer beneath never uses an exponent.
const PLAIN: std::ops::Range<f64> = 1e-4..1e15;
/// Magnitudes in which JSON has no exponent.
const PLAIN_JSON: std::ops::Range<f64> = 1e-6..1e21;

/// Appends a float as JSON; null where JSON has no word for it.
pub(super) fn write_json(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        out.extend_from_slice(b"null");
    } else if value == 0.0 || PLAIN.contains(&value.abs()) {
        write_short(out, value);
    } else if PLAIN_JSON.contains(&value.abs()) {
        Digits::of(value).write_plain(out);
    } else {
        Digits::of(value).write_exponent(out);
    }
}

/// Appends a finite float without an exponent; nothing for another.
pub(super) fn write_plain(out: &mut Vec<u8>, value: f64) {
    if value == 0.0 || PLAIN.contains(&value.abs()) {
        write_short(out, value);
    } else if value.is_finite() {
        Digits::of(value).write_plain(out);
    }
}

fn write_short(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

/// A float taken apart: 0.DIGITS times ten to the power `point`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits {
    negative: bool,
    /// Without zeros at either end, unless it is just one.
    digits: String,
    point: i32,
}

impl Digits {
    /// `value` must be finite and not zero.
    fn of(value: f64) -> Self {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading = all.len() - significant.len();
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let point = exponent + whole.len() as i32 - leading as i32;
        Self { negative: value < 0.0, digits: significant.trim_end_matches('0').to_owned(), point }
    }

    fn write_sign(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
    }

    fn write_plain(&self, out: &mut Vec<u8>) {
        self.write_sign(out);
        let Ok(before) = usize::try_from(self.point) else {
            out.extend_from_slice(b"0.");
            zeros(out, self.point.unsigned_abs() as usize);
            return out.extend_from_slice(self.digits.as_bytes());
        };
        if before == 0 {
            out.extend_from_slice(b"0.");
        }
        match self.digits.split_at_checked(before) {
            Some((whole, "")) => out.extend_from_slice(whole.as_bytes()),
            Some((whole, fraction)) => {
                out.extend_from_slice(whole.as_bytes());
                if before > 0 {
                    out.push(b'.');
                }
                out.extend_from_slice(fraction.as_bytes());
            }
            None => {
                out.extend_from_slice(self.digits.as_bytes());
                zeros(out, before - self.digits.len());
            }
        }
    }

    fn write_exponent(&self, out: &mut Vec<u8>) {
        self.write_sign(out);
        let (first, rest) = self.digits.split_at_checked(1).unwrap_or((&self.digits, ""));
        out.extend_from_slice(first.as_bytes());
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest.as_bytes());
        }
        let exponent = self.point - 1;
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        out.extend_from_slice(itoa::Buffer::new().format(exponent.unsigned_abs()).as_bytes());
    }
}

fn zeros(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, b'0');
}

/// Appends an integer.
pub(super) fn write_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(value: f64) -> (String, String) {
        let (mut json, mut plain) = (Vec::new(), Vec::new());
        write_json(&mut json, value);
        write_plain(&mut plain, value);
        (String::from_utf8(json).unwrap(), String::from_utf8(plain).unwrap())
    }

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        let cases = [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (25.0, "25", "25"),
            (-0.5, "-0.5", "-0.5"),
            (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
            (0.0001, "0.0001", "0.0001"),
            (0.000012, "0.000012", "0.000012"),
            (1e-6, "0.000001", "0.000001"),
            (-1e-7, "-1e-7", "-0.0000001"),
            (1.25e-9, "1.25e-9", "0.00000000125"),
            (1e15, "1000000000000000", "1000000000000000"),
            (123456789012345680.0, "123456789012345680", "123456789012345680"),
            (1e20, "100000000000000000000", "100000000000000000000"),
            (-1e21, "-1e+21", "-1000000000000000000000"),
            (9007199254740993.0, "9007199254740992", "9007199254740992"),
            (1234567890123456.7, "1234567890123456.8", "1234567890123456.8"),
        ];
        for (value, json, plain) in cases {
            assert_eq!(both(value), (json.to_owned(), plain.to_owned()), "{value:e}");
        }
        assert_eq!(both(1.5e300).0, "1.5e+300");
        assert_eq!(both(5e-324).0, "5e-324");
        assert_eq!(both(f64::MAX).0, "1.7976931348623157e+308");
        assert_eq!(both(1.5e300).1.len(), 301);
    }

    #[test]
    fn what_is_no_number_is_null_or_nothing() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(both(value), ("null".to_owned(), String::new()));
        }
    }

    #[test]
    fn every_magnitude_reads_back_as_what_it_was() {
        for exponent in -320..=308 {
            for digits in ["1", "-1.7976931348623157", "4.25", "9.999999999999999"] {
                let Ok(value) = format!("{digits}e{exponent}").parse::<f64>() else { continue };
                if value.is_finite() {
                    let (json, plain) = both(value);
                    assert_eq!((json.parse(), plain.parse()), (Ok(value), Ok(value)), "{json} {plain}");
                }
            }
        }
    }
}
