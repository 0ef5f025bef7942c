//! Rollups in Flux: the script of a task that computes the window that has just ended.

use model::HumanDuration;

use crate::Rollup;
use crate::influxdb::encode::bucket_name;

/// Time after the end of a window before it is computed, for values that are still on their way.
const DELAY: &str = "30s";

/// What a function needs before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// Values of all types.
    Any,
    /// Numbers only: texts would make the whole task fail.
    Numbers,
    /// Numbers, as floats.
    Floats,
}

/// A rollup with what a script needs besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) rollup: &'a Rollup,
    /// Name of the task.
    pub(super) name: &'a str,
    pub(super) org: &'a str,
    /// The policy whose bucket has the plain name of the database.
    pub(super) default_policy: Option<&'a str>,
}

impl Task<'_> {
    /// The script; an error names the function that Flux cannot compute so.
    pub(super) fn script(&self) -> Result<String, String> {
        let rollup = self.rollup;
        let every = HumanDuration(rollup.interval);
        let mut script = format!(
            "import \"types\"\n\noption task = {{name: {}, every: {every}, offset: {DELAY}}}\n\n\
             data = from(bucket: {}) |> range(start: -{every})\n",
            text(self.name),
            text(&self.bucket(&rollup.source)),
        );
        for (at, column) in rollup.columns.iter().enumerate() {
            let input = input(&column.function).ok_or_else(|| column.function.clone())?;
            script.push_str(&format!(
                "\ndata\n    |> filter(fn: (r) => r._field == {field}{numbers})\n{floats}    \
                 |> aggregateWindow(every: {every}, fn: {function}, createEmpty: false, timeSrc: \"_start\")\n    \
                 |> set(key: \"_field\", value: {alias})\n    \
                 |> to(bucket: {target}, org: {org})\n    \
                 |> yield(name: \"{at}\")\n",
                field = text(&column.field),
                numbers = if input == Input::Any { "" } else { NUMBERS },
                floats = if input == Input::Floats { "    |> toFloat()\n" } else { "" },
                function = column.function,
                alias = text(&column.alias),
                target = text(&self.bucket(&rollup.target)),
                org = text(self.org),
            ));
        }
        Ok(script)
    }

    fn bucket(&self, policy: &String) -> String {
        let is_default = self.default_policy == Some(policy.as_str());
        bucket_name(&self.rollup.database, (!is_default).then_some(policy))
    }
}

const NUMBERS: &str = " and (types.isType(v: r._value, type: \"float\") or types.isType(v: r._value, type: \"int\") \
                       or types.isType(v: r._value, type: \"uint\"))";

/// `None` for a function that Flux has not, or has by another meaning.
fn input(function: &str) -> Option<Input> {
    match function {
        "count" | "first" | "last" | "mode" => Some(Input::Any),
        "mean" | "sum" | "min" | "max" | "spread" | "stddev" => Some(Input::Numbers),
        "median" => Some(Input::Floats),
        _ => None,
    }
}

/// A text between quotes. `$` is written as a byte, since `${` would begin an expression.
fn text(plain: &str) -> String {
    let mut out = String::from("\"");
    for c in plain.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' => out.push_str("\\x24"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::RollupColumn;

    fn rollup(functions: &[(&str, &str)]) -> Rollup {
        let column = |(function, alias): &(&str, &str)| RollupColumn {
            function: (*function).to_owned(),
            field: "value".to_owned(),
            alias: (*alias).to_owned(),
        };
        Rollup {
            name: "hourly_avg".to_owned(),
            database: "telemetry".to_owned(),
            source: "realtime".to_owned(),
            target: "hourly".to_owned(),
            interval: Duration::from_secs(3600),
            columns: functions.iter().map(column).collect(),
        }
    }

    fn script(rollup: &Rollup) -> Result<String, String> {
        Task { rollup, name: "n", org: "o", default_policy: Some("realtime") }.script()
    }

    #[test]
    fn a_script_computes_each_column_of_the_window_that_has_ended() {
        let expected = r#"import "types"

option task = {name: "n", every: 1h, offset: 30s}

data = from(bucket: "telemetry") |> range(start: -1h)

data
    |> filter(fn: (r) => r._field == "value" and (types.isType(v: r._value, type: "float") or types.isType(v: r._value, type: "int") or types.isType(v: r._value, type: "uint")))
    |> toFloat()
    |> aggregateWindow(every: 1h, fn: median, createEmpty: false, timeSrc: "_start")
    |> set(key: "_field", value: "mid")
    |> to(bucket: "telemetry/hourly", org: "o")
    |> yield(name: "0")

data
    |> filter(fn: (r) => r._field == "value")
    |> aggregateWindow(every: 1h, fn: count, createEmpty: false, timeSrc: "_start")
    |> set(key: "_field", value: "n")
    |> to(bucket: "telemetry/hourly", org: "o")
    |> yield(name: "1")
"#;
        assert_eq!(script(&rollup(&[("median", "mid"), ("count", "n")])).unwrap(), expected);
    }

    #[test]
    fn a_function_that_is_not_known_there_is_named() {
        assert_eq!(
            script(&rollup(&[("mean", "avg"), ("time_weighted_mean", "twm")])),
            Err("time_weighted_mean".to_owned())
        );
    }

    #[test]
    fn no_name_can_end_its_quotes() {
        assert_eq!(text("a\") |> drop(\\ ${x}\n"), "\"a\\\") |> drop(\\\\ \\x24{x}\\n\"");
    }
}
