//! Tasks of the configuration as rollups of the embedded store.

use std::time::Duration;

use query::plan::Windowing;
use rollup::{Function, Plan, Task, TaskField};

use super::{Aggregation, Config, DownsamplingTask};

/// Shorter windows would be more rows than points.
const SHORTEST: Duration = Duration::from_secs(1);

impl Config {
    /// The rollups wanted, checked and in order.
    ///
    /// # Errors
    /// What cannot work, with the task's name.
    pub fn rollups(&self) -> Result<Plan, String> {
        let tasks = self.downsampling.tasks.iter().map(|task| self.rollup(task)).collect::<Result<Vec<_>, _>>()?;
        Plan::new(tasks).map_err(|e| e.to_string())
    }

    fn rollup(&self, task: &DownsamplingTask) -> Result<Task, String> {
        check_names(task)?;
        let fields = task.aggregations.iter().map(|wanted| field(task, wanted)).collect::<Result<Vec<_>, _>>()?;
        let window = task.window().map_err(|e| format!("downsampling task `{}`: {e}", task.name))?;
        // As in queries, windows of a fixed length are aligned to the epoch whatever the zone.
        let time_zone = task.time_zone.clone().filter(|_| matches!(window, Windowing::Calendar { .. }));
        Ok(Task {
            name: task.name.clone(),
            database: self.database().to_owned(),
            source: task.source.clone(),
            target: task.target.clone(),
            window,
            time_zone,
            fields,
        })
    }
}

/// Refuses what would lose fields or cannot be told apart.
fn check_names(task: &DownsamplingTask) -> Result<(), String> {
    if task.name.is_empty() {
        return Err("downsampling: a task has no name".to_owned());
    }
    if task.fixed().is_some_and(|length| length < SHORTEST) {
        return Err(format!("downsampling task `{}`: interval: expected at least 1s", task.name));
    }
    for (number, wanted) in task.aggregations.iter().enumerate() {
        let is_taken = task.aggregations.iter().take(number).any(|other| other.alias == wanted.alias);
        if is_taken || matches!(wanted.alias.as_str(), "" | "time") {
            let alias = &wanted.alias;
            return Err(format!(
                "downsampling task `{}`: alias `{alias}`: expected a name of its own, not `time`",
                task.name
            ));
        }
    }
    Ok(())
}

fn field(task: &DownsamplingTask, wanted: &Aggregation) -> Result<TaskField, String> {
    let Some(function) = Function::named(&wanted.function) else {
        let known: Vec<&str> = Function::ALL.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "downsampling task `{}`: `{}` cannot be put together from parts; known are {}. For others use CREATE CONTINUOUS QUERY",
            task.name,
            wanted.function,
            known.join(", ")
        ));
    };
    Ok(TaskField { function, alias: wanted.alias.clone() })
}
