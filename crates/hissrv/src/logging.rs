//! Where log messages go: to stderr, as text or JSON, in English or Chinese.

mod translate;
mod zh;

#[cfg(test)]
mod sources;

use std::io::IsTerminal;

use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use self::translate::Translated;
use crate::config::{LogFormat, LogSection};

/// Starts logging. Once a process.
///
/// # Errors
/// When the level is none, or logging was started before.
pub(crate) fn init(section: &LogSection) -> Result<(), String> {
    let dispatch = subscriber(section, std::io::stderr, std::io::stderr().is_terminal())?;
    tracing::dispatcher::set_global_default(dispatch).map_err(|e| e.to_string())
}

/// Formats and filters as the section says and writes to `writer`; `colours` are for terminals, and for text only.
fn subscriber<W>(section: &LogSection, writer: W, colours: bool) -> Result<Dispatch, String>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&section.level).map_err(|e| format!("log.level: `{}`: {e}", section.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let language = section.language;
    Ok(match section.format {
        LogFormat::Text => {
            let text = builder.with_ansi(colours).with_target(false);
            text.map_event_format(|format| Translated::new(format.with_ansi(colours), language)).finish().into()
        }
        LogFormat::Json => {
            let json = builder.json().flatten_event(true);
            json.map_event_format(|format| Translated::new(format, language)).finish().into()
        }
    })
}
