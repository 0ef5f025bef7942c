//! Results of windows from the cache, as far as it has them; only the others are computed.

use model::{ColumnId, FieldType, TimeRange, TimestampNs};

use super::complete::complete;
use super::computed::Work;
use super::folds::{Folded, Pass, Wanted, slot_of};
use super::group::{Data, Member};
use super::windows::Windows;
use crate::QueryError;
use crate::aggregate::Beside;
use crate::cache::{Access, Function, Key, Lookup, Question, Rows, WindowsOf};

/// Columns of a group that is kept at most: the key of a larger one would take more memory than its results are worth.
const MAX_COLUMNS: usize = 100_000;
/// What is missing is computed on one thread when it is no more than one part of so many: starting others would take longer.
const SMALL_PART: u128 = 16;

impl<'a> Work<'_, 'a, '_> {
    /// What functions give over a range.
    pub(super) fn fold_range(&mut self, wanted: &[Wanted<'_>], range: TimeRange) -> Result<Folded, QueryError> {
        let Some(access) = self.job.session.access() else {
            return self.compute(wanted, range, self.threads);
        };
        let (job, views, windows) = (self.job, self.views, &self.layout.windows);
        let kinds = Pass { job, views, windows, range, wanted }.kinds()?;
        let Some(question) = self.question(wanted, &kinds, range, access) else {
            job.session.note_read();
            return self.compute(wanted, range, self.threads);
        };
        job.check()?;
        let lookup = access.cache.begin(question, || windows.grid());
        job.session.note_asked(!lookup.known.is_empty(), !lookup.missing.is_empty());
        let Rows { starts, picked } = self.complement(wanted, range, lookup)?;
        (1..=starts.len()).try_for_each(|count| job.check_windows(count))?;
        Ok(Folded { starts, picked, kinds })
    }

    fn compute(&mut self, wanted: &[Wanted<'_>], range: TimeRange, threads: usize) -> Result<Folded, QueryError> {
        let (job, views, windows) = (self.job, self.views, &self.layout.windows);
        Pass { job, views, windows, range, wanted }.run(self.group, self.feed, threads)
    }

    /// What is known of a range, and what is computed of the rest; that becomes known, too.
    fn complement(
        &mut self,
        wanted: &[Wanted<'_>],
        range: TimeRange,
        mut lookup: Lookup<'_>,
    ) -> Result<Rows, QueryError> {
        let missing = std::mem::take(&mut lookup.missing);
        let is_small = missing.iter().map(length).sum::<u128>() <= length(&range) / SMALL_PART;
        let threads = if is_small { 1 } else { self.threads };
        let mut computed = Vec::with_capacity(missing.len());
        for piece in &missing {
            let Folded { starts, picked, .. } = self.compute(wanted, *piece, threads)?;
            computed.push(Rows { starts, picked });
        }
        lookup.count_windows(&computed);
        let mut parts = std::mem::take(&mut lookup.known);
        if !self.job.has_damage() {
            lookup.finish(&computed);
        }
        parts.extend(missing.into_iter().zip(computed));
        parts.sort_by_key(|(part, _)| part.start);
        let mut whole = Rows { starts: Vec::new(), picked: wanted.iter().map(|_| Vec::new()).collect() };
        parts.into_iter().for_each(|(_, rows)| whole.append(rows));
        Ok(whole)
    }

    /// What the cache is asked; `None` where it cannot know the answer.
    fn question(
        &mut self,
        wanted: &[Wanted<'_>],
        kinds: &[Option<FieldType>],
        range: TimeRange,
        access: Access<'_>,
    ) -> Option<Question> {
        // What depends on points beside its window is not known by the writes into it.
        if wanted.iter().any(|wanted| wanted.function.beside(&wanted.arguments) != Beside::Nothing) {
            return None;
        }
        let fields = fields(wanted);
        let columns = self.columns(&fields)?;
        let kept_since = self.kept_since(&columns);
        let windows = &self.layout.windows;
        let kept = match windows {
            Windows::Whole(_) if range.start < kept_since => return None,
            Windows::Whole(_) => range,
            _ => TimeRange::new(range.start.max(kept_since), range.end),
        };
        let complete = complete(windows, kept, access.now);
        if complete.is_empty() {
            return None;
        }
        let functions = wanted.iter().zip(kinds).map(|(wanted, kind)| function(wanted, *kind, &fields)).collect();
        let key = Key { columns, functions, windows: self.windows_of(), rollups: self.job.rollups };
        Some(Question { key, range, complete })
    }

    /// Columns of the fields of all members; `None` where something besides the points of columns decides.
    fn columns(&self, fields: &[usize]) -> Option<Vec<Option<ColumnId>>> {
        let members = &self.group.members;
        if members.len().saturating_mul(fields.len()) > MAX_COLUMNS {
            return None;
        }
        let mut columns = Vec::with_capacity(members.len() * fields.len());
        for member in members {
            for field in fields {
                columns.push(self.column(member, *field)?);
            }
        }
        columns.iter().any(Option::is_some).then_some(columns)
    }

    fn column(&self, member: &Member, field: usize) -> Option<Option<ColumnId>> {
        let view = self.views.get(member.view)?;
        let Data::Stored(columns) = &member.data else { return None };
        if view.filter.as_ref().is_some_and(|filter| !filter.slots.is_empty()) {
            return None;
        }
        let Some(slot) = slot_of(view, field) else { return Some(None) };
        let kinds = view.slots.get(slot)?;
        (kinds.stored == kinds.kind).then(|| columns.get(slot).copied().flatten())
    }

    /// Time before which some of the columns are not read.
    fn kept_since(&mut self, columns: &[Option<ColumnId>]) -> TimestampNs {
        let since = |column: &ColumnId| self.feed.reader.kept_since(*column);
        columns.iter().flatten().map(since).max().unwrap_or(TimestampNs::MIN)
    }

    fn windows_of(&self) -> WindowsOf {
        let plan = self.layout.plan;
        match &plan.window {
            Some(window) => WindowsOf::Divided(window.clone(), plan.time_zone.clone()),
            None => WindowsOf::Whole(plan.range),
        }
    }
}

/// Length of a range in nanoseconds.
fn length(range: &TimeRange) -> u128 {
    u128::from(range.end.0.abs_diff(range.start.0))
}

/// The fields that functions are computed of, each once.
fn fields(wanted: &[Wanted<'_>]) -> Vec<usize> {
    let mut fields = Vec::new();
    for wanted in wanted {
        if !fields.contains(&wanted.leaf) {
            fields.push(wanted.leaf);
        }
    }
    fields
}

fn function(wanted: &Wanted<'_>, kind: Option<FieldType>, fields: &[usize]) -> Function {
    Function {
        name: wanted.function.name(),
        arguments: wanted.arguments.iter().map(|argument| argument.to_bits()).collect(),
        field: fields.iter().position(|leaf| *leaf == wanted.leaf).unwrap_or_default(),
        kind,
        wants: wanted.wants,
    }
}
