//! The functions known by name. Those of the process are the standard ones and what was installed before the first query:
//! plans, requests and execution must agree on them.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{AggregateFunction, basic, census, change, deviation, edges, extremes, lines, rank, sketch, steps};
use crate::QueryError;
use crate::compile::has_function;

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

    /// The functions of this process: the standard ones and those installed before. From now on none can be.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Registry> = OnceLock::new();
        SHARED.get_or_init(|| {
            let installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner).take();
            let mut registry = Self::standard();
            for function in installed.into_iter().flatten() {
                registry.register(function);
            }
            registry
        })
    }

    /// Adds a function to [`Registry::shared`]. Call it at the start of the process, before anything is asked.
    ///
    /// # Errors
    /// [`InstallError`]; the function is not known then.
    pub fn install(function: Box<dyn AggregateFunction>) -> Result<(), InstallError> {
        let name = function.name();
        if !is_name(name) {
            return Err(InstallError::Name { name });
        }
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(installed) = installed.as_mut() else { return Err(InstallError::Late { name }) };
        let is_taken = has_function(name) || Self::standard().get(name).is_ok();
        if is_taken || installed.iter().any(|known| known.name() == name) {
            return Err(InstallError::Taken { name });
        }
        installed.push(function);
        Ok(())
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

/// Functions that wait for the shared registry to be made; `None` once it is.
static INSTALLED: Mutex<Option<Vec<Box<dyn AggregateFunction>>>> = Mutex::new(Some(Vec::new()));

/// Why a function was not added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// No query could call it.
    #[error("`{name}` is no name of a function: expected lower-case letters, digits and _, a letter first")]
    Name {
        /// As the function says.
        name: &'static str,
    },
    /// Choose another name.
    #[error("there is a function `{name}` already")]
    Taken {
        /// As the function says.
        name: &'static str,
    },
    /// Install functions earlier: plans that were made before do not know it.
    #[error("the function `{name}` comes too late: functions are installed before the first query")]
    Late {
        /// As the function says.
        name: &'static str,
    },
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
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
