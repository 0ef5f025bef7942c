//! Dead letters as text for people and other programs: line protocol that can be written again once the cause is mended, CSV, or
//! JSON. Holds one letter at a time.

use std::borrow::Cow;
use std::io::{self, Write};
use std::str::FromStr;

use serde::Serialize;

use super::error::Problem;
use super::letter::Letter;
use super::reader::Entry;
use super::time;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Line protocol, before each point a comment that says when, where and why it was refused. Database and retention policy
    /// stand in comments as `influx -import` reads them.
    Line,
    /// A header and a row for each letter, quoted as in RFC 4180.
    Csv,
    /// An object a line: the letter as it is stored, and its `id`.
    Json,
}

/// Not the name of a [`Format`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no form of an export: expected line, csv or json")]
pub struct NoFormat(String);

impl FromStr for Format {
    type Err = NoFormat;

    fn from_str(text: &str) -> Result<Self, NoFormat> {
        match text {
            "line" => Ok(Self::Line),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(NoFormat(text.to_owned())),
        }
    }
}

/// Writes letters to `out`, and hands what could not be read to `problem`; returns how many were written. `out` is flushed, and
/// should be buffered.
///
/// # Errors
/// When `out` cannot be written to.
pub fn export(
    letters: impl Iterator<Item = Result<Entry, Problem>>,
    format: Format,
    out: &mut dyn Write,
    mut problem: impl FnMut(Problem),
) -> io::Result<u64> {
    let mut exporter = Exporter { format, out, place: None };
    exporter.begin()?;
    let mut written = 0;
    for entry in letters {
        match entry {
            Ok(entry) => exporter.write(&entry)?,
            Err(found) => {
                problem(found);
                continue;
            }
        }
        written += 1;
    }
    exporter.out.flush()?;
    Ok(written)
}

struct Exporter<'a> {
    format: Format,
    out: &'a mut dyn Write,
    /// Database and policy of the letter before.
    place: Option<(String, String)>,
}

impl Exporter<'_> {
    fn begin(&mut self) -> io::Result<()> {
        match self.format {
            Format::Line => writeln!(self.out, "# DML"),
            Format::Csv => writeln!(self.out, "id,time,store,database,policy,reason,line"),
            Format::Json => Ok(()),
        }
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        match self.format {
            Format::Line => self.write_line(entry),
            Format::Csv => self.write_csv(entry),
            Format::Json => self.write_json(entry),
        }
    }

    fn write_line(&mut self, Entry { id, letter }: &Entry) -> io::Result<()> {
        let (database, policy) = (one_line(&letter.database), one_line(&letter.policy));
        if self.place.as_ref().is_none_or(|(d, p)| (d, p) != (&letter.database, &letter.policy)) {
            self.place = Some((letter.database.clone(), letter.policy.clone()));
            writeln!(self.out, "# CONTEXT-DATABASE: {database}")?;
            writeln!(self.out, "# CONTEXT-RETENTION-POLICY: {policy}")?;
        }
        let (time, store, reason) = (time::format(letter.time), one_line(&letter.store), one_line(&letter.reason));
        writeln!(self.out, "# {id}, refused by {store} at {time}: {reason}")?;
        writeln!(self.out, "{}", letter.line)
    }

    fn write_csv(&mut self, Entry { id, letter }: &Entry) -> io::Result<()> {
        write!(self.out, "{id},{}", time::format(letter.time))?;
        for text in [&letter.store, &letter.database, &letter.policy, &letter.reason, &letter.line] {
            write!(self.out, ",{}", csv_field(text))?;
        }
        writeln!(self.out)
    }

    fn write_json(&mut self, Entry { id, letter }: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, &WithId { id: id.to_string(), letter })?;
        writeln!(self.out)
    }
}

#[derive(Serialize)]
struct WithId<'a> {
    id: String,
    #[serde(flatten)]
    letter: &'a Letter,
}

/// With blanks for line breaks and other control characters: a comment ends with its line.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) { text.replace(char::is_control, " ").into() } else { text.into() }
}

/// In quotes where it needs them.
fn csv_field(text: &str) -> Cow<'_, str> {
    let plain = !text.contains(['"', ',', '\n', '\r']);
    if plain { text.into() } else { format!("\"{}\"", text.replace('"', "\"\"")).into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letters::LetterId;
    use model::TimestampNs;
    use model::line::LineParser;

    fn entry(line: u64, database: &str, text: &str, reason: &str) -> Result<Entry, Problem> {
        let letter = Letter {
            time: TimestampNs(1_700_000_000_000_000_000),
            store: "influxdb".to_owned(),
            database: database.to_owned(),
            policy: "autogen".to_owned(),
            line: text.to_owned(),
            reason: reason.to_owned(),
        };
        Ok(Entry { id: LetterId { file: 3, line }, letter })
    }

    fn letters() -> Vec<Result<Entry, Problem>> {
        vec![
            entry(1, "telemetry", "m,channel=1001 value=1.5 17", "field type conflict"),
            entry(2, "telemetry", "m text=\"a\nb, \\\"c\\\"\" 18", "first line\r\nsecond, \"line\""),
            Err(Problem::Line { path: "/data/f".into(), line: 3, what: "torn".to_owned() }),
            entry(4, "other", "m value=2i 19", "too old"),
        ]
    }

    fn exported(format: &str) -> String {
        let (mut out, mut problems) = (Vec::new(), 0);
        let written = export(letters().into_iter(), format.parse().unwrap(), &mut out, |_| problems += 1).unwrap();
        assert_eq!((written, problems), (3, 1));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn line_protocol_has_a_comment_before_each_point_and_names_the_place_when_it_changes() {
        let expected = "# DML\n\
            # CONTEXT-DATABASE: telemetry\n\
            # CONTEXT-RETENTION-POLICY: autogen\n\
            # 3:1, refused by influxdb at 2023-11-14T22:13:20.000000000Z: field type conflict\n\
            m,channel=1001 value=1.5 17\n\
            # 3:2, refused by influxdb at 2023-11-14T22:13:20.000000000Z: first line  second, \"line\"\n\
            m text=\"a\nb, \\\"c\\\"\" 18\n\
            # CONTEXT-DATABASE: other\n\
            # CONTEXT-RETENTION-POLICY: autogen\n\
            # 3:4, refused by influxdb at 2023-11-14T22:13:20.000000000Z: too old\n\
            m value=2i 19\n";
        assert_eq!(exported("line"), expected);
    }

    #[test]
    fn exported_line_protocol_is_read_back_point_by_point() {
        let text = exported("line");
        let mut parser = LineParser::new(text.as_bytes());
        let mut times = Vec::new();
        while let Some(line) = parser.next_line() {
            times.push(line.unwrap().time);
        }
        assert_eq!(times, [Some(17), Some(18), Some(19)]);
    }

    #[test]
    fn csv_quotes_what_needs_quotes() {
        let expected = "id,time,store,database,policy,reason,line\n\
            3:1,2023-11-14T22:13:20.000000000Z,influxdb,telemetry,autogen,field type conflict,\"m,channel=1001 value=1.5 17\"\n\
            3:2,2023-11-14T22:13:20.000000000Z,influxdb,telemetry,autogen,\"first line\r\nsecond, \"\"line\"\"\",\
            \"m text=\"\"a\nb, \\\"\"c\\\"\"\"\" 18\"\n\
            3:4,2023-11-14T22:13:20.000000000Z,influxdb,other,autogen,too old,m value=2i 19\n";
        assert_eq!(exported("csv"), expected);
    }

    #[test]
    fn json_is_the_stored_form_with_the_id() {
        let text = exported("json");
        let found: Vec<Letter> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(found, letters().into_iter().flatten().map(|entry| entry.letter).collect::<Vec<_>>());
        assert!(
            text.starts_with(r#"{"id":"3:1","time":"2023-11-14T22:13:20.000000000Z","store":"influxdb","#),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_form_is_refused_with_those_there_are() {
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "`xml` is no form of an export: expected line, csv or json");
    }
}
