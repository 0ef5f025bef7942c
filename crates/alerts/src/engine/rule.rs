//! A rule with its parts checked.

use std::collections::BTreeMap;
use std::time::Duration;

use model::HumanDuration;

use super::Reading;
use crate::Labels;
use crate::config::Missing;
use crate::level::Level;
use crate::text::Text;

const SECOND: i64 = 1_000_000_000;

/// What to alert about, and what to do then.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, which is that of its alerts.
    pub name: String,
    /// When the condition holds.
    pub expression: Expression,
    /// How long the condition must hold, in ns.
    pub pending_ns: i64,
    /// How long it must be over, in ns.
    pub keep_firing_ns: i64,
    /// Between two looks.
    pub every: Duration,
    /// Between two notifications of the same alert, in ns; `None`: there is only one.
    pub repeat_ns: Option<i64>,
    /// What a series means that is not seen any more.
    pub on_missing: Missing,
    /// How bad it is.
    pub severity: Level,
    /// Labels besides those of the series.
    pub labels: Labels,
    /// Texts with places.
    pub annotations: BTreeMap<String, Text>,
    /// Whom to tell.
    pub channels: Vec<String>,
}

/// When the condition of a rule holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// The newest value of a query's series is beyond a threshold.
    Query {
        /// Database to ask.
        database: String,
        /// InfluxQL.
        text: String,
        /// What the value is compared with.
        threshold: Threshold,
    },
    /// A series has no new point.
    Absence(Absence),
    /// An event came.
    Event(Events),
    /// A fact about hissrv itself is beyond a threshold.
    Health {
        /// Its name.
        fact: String,
        /// What the value is compared with.
        threshold: Threshold,
    },
}

/// A limit, and the value at which all is well again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Above is bad.
    Above {
        /// The condition holds above it.
        limit: f64,
        /// It is over from here downwards.
        clear: f64,
    },
    /// Below is bad.
    Below {
        /// The condition holds below it.
        limit: f64,
        /// It is over from here upwards.
        clear: f64,
    },
}

/// Points that do not come.
#[derive(Debug, Clone, PartialEq)]
pub struct Absence {
    /// Database to ask.
    pub database: String,
    /// InfluxQL for the newest row of each series.
    pub text: String,
    /// Age of the newest point from which the condition holds, in ns.
    pub after_ns: i64,
}

/// Which events.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    /// Lowest level.
    pub level: Level,
    /// Pattern of the label `source`.
    pub source: String,
    /// Pattern of the label `metric`.
    pub metric: String,
    /// Pattern of the label `node_id`.
    pub node: String,
    /// How long after the last event the condition is over, in ns; `None`: as is usual for its source.
    pub hold_ns: Option<i64>,
}

impl Rule {
    /// Name of the built-in rule, and of the fact that it is about.
    pub const STORE_AWAY: &'static str = "store_away";

    /// The built-in rule: a store cannot be written to.
    pub fn store_away(channels: Vec<String>) -> Self {
        let summary = Text::new(
            "store {store} cannot be written to; values stay in the journal until it can",
            "存储 {store} 无法写入；恢复之前数据保留在预写日志中",
        );
        Self {
            expression: Expression::Health {
                fact: Self::STORE_AWAY.to_owned(),
                threshold: Threshold::Above { limit: 0.0, clear: 0.0 },
            },
            pending_ns: 30 * SECOND,
            every: Duration::from_secs(5),
            repeat_ns: Some(4 * 3600 * SECOND),
            on_missing: Missing::Resolve,
            severity: Level::Critical,
            annotations: [("summary".to_owned(), summary)].into(),
            channels,
            ..Self::gone(Self::STORE_AWAY)
        }
    }

    /// Stands for a rule that is not in the configuration any more: nothing of it is left but that its alerts are over.
    pub(crate) fn gone(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            expression: Expression::Health {
                fact: name.to_owned(),
                threshold: Threshold::Above { limit: 0.0, clear: 0.0 },
            },
            pending_ns: 0,
            keep_firing_ns: 0,
            every: Duration::from_secs(30),
            repeat_ns: None,
            on_missing: Missing::Resolve,
            severity: Level::Warning,
            labels: Labels::new(),
            annotations: BTreeMap::new(),
            channels: Vec::new(),
        }
    }

    /// What silences compare: labels of series and rule, and `rule` and `severity`.
    pub fn all_labels(&self, series: &Labels) -> Labels {
        let mut all = self.shown_labels(series);
        all.insert("rule".to_owned(), self.name.clone());
        all.insert("severity".to_owned(), self.severity.text().to_owned());
        all
    }

    /// Labels of series and rule.
    pub fn shown_labels(&self, series: &Labels) -> Labels {
        let own = self.labels.iter().map(|(key, value)| (key.clone(), value.clone()));
        series.clone().into_iter().chain(own).collect()
    }

    /// True when series that are well must be known, since they are missed when they are not there.
    pub(super) fn remembers(&self) -> bool {
        self.on_missing == Missing::Fire && !matches!(self.expression, Expression::Event(_))
    }

    /// The condition in words, with the value at hand.
    pub(crate) fn statement(&self, reading: &Reading) -> Text {
        let value = reading.value.map_or_else(|| "?".to_owned(), |value| value.to_string());
        match &self.expression {
            Expression::Query { threshold, .. } => threshold.statement(&value),
            Expression::Health { fact, threshold } => {
                let compared = threshold.statement(&value);
                Text::new(format!("{fact}: {}", compared.en), format!("{fact}：{}", compared.zh))
            }
            Expression::Absence(absence) => {
                let after = HumanDuration(Duration::from_nanos(absence.after_ns.unsigned_abs()));
                Text::new(format!("no new point for {after}"), format!("已有 {after} 没有新数据点"))
            }
            Expression::Event(_) => reading.message.clone().unwrap_or_default(),
        }
    }
}

impl Threshold {
    fn statement(&self, value: &str) -> Text {
        match self {
            Self::Above { limit, .. } => {
                Text::new(format!("value {value}, upper limit {limit}"), format!("当前值 {value}，上限 {limit}"))
            }
            Self::Below { limit, .. } => {
                Text::new(format!("value {value}, lower limit {limit}"), format!("当前值 {value}，下限 {limit}"))
            }
        }
    }
}
