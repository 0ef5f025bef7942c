//! How it is decided which column is what: first what is said, then the time, then what is left.

use model::line::MAX_FIELDS;

use crate::time::{TimeFormat, TimeParser, Zone};

use super::cell::Nulls;
use super::number::Numbers;
use super::options::{Kind, Layout, Mapping, Measurement};
use super::plan::{FieldPlan, LayoutPlan, Name, Plan, TagPlan, TimePlan};
use super::sample::{Content, Sample};

/// Names that are shown when one is not found.
const SHOWN_MAX: usize = 20;

/// Makes a [`Plan`]. Errors are sentences.
pub(super) struct Planner<'a> {
    mapping: &'a Mapping,
    sample: &'a Sample,
    nulls: Nulls,
    numbers: Numbers,
    /// For each column whether it is something already.
    used: Vec<bool>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(mapping: &'a Mapping, sample: &'a Sample) -> Result<Self, String> {
        let numbers = Numbers::new(mapping.decimal, mapping.thousands)?;
        let nulls = Nulls::new(&mapping.nulls);
        Ok(Self { mapping, sample, nulls, numbers, used: vec![false; sample.columns.len()] })
    }

    pub(super) fn plan(mut self) -> Result<Plan, String> {
        self.check_names()?;
        let measurement = self.measurement()?;
        self.take_said()?;
        let time = self.time()?;
        let mut tags = self.tags()?;
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        let layout = self.layout()?;
        check(&tags, &layout)?;
        Ok(Plan { measurement, time, tags, layout, nulls: self.nulls, numbers: self.numbers })
    }

    fn check_names(&self) -> Result<(), String> {
        let mut names: Vec<_> = self.sample.columns.iter().map(|c| &c.name).collect();
        names.sort_unstable();
        match names.array_windows().find(|[a, b]| a == b) {
            Some([name, _]) => Err(format!(
                "two columns are called `{name}`: give all columns names of their own (--columns, with --skip-lines for those in the file)"
            )),
            None => Ok(()),
        }
    }

    fn column(&self, name: &str) -> Result<usize, String> {
        self.sample.columns.iter().position(|c| c.name == name).ok_or_else(|| {
            let names: Vec<_> = self.sample.columns.iter().take(SHOWN_MAX).map(|c| c.name.as_str()).collect();
            let more = if self.sample.columns.len() > SHOWN_MAX { ", ..." } else { "" };
            format!("there is no column `{name}`; there are: {}{more}", names.join(", "))
        })
    }

    /// The column of a name, which nothing else has taken.
    fn take(&mut self, name: &str) -> Result<usize, String> {
        let column = self.column(name)?;
        let used = self.used.get_mut(column).ok_or("a column is missing")?;
        if std::mem::replace(used, true) {
            return Err(format!(
                "column `{name}` is named twice: it can be one thing only (time, tag, field, measurement or ignored)"
            ));
        }
        Ok(column)
    }

    fn measurement(&mut self) -> Result<Name, String> {
        match &self.mapping.measurement {
            Some(Measurement::Named(name)) if !name.is_empty() => Ok(Name::Fixed(name.clone())),
            Some(Measurement::Column(column)) => Ok(Name::Column(self.take(column)?)),
            _ => {
                Err("it is not said which measurement the file holds: give its name (--measurement), or the column that has it \
                     (--measurement-column)"
                    .to_owned())
            }
        }
    }

    /// Takes the columns that are said to be something, so that they are not taken for the time.
    fn take_said(&mut self) -> Result<(), String> {
        let mapping = self.mapping;
        let long = match &mapping.layout {
            Layout::Long { field, value } => vec![field, value],
            _ => Vec::new(),
        };
        let tags = mapping.tags.iter().flatten();
        let fields = mapping.fields.iter().flatten().map(|f| &f.column).filter(|column| !long.contains(column));
        for name in mapping.ignore.iter().chain(tags).chain(fields).chain(long.iter().copied()) {
            self.take(name)?;
        }
        match mapping.rename.keys().find(|name| self.column(name).is_err()) {
            Some(name) => self.column(name).map(drop),
            None => Ok(()),
        }
    }

    fn time(&mut self) -> Result<TimePlan, String> {
        let options = &self.mapping.time;
        let parser = |format: &TimeFormat| TimeParser::new(format, Zone::new(&options.zone, options.twice)?);
        let (columns, format) = if options.columns.is_empty() {
            let given = if options.format == TimeFormat::Auto { None } else { Some(parser(&options.format)?) };
            let found = self.sample.find_time(&self.used, &options.format, given.as_ref())?;
            (found.columns, found.format)
        } else {
            let columns = options.columns.iter().map(|name| self.column(name)).collect::<Result<Vec<_>, _>>()?;
            let is_auto = options.format == TimeFormat::Auto;
            let format = if is_auto { self.sample.format_of(&columns)? } else { options.format.clone() };
            (columns, format)
        };
        let names = columns.iter().filter_map(|at| self.sample.columns.get(*at)).map(|c| c.name.clone());
        let names: Vec<String> = names.collect();
        for name in &names {
            self.take(name)?;
        }
        let (parser, would_be) = (parser(&format)?, names.join(" "));
        if parser.parse(would_be.as_bytes()).is_ok() {
            return Err(format!(
                "the first record has values where names are expected (`{would_be}` is a time): say that there are none (--no-header), or \
                 give them (--columns)"
            ));
        }
        let (column, clock) = match columns.as_slice() {
            [column] => (*column, None),
            [column, clock] => (*column, Some(*clock)),
            _ => {
                return Err(
                    "the time is in one column, or in one with the date and one with the time of day (--time, once or twice)"
                        .to_owned()
                );
            }
        };
        Ok(TimePlan { column, clock, parser })
    }

    fn tags(&mut self) -> Result<Vec<TagPlan>, String> {
        let columns = match &self.mapping.tags {
            Some(said) => said.iter().map(|name| self.column(name)).collect::<Result<Vec<_>, _>>()?,
            None => {
                let texts = self.take_rest(|content| content == Content::Values(Kind::String));
                self.doubt(&texts)?;
                texts
            }
        };
        Ok(columns.into_iter().map(|column| TagPlan { column, key: self.name_of(column) }).collect())
    }

    /// Columns of which nothing was said are texts only if they can hardly be anything else; further times are never left out without a word.
    fn doubt(&self, columns: &[usize]) -> Result<(), String> {
        let is_doubtful =
            |column: &&usize| matches!(self.content(**column), Content::Values(Kind::String) | Content::Times);
        let mut doubts =
            columns.iter().filter(is_doubtful).filter_map(|column| self.sample.doubt(*column, &self.nulls));
        doubts.next().map_or(Ok(()), Err)
    }

    fn layout(&mut self) -> Result<LayoutPlan, String> {
        match &self.mapping.layout {
            Layout::Long { field, value } => {
                let (field, value) = (self.column(field)?, self.column(value)?);
                if self.said_kind(value).is_none() {
                    self.doubt(&[value])?;
                }
                Ok(LayoutPlan::Long { field, value: self.field(value) })
            }
            Layout::Fields => Ok(LayoutPlan::Fields(self.fields()?)),
            Layout::Tag(tag) => {
                let value = FieldPlan::new(0, self.mapping.value_field.clone(), Kind::Float);
                if value.name.is_empty() || value.name == "time" {
                    return Err("a field cannot be called so: give another name for the values".to_owned());
                }
                Ok(LayoutPlan::Series { tag: tag.clone(), field: value.key, columns: self.fields()? })
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<FieldPlan>, String> {
        let columns = match &self.mapping.fields {
            Some(said) => said.iter().map(|field| self.column(&field.column)).collect::<Result<Vec<_>, _>>()?,
            None => {
                let values = self.take_rest(|content| content != Content::Times);
                let times = self.take_rest(|content| content == Content::Times);
                self.doubt(&[values.as_slice(), &times].concat())?;
                values
            }
        };
        if columns.is_empty() {
            return Err("no column is left that could be a field: say which columns are fields (--field)".to_owned());
        }
        Ok(columns.into_iter().map(|column| self.field(column)).collect())
    }

    fn field(&self, column: usize) -> FieldPlan {
        let kind = self.said_kind(column).unwrap_or_else(|| match self.content(column) {
            Content::Empty => Kind::Float,
            Content::Values(kind) => kind,
            Content::Times => Kind::Integer,
        });
        FieldPlan::new(column, self.name_of(column), kind)
    }

    fn said_kind(&self, column: usize) -> Option<Kind> {
        let name = &self.sample.columns.get(column)?.name;
        self.mapping.fields.iter().flatten().find(|field| field.column == *name).and_then(|field| field.kind)
    }

    fn content(&self, column: usize) -> Content {
        self.sample.content(column, &self.nulls, &self.numbers)
    }

    /// Takes the columns that are nothing yet and whose content is wanted.
    fn take_rest(&mut self, is_wanted: impl Fn(Content) -> bool) -> Vec<usize> {
        let free = (0..self.used.len()).filter(|column| self.used.get(*column) == Some(&false));
        let wanted: Vec<_> = free.filter(|column| is_wanted(self.content(*column))).collect();
        for used in wanted.iter() {
            if let Some(used) = self.used.get_mut(*used) {
                *used = true;
            }
        }
        wanted
    }

    fn name_of(&self, column: usize) -> String {
        let name = self.sample.columns.get(column).map(|c| c.name.as_str()).unwrap_or_default();
        self.mapping.rename.get(name).map_or(name, String::as_str).to_owned()
    }
}

/// Names of tags and fields must be such that points can have them.
fn check(tags: &[TagPlan], layout: &LayoutPlan) -> Result<(), String> {
    let series = if let LayoutPlan::Series { tag, .. } = layout { Some(tag) } else { None };
    let mut keys: Vec<_> = tags.iter().map(|tag| &tag.key).chain(series).collect();
    check_keys(&mut keys, "tag")?;
    match layout {
        LayoutPlan::Fields(fields) if fields.len() > MAX_FIELDS => Err(format!(
            "there are {} columns of fields, and a point has at most {MAX_FIELDS}: make them series of their own",
            fields.len()
        )),
        LayoutPlan::Fields(fields) => check_keys(&mut fields.iter().map(|f| &f.name).collect::<Vec<_>>(), "field"),
        _ => Ok(()),
    }
}

fn check_keys(keys: &mut [&String], what: &str) -> Result<(), String> {
    keys.sort_unstable();
    if let Some([twice, _]) = keys.array_windows().find(|[a, b]| a == b) {
        return Err(format!("two columns would be the {what} `{twice}`: rename one of them (--rename)"));
    }
    match keys.iter().find(|key| key.is_empty() || key.as_str() == "time") {
        Some(key) => {
            Err(format!("a {what} cannot be called `{key}`: rename the column (--rename), or leave it out (--ignore)"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::FieldColumn;

    /// A sample of columns with their texts.
    fn sample(columns: &[(&str, &[&str])]) -> Sample {
        let mut sample = Sample::new(columns.iter().map(|(name, _)| (*name).to_owned()));
        for (column, (_, texts)) in sample.columns.iter_mut().zip(columns) {
            column.texts = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        }
        sample
    }

    fn mapping() -> Mapping {
        Mapping { measurement: Some(Measurement::Named("m".to_owned())), ..Mapping::default() }
    }

    fn plan(mapping: &Mapping, columns: &[(&str, &[&str])]) -> Result<String, String> {
        let sample = sample(columns);
        let names: Vec<_> = sample.columns.iter().map(|c| c.name.clone()).collect();
        let plan = Planner::new(mapping, &sample)?.plan()?;
        Ok(plan.describe(&names).join("; "))
    }

    const PLAIN: &[(&str, &[&str])] = &[
        ("at", &["2024-01-01", "2024-01-02"]),
        ("site", &["a", "b"]),
        ("v", &["1", "NA"]),
        ("on", &["true", ""]),
        ("n", &[]),
    ];

    #[test]
    fn without_a_word_the_first_times_are_the_time_numbers_are_fields_and_texts_are_tags() {
        let expected = "measurement: m; at: time (rfc3339); site: tag site; v: field v (float); on: field on (boolean); n: field n (float)";
        assert_eq!(plan(&mapping(), PLAIN).unwrap(), expected);
    }

    #[test]
    fn once_tags_are_said_other_texts_are_fields() {
        let mapping = Mapping { tags: Some(Vec::new()), ignore: vec!["n".to_owned()], ..mapping() };
        let expected =
            "measurement: m; at: time (rfc3339); site: field site (string); v: field v (float); on: field on (boolean)";
        assert_eq!(plan(&mapping, PLAIN).unwrap(), expected);
    }

    #[test]
    fn what_is_said_counts() {
        let field = |text: &str| text.parse::<FieldColumn>().unwrap();
        let rename = [("v".to_owned(), "power".to_owned())].into_iter().collect();
        let mapping = Mapping { fields: Some(vec![field("v:integer")]), rename, ..mapping() };
        assert_eq!(
            plan(&mapping, PLAIN).unwrap(),
            "measurement: m; at: time (rfc3339); site: tag site; v: field power (integer)"
        );
    }

    #[test]
    fn a_date_and_a_time_of_day_are_one_time() {
        let columns: &[(&str, &[&str])] = &[("Date", &["16/12/2006"]), ("Time", &["17:24:00"]), ("P", &["4.2"])];
        assert_eq!(
            plan(&mapping(), columns).unwrap(),
            "measurement: m; Date: time (%d/%m/%Y %H:%M:%S%.f); Time: time of day; P: field P (float)"
        );
        let time = crate::table::TimeOptions { format: "%d/%m/%Y %H:%M:%S".parse().unwrap(), ..Default::default() };
        let said = Mapping { time, ..mapping() };
        assert!(plan(&said, columns).unwrap().contains("Time: time of day"));
    }

    #[test]
    fn columns_can_be_series_or_name_the_field() {
        let tag = Mapping { layout: Layout::Tag("point".to_owned()), ..mapping() };
        assert!(plan(&tag, PLAIN).unwrap().contains("v: series point=v (float)"));
        let columns: &[(&str, &[&str])] = &[("t", &["2024-01-01"]), ("k", &["p"]), ("x", &["1"])];
        let long = Mapping { layout: "long:k,x".parse().unwrap(), ..mapping() };
        assert_eq!(
            plan(&long, columns).unwrap(),
            "measurement: m; t: time (rfc3339); k: field key; x: field value (float)"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_do() {
        let error = |mapping: &Mapping, columns| plan(mapping, columns).unwrap_err();
        assert_eq!(
            error(&mapping(), &[("a", &[]), ("a", &[])]),
            "two columns are called `a`: give all columns names of their own (--columns, with --skip-lines for those in the file)"
        );
        assert_eq!(
            error(&Mapping::default(), PLAIN),
            "it is not said which measurement the file holds: give its name (--measurement), or the column that has it (--measurement-column)"
        );
        let unknown = Mapping { tags: Some(vec!["x".to_owned()]), ..mapping() };
        assert_eq!(error(&unknown, PLAIN), "there is no column `x`; there are: at, site, v, on, n");
        let either: &[(&str, &[&str])] = &[("d", &["01/02/2024"]), ("v", &["1"])];
        assert_eq!(
            error(&mapping(), either),
            "the times in `d` can be %d/%m/%Y as well as %m/%d/%Y: say which with --time-format"
        );
        assert!(error(&mapping(), &[("a", &["1"])]).starts_with("no column holds times only"));
        let time: &[(&str, &[&str])] = &[("at", &["2024-01-01"]), ("time", &["1"])];
        assert_eq!(
            error(&mapping(), time),
            "a field cannot be called `time`: rename the column (--rename), or leave it out (--ignore)"
        );
    }

    #[test]
    fn a_first_record_of_values_is_not_taken_for_names() {
        let error = |columns| plan(&mapping(), columns).unwrap_err();
        let rows: &[(&str, &[&str])] = &[("2024-01-01T00:00:00Z", &["2024-01-01T00:00:01Z"]), ("1.5", &["2.5"])];
        assert!(error(rows).contains("(`2024-01-01T00:00:00Z` is a time): say that there are none (--no-header)"));
        let epochs: &[(&str, &[&str])] = &[("1700000000", &["1700000001"]), ("1.5", &["2.5"])];
        assert!(error(epochs).contains("--no-header"));
        let clocks: &[(&str, &[&str])] = &[("16/12/2006", &["17/12/2006"]), ("17:24", &["17:25"]), ("1", &["2"])];
        assert!(error(clocks).contains("--no-header"));
    }

    #[test]
    fn numbers_and_times_that_would_become_tags_are_asked_about() {
        let error = |mapping: &Mapping, columns| plan(mapping, columns).unwrap_err();
        let german: &[(&str, &[&str])] = &[("t", &["2024-01-01"]), ("p", &["1,5", "NA", "2"]), ("q", &["3"])];
        assert!(
            error(&mapping(), german)
                .starts_with("column `p` has numbers such as `1,5`: say how numbers are written (--decimal ',')")
        );
        let comma = Mapping { decimal: ',', ..mapping() };
        assert!(plan(&comma, german).unwrap().contains("p: field p (float)"));
        let tag = Mapping { tags: Some(vec!["p".to_owned()]), ..mapping() };
        assert!(plan(&tag, german).unwrap().contains("p: tag p"));
        let groups: &[(&str, &[&str])] = &[("t", &["2024-01-01"]), ("p", &["1.234,5", "0,5"]), ("q", &["3"])];
        assert!(error(&mapping(), groups).contains("--decimal ',' --thousands '.'"));
        assert!(error(&Mapping { tags: Some(Vec::new()), ..mapping() }, groups).contains("--thousands '.'"));
        let times: &[(&str, &[&str])] = &[("t", &["2024-01-01"]), ("u", &["2024-01-02T00:00:00Z"]), ("q", &["3"])];
        assert!(error(&mapping(), times).starts_with("column `u` has times such as `2024-01-02T00:00:00Z`, too"));
        let mut typed = sample(&[("t", &[]), ("u", &[]), ("q", &["3"])]);
        typed.columns.iter_mut().take(2).for_each(|column| column.declared = Some(Content::Times));
        let error_of_typed = Planner::new(&mapping(), &typed).unwrap().plan().unwrap_err();
        assert!(error_of_typed.starts_with("column `u` has times, too"), "{error_of_typed}");
        let ignoring = Mapping { ignore: vec!["u".to_owned()], ..mapping() };
        assert!(Planner::new(&ignoring, &typed).unwrap().plan().is_ok());
        let long = Mapping { layout: "long:k,x".parse().unwrap(), ..mapping() };
        let columns: &[(&str, &[&str])] = &[("t", &["2024-01-01"]), ("k", &["p"]), ("x", &["1,5"])];
        assert!(error(&long, columns).contains("--decimal ','"));
    }

    #[test]
    fn times_that_are_texts_come_before_numbers_that_may_be_times() {
        let columns: &[(&str, &[&str])] = &[("serial", &["1700000000"]), ("at", &["2024-01-01"])];
        assert_eq!(
            plan(&mapping(), columns).unwrap(),
            "measurement: m; at: time (rfc3339); serial: field serial (float)"
        );
    }
}
