//! Options of the form `--key value`. An option that the program does not know is refused.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::Result;

/// The options given on the command line.
pub struct Args(HashMap<String, String>);

impl Args {
    /// Reads the command line of this process.
    ///
    /// # Errors
    /// An option outside `known`, a value without option, or an option without value.
    pub fn parse(known: &[&str]) -> Result<Self> {
        Self::from_words(std::env::args().skip(1), known)
    }

    fn from_words(words: impl IntoIterator<Item = String>, known: &[&str]) -> Result<Self> {
        let mut words = words.into_iter();
        let mut options = HashMap::new();
        while let Some(word) = words.next() {
            let key = word.strip_prefix("--").filter(|key| known.contains(key));
            let Some(key) = key else {
                return Err(format!("unknown option {word}; known: --{}", known.join(" --")).into());
            };
            let Some(value) = words.next() else {
                return Err(format!("--{key} wants a value").into());
            };
            options.insert(key.to_owned(), value);
        }
        Ok(Self(options))
    }

    /// The value of `key`, if given.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// When it was not given.
    pub fn required(&self, key: &str) -> Result<&str> {
        self.get(key).ok_or_else(|| format!("--{key} is needed").into())
    }

    /// The value of `key` as a number; `_` may group digits.
    ///
    /// # Errors
    /// When it is not such a number.
    pub fn number<T>(&self, key: &str, default: T) -> Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.get(key) else { return Ok(default) };
        text.replace('_', "").parse().map_err(|error| format!("--{key} {text}: {error}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args> {
        Args::from_words(line.split_whitespace().map(str::to_owned), &["n", "rate"])
    }

    #[test]
    fn numbers_may_group_their_digits_and_fall_back_to_the_default() {
        let args = parse("--n 1_000").unwrap();
        assert_eq!(args.number("n", 0u64).unwrap(), 1000);
        assert_eq!(args.number("rate", 2.5).unwrap(), 2.5);
    }

    #[test]
    fn unknown_options_stray_words_and_missing_values_are_refused() {
        for line in ["--m 1", "n 1", "--n"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("--n x").unwrap().number("n", 0u64).is_err());
    }
}
