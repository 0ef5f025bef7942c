//! Texts for people, in two languages, with places for values: `{value}`, `{host}`; `{{` is a brace. A place that nobody fills stays
//! as it is, so that a wrong name is seen.

use serde::{Deserialize, Deserializer, Serialize, de};

/// Languages of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// A text in each language. In the configuration, one for both may stand instead of `{en: .., zh: ..}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Text {
    /// Both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// In one language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }

    /// Fills the places in both.
    pub(crate) fn fill(&self, value: impl Fn(&str, Language) -> Option<String>) -> Self {
        let one = |language| fill(self.get(language), |name| value(name, language));
        Self { en: one(Language::En), zh: one(Language::Zh) }
    }
}

impl From<String> for Text {
    /// The same in both.
    fn from(text: String) -> Self {
        Self { en: text.clone(), zh: text }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text, or {en: .., zh: ..} with one of them at least")]
        enum Written {
            Same(String),
            Each(Pair),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Pair {
            en: Option<String>,
            zh: Option<String>,
        }
        match Written::deserialize(deserializer)? {
            Written::Same(text) => Ok(text.into()),
            Written::Each(Pair { en: Some(en), zh: Some(zh) }) => Ok(Self { en, zh }),
            Written::Each(Pair { en: Some(text), .. } | Pair { zh: Some(text), .. }) => Ok(text.into()),
            Written::Each(Pair { en: None, zh: None }) => Err(de::Error::custom("expected en, zh or both")),
        }
    }
}

/// `template` with its places filled.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        if let Some(behind) = after.strip_prefix('{') {
            filled.push('{');
            rest = behind;
            continue;
        }
        match after.split_once('}').and_then(|(name, behind)| Some((value(name.trim())?, behind))) {
            Some((value, behind)) => {
                filled.push_str(&value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "host" => Some("{value}".to_owned()),
            "value" => Some("57.5".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn places_are_filled_once_and_unknown_ones_stay() {
        assert_eq!(fill("{host}: { value } °C", value), "{value}: 57.5 °C");
        assert_eq!(fill("{{value}} {nobody} {value", value), "{value}} {nobody} {value");
        assert_eq!(fill("", value), "");
    }

    #[test]
    fn one_text_stands_for_both_languages() {
        let read = |json: &str| serde_json::from_str::<Text>(json);
        assert_eq!(read(r#""x""#).unwrap(), Text::new("x", "x"));
        assert_eq!(read(r#"{"en":"hot","zh":"过热"}"#).unwrap(), Text::new("hot", "过热"));
        assert_eq!(read(r#"{"zh":"过热"}"#).unwrap(), Text::new("过热", "过热"));
        assert!(read("{}").is_err());
    }
}
