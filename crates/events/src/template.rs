//! Texts with placeholders: `{name}` or, for numbers, `{value:.1f}` with a number of decimals; `{{` and `}}` are braces.

use std::fmt::Write;

use crate::config::Language;
use crate::event::Level;
use crate::messages;

/// Most decimals of a number.
const MAX_DECIMALS: usize = 9;

/// A text read once and filled often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Number(Number, Option<usize>),
    Word(Word),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Value,
    Threshold,
    Mean,
    Sigmas,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Duration,
    Unit,
    Name,
    Metric,
    Node,
    Type,
    Level,
    Side,
    Bias,
}

const NUMBERS: [(&str, Number); 4] =
    [("value", Number::Value), ("threshold", Number::Threshold), ("mean", Number::Mean), ("sigmas", Number::Sigmas)];

const WORDS: [(&str, Word); 9] = [
    ("duration", Word::Duration),
    ("unit", Word::Unit),
    ("name", Word::Name),
    ("metric", Word::Metric),
    ("node", Word::Node),
    ("type", Word::Type),
    ("level", Word::Level),
    ("side", Word::Side),
    ("bias", Word::Bias),
];

/// What placeholders stand for. A number that there is none of is written as `-`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) language: Language,
    pub(crate) node: &'a str,
    pub(crate) node_type: &'a str,
    pub(crate) metric: &'a str,
    pub(crate) name: &'a str,
    /// With the space before it, where there is one.
    pub(crate) unit: &'a str,
    pub(crate) level: Level,
    pub(crate) is_low: bool,
    pub(crate) value: Option<f64>,
    pub(crate) threshold: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) sigmas: Option<f64>,
    /// In seconds.
    pub(crate) duration: Option<f64>,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            rest = match (from.strip_prefix("{{"), from.strip_prefix("}}"), from.strip_prefix('{')) {
                (Some(after), _, _) => {
                    plain.push('{');
                    after
                }
                (_, Some(after), _) => {
                    plain.push('}');
                    after
                }
                (_, _, Some(inside)) => {
                    let (placeholder, after) =
                        inside.split_once('}').ok_or("a { has no }; write {{ for a brace itself")?;
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(part(placeholder)?);
                    after
                }
                _ => return Err("a } has no {; write }} for a brace itself".to_owned()),
            };
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self(parts))
    }

    /// The text with every placeholder filled.
    pub(crate) fn fill(&self, facts: &Facts<'_>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Number(number, decimals) => put_number(&mut out, number.of(facts), *decimals),
                Part::Word(word) => word.put(&mut out, facts),
            }
        }
        out
    }
}

fn part(placeholder: &str) -> Result<Part, String> {
    let (name, format) = match placeholder.split_once(':') {
        Some((name, format)) => (name, Some(format)),
        None => (placeholder, None),
    };
    if let Some(&(_, number)) = NUMBERS.iter().find(|(known, _)| *known == name) {
        return Ok(Part::Number(number, format.map(|format| decimals(placeholder, format)).transpose()?));
    }
    let Some(&(_, word)) = WORDS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = NUMBERS.iter().map(|(n, _)| *n).chain(WORDS.iter().map(|(n, _)| *n)).collect();
        return Err(format!("{{{placeholder}}} is not known; give one of {}", known.join(", ")));
    };
    if format.is_some() {
        return Err(format!("{{{placeholder}}} is no number; write {{{name}}}"));
    }
    Ok(Part::Word(word))
}

fn decimals(placeholder: &str, format: &str) -> Result<usize, String> {
    let digits = format.strip_prefix('.').and_then(|rest| rest.strip_suffix('f'));
    let digits = digits.and_then(|digits| digits.parse().ok()).filter(|&digits| digits <= MAX_DECIMALS);
    digits.ok_or_else(|| {
        format!("{{{placeholder}}} is no format of a number; write {{value:.1f}} with 0 to {MAX_DECIMALS} decimals")
    })
}

impl Number {
    const fn of(self, facts: &Facts<'_>) -> Option<f64> {
        match self {
            Self::Value => facts.value,
            Self::Threshold => facts.threshold,
            Self::Mean => facts.mean,
            Self::Sigmas => facts.sigmas,
        }
    }
}

impl Word {
    fn put(self, out: &mut String, facts: &Facts<'_>) {
        out.push_str(match self {
            Self::Duration => return put_duration(out, facts.duration),
            Self::Unit => facts.unit,
            Self::Name => facts.name,
            Self::Metric => facts.metric,
            Self::Node => facts.node,
            Self::Type => facts.node_type,
            Self::Level => messages::level(facts.language, facts.level),
            Self::Side => messages::side(facts.language, facts.is_low),
            Self::Bias => messages::bias(facts.language, facts.is_low),
        });
    }
}

/// Numbers from here on are written with an exponent: nobody reads 300 digits.
const LARGE: f64 = 1e15;

fn put_number(out: &mut String, number: Option<f64>, decimals: Option<usize>) {
    let written = match (number, decimals) {
        (None, _) => out.write_str("-"),
        (Some(number), Some(decimals)) if number.abs() < LARGE => write!(out, "{number:.decimals$}"),
        (Some(number), _) if number.abs() < LARGE => write!(out, "{number}"),
        (Some(number), _) => write!(out, "{number:e}"),
    };
    debug_assert!(written.is_ok(), "a String takes everything");
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Days, hours, minutes and seconds, without those that are 0: `1h30m`. Below a minute with up to three decimals.
fn put_duration(out: &mut String, seconds: Option<f64>) {
    let Some(seconds) = seconds.filter(|s| *s >= 60.0) else {
        let rounded = seconds.map(|seconds| (seconds * 1000.0).round() / 1000.0);
        put_number(out, rounded, None);
        out.push('s');
        return;
    };
    let mut rest = seconds.round() as u64;
    for (unit, size) in UNITS {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            put_number(out, Some(count as f64), Some(0));
            out.push_str(unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Kind;

    const FACTS: Facts<'static> = Facts {
        language: Language::Zh,
        node: "vm-1",
        node_type: "VM",
        metric: "cpu_usage",
        name: "CPU使用率",
        unit: "%",
        level: Level::Warning,
        is_low: false,
        value: Some(85.27),
        threshold: Some(80.0),
        mean: Some(40.0),
        sigmas: Some(3.1),
        duration: Some(5400.0),
    };

    fn filled(text: &str, facts: &Facts<'_>) -> String {
        Template::parse(text).unwrap().fill(facts)
    }

    #[test]
    fn chinese_messages_are_those_of_the_first_system() {
        let said = |kind| filled(messages::text(Language::Zh, kind), &FACTS);
        assert_eq!(said(Kind::Info), "CPU使用率正常: 85.3%");
        assert_eq!(said(Kind::Warning), "CPU使用率偏高: 85.3%, 超过警告阈值 80%");
        assert_eq!(said(Kind::Error), "CPU使用率过高: 85.3%, 超过错误阈值 80%");
        assert_eq!(said(Kind::Critical), "CPU使用率危险: 85.3%, 超过临界阈值 80%");
        assert_eq!(said(Kind::Anomaly), "CPU使用率异常: 85.3%, 超过常态值 40.0% 达 3.1 倍偏差");
        assert_eq!(said(Kind::ChangePoint), "CPU使用率突变: 85.3%, 此前为 40.0%");
        assert_eq!(said(Kind::Status), "CPU使用率: 85.3%, 状态警告");
        assert_eq!(said(Kind::Abnormal), "CPU使用率由正常变为警告: 85.3%");
        assert_eq!(said(Kind::Normal), "CPU使用率恢复正常: 85.3%, 异常持续 1h30m");
    }

    #[test]
    fn english_messages_say_the_same() {
        let facts = Facts { language: Language::En, name: "Success rate", is_low: true, ..FACTS };
        let said = |kind| filled(messages::text(Language::En, kind), &facts);
        assert_eq!(said(Kind::Info), "Success rate normal: 85.3%");
        assert_eq!(said(Kind::Warning), "Success rate low: 85.3%, below the warning threshold 80%");
        assert_eq!(said(Kind::Error), "Success rate too low: 85.3%, below the error threshold 80%");
        assert_eq!(said(Kind::Critical), "Success rate critical: 85.3%, below the critical threshold 80%");
        assert_eq!(said(Kind::Anomaly), "Success rate unusual: 85.3%, 3.1 deviations below the usual 40.0%");
        assert_eq!(said(Kind::ChangePoint), "Success rate changed: 85.3%, 40.0% before");
        assert_eq!(said(Kind::Status), "Success rate: 85.3%, warning");
        assert_eq!(said(Kind::Abnormal), "Success rate became abnormal: 85.3%, warning");
        assert_eq!(said(Kind::Normal), "Success rate normal again: 85.3%, abnormal for 1h30m");
        assert_eq!(said(Kind::Event), "VM vm-1: Success rate");
    }

    #[test]
    fn numbers_have_as_many_decimals_as_wanted() {
        assert_eq!(filled("{value} {value:.0f} {value:.3f} {{{metric}}}", &FACTS), "85.27 85 85.270 {cpu_usage}");
        let none = Facts { value: None, ..FACTS };
        assert_eq!(filled("{value:.1f}", &none), "-");
        let large = Facts { value: Some(1e300), ..FACTS };
        assert_eq!(filled("{value:.1f}", &large), "1e300");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        let lasting = |seconds| filled("{duration}", &Facts { duration: Some(seconds), ..FACTS });
        assert_eq!([0.0, 0.25, 59.0, 60.0].map(lasting), ["0s", "0.25s", "59s", "1m"]);
        assert_eq!([3_661.4, 90_000.0].map(lasting), ["1h1m1s", "1d1h"]);
    }

    #[test]
    fn a_wrong_text_is_refused_with_what_to_write() {
        let refused = |text| Template::parse(text).unwrap_err();
        assert!(refused("{valve}").starts_with("{valve} is not known; give one of value, threshold, mean"));
        assert!(refused("{value:x}").contains("{value:x} is no format of a number; write {value:.1f}"));
        assert!(refused("{value:.99f}").contains("0 to 9 decimals"));
        assert_eq!(refused("{node:.1f}"), "{node:.1f} is no number; write {node}");
        assert!(refused("{value").contains("has no }"));
        assert!(refused("value}").contains("write }}"));
    }
}
