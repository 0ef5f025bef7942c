//! The texts of messages: those of the configuration, else the built-in ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Language;
use crate::demo;
use crate::error::ConfigError;
use crate::messages::{self, Kind};
use crate::template::Template;

use super::check;

/// The name that stands for every metric without a text of its own.
const ANY: &str = "default";

type Given = BTreeMap<Language, BTreeMap<String, BTreeMap<String, String>>>;

/// Every text that is given, also those of the other language.
pub(super) fn check(given: &Given) -> Result<(), ConfigError> {
    for (language, kinds) in given {
        for (kind, texts) in kinds {
            let key = format!("events.templates.{}.{kind}", code(*language));
            check::one_of(key.clone(), kind, Kind::ALL.iter().map(|kind| kind.key()))?;
            for (metric, text) in texts {
                parse(&format!("{key}.{metric}"), text)?;
            }
        }
    }
    Ok(())
}

/// A text for a metric that there is not would never be used.
pub(super) fn check_metrics(given: &Given, metrics: &BTreeSet<String>) -> Result<(), ConfigError> {
    let known = std::iter::once(ANY).chain(metrics.iter().map(String::as_str));
    for (language, kinds) in given {
        for (kind, texts) in kinds {
            let key = || format!("events.templates.{}.{kind}", code(*language));
            texts.keys().try_for_each(|metric| check::one_of(key(), metric, known.clone()))?;
        }
    }
    Ok(())
}

/// The texts of a metric, in the order of [`Kind::ALL`].
pub(super) fn of_metric(given: &Given, language: Language, metric: &str) -> Result<Vec<Template>, ConfigError> {
    Kind::ALL.iter().map(|kind| one(given, language, *kind, metric)).collect()
}

/// The texts of invented events, by what happens.
pub(super) fn of_events(
    given: &Given,
    language: Language,
    node_type: &str,
) -> Result<BTreeMap<&'static str, Template>, ConfigError> {
    demo::words(node_type).map(|word| Ok((word, one(given, language, Kind::Event, word)?))).collect()
}

fn one(given: &Given, language: Language, kind: Kind, metric: &str) -> Result<Template, ConfigError> {
    let texts = given.get(&language).and_then(|kinds| kinds.get(kind.key()));
    let own = texts.and_then(|texts| texts.get(metric).or_else(|| texts.get(ANY)));
    let key = format!("events.templates.{}.{}.{metric}", code(language), kind.key());
    parse(&key, own.map_or(messages::text(language, kind), String::as_str))
}

fn parse(key: &str, text: &str) -> Result<Template, ConfigError> {
    Template::parse(text).map_err(|problem| ConfigError::Template { key: key.to_owned(), problem })
}

const fn code(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh",
    }
}
