//! Groups for which functions over points are computed: every function gives a sequence of points, the sequences are joined by
//! time to rows.

use std::collections::BTreeMap;

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::feed::{Feed, Reach};
use super::fill::{self, Filling};
use super::folds::{Folded, Pass, Wanted};
use super::group::{Group, Meaning, View};
use super::job::Job;
use super::narrow;
use super::prepare::{Layout, note_leaf};
use super::windows::{Windows, all_starts};
use super::{limit, points};
use crate::aggregate::{Origin, Picked, Point, Wants};
use crate::plan::expr::{AggregateCall, Expr, Reference, Transform};
use crate::plan::{FillWith, Order, Select, Windowing};
use crate::result::Cell;
use crate::{QueryError, Table, pick, transform};

/// The functions over points that a plan computes, each once.
pub(super) struct Calls<'p> {
    list: Vec<Call<'p>>,
    /// There is one function only, and it picks points: rows then are these points.
    is_selector: bool,
}

/// A function over points.
struct Call<'p> {
    /// Text by which equal calls are known.
    key: String,
    aggregate: Option<Aggregate<'p>>,
    /// What is made of the aggregate's results, or of the points of the field, one after the other.
    transforms: Vec<&'p Transform>,
    leaf: usize,
}

/// An aggregate of a call.
#[derive(Clone, Copy)]
struct Aggregate<'p> {
    call: &'p AggregateCall,
    field: &'p str,
}

impl<'p> Calls<'p> {
    /// The calls in the columns of a plan. Names that they use are added to `leaves`.
    pub(super) fn of(plan: &'p Select, leaves: &mut Vec<Reference>) -> Self {
        let mut calls = Self { list: Vec::new(), is_selector: false };
        for column in &plan.columns {
            calls.note(&column.expr, leaves);
        }
        if let [Call { aggregate: Some(aggregate), transforms, .. }] = calls.list.as_slice()
            && transforms.is_empty()
        {
            let name = aggregate.call.function.as_str();
            calls.is_selector =
                matches!(name, "min" | "max" | "first" | "last" | "percentile" | "top" | "bottom" | "sample");
        }
        calls
    }

    fn note(&mut self, expr: &'p Expr, leaves: &mut Vec<Reference>) {
        match expr {
            Expr::Aggregate(_) | Expr::Transform(_) => {
                let mut transforms = Vec::new();
                let base = base_of(expr, &mut transforms);
                self.add(expr, base, transforms, leaves);
            }
            Expr::Math { args, .. } => args.iter().for_each(|arg| self.note(arg, leaves)),
            Expr::Binary { left, right, .. } => {
                self.note(left, leaves);
                self.note(right, leaves);
            }
            _ => {}
        }
    }

    fn add(&mut self, expr: &Expr, base: &'p Expr, transforms: Vec<&'p Transform>, leaves: &mut Vec<Reference>) {
        let (aggregate, of) = match base {
            Expr::Aggregate(call) => (Some(call), &*call.of),
            other => (None, other),
        };
        let Expr::Reference(reference) = of else { return };
        for key in aggregate.iter().flat_map(|call| &call.keys) {
            note_leaf(key, leaves);
        }
        let aggregate = aggregate.map(|call| Aggregate { call, field: &reference.name });
        let call = Call { key: key_of(expr), aggregate, transforms, leaf: note_leaf(reference, leaves) };
        if !self.list.iter().any(|known| known.key == call.key) {
            self.list.push(call);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Tags of `top` and `bottom`.
    fn keys(&self) -> impl Iterator<Item = &'p Reference> {
        self.list.iter().filter_map(|call| call.aggregate).flat_map(|aggregate| &aggregate.call.keys)
    }

    /// Number of the call that an expression is.
    pub(super) fn position(&self, expr: &Expr) -> Option<usize> {
        let key = key_of(expr);
        self.list.iter().position(|call| call.key == key)
    }

    /// Fields that functions are computed of.
    pub(super) fn leaves(&self) -> impl Iterator<Item = usize> {
        self.list.iter().map(|call| call.leaf)
    }

    /// True when every function gives one value a window, and nothing looks beyond its window.
    pub(super) fn are_all_plain(&self) -> bool {
        self.list.iter().all(|call| call.transforms.is_empty() && call.is_plain())
    }
}

/// What transformations are applied to; they are noted from the inside outwards.
fn base_of<'p>(expr: &'p Expr, transforms: &mut Vec<&'p Transform>) -> &'p Expr {
    let Expr::Transform(call) = expr else { return expr };
    let base = base_of(&call.of, transforms);
    transforms.push(&call.transform);
    base
}

/// Text by which equal calls are known.
fn key_of(expr: &Expr) -> String {
    format!("{expr:?}")
}

impl Aggregate<'_> {
    /// Whether it may give several points a window.
    fn picks_several(&self) -> bool {
        matches!(self.call.function.as_str(), "top" | "bottom" | "sample" | "distinct" | pick::INTEGRAL)
    }

    /// Refuses values that the function cannot be computed of; all points are of one type.
    fn check_type(&self, points: &[Point]) -> Result<(), QueryError> {
        let name = self.call.label.as_str();
        let of = match points.first().map(|point| &point.cell) {
            Some(Cell::String(_)) if !matches!(name, "distinct" | "sample") => "string",
            Some(Cell::Boolean(_)) if !matches!(name, "distinct" | "sample") => "boolean",
            _ => return Ok(()),
        };
        Err(QueryError::invalid(format!(
            "{name}() cannot be computed of field `{}`, which is of type {of}",
            self.field
        )))
    }

    fn is_percentile(&self) -> bool {
        self.call.function.starts_with("percentile")
    }

    fn numbers(&self) -> Vec<f64> {
        let number = |cell: &Cell| match cell {
            Cell::Float(v) => *v,
            Cell::Integer(v) => *v as f64,
            Cell::Unsigned(v) => *v as f64,
            _ => f64::NAN,
        };
        self.call.arguments.iter().map(number).collect()
    }

    fn count(&self) -> usize {
        match self.call.arguments.first() {
            Some(Cell::Integer(n)) => usize::try_from(*n).unwrap_or(0),
            _ => 0,
        }
    }

    /// How empty windows are filled: a count of nothing is 0.
    fn fill(&self, fill: &FillWith) -> FillWith {
        match fill {
            FillWith::Null if self.call.label == "count" => FillWith::Value(Cell::Integer(0)),
            fill => fill.clone(),
        }
    }
}

/// Whether an expression computes functions over points.
pub(super) fn has_call(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(_) | Expr::Transform(_) => true,
        Expr::Math { args, .. } => args.iter().any(has_call),
        Expr::Binary { left, right, .. } => has_call(left) || has_call(right),
        _ => false,
    }
}

/// What a function gave: oldest first.
#[derive(Default)]
struct Sequence {
    times: Vec<TimestampNs>,
    cells: Vec<Cell>,
    /// The points picked, where rows are points.
    origins: Vec<Option<Origin>>,
    kind: Option<FieldType>,
    /// Several points of one window stay in the order of time also newest first.
    stays_in_windows: bool,
}

impl Sequence {
    fn of_points(points: Vec<Point>) -> Self {
        let mut sequence = Self::default();
        for point in points {
            sequence.times.push(point.time);
            sequence.cells.push(point.cell);
            sequence.origins.push(point.at);
        }
        sequence
    }
}

/// Answers one group.
pub(super) fn answer<'a>(
    job: &'a Job<'a>,
    layout: &'a Layout<'a>,
    views: &'a [View],
    name: &str,
    group: &Group,
    feed: &mut Feed<'_>,
    threads: usize,
) -> Result<Vec<Table>, QueryError> {
    let mut work = Work { job, layout, views, group, feed, threads };
    let plan = layout.plan;
    let mut sequences = work.sequences()?;
    if plan.direction == Order::Descending {
        sequences.iter_mut().for_each(|sequence| sequence.reverse(&layout.windows));
    }
    if plan.limit_each {
        sequences.iter_mut().for_each(|sequence| sequence.cut(plan));
    }
    let mut rows = join(sequences, &plan.fill, plan.direction == Order::Descending);
    if plan.order != plan.direction {
        rows.reverse();
    }
    if !plan.limit_each {
        rows.cut(plan);
    }
    for &leaf in &layout.aux {
        let cells = work.aux(leaf, &rows.origins)?;
        rows.columns.push(cells);
    }
    if work.job.into && layout.calls.keys().next().is_some() {
        return Ok(work.by_keys(name, rows));
    }
    Ok(vec![layout.table(name, group, rows.times, rows.columns)])
}

/// One group being answered.
pub(super) struct Work<'w, 'a, 'f> {
    pub(super) job: &'a Job<'a>,
    pub(super) layout: &'a Layout<'a>,
    pub(super) views: &'a [View],
    pub(super) group: &'w Group,
    pub(super) feed: &'w mut Feed<'f>,
    threads: usize,
}

impl<'a> Work<'_, 'a, '_> {
    fn sequences(&mut self) -> Result<Vec<Sequence>, QueryError> {
        let calls = &self.layout.calls.list;
        let mut sequences: Vec<Sequence> = calls.iter().map(|_| Sequence::default()).collect();
        for (range, numbers) in self.passes() {
            let wanted = numbers
                .iter()
                .filter_map(|&n| calls.get(n))
                .map(|call| self.wanted(call))
                .collect::<Result<Vec<_>, _>>()?;
            let (folded, range) = self.fold(&wanted.into_iter().flatten().collect::<Vec<_>>(), range)?;
            let starts = &folded.starts;
            for ((number, picked), kind) in numbers.into_iter().zip(folded.picked).zip(folded.kinds) {
                if let (Some(call), Some(kind), Some(place)) = (calls.get(number), kind, sequences.get_mut(number)) {
                    *place = self.windowed(call, starts, picked, kind, range)?;
                }
            }
        }
        for (call, sequence) in calls.iter().zip(&mut sequences) {
            if !call.is_plain() {
                *sequence = self.point_by_point(call)?;
            }
            for transform in &call.transforms {
                *sequence = self.transformed(transform, std::mem::take(sequence))?;
            }
        }
        Ok(sequences)
    }

    /// The calls that give one value a window, by the range that they read.
    fn passes(&self) -> Vec<(TimeRange, Vec<usize>)> {
        let mut passes: Vec<(TimeRange, Vec<usize>)> = Vec::new();
        for (number, call) in self.layout.calls.list.iter().enumerate().filter(|(_, call)| call.is_plain()) {
            let range = self.range_of(call);
            match passes.iter_mut().find(|(known, _)| *known == range) {
                Some((_, numbers)) => numbers.push(number),
                None => passes.push((range, vec![number])),
            }
        }
        passes
    }

    /// What a call reads: one window more for every transformation that looks at the one before (newest first: after).
    fn range_of(&self, call: &Call<'_>) -> TimeRange {
        let looking_back = call.transforms.iter().filter(|transform| looks_back(transform)).count() as i64;
        let width = self.layout.windows.width_ns().filter(|_| call.aggregate.is_some()).unwrap_or(0);
        extended(self.layout.plan, width.saturating_mul(looking_back))
    }

    fn wanted(&self, call: &Call<'a>) -> Result<Option<Wanted<'a>>, QueryError> {
        let Some(aggregate) = call.aggregate else { return Ok(None) };
        let function = self.job.registry.get(&aggregate.call.function)?;
        let arguments = aggregate.numbers();
        // A percentile that there cannot be is no error, but nothing.
        if !aggregate.is_percentile() {
            function
                .check_arguments(&arguments)
                .map_err(|expected| QueryError::invalid(format!("{}() {expected}", aggregate.call.label)))?;
        }
        let is_point = self.layout.calls.is_selector && (!self.layout.windows.divide() || !self.layout.aux.is_empty());
        let wants = if is_point { Wants::Origin } else { Wants::Value };
        Ok(Some(Wanted { function, arguments, leaf: call.leaf, field: aggregate.field, wants }))
    }

    fn fold(&mut self, wanted: &[Wanted<'_>], range: TimeRange) -> Result<(Folded, TimeRange), QueryError> {
        if let Some(narrow) = narrow::range(self, range) {
            let folded = self.fold_range(wanted, narrow.range)?;
            let is_there = |(start, picked): (&TimestampNs, &Option<Picked>)| {
                picked.is_some() && narrow.must_have.is_none_or(|wanted| wanted == *start)
            };
            if folded.picked.iter().all(|picked| folded.starts.iter().zip(picked).any(is_there)) {
                return Ok((folded, narrow.range));
            }
        }
        Ok((self.fold_range(wanted, range)?, range))
    }

    fn fold_range(&mut self, wanted: &[Wanted<'_>], range: TimeRange) -> Result<Folded, QueryError> {
        let (job, views, windows) = (self.job, self.views, &self.layout.windows);
        Pass { job, views, windows, range, wanted }.run(self.group, self.feed, self.threads)
    }

    /// The results of an aggregate as a sequence, empty windows filled.
    fn windowed(
        &self,
        call: &Call<'_>,
        starts: &[TimestampNs],
        picked: Vec<Option<Picked>>,
        kind: FieldType,
        range: TimeRange,
    ) -> Result<Sequence, QueryError> {
        let (Some(aggregate), Some(&first), Some(&last)) = (call.aggregate, starts.first(), starts.last()) else {
            return Ok(Sequence::default());
        };
        let windows = &self.layout.windows;
        if !windows.divide() {
            let picked = if aggregate.is_percentile() { without_nulls(picked) } else { picked };
            return Ok(self.single(picked.into_iter().flatten().next()));
        }
        let fill = aggregate.fill(&self.layout.plan.fill);
        let function = self.job.registry.get(&aggregate.call.function)?;
        let kind = function.result_type(kind);
        let picked = if aggregate.is_percentile() { without_nulls(picked) } else { picked };
        let some: Vec<_> = starts.iter().zip(&picked).filter(|(_, p)| p.is_some()).map(|(s, _)| *s).collect();
        let (Some(&first_of_call), Some(&last_of_call)) = (some.first(), some.last()) else {
            return Ok(Sequence::default());
        };
        debug_assert!(first <= first_of_call && last_of_call <= last);
        let all = match fill {
            FillWith::None => some.clone(),
            _ => {
                let all =
                    all_starts(windows, range, first_of_call, last_of_call, &|count| self.job.check_windows(count))?;
                united(all, &some)
            }
        };
        let origins = if self.layout.aux.is_empty() { Vec::new() } else { spread_origins(&some, &picked, &all) };
        let cells = picked.into_iter().flatten().map(|p| Some(p.cell)).collect();
        let newest_first = self.layout.plan.direction == Order::Descending;
        let filling = Filling { fill, kind, newest_first, by_time: windows.width_ns().is_none() };
        let cells = fill::spread(&some, cells, &all, &filling);
        Ok(Sequence { times: all, cells, origins, kind: Some(kind), stays_in_windows: false })
    }

    /// The one result of a query without windows.
    fn single(&self, picked: Option<Picked>) -> Sequence {
        let Some(Picked { cell, at }) = picked else { return Sequence::default() };
        let label = self.layout.windows.label(self.layout.plan.range.start);
        let time = at.filter(|_| self.layout.calls.is_selector).map_or(label, |at| at.time);
        Sequence { times: vec![time], cells: vec![cell], origins: vec![at], ..Sequence::default() }
    }

    /// Calls that see the points of the group one by one.
    fn point_by_point(&mut self, call: &Call<'a>) -> Result<Sequence, QueryError> {
        let range = self.range_of(call);
        let points = points::of_field(self.group, call.leaf, range, self.feed, self.threads)?;
        let held = points.len() * size_of::<Point>();
        let Some(aggregate) = call.aggregate else { return Ok(Sequence::of_points(points)) };
        aggregate.check_type(&points)?;
        let result = self.several(aggregate, points);
        self.job.release(held);
        let stays_in_windows = matches!(aggregate.call.function.as_str(), "top" | "bottom" | "sample");
        Ok(Sequence { stays_in_windows, ..Sequence::of_points(result) })
    }

    /// Functions that give several points a window.
    fn several(&self, aggregate: Aggregate<'_>, points: Vec<Point>) -> Vec<Point> {
        let plan = self.layout.plan;
        let windows = &self.layout.windows;
        if aggregate.call.function == pick::INTEGRAL {
            return self.integral(aggregate, &points);
        }
        let mut result = Vec::new();
        for (window, points) in points::by_window(points, |time| windows.containing(time)) {
            let count = aggregate.count();
            let function = aggregate.call.function.as_str();
            match function {
                "top" => result.append(&mut pick::top(self.candidates(aggregate, points, pick::Side::Largest), count)),
                "bottom" => {
                    result.append(&mut pick::bottom(self.candidates(aggregate, points, pick::Side::Smallest), count));
                }
                "sample" => result.append(&mut pick::sample(points, count, window.start.0.cast_unsigned())),
                _ => {
                    let label = windows.label(if windows.divide() { window.start } else { plan.range.start });
                    result.extend(pick::distinct(points).into_iter().map(|point| Point { time: label, ..point }));
                }
            }
        }
        result
    }

    fn integral(&self, aggregate: Aggregate<'_>, points: &[Point]) -> Vec<Point> {
        let windows = &self.layout.windows;
        let unit = aggregate.call.arguments.first();
        let unit_ns = if let Some(Cell::Integer(unit)) = unit { *unit } else { 1_000_000_000 };
        let containing = |time| windows.containing(time);
        let by_window: Option<&dyn Fn(TimestampNs) -> TimeRange> =
            if windows.divide() { Some(&containing) } else { None };
        // NOTE: as in InfluxDB, the area of a whole range stands at its start for integers and at the epoch for floats.
        let is_integer = matches!(points.first(), Some(Point { cell: Cell::Integer(_), .. }));
        let wanted =
            pick::Integral { unit_ns, order: self.layout.plan.direction, integers: is_integer, windows: by_window };
        let mut result = pick::integral(points, wanted);
        if !windows.divide() && is_integer {
            let label = windows.label(self.layout.plan.range.start);
            result.iter_mut().for_each(|point| point.time = label);
        }
        result
    }

    /// Points that `top` and `bottom` choose from: with keys, the best of each combination of their values.
    fn candidates(&self, aggregate: Aggregate<'_>, points: Vec<Point>, best: pick::Side) -> Vec<Point> {
        if aggregate.call.keys.is_empty() {
            return points;
        }
        let leaves: Vec<Option<usize>> =
            aggregate.call.keys.iter().map(|key| self.layout.leaves.iter().position(|l| l == key)).collect();
        let key_of = |origin: Option<Origin>| {
            leaves.iter().map(|leaf| self.tag(leaf.as_ref().copied(), origin)).collect::<Vec<_>>()
        };
        pick::best_per_key(points.into_iter().map(|point| (key_of(point.at), point)), best)
    }

    /// Value of a tag at a point; empty for fields and missing tags.
    fn tag(&self, leaf: Option<usize>, origin: Option<Origin>) -> String {
        let member = origin.and_then(|at| self.group.members.get(at.series.index()));
        let value =
            leaf.zip(member).and_then(|(leaf, member)| match self.views.get(member.view)?.meanings.get(leaf)? {
                Meaning::Tag(tag) => member.tags.get(*tag),
                _ => None,
            });
        if let Some(Cell::String(text)) = value { text.clone() } else { String::new() }
    }

    /// Rows that are to be written: the tags of `top` and `bottom` become tags of the series they are written to.
    fn by_keys(&self, name: &str, rows: Joined) -> Vec<Table> {
        let keys: Vec<&Reference> = self.layout.calls.keys().collect();
        let leaf = |key: &&Reference| self.layout.leaves.iter().position(|leaf| leaf == *key);
        let mut tables: BTreeMap<Vec<String>, TimesAndColumns> = BTreeMap::new();
        for (row, &time) in rows.times.iter().enumerate() {
            let origin = rows.origins.get(row).copied().flatten();
            let values: Vec<String> = keys.iter().map(|key| self.tag(leaf(key), origin)).collect();
            let (times, columns) =
                tables.entry(values).or_insert_with(|| (Vec::new(), vec![Vec::new(); rows.columns.len()]));
            times.push(time);
            for (column, cells) in columns.iter_mut().zip(&rows.columns) {
                column.push(cells.get(row).cloned().unwrap_or_default());
            }
        }
        let table = |(values, (times, columns)): (Vec<String>, TimesAndColumns)| {
            let mut table = self.layout.table(name, self.group, times, columns);
            let tags = keys.iter().map(|key| key.name.clone()).zip(values).filter(|(_, value)| !value.is_empty());
            table.tags.extend(tags);
            table
        };
        tables.into_iter().map(table).collect()
    }

    fn transformed(&self, transform: &Transform, sequence: Sequence) -> Result<Sequence, QueryError> {
        let order = self.layout.plan.direction;
        let points = sequence.times.into_iter().zip(sequence.cells).filter(|(_, cell)| *cell != Cell::Null);
        let mut points: Vec<Point> = points.map(|(time, cell)| Point { time, cell, at: None }).collect();
        if order == Order::Descending {
            points.reverse();
        }
        let mut result = transform::apply(transform, points, order, self.layout.windows.width_ns())?;
        if order == Order::Descending {
            result.reverse();
        }
        let kind = match result.first().map(|point| &point.cell) {
            Some(Cell::Integer(_)) => Some(FieldType::Integer),
            Some(Cell::Float(_)) => Some(FieldType::Float),
            _ => None,
        };
        Ok(Sequence { kind, ..Sequence::of_points(result) })
    }

    /// The values of a bare field or tag at the points picked.
    fn aux(&mut self, leaf: usize, origins: &[Option<Origin>]) -> Result<Vec<Cell>, QueryError> {
        let mut cells: Vec<Cell> = vec![Cell::Null; origins.len()];
        let mut by_member: BTreeMap<SeriesId, Vec<(usize, TimestampNs)>> = BTreeMap::new();
        for (row, origin) in origins.iter().enumerate() {
            if let Some(origin) = origin {
                by_member.entry(origin.series).or_default().push((row, origin.time));
            }
        }
        let mut kind = None;
        for (series, rows) in by_member {
            let Some(member) = self.group.members.get(series.index()) else { continue };
            let Some(view) = self.views.get(member.view) else { continue };
            match view.meanings.get(leaf) {
                Some(&Meaning::Tag(tag)) => {
                    let value = member.tags.get(tag).cloned().unwrap_or_default();
                    rows.iter().for_each(|(row, _)| put(&mut cells, *row, value.clone()));
                }
                Some(&Meaning::Field(slot)) => {
                    kind = view.slots.get(slot).map(|slot| slot.kind);
                    let (first, last) = bounds(&rows);
                    let range = TimeRange::new(first, last.saturating_add(1));
                    let found = self.feed.rows(member, &[slot], range, Reach::ALL)?;
                    for (row, time) in rows {
                        let at = found.times.binary_search(&time);
                        at.iter().for_each(|&at| put(&mut cells, row, found.cell(slot, at).clone()));
                    }
                    self.job.release(found.bytes());
                }
                _ => {}
            }
        }
        if self.layout.windows.divide() {
            fill_aux(&mut cells, &self.layout.plan.fill, kind);
        }
        Ok(cells)
    }
}

impl Call<'_> {
    /// Whether an aggregate gives one value a window.
    fn is_plain(&self) -> bool {
        self.aggregate.is_some_and(|aggregate| !aggregate.picks_several())
    }
}

/// The range of a plan, with so much more before it (newest first: after it).
fn extended(plan: &Select, more_ns: i64) -> TimeRange {
    let range = plan.range;
    match plan.direction {
        Order::Ascending if range.start == TimestampNs::MIN => range,
        Order::Ascending => TimeRange::new(range.start.saturating_add(-more_ns), range.end),
        Order::Descending if range.end == TimestampNs::MAX => range,
        Order::Descending => TimeRange::new(range.start, range.end.saturating_add(more_ns)),
    }
}

/// The range that a plan reads with all that its functions look back to.
pub(super) fn beyond(plan: &Select) -> TimeRange {
    let Some(Windowing::Fixed { width, .. }) = plan.window else { return plan.range };
    let calls = Calls::of(plan, &mut Vec::new());
    let windows = |call: &Call<'_>| call.transforms.iter().filter(|transform| looks_back(transform)).count() as i64;
    let most = calls.list.iter().filter(|call| call.aggregate.is_some()).map(windows).max().unwrap_or(0);
    extended(plan, width.get().saturating_mul(most))
}

/// Transforms that make their first value of two points.
const fn looks_back(transform: &Transform) -> bool {
    !matches!(transform, Transform::CumulativeSum | Transform::HoltWinters { .. })
}

fn bounds(rows: &[(usize, TimestampNs)]) -> (TimestampNs, TimestampNs) {
    let times = rows.iter().map(|(_, time)| *time);
    (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default())
}

fn put(cells: &mut [Cell], row: usize, cell: Cell) {
    if let Some(place) = cells.get_mut(row) {
        *place = cell;
    }
}

/// All of `all` and of `some`, which mostly is part of it: where clocks change, windows of points may begin elsewhere.
fn united(mut all: Vec<TimestampNs>, some: &[TimestampNs]) -> Vec<TimestampNs> {
    if some.iter().any(|start| all.binary_search(start).is_err()) {
        all.extend_from_slice(some);
        all.sort_unstable();
        all.dedup();
    }
    all
}

/// Percentiles without such a rank are no results.
fn without_nulls(picked: Vec<Option<Picked>>) -> Vec<Option<Picked>> {
    picked.into_iter().map(|picked| picked.filter(|picked| picked.cell != Cell::Null)).collect()
}

fn spread_origins(some: &[TimestampNs], picked: &[Option<Picked>], all: &[TimestampNs]) -> Vec<Option<Origin>> {
    let mut known = some.iter().zip(picked.iter().flatten()).peekable();
    all.iter().map(|start| known.next_if(|(known, _)| *known == start).and_then(|(_, picked)| picked.at)).collect()
}

const fn is_number(kind: FieldType) -> bool {
    matches!(kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned)
}

/// What stands where a picked point has no value of a field or tag: nothing by default.
fn fill_aux(cells: &mut [Cell], fill: &FillWith, kind: Option<FieldType>) {
    if let Some(value) = fill::number(fill, kind.filter(|kind| is_number(*kind))) {
        cells.iter_mut().filter(|cell| **cell == Cell::Null).for_each(|cell| *cell = value.clone());
    }
}

/// Times of rows, and their columns.
type TimesAndColumns = (Vec<TimestampNs>, Vec<Vec<Cell>>);

/// Rows whose columns are sequences.
struct Joined {
    times: Vec<TimestampNs>,
    columns: Vec<Vec<Cell>>,
    origins: Vec<Option<Origin>>,
}

impl Joined {
    fn reverse(&mut self) {
        self.times.reverse();
        self.columns.iter_mut().for_each(|column| column.reverse());
        self.origins.reverse();
    }

    /// Keeps the rows that limit and offset let through.
    fn cut(&mut self, plan: &Select) {
        let range = limit::shown(plan, self.times.len());
        limit::cut(&mut self.times, &range);
        self.columns.iter_mut().for_each(|column| limit::cut(column, &range));
        limit::cut(&mut self.origins, &range);
    }
}

/// Joins sequences by time, in the direction of the plan. Where one has no point of a time, `fill` says what stands there.
fn join(mut sequences: Vec<Sequence>, fill: &FillWith, newest_first: bool) -> Joined {
    if let [only] = sequences.as_mut_slice() {
        let only = std::mem::take(only);
        return Joined { times: only.times, columns: vec![only.cells], origins: only.origins };
    }
    if let Some(times) = common_times(&sequences) {
        return Joined { times, columns: sequences.into_iter().map(|s| s.cells).collect(), origins: Vec::new() };
    }
    let mut joined =
        Joined { times: Vec::new(), columns: sequences.iter().map(|_| Vec::new()).collect(), origins: Vec::new() };
    let mut heads = vec![0; sequences.len()];
    while let Some(time) = next_time(&sequences, &heads, newest_first) {
        joined.times.push(time);
        for ((sequence, head), column) in sequences.iter_mut().zip(&mut heads).zip(&mut joined.columns) {
            if sequence.times.get(*head) == Some(&time) {
                column.push(sequence.cells.get_mut(*head).map(std::mem::take).unwrap_or_default());
                *head += 1;
            } else {
                let last = column.last().cloned();
                column.push(missing(fill, last, sequence.kind));
            }
        }
    }
    joined
}

impl Sequence {
    /// Newest first. The points that `top` and `bottom` pick in one window stay in the order of time, as in InfluxDB.
    fn reverse(&mut self, windows: &Windows) {
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        if self.stays_in_windows {
            let start = |i: &usize| self.times.get(*i).map(|time| windows.containing(*time).start);
            order.sort_by_key(|i| std::cmp::Reverse(start(i)));
        } else {
            order.reverse();
        }
        self.times = order.iter().filter_map(|&i| self.times.get(i).copied()).collect();
        self.cells = order.iter().filter_map(|&i| self.cells.get_mut(i).map(std::mem::take)).collect();
        self.origins = order.iter().filter_map(|&i| self.origins.get(i).copied()).collect();
    }

    /// Keeps what LIMIT and OFFSET let through.
    fn cut(&mut self, plan: &Select) {
        let range = limit::shown(plan, self.times.len());
        limit::cut(&mut self.times, &range);
        limit::cut(&mut self.cells, &range);
        limit::cut(&mut self.origins, &range);
    }
}

/// The times of all sequences, when they are the same.
fn common_times(sequences: &[Sequence]) -> Option<Vec<TimestampNs>> {
    let (first, rest) = sequences.split_first()?;
    rest.iter().all(|s| s.times == first.times).then(|| first.times.clone())
}

fn next_time(sequences: &[Sequence], heads: &[usize], newest_first: bool) -> Option<TimestampNs> {
    let times = sequences.iter().zip(heads).filter_map(|(sequence, head)| sequence.times.get(*head)).copied();
    if newest_first { times.max() } else { times.min() }
}

fn missing(fill: &FillWith, last: Option<Cell>, kind: Option<FieldType>) -> Cell {
    match fill {
        FillWith::Previous => last.unwrap_or_default(),
        fill => fill::number(fill, kind).unwrap_or_default(),
    }
}
