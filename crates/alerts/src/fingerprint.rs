//! What an alert is known by: a hash of its rule's name and its series' labels. The same on every machine and in every version, since
//! it is in files, and in the ids that receivers compare.

use std::fmt;

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::Labels;

/// Bytes of the hash that are kept.
const KEPT: usize = 8;

/// 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a rule and a series.
    pub fn of(rule: &str, series: &Labels) -> Self {
        let pairs = series.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
        Self(hash(std::iter::once(rule).chain(pairs)))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// First digits of SHA-256 over texts; each with its length, so that no two lists have the same bytes.
pub(crate) fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut context = Context::new(&SHA256);
    for text in texts {
        context.update(&(text.len() as u64).to_le_bytes());
        context.update(text.as_bytes());
    }
    context.finish().as_ref().iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_fingerprint_never_changes() {
        assert_eq!(Fingerprint::of("hot", &labels(&[("host", "a")])).as_str(), "c034dd37bbb41e45");
    }

    #[test]
    fn rules_and_series_have_their_own() {
        let all = [
            Fingerprint::of("hot", &labels(&[])),
            Fingerprint::of("hot", &labels(&[("a", "bc")])),
            Fingerprint::of("hot", &labels(&[("ab", "c")])),
            Fingerprint::of("hot", &labels(&[("a", "b"), ("c", "d")])),
            Fingerprint::of("ho", &labels(&[("t", "")])),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
