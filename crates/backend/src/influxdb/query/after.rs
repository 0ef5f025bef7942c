//! What is done with an answer where a plan differs from InfluxQL in order or limit only: JSON requests go through time forwards
//! and turn their rows round at the end, and their limit is one of rows.

use query::plan::Select;

use super::render;

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct After {
    /// The rows of each series are turned round.
    pub(super) rows_are_turned: bool,
    /// The series are turned round.
    pub(super) series_are_turned: bool,
    /// Of each series only these rows stay.
    pub(super) cut: Option<Cut>,
    /// Rows at the end of each series go in which this column, a count behind that of the time, is 0.
    pub(super) trimmed_by: Option<usize>,
}

/// Rows that are passed over first, and how many then stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl After {
    /// What a plan needs.
    pub(super) fn of(plan: &Select) -> Self {
        let is_turned = plan.order != plan.direction;
        let calls = render::calls(plan);
        if calls == 0 {
            // In InfluxQL the order of the rows is that of the series, too.
            let several = !plan.group_by.is_empty() || render::are_several(plan);
            return Self { series_are_turned: is_turned && several, ..Self::default() };
        }
        let is_cut = plan.limit.is_some() || plan.offset > 0;
        let by_row = is_turned || (!plan.limit_each && calls > 1);
        let cut = Cut { offset: plan.offset, limit: plan.limit.unwrap_or(usize::MAX) };
        Self { rows_are_turned: is_turned, cut: (is_cut && by_row).then_some(cut), ..Self::default() }
    }

    /// The plan that is asked for.
    pub(super) fn asked(&self, plan: &Select) -> Select {
        let mut asked = plan.clone();
        if self.rows_are_turned {
            asked.order = plan.direction;
        }
        asked.direction = asked.order;
        if self.cut.is_some() {
            (asked.limit, asked.offset) = (None, 0);
        }
        asked
    }

    /// True when the answer can be given out as it comes.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
