//! CSV that describes itself, as hissrv exports it: one measurement a file, and before the names of the columns what they are.
//!
//! ```text
//! #hissrv csv 1
//! #measurement,cpu
//! #types,time,tag,float,integer,string
//! time,host,load,count,note
//! 2026-11-22T13:53:00Z,a,0.25,7,"say ""hi"""
//! ```
//! Types are `time` (RFC 3339, UTC), `time:ns` (nanoseconds since 1970), `tag`, and those of fields. A missing value is an empty cell; an
//! empty text is `""`. Time comes first.

use model::FieldType;

use crate::error::Error;
use crate::framing::CsvFraming;
use crate::table::{FieldPlan, Kind, LayoutPlan, Name, Nulls, Numbers, Plan, TagPlan, TimePlan};
use crate::time::{TimeFormat, TimeParser, Twice, Unit, Zone};

use super::record::{Cells, Records};

/// The first line. A later version would have another number.
pub(crate) const FIRST_LINE: &str = "#hissrv csv 1";
pub(crate) const MEASUREMENT: &str = "#measurement";
pub(crate) const TYPES: &str = "#types";
pub(crate) const TIME: &str = "time";
pub(crate) const TIME_NS: &str = "time:ns";
pub(crate) const TAG: &str = "tag";

/// What such a file says about itself.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) framing: CsvFraming,
    pub(super) data_start: u64,
    pub(super) names: Vec<String>,
    pub(super) plan: Plan,
}

/// `None` for a file that is none of these.
pub(super) fn read(head: &[u8]) -> Result<Option<Described>, Error> {
    let is_ours =
        head.strip_prefix(FIRST_LINE.as_bytes()).is_some_and(|rest| matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..]));
    if !is_ours {
        return Ok(None);
    }
    let framing = CsvFraming { delimiter: b',', quote: Some(b'"'), comment: None, skip_lines: 0 };
    let records: Vec<_> = Records::new(head, &framing).take(4).map(|r| (split(r.text, &framing), r.end)).collect();
    let described = match records.as_slice() {
        [_, (measurement, _), (types, _), (names, end)] => describe(measurement, types, names, *end, framing.clone()),
        _ => None,
    };
    described.map(Some).ok_or_else(|| {
        Error::columns(
            "the file begins like an export of hissrv, but the lines behind that do not describe its columns",
        )
    })
}

fn split(record: &[u8], framing: &CsvFraming) -> Vec<String> {
    let mut cells = Cells::default();
    if cells.split(record, framing).is_err() {
        return Vec::new();
    }
    let cell = |at| cells.get(at).and_then(|(text, _)| String::from_utf8(text.to_vec()).ok());
    (0..cells.len()).filter_map(cell).collect()
}

fn describe(
    measurement: &[String],
    types: &[String],
    names: &[String],
    end: usize,
    framing: CsvFraming,
) -> Option<Described> {
    let [word, measurement] = measurement else { return None };
    let (types_word, types) = types.split_first()?;
    if word != MEASUREMENT || types_word != TYPES || types.len() != names.len() {
        return None;
    }
    let format = match types.first()?.as_str() {
        TIME => TimeFormat::Rfc3339,
        TIME_NS => TimeFormat::Epoch(Unit::Ns),
        _ => return None,
    };
    let parser = TimeParser::new(&format, Zone::new("UTC", Twice::Earlier).ok()?).ok()?;
    let (mut tags, mut fields) = (Vec::new(), Vec::new());
    for (column, (kind, name)) in types.iter().zip(names).enumerate().skip(1) {
        match kind.as_str() {
            TAG => tags.push(TagPlan { column, key: name.clone() }),
            kind => {
                let kind = FieldType::ALL.into_iter().find(|t| t.to_string() == kind)?;
                fields.push(FieldPlan::new(column, name.clone(), Kind::from(kind)));
            }
        }
    }
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    let is_twice = tags.array_windows().any(|[a, b]| a.key == b.key);
    let plan = Plan {
        measurement: Name::Fixed(measurement.clone()),
        time: TimePlan { column: 0, clock: None, parser },
        tags,
        layout: LayoutPlan::Fields(fields),
        nulls: Nulls::new(&[]),
        numbers: Numbers::default(),
    };
    (!is_twice).then(|| Described { framing, data_start: end as u64, names: names.to_vec(), plan })
}
