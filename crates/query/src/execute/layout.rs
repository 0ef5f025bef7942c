//! Where everything in a row is: which fields and tags a query uses, in which column each function and bare name stands, and
//! how the columns of the answer are made of these. Not here: reading the rows and computing the functions.

use jiff::tz::TimeZone;
use model::TimestampNs;

use super::calls::Calls;
use super::group::{Group, Meaning, View};
use super::windows::{Windows, find_zone};
use crate::eval::{Bound, bind};
use crate::plan::expr::{Expr, Reference};
use crate::plan::{Dimension, Select};
use crate::result::Cell;
use crate::store::Schema;
use crate::{QueryError, Table};

/// Most columns of an answer; some of what is done for each looks at all others.
const MAX_COLUMNS: usize = 4096;

/// A plan without wildcards, and where everything in a row is.
pub(super) struct Layout<'p> {
    pub(super) plan: &'p Select,
    /// Names of the columns, that of the time first.
    pub(super) names: Vec<String>,
    /// Fields and tags that the query uses.
    pub(super) leaves: Vec<Reference>,
    /// Functions over points, in the order of their columns in a row.
    pub(super) calls: Calls<'p>,
    /// Leaves that stand in columns by themselves: they follow the functions in a row.
    pub(super) aux: Vec<usize>,
    /// What each column of the answer is of a row.
    pub(super) outputs: Vec<Bound>,
    /// Tags grouped by.
    pub(super) dimensions: Vec<String>,
    pub(super) windows: Windows,
    zone: Option<TimeZone>,
}

impl<'p> Layout<'p> {
    /// The layout of a plan without wildcards; `names` are those of its columns.
    pub(super) fn new(plan: &'p Select, names: Vec<String>, schema: &Schema) -> Result<Self, QueryError> {
        if plan.columns.len() > MAX_COLUMNS {
            let limit = format!("{MAX_COLUMNS} columns");
            return Err(QueryError::TooMuch { limit, detail: format!("{} are selected", plan.columns.len()) });
        }
        let mut leaves = Vec::new();
        let mut aux = Vec::new();
        let calls = Calls::of(plan, &mut leaves);
        for column in &plan.columns {
            note_bare(&column.expr, &mut leaves, &mut aux);
        }
        if let Some(filter) = &plan.filter {
            note_bare(filter, &mut leaves, &mut Vec::new());
        }
        let place = |expr: &Expr| match expr {
            Expr::Reference(reference) => {
                let leaf = leaves.iter().position(|leaf| leaf == reference)?;
                aux.iter().position(|known| *known == leaf).map(|i| calls.len() + i)
            }
            call => calls.position(call),
        };
        let outputs = plan.columns.iter().map(|c| bind(&c.expr, &mut |leaf| place(leaf))).collect::<Result<_, _>>()?;
        let dimensions = dimensions(plan, schema);
        let zone = plan.time_zone.as_deref().map(find_zone).transpose()?;
        Ok(Self { names, windows: Windows::new(plan)?, plan, leaves, calls, aux, outputs, dimensions, zone })
    }

    /// Memory that a table of so many rows takes while it is made, texts aside.
    pub(super) fn table_bytes(&self, rows: usize) -> usize {
        let cells = self.calls.len() + self.aux.len() + self.outputs.len();
        rows.saturating_mul(cells).saturating_mul(size_of::<Cell>())
    }

    /// A table of rows whose columns are functions and bare leaves.
    pub(super) fn table(&self, name: &str, group: &Group, times: Vec<TimestampNs>, row: Vec<Vec<Cell>>) -> Table {
        Table {
            name: name.to_owned(),
            tags: group.tags.clone(),
            columns: self.names.clone(),
            cells: self.columns(times.len(), row),
            times: Some(times),
            zone: self.zone.clone(),
        }
    }

    fn columns(&self, rows: usize, mut inputs: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
        let is_plain = |output: &Bound| matches!(output, Bound::Column(_));
        let mut uses = vec![0; inputs.len()];
        for output in &self.outputs {
            if let Bound::Column(column) = output
                && let Some(uses) = uses.get_mut(*column)
            {
                *uses += 1;
            }
        }
        let all_plain = self.outputs.iter().all(is_plain);
        let mut column = |output: &Bound| match output {
            Bound::Column(column) if all_plain && uses.get(*column) == Some(&1) => {
                inputs.get_mut(*column).map(std::mem::take).unwrap_or_default()
            }
            output => (0..rows).map(|row| evaluate(output, &inputs, row)).collect(),
        };
        self.outputs.iter().map(&mut column).collect()
    }

    /// Whether some column of the answer can have a value at all. Tags alone are no reason for a row, except for rows of a
    /// subquery.
    pub(super) fn reads_something(&self, view: &View) -> bool {
        let counts = |leaf: &usize| match view.meanings.get(*leaf) {
            Some(Meaning::Field(_)) => true,
            Some(Meaning::Tag(_)) => view.is_of_subquery,
            _ => false,
        };
        if self.calls.is_empty() { self.aux.iter().any(counts) } else { self.calls.leaves().any(|leaf| counts(&leaf)) }
    }
}

fn evaluate(output: &Bound, inputs: &[Vec<Cell>], row: usize) -> Cell {
    output.eval(&|column| inputs.get(column).and_then(|cells| cells.get(row)).unwrap_or(&Cell::Null))
}

/// Notes the references of an expression that stand outside of functions over points.
fn note_bare(expr: &Expr, leaves: &mut Vec<Reference>, aux: &mut Vec<usize>) {
    match expr {
        Expr::Reference(reference) => {
            let leaf = note_leaf(reference, leaves);
            if !aux.contains(&leaf) {
                aux.push(leaf);
            }
        }
        Expr::Math { args, .. } => args.iter().for_each(|arg| note_bare(arg, leaves, aux)),
        Expr::Binary { left, right, .. } => {
            note_bare(left, leaves, aux);
            note_bare(right, leaves, aux);
        }
        _ => {}
    }
}

/// Index of a leaf, which is added if it is new.
pub(super) fn note_leaf(reference: &Reference, leaves: &mut Vec<Reference>) -> usize {
    leaves.iter().position(|leaf| leaf == reference).unwrap_or_else(|| {
        leaves.push(reference.clone());
        leaves.len() - 1
    })
}

/// Tags grouped by, sorted, each once.
fn dimensions(plan: &Select, schema: &Schema) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for dimension in &plan.group_by {
        match dimension {
            Dimension::Tag(key) => keys.push(key.clone()),
            Dimension::All => keys.extend(schema.tags.iter().cloned()),
            Dimension::Like(pattern) => keys.extend(schema.tags.iter().filter(|key| pattern.is_match(key)).cloned()),
        }
    }
    keys.sort();
    keys.dedup();
    keys
}
