//! What the first records tell about columns.

use crate::time::{Guess, TimeFormat, TimeParser, are_clocks, guess};

use super::cell::{Nulls, boolean};
use super::number::{Numbers, is_number};
use super::options::Kind;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing yet: it may be anything.
    Empty,
    /// Values of this type.
    Values(Kind),
    /// Instants of a type of their own.
    Times,
}

/// Columns with the texts of the first records; missing cells are left out.
#[derive(Debug)]
pub(crate) struct Sample {
    /// For each column: its name, what is known of its content, and some texts.
    pub(crate) columns: Vec<Column>,
}

/// One column of a sample.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What the file says about it; `None` where it says nothing.
    pub(crate) declared: Option<Content>,
    pub(crate) texts: Vec<Vec<u8>>,
}

/// Other ways to write numbers than the usual one: decimal sign, and sign between thousands.
const OTHER_NUMBERS: [(char, Option<char>); 6] =
    [(',', None), ('.', None), (',', Some('.')), ('.', Some(',')), (',', Some(' ')), ('.', Some(' '))];

/// Whether all texts are numbers with these signs.
fn are_numbers(texts: &[&[u8]], (decimal, thousands): (char, Option<char>)) -> bool {
    Numbers::new(decimal, thousands).is_ok_and(|numbers| texts.iter().all(|text| is_number(text, &numbers)))
}

/// Where times are and how they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) columns: Vec<usize>,
    pub(crate) format: TimeFormat,
}

impl Sample {
    /// Columns of these names, of which nothing is known.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let column = |name| Column { name, declared: None, texts: Vec::new() };
        Self { columns: names.into_iter().map(column).collect() }
    }

    /// What a column holds. Words for missing values tell nothing.
    pub(crate) fn content(&self, column: usize, nulls: &Nulls, numbers: &Numbers) -> Content {
        let Some(column) = self.columns.get(column) else { return Content::Empty };
        if let Some(declared) = column.declared {
            return declared;
        }
        let mut texts =
            column.texts.iter().map(|text| text.trim_ascii()).filter(|text| !nulls.contains(text)).peekable();
        if texts.peek().is_none() {
            return Content::Empty;
        }
        let texts: Vec<_> = texts.collect();
        if texts.iter().all(|text| is_number(text, numbers)) {
            Content::Values(Kind::Float)
        } else if texts.iter().all(|text| boolean(text).is_some()) {
            Content::Values(Kind::Boolean)
        } else {
            Content::Values(Kind::String)
        }
    }

    /// Why a column of texts is hardly meant to be one, and what to say about it: numbers written otherwise, or times.
    pub(crate) fn doubt(&self, column: usize, nulls: &Nulls) -> Option<String> {
        let column = self.columns.get(column)?;
        match column.declared {
            None => {}
            Some(Content::Times) => return Some(further_times(&column.name, "")),
            Some(_) => return None,
        }
        let trimmed = column.texts.iter().map(|text| text.trim_ascii());
        let texts: Vec<&[u8]> = trimmed.filter(|text| !nulls.contains(text)).collect();
        let first = String::from_utf8_lossy(texts.first()?).into_owned();
        let name = &column.name;
        if let Some((decimal, thousands)) = OTHER_NUMBERS.into_iter().find(|signs| are_numbers(&texts, *signs)) {
            let thousands = thousands.map_or_else(String::new, |sign| format!(" --thousands '{sign}'"));
            return Some(format!(
                "column `{name}` has numbers such as `{first}`: say how numbers are written (--decimal '{decimal}'{thousands}), or that \
                 it is something else (--tag, --field {name}:string, --ignore)"
            ));
        }
        (!matches!(guess(&texts), Guess::No)).then(|| further_times(name, &format!(" such as `{first}`")))
    }

    /// The format of the times in these columns.
    ///
    /// # Errors
    /// A sentence when it cannot be told.
    pub(crate) fn format_of(&self, columns: &[usize]) -> Result<TimeFormat, String> {
        let is_declared = |at: &usize| self.columns.get(*at).is_some_and(|c| c.declared == Some(Content::Times));
        if columns.iter().all(is_declared) {
            return Ok(TimeFormat::Auto);
        }
        let texts = self.joined(columns);
        let named = || self.names(columns);
        match self.guess(&texts) {
            Guess::Times { format, .. } => Ok(format),
            Guess::Either(formats) => Err(either(&named(), formats)),
            Guess::No if texts.is_empty() => Ok(TimeFormat::Rfc3339),
            Guess::No => {
                let first = texts.first().map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
                Err(format!(
                    "the format of the times in {} is not known (the first is `{first}`): say it, for example --time-format '%d/%m/%Y %H:%M:%S'",
                    named()
                ))
            }
        }
    }

    /// The first column, or pair of columns, that are times: of `format`, unless that is `auto`.
    ///
    /// # Errors
    /// A sentence when there is none, or its format cannot be told.
    pub(crate) fn find_time(
        &self,
        used: &[bool],
        format: &TimeFormat,
        parser: Option<&TimeParser>,
    ) -> Result<Found, String> {
        let free: Vec<_> = (0..self.columns.len()).filter(|at| used.get(*at) == Some(&false)).collect();
        let is_declared = |at: &&usize| self.columns.get(**at).is_some_and(|c| c.declared == Some(Content::Times));
        if let Some(at) = free.iter().find(is_declared) {
            return Ok(Found { columns: vec![*at], format: format.clone() });
        }
        let found = match parser {
            Some(parser) => self.find_of(&free, format, parser),
            None => self.find_any(&free)?,
        };
        found.ok_or_else(|| {
            let names: Vec<_> = self.columns.iter().take(20).map(|c| c.name.as_str()).collect();
            let what = match parser {
                Some(_) => format!("has times of the format {format}"),
                None => "holds times only".to_owned(),
            };
            format!(
                "no column {what}: say which is the time column and its format (--time, --time-format; columns: {})",
                names.join(", ")
            )
        })
    }

    /// Columns whose texts a parser reads: one alone, else one and its neighbour.
    fn find_of(&self, free: &[usize], format: &TimeFormat, parser: &TimeParser) -> Option<Found> {
        let fits = |columns: &Vec<usize>| {
            let texts = self.joined(columns);
            !texts.is_empty() && texts.iter().all(|text| parser.parse(text).is_ok())
        };
        let mut candidates = free.iter().map(|at| vec![*at]).chain(free.array_windows().map(|[a, b]| vec![*a, *b]));
        candidates.find(fits).map(|columns| Found { columns, format: format.clone() })
    }

    fn find_any(&self, free: &[usize]) -> Result<Option<Found>, String> {
        // Numbers that may be times are counters as often, so texts are asked first.
        let (numbers, texts): (Vec<usize>, Vec<usize>) = free.iter().partition(|at| {
            matches!(self.guess(&self.joined(&[**at])), Guess::Times { format: TimeFormat::Epoch(_), .. })
        });
        for at in texts.into_iter().chain(numbers) {
            let guessed = self.guess(&self.joined(&[at]));
            let is_date = matches!(guessed, Guess::Times { is_date: true, .. });
            let clock = if is_date { self.find_clock(free) } else { None };
            match guessed {
                Guess::No => {}
                Guess::Either(formats) => return Err(either(&self.names(&[at]), formats)),
                Guess::Times { format, .. } => {
                    let columns: Vec<_> = std::iter::once(at).chain(clock).collect();
                    let format = if clock.is_some() { self.format_of(&columns)? } else { format };
                    return Ok(Some(Found { columns, format }));
                }
            }
        }
        Ok(None)
    }

    /// The first column of times of day.
    fn find_clock(&self, free: &[usize]) -> Option<usize> {
        let is_clock = |at: &&usize| {
            let texts = self.joined(&[**at]);
            are_clocks(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        free.iter().find(is_clock).copied()
    }

    fn guess(&self, texts: &[Vec<u8>]) -> Guess {
        guess(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// Texts of columns put together record by record.
    fn joined(&self, columns: &[usize]) -> Vec<Vec<u8>> {
        let texts = |at: &usize| self.columns.get(*at).map(|c| c.texts.as_slice()).unwrap_or_default();
        match columns {
            [one] => texts(one).iter().map(|text| text.trim_ascii().to_vec()).filter(|t| !t.is_empty()).collect(),
            [date, clock] => {
                let pairs = texts(date).iter().zip(texts(clock));
                pairs.map(|(date, clock)| [date.trim_ascii(), clock.trim_ascii()].join(&b' ')).collect()
            }
            _ => Vec::new(),
        }
    }

    fn names(&self, columns: &[usize]) -> String {
        let names = columns.iter().filter_map(|at| self.columns.get(*at)).map(|c| format!("`{}`", c.name));
        names.collect::<Vec<_>>().join(" and ")
    }
}

fn further_times(name: &str, example: &str) -> String {
    format!(
        "column `{name}` has times{example}, too: say what it is (--time, --ignore, --field {name}:integer or {name}:string, --tag)"
    )
}

fn either(names: &str, [a, b]: [&str; 2]) -> String {
    format!("the times in {names} can be {a} as well as {b}: say which with --time-format")
}
