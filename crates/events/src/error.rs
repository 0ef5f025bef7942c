//! Why a configuration or a saved state is refused.

/// Why rules cannot be made of a configuration. The key is that of the file, below `events`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// Two thresholds contradict each other.
    #[error("{key}: {first} {first_value} {relation} {second} {second_value}; {advice}")]
    Order {
        /// Where.
        key: String,
        /// Key of the one.
        first: &'static str,
        /// Value of the one.
        first_value: f64,
        /// How they stand to each other.
        relation: &'static str,
        /// Key of the other.
        second: &'static str,
        /// Value of the other.
        second_value: f64,
        /// What to do.
        advice: &'static str,
    },
    /// A number is outside its bounds.
    #[error("{key}: {value} is out of range: give {expected}")]
    Range {
        /// Where.
        key: String,
        /// What was given.
        value: f64,
        /// What may be given.
        expected: &'static str,
    },
    /// Thresholds for low values in a metric that is inverse anyway.
    #[error("{key}: low values are the bad ones already, since inverse is true; remove either inverse or low")]
    LowOfInverse {
        /// Where.
        key: String,
    },
    /// A recovery threshold without a level to recover from.
    #[error("{key}: there is a recovery threshold but no level; give warning, error or critical, or remove it")]
    NothingToRecover {
        /// Where.
        key: String,
    },
    /// A word that is none of those known.
    #[error("{key}: `{word}` is not known; give one of {known}")]
    Unknown {
        /// Where.
        key: String,
        /// What was given.
        word: String,
        /// What may be given.
        known: String,
    },
    /// A name is missing.
    #[error("{key}: empty; give a name or remove the entry")]
    Empty {
        /// Where.
        key: String,
    },
    /// A type of node stands twice, in upper and lower case.
    #[error("{key}: the type stands there twice, in upper and lower case; put both into one")]
    Twice {
        /// Where.
        key: String,
    },
    /// A message's text has a mistake.
    #[error("{key}: {problem}")]
    Template {
        /// Where.
        key: String,
        /// What is wrong, and what to write.
        problem: String,
    },
}

/// Why a saved state is of no use. Begin anew then: `Detector::new`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Not as it was written.
    #[error("the saved state of the events is damaged")]
    Damaged,
    /// Written by another version of hissrv.
    #[error("the saved state of the events is of format {0}, which this version does not read")]
    Version(u16),
    /// The rules were changed since.
    #[error("the saved state of the events was made by other rules")]
    OtherRules,
}
