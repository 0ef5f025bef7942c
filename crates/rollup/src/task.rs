//! What is rolled up: tasks as they are wanted, checked and put in order, each after the one that it is made of.
//!
//! A task whose source is the target of another one is made of that one's rows, so that it stays right when the points themselves
//! are gone; its windows must be put together of whole windows of the other.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{TimeRange, TimestampNs};
use query::execute::Grid;
use query::plan::Windowing;

use crate::Function;
use crate::outlet::Outlets;

/// One rollup as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name, unique.
    pub name: String,
    /// Database.
    pub database: String,
    /// Retention policy read.
    pub source: String,
    /// Retention policy written.
    pub target: String,
    /// Its windows.
    pub window: Windowing,
    /// IANA name of the zone on whose clocks windows start; UTC without one.
    pub time_zone: Option<String>,
    /// Fields that it writes.
    pub fields: Vec<TaskField>,
}

/// A field that a rollup writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskField {
    /// What is computed.
    pub function: Function,
    /// Its name; for source fields other than `value` it stands behind the field's: `voltage_avg`.
    pub alias: String,
}

/// Why tasks cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// Two have one name.
    #[error("downsampling: two tasks are called `{0}`; give each a name of its own")]
    SameName(String),
    /// It reads what it writes, directly or through others.
    #[error("downsampling: task `{0}` is made of itself; its source and target must differ, also through other tasks")]
    Circle(String),
    /// Its windows are not made of whole windows of the source.
    #[error(
        "downsampling: the windows of task `{task}` are not made of whole windows of `{source_task}`; use a multiple of its interval and the same \
         time_zone, or source: {raw}"
    )]
    DoesNotNest {
        /// The task.
        task: String,
        /// The task it reads.
        source_task: String,
        /// The policy with the points.
        raw: String,
    },
    /// Two write the same field.
    #[error(
        "downsampling: tasks `{0}` and `{1}` both write `{2}` to the same policy; give one another alias or target"
    )]
    SameField(String, String, String),
    /// Its windows make no sense.
    #[error("downsampling: task `{task}`: {reason}")]
    Windows {
        /// The task.
        task: String,
        /// Why.
        reason: String,
    },
}

/// Tasks in an order in which each stands behind the one it is made of.
#[derive(Debug)]
pub struct Plan {
    pub(crate) tiers: Vec<Tier>,
}

/// A task that was checked.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) task: Task,
    /// The tier it is made of; `None`: of points.
    pub(crate) parent: Option<usize>,
    pub(crate) grid: Grid,
    /// Where its rows go.
    pub(crate) outlets: Outlets,
}

impl Plan {
    /// Checks and orders tasks.
    ///
    /// # Errors
    /// [`TaskError`]: the first thing that cannot work.
    pub fn new(tasks: Vec<Task>) -> Result<Self, TaskError> {
        check_names(&tasks)?;
        let mut left = tasks;
        let mut tiers: Vec<Tier> = Vec::new();
        while !left.is_empty() {
            let is_blocked = |task: &Task, others: &[Task]| others.iter().any(|other| makes(other, task));
            let Some(next) = (0..left.len()).find(|&i| left.get(i).is_some_and(|task| !is_blocked(task, &left))) else {
                return Err(TaskError::Circle(left.first().map(|task| task.name.clone()).unwrap_or_default()));
            };
            let task = left.remove(next);
            tiers.push(Tier::new(task, &tiers)?);
        }
        Ok(Self { tiers })
    }

    /// Number of tasks.
    pub fn len(&self) -> usize {
        self.tiers.len()
    }

    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }
}

/// True when `maker` writes what `task` reads.
fn makes(maker: &Task, task: &Task) -> bool {
    maker.database == task.database && maker.target == task.source
}

fn check_names(tasks: &[Task]) -> Result<(), TaskError> {
    for (number, task) in tasks.iter().enumerate() {
        let others = tasks.iter().take(number);
        if others.clone().any(|other| other.name == task.name) {
            return Err(TaskError::SameName(task.name.clone()));
        }
        for other in others.filter(|other| other.database == task.database && other.target == task.target) {
            let taken = |field: &&TaskField| other.fields.iter().any(|theirs| theirs.alias == field.alias);
            if let Some(field) = task.fields.iter().find(taken) {
                return Err(TaskError::SameField(other.name.clone(), task.name.clone(), field.alias.clone()));
            }
        }
    }
    Ok(())
}

impl Tier {
    fn new(task: Task, before: &[Self]) -> Result<Self, TaskError> {
        let windows = |e: query::QueryError| TaskError::Windows { task: task.name.clone(), reason: e.to_string() };
        let grid = Grid::new(&task.window, task.time_zone.as_deref()).map_err(windows)?;
        let makers: Vec<usize> =
            (0..before.len()).filter(|&i| before.get(i).is_some_and(|t| makes(&t.task, &task))).collect();
        let nests = |&i: &usize| before.get(i).is_some_and(|maker| maker.is_nested_in(&task, &grid));
        // The coarsest one that fits: the later of two is made of fewer rows, most likely.
        let parent = makers.iter().copied().rev().find(nests);
        match (parent, makers.last().and_then(|&i| before.get(i))) {
            (None, Some(maker)) => Err(TaskError::DoesNotNest {
                task: task.name.clone(),
                source_task: maker.task.name.clone(),
                raw: maker.task.source.clone(),
            }),
            (parent, _) => Ok(Self { task, parent, grid, outlets: Outlets::default() }),
        }
    }

    /// True when every window of `task` starts where one of this tier does.
    fn is_nested_in(&self, task: &Task, grid: &Grid) -> bool {
        sample_starts(task.time_zone.as_deref(), grid).all(|start| self.grid.containing(start).start == start)
    }

    /// What must stay the same for rows made earlier to be of use.
    pub(crate) fn fingerprint(&self, before: &[Self]) -> String {
        let parent = self.parent.and_then(|i| before.get(i)).map(|parent| parent.fingerprint(before));
        let Task { database, source, target, window, time_zone, fields, .. } = &self.task;
        format!("1|{database}|{source}|{target}|{window:?}|{time_zone:?}|{fields:?}|{parent:?}")
    }
}

/// Starts of windows that stand for all: some days of every month around those on which clocks change.
fn sample_starts<'a>(zone: Option<&str>, grid: &'a Grid) -> impl Iterator<Item = TimestampNs> + 'a {
    let zone = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let (from, to) =
        (Timestamp::from_second(0).unwrap_or_default(), Timestamp::from_second(2_524_608_000).unwrap_or_default());
    let changes: Vec<Timestamp> =
        zone.following(from).map(|change| change.timestamp()).take_while(|at| *at < to).collect();
    let month = 30 * 86_400;
    let plain = (0..840).filter_map(move |i| Timestamp::from_second(i * month).ok());
    let times =
        changes.into_iter().chain(plain).filter_map(|at| i64::try_from(at.as_nanosecond()).ok()).map(TimestampNs);
    times.flat_map(|time| {
        let window: TimeRange = grid.containing(time);
        [window.start, window.end, grid.containing(window.end).end]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use query::request::parse_interval;

    fn task(name: &str, source: &str, target: &str, interval: &str, zone: Option<&str>) -> Task {
        Task {
            name: name.to_owned(),
            database: "d".to_owned(),
            source: source.to_owned(),
            target: target.to_owned(),
            window: parse_interval(interval, zone).unwrap(),
            time_zone: zone.map(str::to_owned),
            fields: vec![TaskField { function: Function::Mean, alias: format!("avg_{name}") }],
        }
    }

    fn order(tasks: Vec<Task>) -> Result<Vec<(String, Option<usize>)>, TaskError> {
        Ok(Plan::new(tasks)?.tiers.into_iter().map(|tier| (tier.task.name, tier.parent)).collect())
    }

    #[test]
    fn a_task_comes_behind_the_one_it_is_made_of() {
        let tasks = vec![task("day", "hourly", "daily", "1d", None), task("hour", "raw", "hourly", "1h", None)];
        assert_eq!(order(tasks).unwrap(), [("hour".to_owned(), None), ("day".to_owned(), Some(0))]);
    }

    #[test]
    fn of_two_sources_the_coarser_that_fits_is_taken() {
        let tasks = vec![
            task("quarter", "raw", "fine", "15m", None),
            task("hour", "raw", "fine", "1h", None),
            task("half", "fine", "half", "30m", None),
            task("day", "fine", "daily", "1d", Some("Europe/Berlin")),
        ];
        let parents: Vec<_> = order(tasks).unwrap().into_iter().map(|(_, parent)| parent).collect();
        assert_eq!(parents, [None, None, Some(0), Some(1)]);
    }

    #[test]
    fn windows_must_nest_where_clocks_change_too() {
        let hour = || task("hour", "raw", "hourly", "1h", None);
        assert!(order(vec![hour(), task("day", "hourly", "daily", "1d", Some("Europe/Berlin"))]).is_ok());
        assert!(order(vec![hour(), task("month", "hourly", "monthly", "1mo", Some("America/New_York"))]).is_ok());
        let kolkata = order(vec![hour(), task("day", "hourly", "daily", "1d", Some("Asia/Kolkata"))]);
        assert!(matches!(kolkata, Err(TaskError::DoesNotNest { .. })), "half an hour beside UTC: {kolkata:?}");
        let day = task("day", "hourly", "daily", "1d", None);
        let week = task("week", "daily", "weekly", "1w", Some("Asia/Shanghai"));
        assert!(matches!(order(vec![hour(), day, week]), Err(TaskError::DoesNotNest { .. })));
    }

    #[test]
    fn what_cannot_work_is_named() {
        let circle = vec![task("a", "x", "y", "1h", None), task("b", "y", "x", "1h", None)];
        assert_eq!(order(circle), Err(TaskError::Circle("a".to_owned())));
        let twice = vec![task("a", "x", "y", "1h", None), task("a", "x", "z", "1h", None)];
        assert_eq!(order(twice), Err(TaskError::SameName("a".to_owned())));
        let mut same = vec![task("a", "x", "y", "1h", None), task("b", "x", "y", "1d", None)];
        same[1].fields[0].alias = "avg_a".to_owned();
        assert!(matches!(order(same), Err(TaskError::SameField(..))));
    }
}
