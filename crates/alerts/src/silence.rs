//! When not to tell: alerts with certain labels, for a while or every week. A silenced alert fires silently, and is told when the
//! silence ends if it still fires. That an alert is over is told whenever it was told that it fires.

use std::fmt;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use model::{TimestampNs, wildcard};
use serde::{Deserialize, Serialize};

use crate::Labels;
use crate::fingerprint::hash;
use crate::moment::Moment;

/// Alerts that are not told for a while. It holds between `from` and `until`, and if there is `weekly`, only within one of its windows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SilenceConfig {
    /// Patterns (`*`, `?`) of labels, all of which must match. `rule` and `severity` are labels, too. One at least; `rule: "*"` is
    /// every alert.
    pub labels: Labels,
    /// Begin, with an offset: `2026-01-31T22:00:00+08:00`. Default: at once.
    pub from: Option<Moment>,
    /// End. Default: none.
    pub until: Option<Moment>,
    /// Windows of the week. Default: always.
    pub weekly: Vec<WeeklyWindow>,
    /// Why, for people. Default empty.
    pub comment: String,
}

/// A window that comes back every week.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyWindow {
    /// Days on which it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. Default: all.
    #[serde(default = "all_days")]
    pub days: Vec<Weekday>,
    /// Begin by the zone's clocks, `22:00`. Default 00:00.
    #[serde(default = "midnight")]
    pub from: String,
    /// End, `06:00`; not after the begin, it is on the next day. Default 00:00, which is the end of the day.
    #[serde(default = "midnight")]
    pub until: String,
    /// Zone of the IANA list, as `Asia/Shanghai`. Default UTC.
    #[serde(default = "utc")]
    pub zone: String,
}

fn all_days() -> Vec<Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun]
}

fn midnight() -> String {
    "00:00".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for jiff::civil::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Monday,
            Weekday::Tue => Self::Tuesday,
            Weekday::Wed => Self::Wednesday,
            Weekday::Thu => Self::Thursday,
            Weekday::Fri => Self::Friday,
            Weekday::Sat => Self::Saturday,
            Weekday::Sun => Self::Sunday,
        }
    }
}

impl SilenceConfig {
    /// Why it cannot work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.labels.is_empty() {
            return Err("labels: expected one at least; rule: \"*\" is every alert".to_owned());
        }
        if self.from.zip(self.until).is_some_and(|(from, until)| from >= until) {
            return Err("until: expected a time after from".to_owned());
        }
        self.weekly.iter().try_for_each(|window| window.compile().map(drop))
    }
}

/// A silence in force or to come.
#[derive(Debug, Clone)]
pub struct Silence {
    /// Names it, for taking it back.
    pub id: String,
    /// As it was written.
    pub config: SilenceConfig,
    windows: Vec<Window>,
}

impl Silence {
    /// A silence with an id made of its content.
    ///
    /// # Errors
    /// Why it cannot work.
    pub fn new(config: SilenceConfig) -> Result<Self, String> {
        config.check()?;
        let written = serde_json::to_string(&config).map_err(|e| e.to_string())?;
        let windows = config.weekly.iter().map(WeeklyWindow::compile).collect::<Result<_, _>>()?;
        Ok(Self { id: hash(std::iter::once(written.as_str())), config, windows })
    }

    /// True when alerts with these labels are not to be told at that time.
    pub fn holds(&self, labels: &Labels, now: TimestampNs) -> bool {
        self.is_active(now) && self.matches(labels)
    }

    /// True when it can hold no more.
    pub fn is_over(&self, now: TimestampNs) -> bool {
        self.config.until.is_some_and(|until| until.0 <= now)
    }

    fn is_active(&self, now: TimestampNs) -> bool {
        let has_begun = self.config.from.is_none_or(|from| from.0 <= now);
        has_begun && !self.is_over(now) && (self.windows.is_empty() || self.windows.iter().any(|w| w.contains(now)))
    }

    fn matches(&self, labels: &Labels) -> bool {
        let fits = |(key, pattern): (&String, &String)| labels.get(key).is_some_and(|v| wildcard::matches(pattern, v));
        self.config.labels.iter().all(fits)
    }
}

/// A weekly window with its parts read.
#[derive(Clone)]
struct Window {
    days: Vec<jiff::civil::Weekday>,
    from: Time,
    until: Time,
    zone: TimeZone,
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}-{}", self.days, self.from, self.until)
    }
}

impl WeeklyWindow {
    fn compile(&self) -> Result<Window, String> {
        let time = |key: &str, text: &str| {
            let wrong = |_| format!("weekly.{key}: `{text}` is no time of day, such as 22:00");
            Time::strptime("%H:%M", text).map_err(wrong)
        };
        let zone = TimeZone::get(&self.zone);
        let zone = zone.map_err(|_| format!("weekly.zone: there is no zone `{}`, such as Asia/Shanghai", self.zone))?;
        if self.days.is_empty() {
            return Err("weekly.days: expected one at least".to_owned());
        }
        let days = self.days.iter().map(|day| (*day).into()).collect();
        Ok(Window { days, from: time("from", &self.from)?, until: time("until", &self.until)?, zone })
    }
}

impl Window {
    /// NOTE: by what the zone's clocks show: in the night in which they are changed, a window is an hour shorter or longer.
    fn contains(&self, now: TimestampNs) -> bool {
        let Ok(instant) = Timestamp::from_nanosecond(i128::from(now.0)) else { return false };
        let there: Zoned = instant.to_zoned(self.zone.clone());
        let (day, time) = (there.weekday(), there.time());
        let begins_on = |day| self.days.contains(&day);
        if self.from < self.until {
            return begins_on(day) && self.from <= time && time < self.until;
        }
        (begins_on(day) && self.from <= time) || (begins_on(day.previous()) && time < self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> TimestampNs {
        text.parse::<Moment>().unwrap().0
    }

    fn silence(json: &str) -> Silence {
        Silence::new(serde_json::from_str(json).unwrap()).unwrap()
    }

    fn any() -> Labels {
        [("rule".to_owned(), "hot".to_owned()), ("host".to_owned(), "north-1".to_owned())].into()
    }

    #[test]
    fn every_label_must_match() {
        let now = TimestampNs(0);
        assert!(silence(r#"{"labels":{"rule":"h*","host":"north-?"}}"#).holds(&any(), now));
        assert!(!silence(r#"{"labels":{"rule":"h*","host":"south-?"}}"#).holds(&any(), now));
        assert!(!silence(r#"{"labels":{"rule":"h*","site":"*"}}"#).holds(&any(), now));
    }

    #[test]
    fn it_holds_from_its_begin_up_to_its_end() {
        let silence = silence(
            r#"{"labels":{"rule":"*"},"from":"2026-01-31T22:00:00+08:00","until":"2026-01-31T23:00:00+08:00"}"#,
        );
        let holds = |text: &str| silence.holds(&any(), at(text));
        assert!(!holds("2026-01-31T13:59:59.999999999Z"));
        assert!(holds("2026-01-31T14:00:00Z"));
        assert!(holds("2026-01-31T14:59:59.999999999Z"));
        assert!(!holds("2026-01-31T15:00:00Z"));
        assert!(silence.is_over(at("2026-01-31T15:00:00Z")));
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let silence = silence(
            r#"{"labels":{"rule":"*"},"weekly":[{"days":["fri"],"from":"22:00","until":"06:00","zone":"Asia/Shanghai"}]}"#,
        );
        // 2026-01-30 is a Friday.
        let holds = |text: &str| silence.holds(&any(), at(text));
        assert!(!holds("2026-01-30T21:59:59+08:00"));
        assert!(holds("2026-01-30T22:00:00+08:00"));
        assert!(holds("2026-01-31T05:59:59+08:00"));
        assert!(!holds("2026-01-31T06:00:00+08:00"));
        assert!(!holds("2026-01-30T05:00:00+08:00"));
        assert!(!holds("2026-01-31T22:00:00+08:00"));
    }

    #[test]
    fn a_window_without_times_is_the_whole_day_of_its_zone() {
        let silence = silence(r#"{"labels":{"rule":"*"},"weekly":[{"days":["sat","sun"],"zone":"Asia/Shanghai"}]}"#);
        let holds = |text: &str| silence.holds(&any(), at(text));
        assert!(!holds("2026-01-30T15:59:59Z"));
        assert!(holds("2026-01-30T16:00:00Z"));
        assert!(holds("2026-02-01T15:59:59Z"));
        assert!(!holds("2026-02-01T16:00:00Z"));
    }

    #[test]
    fn a_window_follows_the_clocks_of_its_zone() {
        let silence =
            silence(r#"{"labels":{"rule":"*"},"weekly":[{"from":"01:00","until":"04:00","zone":"Europe/Berlin"}]}"#);
        let holds = |text: &str| silence.holds(&any(), at(text));
        // Clocks go from 2 to 3 o'clock at 01:00 UTC on 2026-03-29.
        assert!(!holds("2026-03-28T23:59:59Z"));
        assert!(holds("2026-03-29T00:00:00Z"));
        assert!(holds("2026-03-29T01:59:59Z"));
        assert!(!holds("2026-03-29T02:00:00Z"));
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_reason() {
        let reason = |json: &str| Silence::new(serde_json::from_str(json).unwrap()).unwrap_err();
        assert!(reason("{}").starts_with("labels: "));
        assert!(
            reason(r#"{"labels":{"a":"b"},"from":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}"#)
                .starts_with("until: ")
        );
        assert!(reason(r#"{"labels":{"a":"b"},"weekly":[{"zone":"Mars/Olympus"}]}"#).contains("Mars/Olympus"));
        assert!(reason(r#"{"labels":{"a":"b"},"weekly":[{"from":"25:00"}]}"#).contains("25:00"));
        assert!(reason(r#"{"labels":{"a":"b"},"weekly":[{"days":[]}]}"#).contains("days"));
    }
}
