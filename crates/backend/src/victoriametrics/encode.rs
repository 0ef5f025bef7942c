//! Points as VictoriaMetrics reads line protocol: times in milliseconds, every backslash doubled (it knows `\\`, which InfluxDB does
//! not), reserved tags renamed. Texts are left out: it would store a 0 for each.

use std::borrow::Cow;
use std::ops::Range;

use model::FieldValue;
use model::TimestampNs;
use model::key::SeriesKey;
use model::line::LinePrinter;

use crate::{Point, Points, WriteError, Written};

use super::names::label_of;
use super::rules::Rules;

/// Appends the points of `range` to `out`. Texts, and points older than the store keeps any, are left out and counted.
///
/// # Errors
/// [`WriteError::Points`]: one of them can never be stored; `out` is of no use then.
pub(super) fn render(
    points: &dyn Points,
    range: Range<usize>,
    rules: &Rules,
    out: &mut Vec<u8>,
) -> Result<Written, WriteError> {
    let mut encoder = Encoder {
        printer: LinePrinter::new(out),
        rules,
        series: Spelled::default(),
        plain: Plain::default(),
        filtered: 0,
    };
    let mut outcome = Ok(());
    points.visit(range, &mut |point| {
        if outcome.is_ok() {
            outcome = encoder.point(point);
        }
    });
    let Encoder { printer, filtered, .. } = encoder;
    printer.finish();
    match outcome {
        Ok(()) => Ok(Written { filtered }),
        Err(reason) => Err(WriteError::points(format!("VictoriaMetrics: {reason}"))),
    }
}

struct Encoder<'o, 'r> {
    printer: LinePrinter<'o>,
    rules: &'r Rules,
    series: Spelled,
    plain: Plain,
    filtered: u64,
}

impl Encoder<'_, '_> {
    fn point(&mut self, point: Point<'_>) -> Result<(), String> {
        let ms = point.time.0.div_euclid(1_000_000);
        let is_too_old = self.rules.oldest_ms.is_some_and(|oldest| ms < oldest);
        if matches!(point.value, FieldValue::String(_)) || is_too_old {
            self.filtered += 1;
            return Ok(());
        }
        self.rules.check_time(ms)?;
        // NOTE: taking every key apart would take half of the time that writing takes.
        if self.plain.holds(point.series, point.field, self.rules) {
            self.printer.point(point.series, point.field, point.value, TimestampNs(ms));
            return Ok(());
        }
        self.series.set(point.series, self.rules)?;
        self.rules.check_field(&self.series.measurement, point.field)?;
        self.printer.point(&self.series.spelling, &doubled(point.field), point.value, TimestampNs(ms));
        Ok(())
    }
}

/// Series and field that were found plain last: most points have the same ones as the point before.
#[derive(Default)]
struct Plain {
    series: Vec<u8>,
    field: String,
}

impl Plain {
    #[inline]
    fn holds(&mut self, series: &[u8], field: &str, rules: &Rules) -> bool {
        if self.series == series && self.field == field && !field.is_empty() {
            return true;
        }
        let is_plain = rules.is_plain(series, field);
        if is_plain {
            series.clone_into(&mut self.series);
            field.clone_into(&mut self.field);
        }
        is_plain
    }
}

/// The series of the last point: most points have the same one as the point before.
#[derive(Default)]
struct Spelled {
    key: Vec<u8>,
    spelling: Vec<u8>,
    measurement: String,
}

impl Spelled {
    fn set(&mut self, key: &[u8], rules: &Rules) -> Result<(), String> {
        if self.key == key {
            return Ok(());
        }
        self.key.clear();
        let parsed = SeriesKey::parse(key).map_err(|error| error.to_string())?;
        rules.check_series(parsed)?;
        self.measurement.clear();
        self.measurement.push_str(&parsed.measurement());
        self.spelling.clear();
        escape_into(&mut self.spelling, &self.measurement);
        for (tag, value) in parsed.tags() {
            self.spelling.push(b',');
            escape_into(&mut self.spelling, &label_of(&tag));
            self.spelling.push(b'=');
            escape_into(&mut self.spelling, &value);
        }
        self.key.extend_from_slice(key);
        Ok(())
    }
}

fn escape_into(out: &mut Vec<u8>, name: &str) {
    for byte in name.bytes() {
        if matches!(byte, b',' | b'=' | b' ' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// [`LinePrinter`] escapes the rest of a field key.
fn doubled(field: &str) -> Cow<'_, str> {
    if field.contains('\\') { Cow::Owned(field.replace('\\', "\\\\")) } else { Cow::Borrowed(field) }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::victoriametrics::facts::Facts;
    use crate::{Destination, PointList};

    const NOW_MS: i64 = 1_800_000_000_000;
    const NOW: i64 = NOW_MS * 1_000_000;

    fn rendered(points: &[(&str, &str, FieldValue<'_>, i64)]) -> Result<(String, u64), String> {
        let place = Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true };
        let facts = "vm_app_start_timestamp 1800000000\nvm_app_uptime_seconds 0\n\
            flag{name=\"retentionPeriod\", value=\"1d\", is_set=\"true\"} 1";
        let rules = Rules::new(Some(&Facts::parse(facts, Instant::now())), &place);
        let mut list = PointList::new(place);
        for &(series, field, value, time) in points {
            list.push(Point { series: series.as_bytes(), field, value, time: TimestampNs(time) });
        }
        let mut out = Vec::new();
        let written = render(&list, 0..points.len(), &rules, &mut out).map_err(|error| error.to_string())?;
        Ok((String::from_utf8(out).unwrap(), written.filtered))
    }

    fn one(series: &str, field: &str) -> Result<String, String> {
        rendered(&[(series, field, FieldValue::Float(1.0), NOW)]).map(|(text, _)| text)
    }

    #[test]
    fn points_become_lines_in_milliseconds_without_texts() {
        let points = [
            ("m,a=b", "x", FieldValue::Float(1.5), NOW + 999_999),
            ("m,a=b", "note", FieldValue::String("hello"), NOW),
            ("m,a=b", "on", FieldValue::Boolean(true), NOW),
            ("m,a=b", "n", FieldValue::Integer(-7), NOW + 1_000_000),
        ];
        let lines = format!("m,a=b x=1.5,on=true {NOW_MS}\nm,a=b n=-7i {}\n", NOW_MS + 1);
        assert_eq!(rendered(&points), Ok((lines, 1)));
    }

    #[test]
    fn names_are_spelled_as_victoriametrics_reads_them() {
        assert_eq!(one(r"m\ x,a\,b=c\=d", "v w").unwrap(), format!(r"m\ x,a\,b=c\=d v\ w=1 {NOW_MS}") + "\n");
        assert_eq!(
            one(r"m\\x,a=b\c,db=mine", r"v\w").unwrap(),
            format!(r"m\\\\x,a=b\\c,db_=mine v\\w=1 {NOW_MS}") + "\n"
        );
    }

    #[test]
    fn plain_names_are_spelled_as_the_longer_way_spells_them() {
        for (series, field) in [("m", "v"), ("measurement,channel=1001,point=10001,type=m", "value"), ("ü,ö=ä", "ß")]
        {
            let rules =
                Rules::new(None, &Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true });
            assert!(rules.is_plain(series.as_bytes(), field));
            let mut spelled = Spelled::default();
            spelled.set(series.as_bytes(), &rules).unwrap();
            assert_eq!(spelled.spelling, series.as_bytes());
            assert_eq!(rules.check_field(&spelled.measurement, field), Ok(()));
        }
    }

    #[test]
    fn what_it_would_cut_or_misread_is_refused_with_the_reason() {
        let tags: String = (0..30).map(|n| format!(",t{n:02}=v")).collect();
        let reason = |series: &str, field: &str| one(series, field).unwrap_err();
        let text = reason(&format!("m{tags}"), "v");
        assert_eq!(text, "VictoriaMetrics: `m...` has 30 tags, of which -maxLabelsPerTimeseries leaves 29");
        assert!(one(&format!("m{}", tags.split_at(6).1), "v").is_ok());
        assert!(reason(&format!("m,{}=v", "k".repeat(257)), "v").contains("longer than 256 bytes"));
        assert!(reason(&format!("m,k={}", "v".repeat(16385)), "v").contains("-maxLabelValueLen=16384"));
        assert!(reason("m", &"v".repeat(16384)).contains("measurement and field"));
        assert!(reason("m", "a\"b").contains("double quote"));
        assert!(reason("m", "a\nb").contains("`a\\nb` holds a line break"));
        assert!(reason("m,t=a\\\nb", "v").contains("line break"));
    }

    #[test]
    fn times_that_it_would_change_or_pass_over_are_refused_and_those_it_forgets_left_out() {
        let at = |time| rendered(&[("m", "v", FieldValue::Float(1.0), time)]);
        let day = 86_400_000_000_000;
        assert_eq!(at(NOW - 2 * day), Ok((String::new(), 1)));
        assert!(at(NOW + day).is_ok());
        assert!(at(NOW + 3 * day).unwrap_err().contains("two days in the future"));
        let rules =
            Rules::new(None, &Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true });
        assert!(rules.check_time(0).is_err() && rules.check_time(-1).is_err() && rules.check_time(1).is_ok());
    }
}
