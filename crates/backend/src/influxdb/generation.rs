//! The three generations of InfluxDB, which have little in common but line protocol.

use std::fmt;

/// Which InfluxDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// 1.x: databases, retention policies, InfluxQL.
    V1,
    /// 2.x: organisations, buckets, tokens, Flux.
    V2,
    /// 3.x: databases, tokens, SQL and InfluxQL.
    V3,
}

impl Generation {
    /// 1, 2 or 3.
    pub fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The one with this number.
    pub fn of(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            _ => None,
        }
    }

    /// That of a version such as `1.6.7~rc0` or `v2.7.1`. A version 0 is what a 1.x built from source may say.
    pub fn of_version(version: &str) -> Option<Self> {
        let (major, _) = version.trim_start_matches('v').split_once('.')?;
        match major.parse().ok()? {
            0 => Some(Self::V1),
            number => Self::of(number),
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_version_decides() {
        for (version, expected) in [
            ("1.6.7~rc0", Some(Generation::V1)),
            ("1.8.10", Some(Generation::V1)),
            ("v2.7.1", Some(Generation::V2)),
            ("2.0.0-rc.1", Some(Generation::V2)),
            ("3.0.1", Some(Generation::V3)),
            ("nightly", None),
            ("10.1", None),
            ("", None),
        ] {
            assert_eq!(Generation::of_version(version), expected, "{version}");
        }
    }
}
