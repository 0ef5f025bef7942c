//! One dead letter, and its line in a file.
//!
//! ```text
//! line = {"time": RFC 3339, "store": text, "database": text, "policy": text, "line": line protocol, "reason": text} "\n"
//! ```

use std::fmt;
use std::str::FromStr;

use model::TimestampNs;
use serde::{Deserialize, Serialize};

use super::time;

/// Longest letter that is kept, as a line of a file, in bytes. Also what a reader holds in memory at most.
pub(super) const LETTER_MAX: usize = 64 << 20;

/// A point that a store refuses for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// When it was refused.
    #[serde(with = "time")]
    pub time: TimestampNs,
    /// Name of the store.
    pub store: String,
    /// Database it was meant for.
    pub database: String,
    /// Retention policy it was meant for.
    pub policy: String,
    /// The point in line protocol, its time in nanoseconds.
    pub line: String,
    /// Why it was refused, in the words of the store.
    pub reason: String,
}

impl Letter {
    /// Its line, with the line break.
    pub(super) fn encode(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "texts under fixed keys always have a JSON form")]
        let mut line = serde_json::to_vec(self).expect("a letter is texts under fixed keys");
        line.push(b'\n');
        line
    }
}

/// What stands in a line without its line break.
pub(super) enum Parsed {
    /// Nothing: the letter was removed.
    Blank,
    Letter(Letter),
    /// What is wrong with it.
    Damaged(String),
}

impl Parsed {
    pub(super) fn of(line: &[u8]) -> Self {
        match serde_json::from_slice(line) {
            Ok(letter) => Self::Letter(letter),
            Err(_) if line.trim_ascii().is_empty() => Self::Blank,
            Err(e) => Self::Damaged(format!("not a dead letter: {e}")),
        }
    }
}

/// Where a letter stands. Stays what it is while others are removed, and is not given to another letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId {
    /// Number of the file.
    pub file: u64,
    /// Line in it, from 1.
    pub line: u64,
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Not of the form of a [`LetterId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no dead letter: expected file and line as in 3:17")]
pub struct NoLetterId(String);

impl FromStr for LetterId {
    type Err = NoLetterId;

    fn from_str(text: &str) -> Result<Self, NoLetterId> {
        let numbers = text.split_once(':').and_then(|(file, line)| Some((file.parse().ok()?, line.parse().ok()?)));
        let (file, line) = numbers.ok_or_else(|| NoLetterId(text.to_owned()))?;
        Ok(Self { file, line })
    }
}

/// Which letters are meant. The default means all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Refused at this time or later.
    pub since: Option<TimestampNs>,
    /// Refused before this time.
    pub before: Option<TimestampNs>,
    /// Of this store.
    pub store: Option<String>,
    /// Meant for this database.
    pub database: Option<String>,
    /// Meant for this retention policy.
    pub policy: Option<String>,
    /// With this text in the reason.
    pub reason: Option<String>,
}

impl Filter {
    /// True when `letter` is meant.
    pub fn matches(&self, letter: &Letter) -> bool {
        let equal = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        self.since.is_none_or(|since| since <= letter.time)
            && self.before.is_none_or(|before| letter.time < before)
            && equal(&self.store, &letter.store)
            && equal(&self.database, &letter.database)
            && equal(&self.policy, &letter.policy)
            && self.reason.as_ref().is_none_or(|text| letter.reason.contains(text))
    }

    /// True when every letter is meant, so that damaged ones are, too.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            time: TimestampNs(1_700_000_000_000_000_001),
            store: "influxdb".to_owned(),
            database: "telemetry".to_owned(),
            policy: "autogen".to_owned(),
            line: "m,channel=1001 text=\"a\nb\" 17".to_owned(),
            reason: "field type conflict: \"text\"".to_owned(),
        }
    }

    #[test]
    fn a_letter_is_one_line_of_json_and_is_read_back() {
        let line = letter().encode();
        let expected = concat!(
            r#"{"time":"2023-11-14T22:13:20.000000001Z","store":"influxdb","database":"telemetry","policy":"autogen","#,
            r#""line":"m,channel=1001 text=\"a\nb\" 17","reason":"field type conflict: \"text\""}"#,
            "\n"
        );
        assert_eq!(String::from_utf8_lossy(&line), expected);
        assert_eq!(parsed(&line), Some(letter()));
        assert!(matches!(Parsed::of(b" \r"), Parsed::Blank));
    }

    fn parsed(line: &[u8]) -> Option<Letter> {
        if let Parsed::Letter(letter) = Parsed::of(line) { Some(letter) } else { None }
    }

    #[test]
    fn a_line_without_one_of_the_keys_is_no_letter_and_further_keys_are_passed_over() {
        let mut object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&letter().encode()).unwrap();
        object.insert("later".to_owned(), 1.into());
        assert_eq!(parsed(&serde_json::to_vec(&object).unwrap()), Some(letter()));
        for key in ["time", "store", "database", "policy", "line", "reason"] {
            let mut without = object.clone();
            without.remove(key);
            assert!(matches!(Parsed::of(&serde_json::to_vec(&without).unwrap()), Parsed::Damaged(_)), "{key}");
        }
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = LetterId { file: 3, line: 17 };
        assert_eq!((id.to_string(), "3:17".parse()), ("3:17".to_owned(), Ok(id)));
        for wrong in ["", "3", "3:", ":1", "a:1", "1:2:3", "-1:2"] {
            assert!(wrong.parse::<LetterId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_filter_takes_what_meets_all_of_its_conditions() {
        let time = letter().time;
        let (text, later) = (|text: &str| Some(text.to_owned()), Some(time.saturating_add(1)));
        let matching = [
            Filter::default(),
            Filter { since: Some(time), before: later, ..Filter::default() },
            Filter {
                store: text("influxdb"),
                database: text("telemetry"),
                policy: text("autogen"),
                ..Filter::default()
            },
            Filter { reason: text("conflict"), ..Filter::default() },
        ];
        let other = [
            Filter { since: later, ..Filter::default() },
            Filter { before: Some(time), ..Filter::default() },
            Filter { store: text("postgres"), ..Filter::default() },
            Filter { database: text("telemetr"), ..Filter::default() },
            Filter { policy: text(""), ..Filter::default() },
            Filter { reason: text("Conflict"), database: text("telemetry"), ..Filter::default() },
        ];
        assert!(matching.iter().all(|filter| filter.matches(&letter())));
        assert!(other.iter().all(|filter| !filter.matches(&letter())));
    }
}
