//! Numbers as text. Their digits are copied, not computed: what is read from the line is what stood in the file.

use crate::print;

/// How numbers are written.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    decimal: u8,
    /// Passed over between digits.
    thousands: Option<Vec<u8>>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { decimal: b'.', thousands: None }
    }
}

/// Digits of a number without an exponent that cannot be beyond the largest float.
const SAFE_DIGITS: usize = 300;

impl Numbers {
    /// # Errors
    /// A sentence for signs that cannot be.
    pub(crate) fn new(decimal: char, thousands: Option<char>) -> Result<Self, String> {
        if !matches!(decimal, '.' | ',') {
            return Err(format!("`{decimal}` is no decimal sign: expected `.` or `,`"));
        }
        if thousands.is_some_and(|sign| sign == decimal || sign.is_ascii_alphanumeric() || matches!(sign, '-' | '+')) {
            return Err(
                "the sign between thousands must be another one than the decimal sign, and no letter, digit or sign"
                    .to_owned(),
            );
        }
        let thousands = thousands.map(|sign| sign.to_string().into_bytes());
        Ok(Self { decimal: decimal as u8, thousands })
    }

    /// Appends a float; `None`, and nothing is appended, for what is no finite number.
    #[inline]
    pub(crate) fn put_float(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let start = out.len();
        self.put_plain(text, out)?;
        let number = out.get(start..).unwrap_or_default();
        let is_float = match shape(number) {
            Some(Shape { has_exponent: false, .. }) if number.len() <= SAFE_DIGITS => true,
            Some(_) => fast_float2::parse::<f64, _>(number).is_ok_and(f64::is_finite),
            None => false,
        };
        if !is_float {
            out.truncate(start);
        }
        is_float.then_some(())
    }

    /// Appends an integer with its `i`; also one with a fraction of zeros, as some programs write them.
    pub(crate) fn put_integer(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let value: i64 = self.whole(text)?;
        print::put_integer(out, value);
        out.push(b'i');
        Some(())
    }

    /// Appends an unsigned integer with its `u`.
    pub(crate) fn put_unsigned(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let value: u64 = self.whole(text)?;
        print::put_integer(out, value);
        out.push(b'u');
        Some(())
    }

    fn whole<T: std::str::FromStr>(&self, text: &[u8]) -> Option<T> {
        let mut plain = Vec::new();
        self.put_plain(text, &mut plain)?;
        let Shape { point, has_exponent: false } = shape(&plain)? else { return None };
        let (whole, fraction) = plain.split_at_checked(point)?;
        let is_whole = fraction.iter().skip(1).all(|digit| *digit == b'0');
        if is_whole { std::str::from_utf8(whole).ok()?.parse().ok() } else { None }
    }

    /// Appends the number with `.` as decimal sign, and without `+` and signs between thousands.
    #[inline]
    fn put_plain(&self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let text = text.strip_prefix(b"+").filter(|rest| rest.first() != Some(&b'-')).unwrap_or(text);
        if self.decimal == b'.' && self.thousands.is_none() {
            out.extend_from_slice(text);
            return Some(());
        }
        let mut rest = text;
        let (mut in_fraction, mut has_groups) = (false, false);
        while let Some((byte, after)) = rest.split_first() {
            let sign = self.thousands.as_deref().filter(|_| !in_fraction).unwrap_or_default();
            if let Some(behind) = rest.strip_prefix(sign).filter(|_| !sign.is_empty()) {
                // Only between digits, and before three of them: `1.5` is no 15.
                let before = out.iter().rev().take_while(|b| b.is_ascii_digit()).count();
                let is_head = if has_groups { before > 0 } else { (1..=3).contains(&before) };
                if !(is_head && is_group(behind, sign)) {
                    return None;
                }
                has_groups = true;
                rest = behind;
                continue;
            }
            match *byte {
                b if b == self.decimal => {
                    in_fraction = true;
                    out.push(b'.');
                }
                b'.' => return None,
                b => out.push(b),
            }
            rest = after;
        }
        Some(())
    }
}

/// Whether a text can stand behind a sign between thousands: it begins with three digits, or with two and another sign, as in India.
fn is_group(text: &[u8], sign: &[u8]) -> bool {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let is_last = || !text.get(digits..).unwrap_or_default().starts_with(sign);
    digits == 3 || digits == 2 && !is_last()
}

/// What a decimal number looks like.
struct Shape {
    /// Where its decimal point is, or its end.
    point: usize,
    has_exponent: bool,
}

/// `None` for what is no decimal number as line protocol spells it.
#[inline]
fn shape(text: &[u8]) -> Option<Shape> {
    let digits = |from: usize| text.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let start = usize::from(text.first() == Some(&b'-'));
    let whole = digits(start);
    let point = start + whole;
    let mut end = point;
    let mut count = whole;
    if text.get(point) == Some(&b'.') {
        let fraction = digits(point + 1);
        count += fraction;
        end = point + 1 + fraction;
    }
    let mut has_exponent = false;
    if let Some(b'e' | b'E') = text.get(end) {
        has_exponent = true;
        let sign = usize::from(matches!(text.get(end + 1), Some(b'-' | b'+')));
        let exponent = digits(end + 1 + sign);
        if exponent == 0 {
            return None;
        }
        end += 1 + sign + exponent;
    }
    (count > 0 && end == text.len()).then_some(Shape { point, has_exponent })
}

/// True for a finite number.
pub(crate) fn is_number(text: &[u8], numbers: &Numbers) -> bool {
    numbers.put_float(text, &mut Vec::new()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(numbers: &Numbers, text: &str) -> Option<String> {
        let mut out = Vec::new();
        numbers.put_float(text.as_bytes(), &mut out)?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn digits_are_copied() {
        let numbers = Numbers::default();
        for text in ["0", "-1.50", "1.", ".5", "-.5", "1e-7", "1.5E+3", "00012", "123456789012345678901234567890"] {
            assert_eq!(float(&numbers, text).as_deref(), Some(text));
        }
        assert_eq!(float(&numbers, "+1").as_deref(), Some("1"));
        for text in ["", "-", ".", "e1", "1e", "1e+", "1.2.3", "0x1", "1,5", "inf", "nan", "1e999", "+-1", "--1", "1 2"]
        {
            assert_eq!(float(&numbers, text), None, "{text}");
        }
        assert_eq!(float(&numbers, &"9".repeat(400)), None);
    }

    #[test]
    fn decimal_commas_and_thousands_are_read() {
        let german = Numbers::new(',', Some('.')).unwrap();
        assert_eq!(float(&german, "-1.234.567,89").as_deref(), Some("-1234567.89"));
        assert_eq!(float(&german, "0,5").as_deref(), Some("0.5"));
        let plain = Numbers::new(',', None).unwrap();
        assert_eq!(float(&plain, "1.5"), None);
        let french = Numbers::new(',', Some('\u{a0}')).unwrap();
        assert_eq!(float(&french, "1\u{a0}234,5").as_deref(), Some("1234.5"));
        let english = Numbers::new('.', Some(',')).unwrap();
        assert_eq!(float(&english, "1,234.5").as_deref(), Some("1234.5"));
        assert_eq!(float(&english, "12,34,567").as_deref(), Some("1234567"));
        for text in [",5", "1,", "1,,2", "1.2,3", "1,5", "1,23", "1,2345", "12,34", "1234,567"] {
            assert_eq!(float(&english, text), None, "{text}");
        }
        assert!(Numbers::new(';', None).is_err() && Numbers::new(',', Some(',')).is_err());
    }

    #[test]
    fn integers_keep_to_their_limits() {
        let numbers = Numbers::default();
        let integer = |text: &str| {
            let mut out = Vec::new();
            numbers.put_integer(text.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(integer("-9223372036854775808").as_deref(), Some("-9223372036854775808i"));
        assert_eq!(integer("5.0").as_deref(), Some("5i"));
        assert_eq!(integer("+5").as_deref(), Some("5i"));
        for text in ["9223372036854775808", "5.5", "1e3", "", "-", ".0", "x"] {
            assert_eq!(integer(text), None, "{text}");
        }
        let mut out = Vec::new();
        assert!(numbers.put_unsigned(b"18446744073709551615", &mut out).is_some());
        assert!(numbers.put_unsigned(b"-1", &mut out).is_none());
        assert_eq!(out, b"18446744073709551615u");
    }
}
