//! Which lane takes which value while two lanes run.
//!
//! The fresh lane takes, of the records after the place where it began, the values that are not older than a time `since`; the
//! backlog lane takes all others, and everything of earlier records. So each value for a series, field and time is taken by one
//! lane, in the journal's order, unless a value from before the fresh lane's beginning is not older than `since`: a clock that is
//! ahead, or a forecast. Sent by the backlog lane it could overwrite a later one of the fresh lane. Then the fresh lane gives back:
//! all values up to some minutes ahead, or, further ahead, all values of that column. It takes no more of them, and the backlog
//! lane sends those that it had taken once more, in order.

use std::collections::HashMap;

use model::{ColumnId, Seq, TimestampNs};

/// Further ahead than this it is a forecast, and not a clock.
const CLOCKS_NS: i64 = 300_000_000_000;
/// By so much more than needed is given back, since there will be others.
const ROUND_NS: i64 = 1_000_000_000;
/// Most columns given back; with more of them everything is.
const HELD_MAX: usize = 100_000;
/// Most changes remembered; with more of them everything is given back.
const STEPS_MAX: usize = 1_000;
/// Nothing is as new.
const NEVER: TimestampNs = TimestampNs::MAX;

/// The rule, and what it was for earlier records.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Ascending; one at least.
    steps: Vec<Step>,
    /// Everything older was given back.
    floor: TimestampNs,
    /// Columns given back, with the last record that the fresh lane had read.
    held: HashMap<ColumnId, Seq>,
    /// Values from this time on were live ones when the fresh lane began, or moved ahead the last time.
    base: TimestampNs,
    /// What was given back is no longer under way once the fresh lane is done up to here.
    settled: Seq,
}

/// From a record on the fresh lane takes what is not older than a time.
#[derive(Debug, Clone, Copy)]
struct Step {
    after: Seq,
    since: TimestampNs,
}

impl Rule {
    pub(crate) fn new(after: Seq, since: TimestampNs) -> Self {
        let steps = vec![Step { after, since }];
        Self { steps, floor: TimestampNs::MIN, held: HashMap::new(), base: since, settled: Seq(0) }
    }

    /// The fresh lane, which has read up to `from`, goes on after `after` only, with values from `since` on. False when it
    /// cannot: it did so too often.
    pub(crate) fn jump(&mut self, from: Seq, after: Seq, since: TimestampNs) -> bool {
        if self.steps.len() + 2 > STEPS_MAX / 2 || self.floor == NEVER {
            return false;
        }
        self.push(Step { after: from, since: NEVER });
        self.push(Step { after, since: since.max(self.floor) });
        self.base = since;
        true
    }

    fn push(&mut self, step: Step) {
        self.steps.pop_if(|last| last.after >= step.after);
        self.steps.push(step);
    }

    /// Values from this time on are live ones now.
    pub(crate) fn since(&self) -> TimestampNs {
        self.steps.last().map_or(NEVER, |step| step.since)
    }

    /// Where the fresh lane began first.
    pub(crate) fn start(&self) -> Seq {
        self.steps.first().map_or(Seq(0), |step| step.after)
    }

    /// Where it began after it moved ahead the last time; `None` when it was given back so much that this cannot be said in terms
    /// of one time.
    pub(crate) fn last_start(&self) -> Option<Seq> {
        if !self.held.is_empty() || self.since() == NEVER {
            return None;
        }
        let gap = self.steps.iter().rposition(|step| step.since == NEVER);
        self.steps.get(gap.map_or(0, |gap| gap + 1)).map(|step| step.after)
    }

    /// Records that the fresh lane leaves out from this one on: the last of them.
    pub(crate) fn gap_after(&self, seq: Seq) -> Option<Seq> {
        let next = self.steps.partition_point(|step| step.after <= seq);
        let current = next.checked_sub(1).and_then(|index| self.steps.get(index))?;
        let end = self.steps.get(next)?;
        (current.since == NEVER).then_some(end.after)
    }

    /// The backlog lane reads no further than [`Rule::start`] before the fresh lane is done up to here.
    pub(crate) fn settled(&self) -> Seq {
        self.settled
    }

    /// The rule for the values of one record.
    pub(crate) fn of(&self, seq: Seq) -> RecordRule {
        let next = self.steps.partition_point(|step| step.after < seq);
        let since = next.checked_sub(1).and_then(|index| self.steps.get(index)).map_or(NEVER, |step| step.since);
        let later = self.steps.get(next..).unwrap_or_default();
        let taken_later = later.iter().map(|step| step.since).min().unwrap_or(NEVER);
        let has_held = !self.held.is_empty();
        RecordRule { seq, since, floor: self.floor, clash: taken_later.max(self.floor), has_held }
    }

    /// True when the fresh lane takes (or took) this value.
    #[inline]
    pub(crate) fn fresh_takes(&self, record: &RecordRule, column: ColumnId, time: TimestampNs) -> bool {
        time >= record.since && !(record.has_held && self.held.get(&column).is_some_and(|at| record.seq > *at))
    }

    /// Whether the backlog lane takes this value.
    #[inline]
    pub(crate) fn backlog_takes(&self, record: &RecordRule, column: ColumnId, time: TimestampNs) -> Take {
        if !self.fresh_takes(record, column, time) {
            return Take::First;
        }
        let given_back = time < record.floor || (record.has_held && self.held.contains_key(&column));
        if given_back { Take::Again } else { Take::Not }
    }

    /// True when the fresh lane takes, of later records, values that this one of the backlog lane could overwrite.
    #[inline]
    pub(crate) fn clashes(&self, record: &RecordRule, column: ColumnId, time: TimestampNs) -> bool {
        time >= record.clash && !(record.has_held && self.held.contains_key(&column))
    }

    /// The fresh lane, which has read up to `at`, gives back what clashes.
    pub(crate) fn give_back(&mut self, column: ColumnId, time: TimestampNs, at: Seq) {
        self.settled = self.settled.max(at);
        let is_forecast = time.0.saturating_sub(self.base.0) > CLOCKS_NS;
        let since = if self.steps.len() >= STEPS_MAX || (is_forecast && self.held.len() >= HELD_MAX) {
            NEVER
        } else if is_forecast {
            self.held.insert(column, at);
            return;
        } else {
            time.saturating_add(ROUND_NS)
        };
        self.floor = self.floor.max(since);
        self.push(Step { after: at, since: self.since().max(since) });
    }
}

/// The rule for the values of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordRule {
    seq: Seq,
    /// The fresh lane takes values from then on.
    since: TimestampNs,
    floor: TimestampNs,
    /// From then on values may clash with later ones of the fresh lane.
    clash: TimestampNs,
    has_held: bool,
}

/// Whether a lane takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// Yes, and it is the one that does.
    First,
    /// Yes, once more: another lane had it.
    Again,
    /// No, another lane has it.
    Not,
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ColumnId = ColumnId(1);
    const B: ColumnId = ColumnId(2);

    fn at(s: i64) -> TimestampNs {
        TimestampNs(s * 1_000_000_000)
    }

    fn fresh(rule: &Rule, seq: u64, column: ColumnId, s: i64) -> bool {
        rule.fresh_takes(&rule.of(Seq(seq)), column, at(s))
    }

    fn backlog(rule: &Rule, seq: u64, column: ColumnId, s: i64) -> Take {
        rule.backlog_takes(&rule.of(Seq(seq)), column, at(s))
    }

    fn clashes(rule: &Rule, seq: u64, column: ColumnId, s: i64) -> bool {
        rule.clashes(&rule.of(Seq(seq)), column, at(s))
    }

    #[test]
    fn live_values_of_later_records_are_fresh_and_all_others_backlog() {
        let rule = Rule::new(Seq(10), at(100));
        for (seq, s, is_fresh) in [(10, 100, false), (11, 99, false), (11, 100, true), (99, 200, true)] {
            assert_eq!(fresh(&rule, seq, A, s), is_fresh);
            assert_eq!(backlog(&rule, seq, A, s), if is_fresh { Take::Not } else { Take::First });
        }
        assert_eq!((rule.start(), rule.last_start(), rule.since()), (Seq(10), Some(Seq(10)), at(100)));
    }

    #[test]
    fn only_earlier_records_with_live_times_clash() {
        let rule = Rule::new(Seq(10), at(100));
        assert!(clashes(&rule, 10, A, 100));
        assert!(!clashes(&rule, 10, A, 99));
        assert!(!clashes(&rule, 11, A, 100));
    }

    #[test]
    fn for_a_clock_ahead_everything_up_to_it_is_given_back() {
        let mut rule = Rule::new(Seq(10), at(100));
        rule.give_back(A, at(130), Seq(20));
        assert!(!clashes(&rule, 10, A, 130));
        assert!(!clashes(&rule, 10, B, 120));
        assert!(clashes(&rule, 10, B, 140));
        assert_eq!(backlog(&rule, 15, B, 120), Take::Again);
        assert_eq!(backlog(&rule, 21, B, 120), Take::First);
        assert_eq!(backlog(&rule, 21, B, 140), Take::Not);
        assert!(fresh(&rule, 15, B, 120) && !fresh(&rule, 21, B, 120) && fresh(&rule, 21, B, 140));
        assert_eq!((rule.settled(), rule.last_start(), rule.since()), (Seq(20), Some(Seq(10)), at(131)));
    }

    #[test]
    fn for_a_forecast_its_column_is_given_back() {
        let mut rule = Rule::new(Seq(10), at(100));
        rule.give_back(A, at(90_000), Seq(20));
        assert!(!clashes(&rule, 10, A, 90_000) && clashes(&rule, 10, B, 90_000));
        assert_eq!(backlog(&rule, 20, A, 150), Take::Again);
        assert_eq!(backlog(&rule, 21, A, 150), Take::First);
        assert_eq!(backlog(&rule, 21, B, 150), Take::Not);
        assert!(fresh(&rule, 20, A, 150) && !fresh(&rule, 21, A, 150) && fresh(&rule, 21, B, 150));
        assert_eq!(rule.last_start(), None);
    }

    #[test]
    fn after_moving_ahead_the_records_between_are_backlog() {
        let mut rule = Rule::new(Seq(10), at(100));
        assert!(rule.jump(Seq(20), Seq(50), at(200)));
        assert_eq!(backlog(&rule, 15, A, 150), Take::Not);
        assert_eq!(backlog(&rule, 21, A, 999), Take::First);
        assert_eq!(backlog(&rule, 51, A, 199), Take::First);
        assert_eq!(backlog(&rule, 51, A, 200), Take::Not);
        assert!(clashes(&rule, 30, A, 200) && !clashes(&rule, 30, A, 199) && clashes(&rule, 5, A, 100));
        assert_eq!(
            (rule.gap_after(Seq(19)), rule.gap_after(Seq(20)), rule.gap_after(Seq(49))),
            (None, Some(Seq(50)), Some(Seq(50)))
        );
        assert_eq!((rule.gap_after(Seq(50)), rule.last_start(), rule.start()), (None, Some(Seq(50)), Seq(10)));
    }

    #[test]
    fn clocks_that_creep_ahead_become_forecasts() {
        let mut rule = Rule::new(Seq(10), at(0));
        (1..1_000).for_each(|minute| rule.give_back(A, at(minute * 60), Seq(10)));
        assert!(rule.since() <= at(301), "{:?}", rule.since());
        assert!(fresh(&rule, 11, B, 302) && !fresh(&rule, 11, A, 302));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_then_everything_is_given_back() {
        let mut rule = Rule::new(Seq(0), at(0));
        (0..1_001).for_each(|n| rule.give_back(A, at(n / 4), Seq(n as u64)));
        assert!(rule.steps.len() <= STEPS_MAX + 1);
        assert_eq!((rule.since(), backlog(&rule, 5_000, A, 9_999)), (NEVER, Take::First));
        assert!(!rule.jump(Seq(6_000), Seq(7_000), at(1)));

        let mut rule = Rule::new(Seq(0), at(0));
        (0..=HELD_MAX as u32).for_each(|n| rule.give_back(ColumnId(n), at(9_000), Seq(1)));
        assert_eq!(rule.held.len(), HELD_MAX);
        assert_eq!(backlog(&rule, 1, ColumnId(u32::MAX), 1), Take::Again);
    }
}
