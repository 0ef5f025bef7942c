//! What a request to `/query` asks, and how it wants to be answered.

use axum::http::{HeaderMap, Method, header};
use model::Precision;
use query::{Cancel, Shortcuts};

use super::encode::Format;
use super::form::Form;
use super::gzip::accepts_gzip;
use crate::service::{InfluxRequest, Modifying};

/// Rows of a chunk when nothing is said.
const CHUNK_ROWS: usize = 10_000;

/// A request to `/query`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    text: String,
    database: Option<String>,
    policy: Option<String>,
    parameters: Option<String>,
    modifying: Modifying,
    shortcuts: Shortcuts,
    tells_origins: bool,
    /// Unit of the times in the answer; `None` is RFC 3339.
    pub(crate) epoch: Option<Precision>,
    /// Whether and how the answer comes piece by piece.
    pub(crate) delivery: Delivery,
    /// Whether the answer may be compressed.
    pub(crate) gzip: bool,
}

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// In one piece.
    Whole,
    /// In documents of at most so many rows.
    Chunks { rows: usize },
    /// Not at all: the request is answered once it is understood, and executed behind that.
    Behind,
}

impl Question {
    /// `None` when there is no text.
    pub(crate) fn read(method: &Method, headers: &HeaderMap, form: &Form) -> Option<Self> {
        let text = match form.value("q").trim() {
            "" => form.file("q")?.trim(),
            text => text,
        };
        let given = |name| Some(form.value(name)).filter(|value| !value.is_empty()).map(str::to_owned);
        (!text.is_empty()).then(|| Self {
            text: text.to_owned(),
            database: given("db"),
            policy: given("rp"),
            parameters: given("params"),
            modifying: if method == Method::GET { Modifying::Deprecated } else { Modifying::Allowed },
            shortcuts: shortcuts(form),
            tells_origins: form.value("provenance") == "true",
            epoch: epoch(form.value("epoch").trim()),
            delivery: delivery(form),
            gzip: accepts_gzip(headers),
        })
    }

    /// What the historian is asked.
    pub(crate) fn into_request(self, cancel: Cancel) -> InfluxRequest {
        let Self { text, database, policy, parameters, modifying, shortcuts, tells_origins, .. } = self;
        InfluxRequest { text, database, policy, parameters, modifying, shortcuts, tells_origins, cancel }
    }
}

/// NOTE: `us`, `µ` and everything else that is unknown mean nanoseconds, without an error; InfluxDB 1.x has it so.
fn epoch(name: &str) -> Option<Precision> {
    match name {
        "" => None,
        "u" => Some(Precision::Microsecond),
        "ms" => Some(Precision::Millisecond),
        "s" => Some(Precision::Second),
        "m" => Some(Precision::Minute),
        "h" => Some(Precision::Hour),
        _ => Some(Precision::Nanosecond),
    }
}

/// InfluxDB has no such parameters; like its own, they count in one spelling only.
fn shortcuts(form: &Form) -> Shortcuts {
    Shortcuts { rollups: form.value("rollups") != "false", cache: form.value("cacheable") != "false" }
}

fn delivery(form: &Form) -> Delivery {
    if form.value("async") == "true" {
        return Delivery::Behind;
    }
    if form.value("chunked") != "true" {
        return Delivery::Whole;
    }
    let rows = form.value("chunk_size").parse().ok().filter(|&rows| rows > 0);
    Delivery::Chunks { rows: rows.unwrap_or(CHUNK_ROWS) }
}

/// The format asked for. NOTE: `pretty` counts in the URL only, and `Accept` only where it names one type and nothing else;
/// InfluxDB 1.x has it so.
pub(crate) fn format(headers: &HeaderMap, url: &Form) -> Format {
    match headers.get(header::ACCEPT).map(|value| value.as_bytes()) {
        Some(b"application/csv" | b"text/csv") => Format::Csv,
        Some(b"application/x-msgpack") => Format::Msgpack,
        _ if url.value("pretty") == "true" => Format::PrettyJson,
        _ => Format::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<Question> {
        Question::read(&Method::GET, &HeaderMap::new(), &Form::of_url(query))
    }

    #[test]
    fn a_question_has_a_text_and_what_is_empty_is_not_given() {
        let question = read("q=+SHOW+DATABASES%0A&db=d&rp=&params=").unwrap();
        let request = question.into_request(Cancel::new());
        assert_eq!((request.text.as_str(), request.database.as_deref()), ("SHOW DATABASES", Some("d")));
        assert_eq!((request.policy, request.parameters), (None, None));
        assert_eq!(request.modifying, Modifying::Deprecated);
        for none in ["", "db=d", "q=", "q=%20%0a"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn epochs_are_influxdbs() {
        let unit = |name: &str| read(&format!("q=x&epoch={name}")).unwrap().epoch;
        assert_eq!((unit(""), unit("+"), unit("u")), (None, None, Some(Precision::Microsecond)));
        assert_eq!((unit("ms"), unit("h")), (Some(Precision::Millisecond), Some(Precision::Hour)));
        for nanoseconds in ["n", "ns", "us", "d", "bogus", "MS"] {
            assert_eq!(unit(nanoseconds), Some(Precision::Nanosecond), "{nanoseconds}");
        }
    }

    #[test]
    fn rollups_and_cache_are_used_unless_switched_off() {
        let shortcuts = |query: &str| read(&format!("q=x{query}")).unwrap().into_request(Cancel::new()).shortcuts;
        assert_eq!(shortcuts(""), Shortcuts::ALL);
        assert_eq!(shortcuts("&rollups=true&cacheable=0"), Shortcuts::ALL);
        assert_eq!(shortcuts("&rollups=false"), Shortcuts { rollups: false, cache: true });
        assert_eq!(shortcuts("&rollups=false&cacheable=false"), Shortcuts::NONE);
    }

    #[test]
    fn where_rows_come_from_is_told_to_who_asks() {
        let tells = |query: &str| read(&format!("q=x{query}")).unwrap().into_request(Cancel::new()).tells_origins;
        assert_eq!((tells(""), tells("&provenance=false"), tells("&provenance=true")), (false, false, true));
    }

    #[test]
    fn chunks_have_ten_thousand_rows_unless_a_size_is_given() {
        let delivery = |query: &str| read(&format!("q=x&{query}")).unwrap().delivery;
        assert_eq!(delivery("chunk_size=5"), Delivery::Whole);
        assert_eq!(delivery("chunked=TRUE"), Delivery::Whole);
        assert_eq!(delivery("chunked=true&chunk_size=5"), Delivery::Chunks { rows: 5 });
        for default in ["", "0", "-1", "x"] {
            let query = format!("chunked=true&chunk_size={default}");
            assert_eq!(delivery(&query), Delivery::Chunks { rows: 10_000 });
        }
        assert_eq!(delivery("chunked=true&async=true"), Delivery::Behind);
    }
}
