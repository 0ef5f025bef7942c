//! One watched column: its samples one after another, and the events they give.

use model::TimestampNs;

use crate::anomaly::{Finding, Judge};
use crate::demo;
use crate::detector::Stats;
use crate::event::{Event, Level, Source};
use crate::messages::Kind;
use crate::rules::{Telling, Watch};
use crate::thresholds::{Band, Standing};

/// A column and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) watch: Watch,
    pub(crate) state: State,
    /// Values that change nothing about the standing.
    band: Band,
    /// The earlier of the state's two times.
    due: TimestampNs,
}

/// What is kept of the samples so far.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// Time of the newest sample.
    pub(crate) last: Option<TimestampNs>,
    pub(crate) standing: Standing,
    /// When the standing was normal the last time; of use when it is not.
    pub(crate) abnormal_since: TimestampNs,
    /// Time of the newest threshold event.
    pub(crate) last_threshold: Option<TimestampNs>,
    /// When status is due. As long as there is no sample, at any.
    pub(crate) next_status: TimestampNs,
    /// When to look for an invented event.
    pub(crate) next_demo: TimestampNs,
    pub(crate) judge: Option<Judge>,
}

/// A finite value at a time later than all before it.
#[derive(Debug, Clone, Copy)]
struct Sample {
    time: TimestampNs,
    value: f64,
}

impl Column {
    /// A column without samples.
    pub(crate) fn new(watch: Watch) -> Self {
        let judge = watch.rule().anomalies.as_ref().map(Judge::new);
        let state = State {
            last: None,
            standing: Standing::NORMAL,
            abnormal_since: TimestampNs::MIN,
            last_threshold: None,
            next_status: TimestampNs::MIN,
            next_demo: TimestampNs::MIN,
            judge,
        };
        Self::resume(watch, state)
    }

    /// A column that goes on from a state.
    pub(crate) fn resume(watch: Watch, state: State) -> Self {
        let band = watch.rule().thresholds.band(state.standing);
        let due = state.next_status.min(state.next_demo);
        Self { watch, state, band, due }
    }

    pub(crate) fn feed(&mut self, times: &[TimestampNs], values: &[f64], out: &mut Vec<Event>, stats: &mut Stats) {
        let (mut late, mut not_finite) = (0, 0);
        for (&time, &value) in times.iter().zip(values) {
            if !value.is_finite() {
                not_finite += 1;
            } else if Some(time) <= self.state.last {
                late += 1;
            } else {
                self.sample(Sample { time, value }, out);
            }
        }
        stats.late += late;
        stats.not_finite += not_finite;
        stats.samples += times.len().min(values.len()) as u64 - late - not_finite;
    }

    #[inline]
    fn sample(&mut self, sample: Sample, out: &mut Vec<Event>) {
        if !self.band.holds(sample.value) {
            self.change_level(sample, out);
        }
        if sample.time >= self.due {
            self.tell_what_is_due(sample, out);
        }
        self.state.last = Some(sample.time);
        let Some(judge) = &mut self.state.judge else { return };
        let Some(settings) = &self.watch.rule().anomalies else { return };
        if let Some(finding) = judge.look(settings, sample.value) {
            self.tell_finding(sample, finding, out);
        }
    }

    #[cold]
    fn change_level(&mut self, sample: Sample, out: &mut Vec<Event>) {
        let thresholds = &self.watch.rule().thresholds;
        let before = self.state.standing;
        let now = thresholds.next(before, sample.value);
        let threshold = Some(thresholds.crossed(before, now)).filter(|threshold| threshold.is_finite());
        self.band = thresholds.band(now);
        self.state.standing = now;
        self.state.last_threshold = Some(sample.time);
        let is_low = if now.is_normal() { before.is_low() } else { now.is_low() };
        let telling = self.telling(sample, Kind::of_level(now.level()), Source::Threshold);
        out.push(self.watch.tell(&Telling { level: now.level(), threshold, is_low, ..telling }));
        if before.is_normal() != now.is_normal() {
            self.change_state(sample, out);
        }
    }

    /// From normal to abnormal, or back.
    fn change_state(&mut self, sample: Sample, out: &mut Vec<Event>) {
        let level = self.state.standing.level();
        let (kind, duration) = if self.state.standing.is_normal() {
            (Kind::Normal, Some(seconds_between(self.state.abnormal_since, sample.time)))
        } else {
            self.state.abnormal_since = sample.time;
            (Kind::Abnormal, None)
        };
        if self.watch.rule().state_changes {
            let telling = self.telling(sample, kind, Source::State);
            out.push(self.watch.tell(&Telling { level, duration, ..telling }));
        }
    }

    #[cold]
    fn tell_what_is_due(&mut self, sample: Sample, out: &mut Vec<Event>) {
        self.tell_status(sample, out);
        self.tell_invented(sample, out);
        self.due = self.state.next_status.min(self.state.next_demo);
    }

    /// The first sample at or after a multiple of the interval is the status at that time. What is before the first sample is not known, so that
    /// a history read from some time on gives the same status as one read from its start.
    fn tell_status(&mut self, sample: Sample, out: &mut Vec<Event>) {
        let Some(interval) = self.watch.rule().status else {
            self.state.next_status = TimestampNs::MAX;
            return;
        };
        let time = sample.time.window_start(interval);
        let is_known = self.state.last.is_some() || time == sample.time;
        if sample.time < self.state.next_status {
            return;
        }
        self.state.next_status = time.saturating_add(interval.get());
        if is_known {
            let telling = self.telling(Sample { time, ..sample }, Kind::Status, Source::Info);
            out.push(self.watch.tell(&telling));
        }
    }

    fn tell_invented(&mut self, sample: Sample, out: &mut Vec<Event>) {
        let Some(demo) = self.watch.rule().demo else {
            self.state.next_demo = TimestampNs::MAX;
            return;
        };
        let inventor = self.watch.inventor(demo);
        let mut next = self.state.next_demo;
        if self.state.last.is_none() || demo::is_pause(next, sample.time) {
            next = inventor.next_after(sample.time);
        }
        while next <= sample.time {
            out.extend(inventor.at(next).map(|invented| self.watch.tell_invented(invented)));
            let later = inventor.next_after(next);
            if later <= next {
                break; // At the end of what a time can be.
            }
            next = later;
        }
        self.state.next_demo = next;
    }

    #[cold]
    fn tell_finding(&self, sample: Sample, finding: Finding, out: &mut Vec<Event>) {
        let quiet_ns = self.watch.rule().quiet_ns;
        if self.state.last_threshold.is_some_and(|last| sample.time.0.saturating_sub(last.0) < quiet_ns) {
            return;
        }
        let telling = match finding {
            Finding::Unusual { center, deviations, bound } => Telling {
                is_low: deviations < 0.0,
                threshold: Some(bound).filter(|bound| bound.is_finite()),
                mean: Some(center),
                sigmas: Some(deviations.abs()),
                ..self.telling(sample, Kind::Anomaly, Source::Anomaly)
            },
            Finding::Moved { center, is_lower } => Telling {
                is_low: is_lower,
                mean: Some(center),
                ..self.telling(sample, Kind::ChangePoint, Source::Anomaly)
            },
        };
        out.push(self.watch.tell(&Telling { level: Level::Warning, ..telling }));
    }

    /// An INFO event about a sample; callers add the rest.
    fn telling(&self, sample: Sample, kind: Kind, source: Source) -> Telling {
        Telling {
            kind,
            source,
            level: Level::Info,
            time: sample.time,
            value: sample.value,
            state: self.state.standing.level(),
            is_low: self.state.standing.is_low(),
            threshold: None,
            mean: None,
            sigmas: None,
            duration: None,
        }
    }
}

/// Rounded to whole nanoseconds by what an `f64` can hold.
fn seconds_between(from: TimestampNs, to: TimestampNs) -> f64 {
    to.0.saturating_sub(from.0) as f64 / 1e9
}
