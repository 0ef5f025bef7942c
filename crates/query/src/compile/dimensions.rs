//! GROUP BY: windows of time and tags.

use influxql::ast::Expr;
use model::WindowNs;

use super::constant::{Clock, Constant, constant};
use super::{Dialect, depth, sources, text, time, time_text};
use crate::QueryError;
use crate::plan::{CalendarUnit, Dimension, Windowing};

const DAY_NS: i64 = 86_400_000_000_000;
const WEEK_NS: i64 = 7 * DAY_NS;
const OFFSET_EXPECTED: &str = "time dimension offset must be duration or now()";

/// What a query is grouped by.
#[derive(Debug, Default)]
pub(super) struct Dimensions {
    /// Windows; `None` where there are none, or they have no length.
    pub(super) window: Option<Windowing>,
    pub(super) group_by: Vec<Dimension>,
}

/// Reads GROUP BY.
pub(super) fn compile(dimensions: &[Expr], clock: &Clock, dialect: Dialect) -> Result<Dimensions, QueryError> {
    // NOTE: what `now()` is matters to offsets only; anywhere else it is a call as any other.
    let timeless = Clock { now: None, zone: clock.zone };
    let mut compiled = Dimensions::default();
    for dimension in dimensions {
        depth::check(dimension)?;
        match text::unwrapped(dimension) {
            expr if time::is_time(expr) => {
                return invalid("time() is a function and expects at least one argument");
            }
            Expr::Reference { name, .. } => compiled.group_by.push(Dimension::Tag(name.clone())),
            Expr::Wildcard(_) => compiled.group_by.push(Dimension::All),
            Expr::Regex(text) => compiled.group_by.push(Dimension::Like(sources::pattern(text)?)),
            Expr::Call { name, args } => {
                let window = Windows { clock, timeless: &timeless, dialect }.read(name, args, &compiled)?;
                compiled.window = compiled.window.or(window);
            }
            _ => return invalid("only time and tag dimensions allowed"),
        }
    }
    Ok(compiled)
}

struct Windows<'a> {
    clock: &'a Clock<'a>,
    timeless: &'a Clock<'a>,
    dialect: Dialect,
}

impl Windows<'_> {
    fn read(&self, name: &str, args: &[Expr], so_far: &Dimensions) -> Result<Option<Windowing>, QueryError> {
        if name != "time" {
            return invalid("only time() calls allowed in dimensions");
        }
        let (width, offset) = match args {
            [width] => (width, None),
            [width, offset] => (width, Some(offset)),
            _ => return invalid("time dimension expected 1 or 2 arguments"),
        };
        let width = constant(width, self.timeless);
        let calendar = width.as_ref().and_then(|width| self.calendar(width)).filter(|_| offset.is_none());
        let fixed = match width {
            Some(Constant::Duration(width)) => WindowNs::new(width),
            _ if calendar.is_some() => None,
            _ => return invalid("time dimension must have duration argument"),
        };
        if so_far.window.is_some() {
            return invalid("multiple time dimensions not allowed");
        }
        let Some(width) = fixed.filter(|_| calendar.is_none()) else { return Ok(calendar) };
        let offset_ns = offset.map_or(Ok(0), |offset| self.offset(offset, width.get()))?;
        Ok(Some(Windowing::Fixed { width, offset_ns }))
    }

    fn offset(&self, offset: &Expr, width: i64) -> Result<i64, QueryError> {
        if let Expr::Call { name, args } = text::unwrapped(offset) {
            if name != "now" {
                return invalid("time dimension offset function must be now()");
            }
            if !args.is_empty() {
                return invalid("time dimension offset now() function requires no arguments");
            }
            return Ok(self.clock.now.map_or(0, |now| now.0.rem_euclid(width)));
        }
        match constant(offset, self.timeless) {
            Some(Constant::Duration(offset)) => Ok(offset.checked_rem(width).unwrap_or(0)),
            Some(Constant::Time(at)) => Ok(remainder(at, width)),
            Some(Constant::String(text)) if time_text::looks_like_time(&text) => self.text_offset(&text, width),
            _ => invalid(OFFSET_EXPECTED),
        }
    }

    /// NOTE: InfluxDB 1.6 checks such an offset and then fails all the same.
    fn text_offset(&self, text: &str, width: i64) -> Result<i64, QueryError> {
        let at = time_text::read(text, self.clock.zone)?;
        match self.dialect {
            Dialect::Strict => invalid(&format!("invalid time dimension offset: {}", Expr::String(text.to_owned()))),
            Dialect::Extended => Ok(remainder(at, width)),
        }
    }

    /// `'3mo'`, and whole days and weeks, in the extended dialect.
    fn calendar(&self, width: &Constant) -> Option<Windowing> {
        if self.dialect == Dialect::Strict {
            return None;
        }
        match width {
            Constant::String(text) => calendar_text(text),
            Constant::Duration(width) if *width > 0 && width % WEEK_NS == 0 => {
                calendar(width / WEEK_NS, CalendarUnit::Week)
            }
            Constant::Duration(width) if *width > 0 && width % DAY_NS == 0 => {
                calendar(width / DAY_NS, CalendarUnit::Day)
            }
            _ => None,
        }
    }
}

fn calendar_text(text: &str) -> Option<Windowing> {
    let (count, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit {
        "d" => CalendarUnit::Day,
        "w" => CalendarUnit::Week,
        "mo" => CalendarUnit::Month,
        "y" => CalendarUnit::Year,
        _ => return None,
    };
    calendar(count.parse().ok()?, unit)
}

fn calendar(count: i64, unit: CalendarUnit) -> Option<Windowing> {
    let count = u32::try_from(count).ok().filter(|&count| count > 0)?;
    Some(Windowing::Calendar { count, unit })
}

fn remainder(at: i128, width: i64) -> i64 {
    i64::try_from(at.rem_euclid(i128::from(width))).unwrap_or(0)
}

fn invalid<T>(message: &str) -> Result<T, QueryError> {
    Err(QueryError::invalid(message))
}

#[cfg(test)]
mod tests {
    use super::super::compile as compile_query;
    use super::super::sample::*;
    use super::*;
    use influxql::ast::BinaryOp::{Add, Mul};
    use influxql::ast::Select;

    fn grouped(dimension: Expr) -> Select {
        Select { dimensions: vec![dimension], ..select([of_v("mean")]) }
    }

    fn refused(dimension: Expr) -> String {
        refusal(&grouped(dimension))
    }

    fn offset(offset: Expr) -> i64 {
        match plan(&grouped(call("time", [Expr::Duration(MINUTE), offset]))).window {
            Some(Windowing::Fixed { offset_ns, .. }) => offset_ns,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tags_wildcards_and_patterns_are_kept() {
        let mut query = grouped(paren(name("h")));
        query.dimensions.extend([Expr::Wildcard(None), Expr::Regex("^x".to_owned())]);
        let planned = plan(&query).group_by;
        assert!(matches!(planned.as_slice(), [Dimension::Tag(tag), Dimension::All, Dimension::Like(_)] if tag == "h"));
    }

    #[test]
    fn only_windows_and_tags_are_grouped_by() {
        assert_eq!(refused(text("h")), "only time and tag dimensions allowed");
        assert_eq!(refused(binary(name("v"), Add, Expr::Integer(1))), "only time and tag dimensions allowed");
        assert_eq!(refused(name("time")), "time() is a function and expects at least one argument");
        assert_eq!(refused(call("mean", [Expr::Duration(MINUTE)])), "only time() calls allowed in dimensions");
        let twice = Select { dimensions: vec![each_minute(), each_minute()], ..select([of_v("mean")]) };
        assert_eq!(refusal(&twice), "multiple time dimensions not allowed");
    }

    #[test]
    fn windows_have_a_length_and_perhaps_an_offset() {
        let time = |args: Vec<Expr>| refused(call("time", args));
        let minute = || Expr::Duration(MINUTE);
        assert_eq!(time(vec![]), "time dimension expected 1 or 2 arguments");
        assert_eq!(time(vec![text("1m")]), "time dimension must have duration argument");
        assert_eq!(time(vec![minute(), Expr::Integer(5)]), "time dimension offset must be duration or now()");
        assert_eq!(time(vec![minute(), text("x")]), "time dimension offset must be duration or now()");
        assert_eq!(time(vec![minute(), of_v("mean")]), "time dimension offset function must be now()");
        assert_eq!(
            time(vec![minute(), call("now", [Expr::Integer(1)])]),
            "time dimension offset now() function requires no arguments"
        );
        assert_eq!(
            time(vec![minute(), text("2024-03-10T00:00:07Z")]),
            "invalid time dimension offset: '2024-03-10T00:00:07Z'"
        );
    }

    #[test]
    fn offsets_are_taken_modulo_the_width() {
        assert_eq!(offset(Expr::Duration(-5 * SECOND)), -5 * SECOND);
        assert_eq!(offset(Expr::Duration(MINUTE + SECOND)), SECOND);
        assert_eq!(offset(call("now", [])), NOW.0 % MINUTE);
        let time = binary(text("2024-03-10T00:00:07Z"), Add, Expr::Duration(SECOND));
        assert_eq!(offset(time), 8 * SECOND);
    }

    #[test]
    fn a_window_without_length_is_none() {
        assert_eq!(plan(&grouped(call("time", [Expr::Duration(0)]))).window, None);
        let double = call("time", [binary(Expr::Duration(30 * SECOND), Mul, Expr::Integer(2))]);
        assert_eq!(plan(&grouped(double)).window, plan(&grouped(each_minute())).window);
    }

    #[test]
    fn the_extended_dialect_has_calendar_windows() {
        let window = |arg| compile_query(&grouped(call("time", [arg])), &extended()).unwrap().window;
        let calendar = |count, unit| Some(Windowing::Calendar { count, unit });
        assert_eq!(window(text("1mo")), calendar(1, CalendarUnit::Month));
        assert_eq!(window(text("1y")), calendar(1, CalendarUnit::Year));
        assert_eq!(window(Expr::Duration(DAY_NS)), calendar(1, CalendarUnit::Day));
        assert_eq!(window(Expr::Duration(2 * WEEK_NS)), calendar(2, CalendarUnit::Week));
        assert!(matches!(window(Expr::Duration(MINUTE)), Some(Windowing::Fixed { .. })));
        let wrong = compile_query(&grouped(call("time", [text("0mo")])), &extended()).unwrap_err();
        assert_eq!(wrong.to_string(), "time dimension must have duration argument");
    }
}
