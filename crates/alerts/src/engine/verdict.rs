//! What was seen, compared with a rule's condition.

use model::TimestampNs;

use super::phase::{Verdict, elapsed};
use super::{Absence, Expression, Reading, Rule, Seen, Threshold};
use crate::Labels;
use crate::config::Missing;

impl Threshold {
    pub(super) fn judge(&self, value: f64) -> Verdict {
        let (is_beyond, is_clear) = match self {
            Self::Above { limit, clear } => (value > *limit, value <= *clear),
            Self::Below { limit, clear } => (value < *limit, value >= *clear),
        };
        if value.is_nan() {
            Verdict::Unknown
        } else if is_beyond {
            Verdict::Beyond
        } else if is_clear {
            Verdict::Clear
        } else {
            Verdict::Between
        }
    }
}

impl Rule {
    /// Of a series that was seen. Events have a way of their own.
    pub(super) fn judge(&self, seen: &Seen, started: TimestampNs, now: TimestampNs) -> Verdict {
        match (&self.expression, seen) {
            (Expression::Query { threshold, .. }, Seen::Row { value: Some(value), .. })
            | (Expression::Health { threshold, .. }, Seen::Fact(value)) => threshold.judge(*value),
            (Expression::Absence(absence), Seen::Row { time, .. }) => absence.judge(Some(*time), started, now),
            _ => Verdict::Unknown,
        }
    }

    /// Of a series that is known and was not seen.
    pub(super) fn judge_missing(&self, series: &Labels, reading: &Reading, now: TimestampNs) -> Verdict {
        if let Expression::Event(events) = &self.expression {
            return events.judge_last(series, reading, now);
        }
        match self.on_missing {
            Missing::Keep => Verdict::Unknown,
            Missing::Resolve => Verdict::Clear,
            Missing::Fire => Verdict::Beyond,
        }
    }

    /// Of a rule that has never seen any series; `None`: that is fine.
    pub(super) fn judge_nothing(&self, started: TimestampNs, now: TimestampNs) -> Option<Verdict> {
        match &self.expression {
            Expression::Absence(absence) => Some(absence.judge(None, started, now)),
            Expression::Query { .. } | Expression::Health { .. } if self.on_missing == Missing::Fire => {
                Some(Verdict::Beyond)
            }
            _ => None,
        }
    }
}

impl Absence {
    /// `newest`: time of the newest point, if there is any. While hissrv was down no point could come: until we have watched for as
    /// long as one may take, nobody knows.
    fn judge(&self, newest: Option<TimestampNs>, started: TimestampNs, now: TimestampNs) -> Verdict {
        if newest.is_some_and(|newest| elapsed(newest.0, now) < self.after_ns) {
            Verdict::Clear
        } else if elapsed(started.0, now) < self.after_ns {
            Verdict::Unknown
        } else {
            Verdict::Beyond
        }
    }
}
