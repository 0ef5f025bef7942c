//! One question a window.

use std::collections::BTreeSet;

use model::{TimeRange, TimestampNs};
use query::QueryError;
use query::execute::window_containing;
use query::plan::Select;

use super::super::answer::Budget;
use super::super::last_point::{last_point, whole};
use super::super::render::{self, Question, Said, Scene};
use super::super::tables::Tables;
use super::super::{Ask, ask};
use super::fills;
use super::gathered::Gathered;

/// Questions for one answer; more windows are computed from points.
const MAX_WINDOWS: usize = 1000;

/// Where questions are asked and answers go.
pub(in super::super) struct Division<'a> {
    pub(in super::super) asker: &'a dyn Ask,
    pub(in super::super) plan: &'a Select,
    pub(in super::super) budget: &'a Budget<'a>,
    pub(in super::super) warnings: BTreeSet<String>,
}

impl Division<'_> {
    /// Answers the plan; `None` where its parts cannot be said either.
    pub(in super::super) fn run(mut self, tables: &mut Tables<'_>) -> Result<Option<Vec<String>>, QueryError> {
        if self.question(self.plan.range).is_err() {
            return Ok(None);
        }
        let Some(windows) = self.windows()? else { return Ok(None) };
        let mut gathered = Gathered::new(self.budget);
        for window in &windows {
            let range = TimeRange::new(window.start.max(self.plan.range.start), window.end.min(self.plan.range.end));
            let Ok(question) = self.question(range) else { return Ok(None) };
            let warnings =
                ask(self.asker, &question, self.budget, &mut |part| gathered.add(window.start, part, tables))?;
            self.warnings.extend(warnings);
        }
        if fills(self.plan) {
            gathered.fill(self.plan, &windows)?;
        }
        gathered.give_out(tables)?;
        Ok(Some(self.warnings.into_iter().collect()))
    }

    /// What is asked of one window.
    fn question(&self, range: TimeRange) -> Said<Question> {
        render::question(&whole(self.plan, range), &Scene { into: false, kinds: &[] })
    }

    /// All windows, in the order of time; `None` when there are too many.
    fn windows(&self) -> Result<Option<Vec<TimeRange>>, QueryError> {
        let range = self.plan.range;
        let end = if range.end == TimestampNs::MAX {
            last_point(self.asker, self.plan, self.budget)?.saturating_add(1)
        } else {
            range.end
        };
        let mut windows = Vec::new();
        let mut from = range.start;
        while from < end {
            if windows.len() >= MAX_WINDOWS {
                return Ok(None);
            }
            let window = window_containing(self.plan, from)?;
            windows.push(window);
            from = window.end;
        }
        Ok(Some(windows))
    }
}
