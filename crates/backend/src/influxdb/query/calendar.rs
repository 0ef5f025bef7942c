//! Windows that InfluxQL does not have: calendar months and years, and days where clocks are changed. Each is a question of its
//! own, over its range; the answers are put together to rows. Only where a window's row says nothing of other windows: one value a
//! function, and empty windows left out or null.

use std::collections::{BTreeMap, BTreeSet};

use model::{TimeRange, TimestampNs};
use query::execute::window_containing;
use query::plan::expr::{AggregateCall, Expr};
use query::plan::{Column, FillWith, Order, Select, Source, Windowing};
use query::{Cell, QueryError, Table};

use super::Ask;
use super::after::{After, Cut};
use super::answer::{self, Budget, Part, bytes_of};
use super::render::{self, Question, Said, Scene};
use super::tables::{self, Tables};

/// Questions for one answer; more windows are computed from points.
const MAX_WINDOWS: usize = 1000;

/// True when the windows of a plan can be asked for one by one.
pub(super) fn is_divisible(plan: &Select) -> bool {
    let is_calendar = matches!(plan.window, Some(Windowing::Calendar { .. })) && !plan.window_inherited;
    let is_open = plan.range.start == TimestampNs::MIN || (plan.range.end == TimestampNs::MAX && fills(plan));
    let is_stored = plan.sources.iter().all(|source| matches!(source, Source::Measurement(_)));
    let takes_all_series = plan.series_limit.is_none() && plan.series_offset == 0;
    let cuts_by_function = plan.limit_each && plan.columns.len() > 1 && (plan.limit.is_some() || plan.offset > 0);
    let is_filled_so = match plan.fill {
        FillWith::None => plan.columns.iter().all(|column| is_of_windows(&column.expr)),
        FillWith::Null => plan.columns.iter().all(|column| plain(column).is_some()),
        _ => false,
    };
    let goes_forwards = plan.direction == Order::Ascending;
    is_calendar && !is_open && is_stored && takes_all_series && !cuts_by_function && is_filled_so && goes_forwards
}

fn fills(plan: &Select) -> bool {
    plan.fill != FillWith::None
}

/// True when an expression is made of functions that give one value a window.
fn is_of_windows(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(call) => is_plain(call),
        Expr::Literal(_) => true,
        Expr::Math { args, .. } => args.iter().all(is_of_windows),
        Expr::Binary { left, right, .. } => is_of_windows(left) && is_of_windows(right),
        _ => false,
    }
}

/// The function that a column is by itself.
fn plain(column: &Column) -> Option<&AggregateCall> {
    match &column.expr {
        Expr::Aggregate(call) if is_plain(call) => Some(call),
        _ => None,
    }
}

fn is_plain(call: &AggregateCall) -> bool {
    let picks_several = matches!(call.function.as_str(), "top" | "bottom" | "sample" | "distinct");
    !picks_several && call.function != query::pick::INTEGRAL && matches!(*call.of, Expr::Reference(_))
}

/// Where questions are asked and answers go.
pub(super) struct Division<'a> {
    pub(super) asker: &'a dyn Ask,
    pub(super) plan: &'a Select,
    pub(super) budget: &'a Budget<'a>,
    pub(super) warnings: BTreeSet<String>,
}

impl Division<'_> {
    /// Answers the plan; `None` where its parts cannot be said either.
    pub(super) fn run(mut self, tables: &mut Tables<'_>) -> Result<Option<Vec<String>>, QueryError> {
        if self.question(self.plan.range).is_err() {
            return Ok(None);
        }
        let Some(windows) = self.windows()? else { return Ok(None) };
        let mut gathered = Gathered { budget: self.budget, held: 0, series: BTreeMap::new(), keys: BTreeSet::new() };
        for window in &windows {
            let range = TimeRange::new(window.start.max(self.plan.range.start), window.end.min(self.plan.range.end));
            let Ok(question) = self.question(range) else { return Ok(None) };
            self.ask(&question, &mut |part| gathered.add(window.start, part, tables))?;
        }
        if fills(self.plan) {
            gathered.fill(self.plan, &windows)?;
        }
        gathered.give_out(tables)?;
        Ok(Some(self.warnings.into_iter().collect()))
    }

    fn ask(&mut self, question: &Question, each: answer::Each<'_>) -> Result<(), QueryError> {
        self.budget.check()?;
        let body = self.asker.ask(&question.database, question.policy.as_deref(), &question.text)?;
        self.warnings.extend(answer::read(body, self.budget, each)?);
        Ok(())
    }

    /// What is asked of one window.
    fn question(&self, range: TimeRange) -> Said<Question> {
        let one = Select {
            range,
            window: None,
            fill: FillWith::None,
            order: Order::Ascending,
            direction: Order::Ascending,
            limit: None,
            offset: 0,
            time_zone: None,
            ..self.plan.clone()
        };
        render::question(&one, &Scene { into: false, kinds: &[] })
    }

    /// All windows, in the order of time; `None` when there are too many.
    fn windows(&mut self) -> Result<Option<Vec<TimeRange>>, QueryError> {
        let range = self.plan.range;
        let end = if range.end == TimestampNs::MAX { self.newest()?.saturating_add(1) } else { range.end };
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

    /// The time of the newest point that the plan reads; the smallest time there is without any.
    fn newest(&mut self) -> Result<TimestampNs, QueryError> {
        let mut fields = Vec::new();
        self.plan.columns.iter().for_each(|column| add_fields(&column.expr, &mut fields));
        let mut newest = TimestampNs::MIN;
        for of in fields {
            let last = AggregateCall {
                function: "last".to_owned(),
                label: "last".to_owned(),
                of: Box::new(of.clone()),
                keys: Vec::new(),
                arguments: Vec::new(),
            };
            let plan = Select {
                columns: vec![Column { expr: Expr::Aggregate(last), alias: None }],
                window: None,
                group_by: Vec::new(),
                limit: None,
                offset: 0,
                direction: self.plan.order,
                time_zone: None,
                ..self.plan.clone()
            };
            let question = render::question(&plan, &Scene { into: false, kinds: &[] });
            let question = question.map_err(|error| QueryError::invalid(error.to_string()))?;
            self.ask(&question, &mut |part| {
                let times = tables::times(part.cells.0.first().map(Vec::as_slice).unwrap_or_default())?;
                newest = times.into_iter().chain([newest]).max().unwrap_or(newest);
                Ok(())
            })?;
        }
        Ok(newest)
    }
}

/// The fields that functions are computed of, each once.
fn add_fields<'e>(expr: &'e Expr, fields: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Aggregate(call) => {
            let known = fields
                .iter()
                .any(|field| matches!((field, &*call.of), (Expr::Reference(a), Expr::Reference(b)) if a == b));
            if !known {
                fields.push(&call.of);
            }
        }
        Expr::Math { args, .. } => args.iter().for_each(|arg| add_fields(arg, fields)),
        Expr::Binary { left, right, .. } => {
            add_fields(left, fields);
            add_fields(right, fields);
        }
        _ => {}
    }
}

/// Rows of all series, by name and tags.
struct Gathered<'a> {
    budget: &'a Budget<'a>,
    held: usize,
    series: BTreeMap<(String, Vec<(String, String)>), Table>,
    /// Keys of all tags: a server may leave those out that no series of a window has.
    keys: BTreeSet<String>,
}

impl Gathered<'_> {
    /// Adds the row of a window.
    fn add(&mut self, window: TimestampNs, part: Part, tables: &mut Tables<'_>) -> Result<(), QueryError> {
        let mut table = tables.table(part)?;
        if table.len() != 1 {
            let rows = table.len();
            return Err(QueryError::Store(format!("its answer has {rows} rows where one was asked for")));
        }
        self.keys.extend(table.tags.iter().map(|(key, _)| key.clone()));
        table.tags.retain(|(_, value)| !value.is_empty());
        table.times = Some(vec![window]);
        self.hold(table.cells.iter().map(|cells| bytes_of(cells)).sum())?;
        match self.series.get_mut(&(table.name.clone(), table.tags.clone())) {
            Some(known) => append(known, table),
            None => drop(self.series.insert((table.name.clone(), table.tags.clone()), table)),
        }
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), QueryError> {
        self.held += bytes;
        self.budget.hold(bytes)
    }

    /// Adds the windows without points. A count of nothing is 0, where something was counted in another window.
    fn fill(&mut self, plan: &Select, windows: &[TimeRange]) -> Result<(), QueryError> {
        let cells = self.series.len().saturating_mul(windows.len()).saturating_mul(plan.columns.len());
        self.hold(cells.saturating_mul(size_of::<Cell>()))?;
        for table in self.series.values_mut() {
            let times = table.times.take().unwrap_or_default();
            for (cells, column) in table.cells.iter_mut().zip(&plan.columns) {
                let counts = plain(column).is_some_and(|call| call.label == "count");
                let is_something = cells.iter().any(|cell| *cell != Cell::Null);
                let nothing = if counts && is_something { Cell::Integer(0) } else { Cell::Null };
                let mut known = times.iter().zip(std::mem::take(cells)).peekable();
                let of_window =
                    |window: &TimeRange| known.next_if(|(time, _)| **time == window.start).map(|(_, cell)| cell);
                let filled = windows.iter().map(of_window);
                *cells = filled
                    .map(|cell| cell.filter(|cell| *cell != Cell::Null).unwrap_or_else(|| nothing.clone()))
                    .collect();
            }
            table.times = Some(windows.iter().map(|window| window.start).collect());
        }
        Ok(())
    }

    /// Gives the series out in the order of their tags.
    fn give_out(self, tables: &mut Tables<'_>) -> Result<(), QueryError> {
        // From here on `tables` counts what it holds.
        self.budget.release(self.held);
        let keys = &self.keys;
        let whole = |mut table: Table| {
            let of_key = |key: &String| {
                let value = table.tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
                (key.clone(), value.unwrap_or_default())
            };
            let tags = keys.iter().map(of_key).collect();
            table.tags = tags;
            table
        };
        let mut all: Vec<Table> = self.series.into_values().map(whole).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.tags.cmp(&b.tags)));
        all.into_iter().try_for_each(|table| tables.add_table(table))
    }
}

fn append(known: &mut Table, more: Table) {
    if let (Some(times), Some(more)) = (&mut known.times, more.times) {
        times.extend(more);
    }
    known.cells.iter_mut().zip(more.cells).for_each(|(cells, more)| cells.extend(more));
}

/// What is left to do with the rows: order and limit, which no question had.
pub(super) fn after(plan: &Select) -> After {
    let cut = Cut { offset: plan.offset, limit: plan.limit.unwrap_or(usize::MAX) };
    let is_cut = plan.limit.is_some() || plan.offset > 0;
    let is_turned = plan.order == Order::Descending;
    After { rows_are_turned: is_turned, series_are_turned: false, cut: is_cut.then_some(cut) }
}
