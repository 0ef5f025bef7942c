//! How times are written in a file, as the user says it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Unit;

/// How times are written: `auto`, `rfc3339`, a unit of a number since 1970 (`s`, `ms`, `us`, `ns`), or a pattern such as `%d/%m/%Y %H:%M:%S`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum TimeFormat {
    /// Found out from the first records. A form that could mean two times, such as 01/02/2024, is refused.
    #[default]
    Auto,
    /// As in RFC 3339; also with a blank for `T`, without seconds, without offset, and a date alone.
    Rfc3339,
    /// Units since 1970-01-01T00:00:00Z, with or without a fraction.
    Epoch(Unit),
    /// Directives of strptime. Numbers may lack leading zeros.
    Pattern(String),
}

impl FromStr for TimeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "rfc3339" | "RFC3339" | "iso8601" => Self::Rfc3339,
            "s" => Self::Epoch(Unit::S),
            "ms" => Self::Epoch(Unit::Ms),
            "us" => Self::Epoch(Unit::Us),
            "ns" => Self::Epoch(Unit::Ns),
            pattern if pattern.contains('%') => Self::Pattern(pattern.to_owned()),
            _ => {
                return Err(format!(
                    "`{text}` is no time format: expected auto, rfc3339, s, ms, us, ns, or a pattern such as %d/%m/%Y %H:%M:%S"
                ));
            }
        })
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Rfc3339 => "rfc3339",
            Self::Epoch(Unit::S) => "s",
            Self::Epoch(Unit::Ms) => "ms",
            Self::Epoch(Unit::Us) => "us",
            Self::Epoch(Unit::Ns) => "ns",
            Self::Pattern(pattern) => pattern,
        })
    }
}

impl TryFrom<String> for TimeFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TimeFormat> for String {
    fn from(format: TimeFormat) -> Self {
        format.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_they_are_shown() {
        for text in ["auto", "rfc3339", "s", "ms", "us", "ns", "%d.%m.%Y"] {
            assert_eq!(text.parse::<TimeFormat>().unwrap().to_string(), text);
        }
        assert!("dd/mm/yyyy".parse::<TimeFormat>().is_err());
    }
}
