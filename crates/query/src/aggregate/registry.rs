//! The functions known by name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{AggregateFunction, basic, census, change, deviation, edges, extremes, lines, rank, sketch, steps};
use crate::QueryError;

/// Aggregate functions by name. Start from [`Registry::standard`] and add your own.
pub struct Registry {
    functions: BTreeMap<&'static str, Box<dyn AggregateFunction>>,
}

impl Registry {
    /// Every function that comes with hissrv.
    pub fn standard() -> Self {
        let mut registry = Self { functions: BTreeMap::new() };
        let families = [
            basic::all(),
            extremes::all(),
            edges::all(),
            deviation::all(),
            rank::all(),
            sketch::all(),
            census::all(),
            change::all(),
            steps::all(),
            lines::all(),
        ];
        for function in families.into_iter().flatten() {
            registry.register(function);
        }
        registry
    }

    /// The standard functions, made once.
    pub fn shared() -> &'static Self {
        static STANDARD: LazyLock<Registry> = LazyLock::new(Registry::standard);
        &STANDARD
    }

    /// Adds a function; one of the same name is replaced and returned.
    pub fn register(&mut self, function: Box<dyn AggregateFunction>) -> Option<Box<dyn AggregateFunction>> {
        self.functions.insert(function.name(), function)
    }

    /// The function of this name (lower case).
    ///
    /// # Errors
    /// [`QueryError::Invalid`] that lists the names there are.
    pub fn get(&self, name: &str) -> Result<&dyn AggregateFunction, QueryError> {
        self.functions.get(name).map(Box::as_ref).ok_or_else(|| QueryError::Invalid {
            message: format!("unknown aggregate function `{name}`"),
            hint: Some(format!("known are {}", self.names().collect::<Vec<_>>().join(", "))),
        })
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.functions.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_function_is_answered_with_the_known_ones() {
        let Err(QueryError::Invalid { message, hint: Some(hint) }) = Registry::shared().get("avg") else {
            panic!("avg is unknown");
        };
        assert_eq!(message, "unknown aggregate function `avg`");
        assert_eq!(
            hint,
            "known are count, coverage, derivative, distinct_count, first, increase, integral, integral_step, last, max, \
             mean, median, min, mode, percentile, percentile_approx, rate, spread, stddev, sum, time_weighted_mean, \
             time_weighted_mean_linear, variance"
        );
    }
}
