//! When rules are looked at, and the thread that asks for what they are about.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::{Expression, Observation, Rule, Sight};
use crate::shared::{Shared, guarded};

/// Where rules look. Both calls may take their time: nothing but other rules waits for them.
pub trait Watched: Send + Sync {
    /// The newest row of each series of a SELECT: its tags, time and first value.
    ///
    /// # Errors
    /// Why nothing can be said, in a sentence.
    fn query(&self, database: &str, text: &str) -> Result<Vec<Observation>, String>;

    /// A fact about hissrv itself: one value, or one for each of what the labels name.
    ///
    /// # Errors
    /// Why nothing can be said, in a sentence.
    fn fact(&self, name: &str) -> Result<Vec<Observation>, String>;
}

/// A rule to be looked at now.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Its name, for [`crate::Alerts::observe`].
    pub rule: String,
    /// What it is about.
    pub question: Question,
}

/// What a rule is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The newest row of each series.
    Query {
        /// Database to ask.
        database: String,
        /// InfluxQL.
        text: String,
    },
    /// A fact about hissrv.
    Fact(String),
    /// Nothing: events have come by themselves, and an empty sight tells that time has passed.
    Time,
}

impl Question {
    fn of(rule: &Rule) -> Self {
        match &rule.expression {
            Expression::Query { database, text, .. } => Self::Query { database: database.clone(), text: text.clone() },
            Expression::Absence(absence) => {
                Self::Query { database: absence.database.clone(), text: absence.text.clone() }
            }
            Expression::Health { fact, .. } => Self::Fact(fact.clone()),
            Expression::Event(_) => Self::Time,
        }
    }

    fn ask(&self, watched: &dyn Watched) -> Result<Vec<Observation>, String> {
        match self {
            Self::Query { database, text } => watched.query(database, text),
            Self::Fact(name) => watched.fact(name),
            Self::Time => Ok(Vec::new()),
        }
    }
}

/// When each rule is to be looked at next.
pub(crate) struct Timetable(Mutex<Vec<Instant>>);

impl Timetable {
    /// All at once at first.
    pub(crate) fn new(rules: usize, now: Instant) -> Self {
        Self(Mutex::new(vec![now; rules]))
    }

    /// Rules whose time has come; the next time of each is an interval later.
    pub(crate) fn due(&self, rules: &[Rule], now: Instant) -> Vec<Due> {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        for (time, rule) in times.iter_mut().zip(rules) {
            if *time <= now {
                *time = now.checked_add(rule.every).unwrap_or(now);
                due.push(Due { rule: rule.name.clone(), question: Question::of(rule) });
            }
        }
        due
    }

    /// When a rule is due next; `None` without rules.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().min().copied()
    }
}

/// Looks at rules until it is time to stop.
pub(crate) fn run(shared: &Arc<Shared>, timetable: &Timetable, watched: &dyn Watched) {
    /// Without rules there is nothing but the stop to wait for.
    const IDLE: Duration = Duration::from_secs(3600);
    loop {
        for Due { rule, question } in timetable.due(&shared.rules, Instant::now()) {
            let seen = guarded(|| question.ask(watched)).and_then(|answer| answer);
            if let Some(rule) = shared.rules.iter().find(|known| known.name == rule) {
                shared.look(rule, seen.as_deref().map(Sight::Seen).map_err(Clone::clone));
            }
            if shared.sleep_until(Instant::now()) {
                return;
            }
        }
        let next = timetable.next().unwrap_or_else(|| Instant::now() + IDLE);
        if shared.sleep_until(next) {
            return;
        }
    }
}
