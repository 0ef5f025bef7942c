//! Sizes and lengths of time as people write them: `64MiB`, `1h30m`. Used by the configuration, by InfluxQL and in
//! messages. What is displayed is exact and can be read back.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// A length of time, written with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HumanDuration(pub Duration);

/// Why a text is no size or duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not of the form of a size.
    #[error("`{0}` is not a size: expected a number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 64MiB or 1.5GB")]
    Size(String),
    /// Not of the form of a duration.
    #[error(
        "`{0}` is not a duration: expected numbers with a unit of ns, u, us, ms, s, m, h, d or w, as in 100ms or 1h30m"
    )]
    Duration(String),
    /// Of the right form, but larger than can be kept.
    #[error("`{text}` is too large: expected at most {limit}")]
    TooLarge {
        /// What was given.
        text: String,
        /// The largest that can be kept.
        limit: &'static str,
    },
}

/// Largest first, so that the first exact one is the one displayed.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Largest first, so that the first exact one is the one displayed; the spelling displayed comes before its synonyms.
const DURATION_UNITS: [(&str, u64); 11] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("u", 1_000),
    ("µs", 1_000),
    ("µ", 1_000),
    ("ns", 1),
];

/// Digits after the point of a size that are looked at; a tenth of one byte is far below them.
const MAX_FRACTION_DIGITS: usize = 15;

impl FromStr for ByteSize {
    type Err = UnitError;

    /// A number with an optional fraction, optional spaces, and a unit (bytes when left out). Rounds down to whole
    /// bytes.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let wrong = || UnitError::Size(text.to_owned());
        let (number, unit) = split_number(text.trim());
        let unit_bytes = size_unit(unit.trim_start()).ok_or_else(wrong)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.len() > MAX_FRACTION_DIGITS || fraction.contains('.') {
            return Err(wrong());
        }
        let too_large = || UnitError::TooLarge { text: text.to_owned(), limit: "16777215TiB" };
        let whole: u64 = whole.parse().map_err(|_| too_large())?;
        let part: u128 = fraction.parse().map_err(|_| wrong())?;
        let part = part * u128::from(unit_bytes) / 10u128.pow(fraction.len() as u32);
        let bytes = u128::from(whole) * u128::from(unit_bytes) + part;
        u64::try_from(bytes).map(Self).map_err(|_| too_large())
    }
}

fn size_unit(word: &str) -> Option<u64> {
    match word {
        "" => Some(1),
        "KB" => Some(1_000),
        _ => SIZE_UNITS.iter().find(|(name, _)| *name == word).map(|&(_, bytes)| bytes),
    }
}

/// The leading digits and points, and the rest.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

impl FromStr for HumanDuration {
    type Err = UnitError;

    /// The grammar of [`parse_duration_ns`].
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_duration_ns(text).map(|ns| Self(Duration::from_nanos(ns.unsigned_abs())))
    }
}

/// Nanoseconds of a duration: one or more of a whole number with a unit (`ns u us µ µs ms s m h d w`), which are added
/// up, or a bare `0`. The result is never negative.
///
/// # Errors
/// [`UnitError`] when the text has another form, or the sum exceeds what an `i64` holds (292 years).
pub fn parse_duration_ns(text: &str) -> Result<i64, UnitError> {
    if text == "0" {
        return Ok(0);
    }
    let wrong = || UnitError::Duration(text.to_owned());
    let too_large = || UnitError::TooLarge { text: text.to_owned(), limit: "106751d" };
    let mut total = 0i64;
    let mut rest = text;
    loop {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
        let (unit, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let &(_, unit_ns) = DURATION_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        if number.is_empty() {
            return Err(wrong());
        }
        let number: i64 = number.parse().map_err(|_| too_large())?;
        let part = number.checked_mul(unit_ns.cast_signed()).ok_or_else(too_large)?;
        total = total.checked_add(part).ok_or_else(too_large)?;
        rest = next;
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

impl fmt::Display for ByteSize {
    /// In the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_exact(f, u128::from(self.0), &SIZE_UNITS, "0B")
    }
}

impl fmt::Display for HumanDuration {
    /// In the largest unit that divides it: 90 minutes are `90m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_exact(f, self.0.as_nanos(), &DURATION_UNITS, "0s")
    }
}

fn write_exact(f: &mut fmt::Formatter<'_>, value: u128, units: &[(&str, u64)], zero: &str) -> fmt::Result {
    let exact = units.iter().find(|(_, size)| value.is_multiple_of(u128::from(*size)));
    match exact {
        Some((unit, size)) if value > 0 => write!(f, "{}{unit}", value / u128::from(*size)),
        _ => f.write_str(zero),
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a size as in 64MiB, or a number of bytes";
        deserializer
            .deserialize_any(TextOrInteger { expected })
            .and_then(|text| text.parse().map_err(de::Error::custom))
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a duration with its unit, as in 100ms or 1h30m";
        deserializer
            .deserialize_any(TextOrInteger { expected })
            .and_then(|text| text.parse().map_err(de::Error::custom))
    }
}

/// Takes a text as it is and an integer as its digits, so that one grammar decides about both.
struct TextOrInteger {
    expected: &'static str,
}

impl<'de> Visitor<'de> for TextOrInteger {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_borrowed_str<E: de::Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_string()))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, I64Deserializer, StrDeserializer};

    fn size(text: &str) -> Result<u64, UnitError> {
        text.parse::<ByteSize>().map(|s| s.0)
    }

    #[test]
    fn sizes_have_decimal_and_binary_units_and_fractions() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("32MB"), Ok(32_000_000));
        assert_eq!(size("64 MiB"), Ok(64 << 20));
        assert_eq!(size("1.5GB"), Ok(1_500_000_000));
        assert_eq!(size("0.1GiB"), Ok(107_374_182));
        assert_eq!(size("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn a_wrong_size_is_refused_and_the_message_says_what_was_expected() {
        for text in ["", "MB", "1.MB", ".5MB", "1.2.3MB", "-1", "1 M B", "12mb", "1e3"] {
            assert_eq!(size(text), Err(UnitError::Size(text.to_owned())), "{text}");
        }
        assert!(matches!(size("16777216TiB"), Err(UnitError::TooLarge { .. })));
        assert!(matches!(size("99999999999999999999"), Err(UnitError::TooLarge { .. })));
        assert!(size("5x").unwrap_err().to_string().contains("expected a number and B, kB"));
    }

    #[test]
    fn durations_add_up_their_parts() {
        assert_eq!(parse_duration_ns("1h30m"), Ok(5_400_000_000_000));
        assert_eq!(parse_duration_ns("7d"), parse_duration_ns("1w"));
        assert_eq!(parse_duration_ns("1s500ms"), Ok(1_500_000_000));
        assert_eq!(parse_duration_ns("3us2u1µs1µ5ns"), Ok(7_005));
        assert_eq!(parse_duration_ns("0"), Ok(0));
    }

    #[test]
    fn a_duration_without_unit_or_with_an_unknown_one_is_refused() {
        for text in ["", "5", "h", "1h30", "-1h", "1.5h", "1y", "1 h", "1M", "00"] {
            assert_eq!(parse_duration_ns(text), Err(UnitError::Duration(text.to_owned())), "{text}");
        }
        assert!(matches!(parse_duration_ns("106752d"), Err(UnitError::TooLarge { .. })));
        assert!(matches!(parse_duration_ns("106751d106751d"), Err(UnitError::TooLarge { .. })));
    }

    #[test]
    fn the_largest_exact_unit_is_displayed() {
        assert_eq!(ByteSize(64 << 20).to_string(), "64MiB");
        assert_eq!(ByteSize(32_000_000).to_string(), "32MB");
        assert_eq!(ByteSize(1001).to_string(), "1001B");
        assert_eq!(ByteSize(0).to_string(), "0B");
        assert_eq!(HumanDuration(Duration::from_secs(5400)).to_string(), "90m");
        assert_eq!(HumanDuration(Duration::from_micros(1500)).to_string(), "1500us");
        assert_eq!(HumanDuration(Duration::ZERO).to_string(), "0s");
    }

    #[test]
    fn integers_are_bytes_but_no_durations() {
        let number = |n: i64| -> I64Deserializer<Error> { n.into_deserializer() };
        let text = |t: &'static str| -> StrDeserializer<'static, Error> { t.into_deserializer() };
        assert_eq!(ByteSize::deserialize(number(4096)), Ok(ByteSize(4096)));
        assert_eq!(ByteSize::deserialize(text("4KiB")), Ok(ByteSize(4096)));
        assert!(ByteSize::deserialize(number(-1)).is_err());
        assert_eq!(HumanDuration::deserialize(number(0)), Ok(HumanDuration(Duration::ZERO)));
        assert_eq!(HumanDuration::deserialize(text("2s")), Ok(HumanDuration(Duration::from_secs(2))));
        assert!(HumanDuration::deserialize(number(5)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_read_back(value in any::<u64>()) {
            prop_assert_eq!(size(&ByteSize(value).to_string()), Ok(value));
            let ns = (value >> 1).cast_signed();
            let shown = HumanDuration(Duration::from_nanos(value >> 1)).to_string();
            prop_assert_eq!(parse_duration_ns(&shown), Ok(ns));
        }
    }
}
