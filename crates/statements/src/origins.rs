//! Where an answer came from, in sentences: what the cache did, then each stretch of time with the tier that was read there.
//!
//! ```text
//! cache: partial
//! hourly: 2024-01-01T00:00:00Z to 2024-06-01T00:00:00Z
//! raw: 2024-06-01T00:00:00Z to 2024-06-01T00:17:00Z, older values are no longer kept
//! ```

use query::{Provenance, Report};

use crate::time::rfc3339;

/// All of it.
pub(crate) fn sentences(report: &Report) -> Vec<String> {
    std::iter::once(format!("cache: {}", report.cache.name())).chain(stretches(report)).collect()
}

/// The stretches that were read; what came out of the cache was not, and has none.
pub(crate) fn stretches(report: &Report) -> impl Iterator<Item = String> {
    report.provenance.iter().map(stretch)
}

fn stretch(from: &Provenance) -> String {
    let Provenance { tier, range, partial } = from;
    let kept = if *partial { ", older values are no longer kept" } else { "" };
    format!("{tier}: {} to {}{kept}", rfc3339(range.start), rfc3339(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{TimeRange, TimestampNs};
    use query::CacheUse;

    #[test]
    fn each_stretch_is_a_sentence_behind_the_one_about_the_cache() {
        let from = |tier: &str, start_s: i64, end_s: i64, partial| Provenance {
            tier: tier.to_owned(),
            range: TimeRange::new(TimestampNs(start_s * 1_000_000_000), TimestampNs(end_s * 1_000_000_000)),
            partial,
        };
        let provenance = vec![from("hourly", 0, 3_600, false), from("raw", 3_600, 3_601, true)];
        let report = Report { provenance, cache: CacheUse::Partial, ..Report::default() };
        let expected = [
            "cache: partial",
            "hourly: 1970-01-01T00:00:00Z to 1970-01-01T01:00:00Z",
            "raw: 1970-01-01T01:00:00Z to 1970-01-01T01:00:01Z, older values are no longer kept",
        ];
        assert_eq!(sentences(&report), expected);
    }
}
