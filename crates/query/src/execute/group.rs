//! Series put together to the series of the answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ColumnId, FieldType};

use super::input::{Content, Input, MemorySeries};
use super::job::Job;
use super::predicate::{Split, is_tag, split};
use super::rows::Rows;
use crate::QueryError;
use crate::eval::{Bound, bind};
use crate::plan::expr::{Cast, Expr, Reference};
use crate::result::Cell;
use crate::store::{SeriesQuery, StoredSeries, TagCondition};

/// What a name that the query uses is in one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A field, by its slot.
    Field(usize),
    /// A tag, by its number among the tags of the members.
    Tag(usize),
    /// There is no such thing.
    Nothing,
}

/// A field that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) name: String,
    /// Type as stored.
    pub(super) stored: FieldType,
    /// Type that values are converted to.
    pub(super) kind: FieldType,
}

/// How the names that a query uses are read from one input.
pub(super) struct View {
    /// By leaf of the query.
    pub(super) meanings: Vec<Meaning>,
    pub(super) slots: Vec<Slot>,
    /// Keys of the members' tags.
    pub(super) tags: Vec<String>,
    pub(super) filter: Option<Filter>,
    conditions: Vec<TagCondition>,
    /// Series without any of the fields make groups, too: they count where the number of series is limited.
    pub(super) all_series: bool,
    /// Its rows are those of a subquery.
    pub(super) is_of_subquery: bool,
}

/// What points must fulfil besides the conditions that the index has answered.
pub(super) struct Filter {
    /// Its columns are leaves of the query.
    pub(super) condition: Bound,
    /// Slots that it reads; none: it is the same for all points of a series.
    pub(super) slots: Vec<usize>,
}

/// A series that belongs to a group.
pub(super) struct Member {
    /// Index of its input's view.
    pub(super) view: usize,
    /// Values of the tags that its view names; null where it has none.
    pub(super) tags: Vec<Cell>,
    pub(super) data: Data,
}

/// Where the points of a member are.
pub(super) enum Data {
    /// In columns of the store, by slot.
    Stored(Vec<Option<ColumnId>>),
    /// Here: the rows, and which of their columns each slot is.
    Memory(Arc<Rows>, Arc<Vec<usize>>),
}

/// Series that make one series of the answer.
pub(super) struct Group {
    pub(super) tags: Vec<(String, String)>,
    pub(super) members: Vec<Member>,
}

impl View {
    /// How `leaves` and the filter are read from `input`; `dimensions` are the tags grouped by.
    pub(super) fn new(
        input: &Input,
        leaves: &[Reference],
        filter: Option<&Expr>,
        dimensions: &[String],
    ) -> Result<Self, QueryError> {
        let mut view = Self {
            meanings: Vec::new(),
            slots: Vec::new(),
            tags: dimensions.to_vec(),
            filter: None,
            conditions: Vec::new(),
            all_series: false,
            is_of_subquery: matches!(input.content, Content::Memory(_)),
        };
        view.meanings = leaves.iter().map(|leaf| view.meaning(leaf, input)).collect();
        let Split { tags, rest } = match (&input.content, filter) {
            (Content::Stored(_), Some(filter)) => split(filter, &input.schema),
            (_, filter) => Split { tags: Vec::new(), rest: filter.cloned() },
        };
        view.conditions = tags;
        if let Some(rest) = rest {
            let condition = bind(&rest, &mut |leaf| leaf_index(leaf, leaves))?;
            let mut used = Vec::new();
            view.note_slots(&rest, leaves, &mut used);
            view.filter = Some(Filter { condition, slots: used });
        }
        Ok(view)
    }

    fn meaning(&mut self, leaf: &Reference, input: &Input) -> Meaning {
        let fields = &input.schema.fields;
        let field = fields.binary_search_by(|(name, _)| name.as_str().cmp(&leaf.name)).ok();
        let field = field.filter(|_| leaf.cast != Some(Cast::Tag)).and_then(|i| fields.get(i));
        if let Some((name, stored)) = field {
            let kind = match leaf.cast {
                Some(Cast::Type(kind)) if kind == *stored || (is_number(kind) && is_number(*stored)) => kind,
                Some(Cast::Type(_)) => return Meaning::Nothing,
                _ => *stored,
            };
            return Meaning::Field(position(&mut self.slots, Slot { name: name.clone(), stored: *stored, kind }));
        }
        let is_known = input.schema.tags.contains(&leaf.name) || matches!(input.content, Content::Stored(_));
        if is_tag(leaf, &input.schema) && is_known {
            return Meaning::Tag(position(&mut self.tags, leaf.name.clone()));
        }
        Meaning::Nothing
    }

    fn note_slots(&self, expr: &Expr, leaves: &[Reference], used: &mut Vec<usize>) {
        match expr {
            Expr::Binary { left, right, .. } => {
                self.note_slots(left, leaves, used);
                self.note_slots(right, leaves, used);
            }
            Expr::Math { args, .. } => args.iter().for_each(|arg| self.note_slots(arg, leaves, used)),
            leaf => {
                let meaning = leaf_index(leaf, leaves).and_then(|i| self.meanings.get(i));
                if let Some(&Meaning::Field(slot)) = meaning
                    && !used.contains(&slot)
                {
                    used.push(slot);
                }
            }
        }
    }

    /// The cell of a leaf in a row of a member; a tag that is missing is an empty text in conditions.
    pub(super) fn filter_cell<'a>(&self, leaf: usize, member: &'a Member, rows: &'a Rows, row: usize) -> &'a Cell {
        static EMPTY: Cell = Cell::String(String::new());
        match self.meanings.get(leaf) {
            Some(&Meaning::Field(slot)) => rows.cell(slot, row),
            Some(&Meaning::Tag(tag)) => match member.tags.get(tag) {
                Some(cell) if *cell != Cell::Null => cell,
                _ => &EMPTY,
            },
            // A name that stands for nothing counts as a tag that is missing.
            _ => &EMPTY,
        }
    }

    /// False when no point of the member can fulfil the filter.
    fn admits(&self, member: &Member) -> bool {
        self.filter.as_ref().is_none_or(|f| !f.slots.is_empty() || f.admits_nothing(self, member))
    }
}

impl Filter {
    /// Whether a row of the member that has none of the filter's fields fulfils it.
    pub(super) fn admits_nothing(&self, view: &View, member: &Member) -> bool {
        let rows = Rows::default();
        self.condition.is_true(&|leaf| view.filter_cell(leaf, member, &rows, 0))
    }
}

/// Index of the leaf that an expression is.
pub(super) fn leaf_index(expr: &Expr, leaves: &[Reference]) -> Option<usize> {
    let Expr::Reference(reference) = expr else { return None };
    leaves.iter().position(|leaf| leaf == reference)
}

fn position<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

const fn is_number(kind: FieldType) -> bool {
    matches!(kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned)
}

/// The groups of inputs of one name, in the order of their tags' values.
pub(super) fn groups(
    job: &Job<'_>,
    inputs: &[Input],
    views: &[View],
    dimensions: &[String],
) -> Result<Vec<Group>, QueryError> {
    let mut groups: BTreeMap<Vec<String>, Vec<Member>> = BTreeMap::new();
    let mut count = 0;
    for (index, (input, view)) in inputs.iter().zip(views).enumerate() {
        for member in members(job, input, view, index)? {
            count += 1;
            let key = dimensions.iter().zip(&member.tags).map(|(_, value)| text(value).to_owned()).collect();
            groups.entry(key).or_default().push(member);
        }
    }
    job.check_series(count)?;
    let named = |values: Vec<String>| dimensions.iter().cloned().zip(values).collect();
    Ok(groups.into_iter().map(|(values, members)| Group { tags: named(values), members }).collect())
}

fn text(cell: &Cell) -> &str {
    if let Cell::String(text) = cell { text } else { "" }
}

fn members(job: &Job<'_>, input: &Input, view: &View, index: usize) -> Result<Vec<Member>, QueryError> {
    let mut found = match &input.content {
        Content::Stored(place) => {
            let query = SeriesQuery {
                measurement: input.name.clone(),
                fields: view.slots.iter().map(|slot| slot.name.clone()).collect(),
                filter: view.conditions.clone(),
                tags: view.tags.clone(),
                without_fields: view.all_series,
            };
            let series = job.store.series(place, &query)?;
            series.into_iter().map(|series| stored_member(series, index)).collect()
        }
        Content::Memory(series) => memory_members(input, view, series, index),
    };
    found.retain(|member: &Member| view.admits(member));
    Ok(found)
}

fn stored_member(series: StoredSeries, view: usize) -> Member {
    let tags = series.tags.into_iter().map(|value| value.map_or(Cell::Null, Cell::String)).collect();
    Member { view, tags, data: Data::Stored(series.columns) }
}

fn memory_members(input: &Input, view: &View, series: &[MemorySeries], index: usize) -> Vec<Member> {
    let column =
        |slot: &Slot| input.schema.fields.iter().position(|(name, _)| *name == slot.name).unwrap_or(usize::MAX);
    let columns: Arc<Vec<usize>> = Arc::new(view.slots.iter().map(column).collect());
    let member = |series: &MemorySeries| {
        let value = |key: &String| series.tags.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
        // A tag that was grouped by and is missing is the empty text in the subquery's answer.
        let tag = |key: &String| value(key).filter(|v| !v.is_empty()).map_or(Cell::Null, Cell::String);
        let tags = view.tags.iter().map(tag).collect();
        Member { view: index, tags, data: Data::Memory(Arc::clone(&series.rows), Arc::clone(&columns)) }
    };
    series.iter().map(member).collect()
}
