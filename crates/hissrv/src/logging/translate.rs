//! Puts the message of a log event into another language and leaves everything else as it is.
//!
//! Messages in the code are English literals, and what varies is in fields, so the text itself is the key of the table in
//! [`super::zh`]. A message that is not in the table (one that was made at run time, or that a library logs) stays English.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::zh;
use crate::config::Language;

/// Formats as `F` does, with the message in another language.
pub(super) struct Translated<F> {
    format: F,
    language: Language,
}

impl<F> Translated<F> {
    pub(super) fn new(format: F, language: Language) -> Self {
        Self { format, language }
    }
}

impl<S, N, F> FormatEvent<S, N> for Translated<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some((message, translation)) = translation(self.language, event) else {
            return self.format.format_event(context, out, event);
        };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        // NOTE: both formats print the message before any other field and as it is, since none needs escaping (a test keeps it
        // so); the first place is therefore the right one.
        out.write_str(&line.replacen(message, translation, 1))
    }
}

/// The event's message and what to say instead, if anything.
fn translation(language: Language, event: &Event<'_>) -> Option<(&'static str, &'static str)> {
    match language {
        Language::En => None,
        Language::Zh => {
            let message = message_of(event);
            zh::MESSAGES.iter().find(|(english, _)| *english == message).copied()
        }
    }
}

fn message_of(event: &Event<'_>) -> String {
    let mut found = Message(String::new());
    event.record(&mut found);
    found.0
}

/// Takes the field `message`, passes over the others.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let written = write!(self.0, "{value:?}");
            debug_assert!(written.is_ok(), "writing to a String does not fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use crate::config::{Language, LogFormat, LogSection};

    /// A writer that keeps what it is given.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `log` leaves in the log under these settings.
    fn logged(format: LogFormat, language: Language, colours: bool, log: fn()) -> String {
        let kept = Kept::default();
        let section = LogSection { format, language, ..LogSection::default() };
        let writer = kept.clone();
        let dispatch = super::super::subscriber(&section, move || writer.clone(), colours).unwrap();
        tracing::dispatcher::with_default(&dispatch, log);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn stopped() {
        tracing::info!(reason = "stopped", records = 3, "stopped");
    }

    #[test]
    fn text_has_the_message_in_chinese_and_the_fields_as_they_are() {
        for colours in [false, true] {
            let line = logged(LogFormat::Text, Language::Zh, colours, stopped);
            assert!(line.contains("已停止") && line.ends_with('\n'), "{line}");
            assert_eq!(line.matches("stopped").count(), 1, "{line}");
            assert_eq!(line.contains('\u{1b}'), colours, "{line}");
        }
    }

    #[test]
    fn json_has_the_message_in_chinese_and_the_fields_as_they_are() {
        let line = logged(LogFormat::Json, Language::Zh, false, stopped);
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((json["message"].as_str(), json["reason"].as_str()), (Some("已停止"), Some("stopped")));
        assert_eq!((json["level"].as_str(), json["records"].as_u64()), (Some("INFO"), Some(3)));
    }

    #[test]
    fn english_is_left_as_it_is() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = logged(format, Language::En, false, stopped);
            assert!(line.is_ascii() && line.contains("stopped"), "{line}");
        }
    }

    #[test]
    fn a_message_made_at_run_time_is_passed_through() {
        let line = logged(LogFormat::Text, Language::Zh, false, || {
            let warning = "redis.url: looks odd";
            tracing::warn!("{warning}");
        });
        assert!(line.contains("WARN redis.url: looks odd"), "{line}");
    }

    #[test]
    fn a_level_that_is_none_is_refused_by_name() {
        let section = LogSection { level: "a=b=c".to_owned(), ..LogSection::default() };
        let refused = super::super::subscriber(&section, io::stderr, false).unwrap_err();
        assert!(refused.starts_with("log.level: `a=b=c`"), "{refused}");
    }
}
