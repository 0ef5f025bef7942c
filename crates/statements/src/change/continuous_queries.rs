//! CREATE CONTINUOUS QUERY: kept as text, in which every measurement has its database and retention policy. Only where several may
//! be meant, each the home of some measurements, the policy is left to the time when the query runs.

use influxql::ast::{ContinuousQuery, Measurement, MeasurementName, Select, Source, Statement};

use crate::failure::Failure;
use crate::task::Task;

pub(super) fn create(task: &Task<'_>, query: &ContinuousQuery) -> Result<(), Failure> {
    let mut full = query.clone();
    let home = Home { task, database: &query.database };
    task.known_database(home.database)?;
    home.complete(&mut full.select)?;
    if let Some(target) = &full.select.into {
        let database = target.database.as_deref().unwrap_or(home.database);
        // The target must exist; a source may come later.
        task.meta().policy(database, target.policy.as_deref())?;
    }
    let text = Statement::CreateContinuousQuery(Box::new(full)).to_string();
    Ok(task.parts.catalog.create_continuous_query(&query.database, &query.name, &text)?)
}

/// Where names without a database belong.
struct Home<'a> {
    task: &'a Task<'a>,
    database: &'a str,
}

impl Home<'_> {
    fn complete(&self, select: &mut Select) -> Result<(), Failure> {
        if let Some(target) = &mut select.into {
            self.complete_name(target)?;
        }
        for source in &mut select.sources {
            match source {
                Source::Measurement(measurement) => self.complete_name(measurement)?,
                Source::Subquery(inner) => self.complete(inner)?,
            }
        }
        Ok(())
    }

    fn complete_name(&self, measurement: &mut Measurement) -> Result<(), Failure> {
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let database = named(&measurement.database).unwrap_or_else(|| self.database.to_owned());
        measurement.policy = match named(&measurement.policy) {
            Some(policy) => Some(policy),
            None => self.policy(&database, &measurement.name)?,
        };
        measurement.database = Some(database);
        Ok(())
    }

    /// The policy of a measurement that names none.
    fn policy(&self, database: &str, name: &MeasurementName) -> Result<Option<String>, Failure> {
        let default_policy = self.task.known_database(database)?.default_policy;
        let catalog = &self.task.parts.catalog;
        Ok(match name {
            MeasurementName::Name(name) => Some(catalog.home(database, name).map_or(default_policy, str::to_owned)),
            _ if catalog.homes(database).is_empty() => Some(default_policy),
            MeasurementName::Pattern(_) | MeasurementName::FromSource => None,
        })
    }
}
