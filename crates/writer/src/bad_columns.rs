//! Columns whose values the store refuses, remembered for a while: looking for the bad points of a request costs many requests,
//! and a column of the wrong type has one in every request.
//!
//! A column is remembered when two of its points were refused for the same reason, and only for times near those points: a
//! reason such as "too old" holds for some times only.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::{ColumnId, TimestampNs};

/// Most columns remembered.
const COLUMNS_MAX: usize = 10_000;
/// How long without another refusal.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// How far from the refused points the reason holds.
const NEAR_NS: i64 = 60_000_000_000;
/// Longest part of a reason that is compared.
const SHAPE_MAX: usize = 200;

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct BadColumns {
    columns: HashMap<ColumnId, Bad>,
}

#[derive(Debug)]
struct Bad {
    reason: String,
    shape: String,
    first: TimestampNs,
    last: TimestampNs,
    until: Instant,
    /// More than one point was refused.
    sure: bool,
}

impl BadColumns {
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Why the store would refuse a value of this column and time; `None` when that is not known.
    pub(crate) fn reason(&self, column: ColumnId, time: TimestampNs, now: Instant) -> Option<&str> {
        let bad = self.columns.get(&column).filter(|bad| bad.sure && now < bad.until)?;
        let near = bad.first.saturating_add(-NEAR_NS)..=bad.last.saturating_add(NEAR_NS);
        near.contains(&time).then_some(&bad.reason)
    }

    /// A point of this column was refused, alone. True when the column is bad by now.
    pub(crate) fn refused(&mut self, column: ColumnId, time: TimestampNs, reason: &str, now: Instant) -> bool {
        if self.columns.len() >= COLUMNS_MAX && !self.columns.contains_key(&column) {
            self.forget_old(now);
            if self.columns.len() >= COLUMNS_MAX {
                return false;
            }
        }
        let (shape, until) = (shape(reason), now + REMEMBERED_FOR);
        match self.columns.get_mut(&column).filter(|bad| now < bad.until && bad.shape == shape) {
            Some(bad) => {
                bad.first = bad.first.min(time);
                bad.last = bad.last.max(time);
                bad.until = until;
                bad.sure = true;
                true
            }
            None => {
                let bad = Bad { reason: reason.to_owned(), shape, first: time, last: time, until, sure: false };
                self.columns.insert(column, bad);
                false
            }
        }
    }

    /// Forgets what was not refused for a while.
    pub(crate) fn forget_old(&mut self, now: Instant) {
        self.columns.retain(|_, bad| now < bad.until);
    }
}

/// A reason without its numbers and quoted names, which differ from point to point.
fn shape(reason: &str) -> String {
    let mut shape = String::new();
    let mut quoted = false;
    for c in reason.chars().take(SHAPE_MAX) {
        if c == '"' {
            quoted = !quoted;
        }
        let c = if c.is_ascii_digit() { '0' } else { c };
        if (quoted && c != '"') || (c == '0' && shape.ends_with('0')) {
            continue;
        }
        shape.push(c);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMN: ColumnId = ColumnId(7);

    fn at_s(s: i64) -> TimestampNs {
        TimestampNs(s * 1_000_000_000)
    }

    #[test]
    fn a_column_is_bad_once_two_points_were_refused_for_the_same_reason() {
        let (mut bad, now) = (BadColumns::default(), Instant::now());
        assert!(!bad.refused(COLUMN, at_s(1), "type conflict on \"a\" dropped=1", now));
        assert_eq!(bad.reason(COLUMN, at_s(1), now), None);
        assert!(!bad.refused(COLUMN, at_s(2), "too old", now));
        assert!(!bad.refused(COLUMN, at_s(3), "type conflict on \"a\" dropped=1", now));
        assert!(bad.refused(COLUMN, at_s(3), "type conflict on \"b\" dropped=23", now));
        assert!(bad.reason(COLUMN, at_s(3), now).unwrap().starts_with("type conflict"));
        assert_eq!(bad.reason(ColumnId(8), at_s(3), now), None);
    }

    #[test]
    fn it_is_bad_near_the_refused_times_and_for_a_while_only() {
        let (mut bad, now) = (BadColumns::default(), Instant::now());
        for s in [100, 110] {
            bad.refused(COLUMN, at_s(s), "no", now);
        }
        for (s, is_bad) in [(39, false), (40, true), (105, true), (170, true), (171, false)] {
            assert_eq!(bad.reason(COLUMN, at_s(s), now).is_some(), is_bad, "{s}");
        }
        assert_eq!(bad.reason(COLUMN, at_s(105), now + REMEMBERED_FOR), None);
        bad.forget_old(now + REMEMBERED_FOR);
        assert!(bad.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded_and_new_columns_come_in_when_old_ones_are_forgotten() {
        let (mut bad, now) = (BadColumns::default(), Instant::now());
        for column in 0..20_000 {
            bad.refused(ColumnId(column), at_s(0), "no", now);
        }
        assert_eq!(bad.columns.len(), COLUMNS_MAX);
        let later = now + REMEMBERED_FOR;
        bad.refused(ColumnId(15_000), at_s(0), "no", later);
        assert_eq!(bad.columns.len(), 1);
    }
}
