//! Finding, reading and checking the configuration file.

use std::path::{Path, PathBuf};

use catalog::Pattern;

use super::interpolate::interpolate;
use super::{Config, ConfigError, alerting};

/// Where a configuration is looked for when none is named.
const PLACES: [&str; 2] = ["./hissrv.yaml", "/etc/hissrv/hissrv.yaml"];
/// Shortest partition: below, a backfill would make more files than a folder can hold well.
const PARTITION_MIN_S: u64 = 3600;
/// Smallest journal: below, there is no room for a record.
const JOURNAL_MIN: u64 = 64_000;
/// Smallest head: below, every flush would make a file of a few hundred values.
const HEAD_MIN: u64 = 1 << 20;

/// A configuration and what should be said about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where they come from; `None`: built-in defaults.
    pub path: Option<PathBuf>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// The configuration file in force: the one named, else the first place that has one.
pub fn find(named: Option<&Path>) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.to_owned()),
        None => PLACES.iter().map(PathBuf::from).find(|path| path.is_file()),
    }
}

/// Reads the file in force, or gives the defaults where there is none.
///
/// # Errors
/// [`ConfigError`] naming file and line.
pub fn load(named: Option<&Path>) -> Result<Loaded, ConfigError> {
    let Some(path) = find(named) else {
        return Ok(Loaded { config: Config::default(), path: None, warnings: Vec::new() });
    };
    let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
    parse(&text, &path, &|name| std::env::var(name).ok())
}

/// Reads a configuration text; `variable` looks environment variables up.
///
/// # Errors
/// [`ConfigError`] naming `path` and line.
pub fn parse(text: &str, path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, ConfigError> {
    let (text, mut warnings) = interpolate(text, path, variable)?;
    let config = if has_content(&text) {
        serde_saphyr::from_str::<Config>(&text).map_err(|e| syntax(path, &e))?
    } else {
        Config::default()
    };
    check(&config).map_err(|what| ConfigError::Value { path: path.to_owned(), what })?;
    warnings.extend(config.without_effect().into_iter().map(|note| format!("{}: {note}", path.display())));
    Ok(Loaded { config, path: Some(path.to_owned()), warnings })
}

fn has_content(text: &str) -> bool {
    text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#') && line.trim() != "---")
}

fn check(config: &Config) -> Result<(), String> {
    config.server.check().map_err(|e| e.to_string())?;
    let listen = &config.server.listen;
    if listen.parse::<std::net::SocketAddr>().is_err() {
        return Err(format!("server.listen: `{listen}` is no address and port, such as 127.0.0.1:6004"));
    }
    if config.data_dir.as_os_str().is_empty() {
        return Err("data_dir: expected the path of a folder".to_owned());
    }
    if config.journal.max_disk.0 < JOURNAL_MIN {
        return Err("journal.max_disk: expected at least 64KB".to_owned());
    }
    if config.journal.fsync_interval.0.is_zero() {
        return Err("journal.fsync_interval: expected more than 0, such as 100ms".to_owned());
    }
    config.redis.validate().map_err(|e| e.to_string())?;
    config.check_stores()?;
    if config.engine.partition.0.as_secs() < PARTITION_MIN_S || config.engine.to_config().is_none() {
        return Err("engine.partition: expected 1h to 292 years, such as 1d".to_owned());
    }
    if config.engine.head_max.0 < HEAD_MIN {
        return Err("engine.head_max: expected at least 1MiB".to_owned());
    }
    if config.buffer.max_batch_size == 0 || config.buffer.max_memory_mb == 0 {
        return Err("buffer: max_batch_size and max_memory_mb must be at least 1".to_owned());
    }
    let database = config.database();
    if database.is_empty() || database.contains(['/', '\n']) {
        return Err(format!("influxdb.bucket: `{database}` is no name of a database"));
    }
    check_tasks(config)?;
    check_homes(config)?;
    alerting::check(&config.alerts)
}

/// Rollups must go from one policy to another that both exist.
fn check_tasks(config: &Config) -> Result<(), String> {
    let policies = &config.retention.policies;
    let tasks = &config.downsampling.tasks;
    let mut raw: Vec<&str> = tasks.iter().map(|task| task.source.as_str()).collect();
    raw.retain(|source| !tasks.iter().any(|task| task.target == *source));
    raw.dedup();
    if let [first, second, ..] = raw.as_slice() {
        return Err(format!(
            "downsampling: values go to one retention policy, but tasks read them from two, `{first}` and `{second}`"
        ));
    }
    for task in tasks {
        for name in [&task.source, &task.target] {
            if !policies.is_empty() && name != catalog::DEFAULT_POLICY && !policies.iter().any(|p| p.name == *name) {
                return Err(format!("downsampling task `{}`: there is no retention policy `{name}`", task.name));
            }
        }
        task.window().map_err(|e| format!("downsampling task `{}`: {e}", task.name))?;
        if task.aggregations.is_empty() {
            return Err(format!("downsampling task `{}`: needs an aggregation", task.name));
        }
    }
    let share = config.downsampling.share;
    if !(share > 0.0 && share <= 1.0) {
        return Err(format!("downsampling.share: `{share}` is not above 0 and up to 1"));
    }
    if config.feeds_embedded() {
        config.rollups()?;
    }
    Ok(())
}

/// A measurement is at home in one policy only, and none in a policy that rollups are written to.
fn check_homes(config: &Config) -> Result<(), String> {
    let mut known: Vec<(&str, Pattern, &str)> = Vec::new();
    for policy in &config.retention.policies {
        if !policy.measurements.is_empty() && config.downsampling.tasks.iter().any(|task| task.target == policy.name) {
            return Err(format!(
                "retention policy `{}`: rollups are written to it, so it may not have measurements of its own",
                policy.name
            ));
        }
        for text in &policy.measurements {
            let Some(pattern) = Pattern::parse(text) else {
                return Err(format!(
                    "retention policy `{}`: measurements: `{text}` is no name of a measurement; a * may stand at its end only",
                    policy.name
                ));
            };
            let is_other = |(_, other, home): &&(&str, Pattern, &str)| *home != policy.name && other.meets(&pattern);
            if let Some((other, _, home)) = known.iter().find(is_other) {
                return Err(format!(
                    "retention: a measurement is kept in one policy, but `{other}` in `{home}` and `{text}` in `{}` mean the same",
                    policy.name
                ));
            }
            known.push((text, pattern, &policy.name));
        }
    }
    Ok(())
}

fn syntax(path: &Path, e: &serde_saphyr::Error) -> ConfigError {
    let location = e.location();
    let what = e.without_snippet().to_string();
    let hint = nearest_key(&what);
    ConfigError::Syntax {
        path: path.to_owned(),
        line: location.as_ref().map_or(0, serde_saphyr::Location::line),
        column: location.as_ref().map_or(0, serde_saphyr::Location::column),
        what,
        hint,
    }
}

/// Of a message such as ``unknown field `x`, expected one of a, b at line 2``: the expected name that is most like the unknown one.
fn nearest_key(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("unknown field ")?;
    let (unknown, rest) = rest.split_once(", expected ")?;
    let expected = rest.trim_start_matches("one of ").split(" at line").next().unwrap_or(rest);
    let bare = |name: &'_ str| name.trim_matches(['`', ' ', '"', '\'', '.']).to_owned();
    let unknown = bare(unknown);
    let nearest = expected.split([',', ' ']).map(bare).min_by_key(|name| distance(&unknown, name))?;
    (distance(&unknown, &nearest) <= unknown.len().div_ceil(2)).then(|| format!("did you mean `{nearest}`?"))
}

/// Insertions, deletions and replacements that turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut previous = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *slot;
            left = (previous + usize::from(x != y)).min(above + 1).min(left + 1);
            previous = above;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Loaded, String> {
        parse(text, Path::new("h.yaml"), &|_| None).map_err(|e| e.to_string())
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(read("# nothing\n").unwrap().config.database(), "telemetry");
    }

    #[test]
    fn an_unknown_key_is_refused_with_line_and_hint() {
        let message = read("server:\n  listen: 127.0.0.1:1\njournal:\n  fsnyc: always\n").unwrap_err();
        assert!(message.starts_with("h.yaml:4:") && message.contains("did you mean `fsync`?"), "{message}");
    }

    #[test]
    fn bad_values_are_refused_with_their_line() {
        for (text, line, word) in [
            ("buffer:\n  max_wait_time: 10\n", 2, "unit"),
            ("journal:\n  fsync: never\n", 2, "always"),
            ("journal:\n  max_disk: lots\n", 2, "lots"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(&format!("h.yaml:{line}:")) && message.contains(word), "{message}");
        }
        assert!(read("storage: {embedded: {enabled: false}}\n").unwrap_err().contains("no store is left"));
        assert!(read("storage: {influxdb: {enabled: true}}\n").unwrap_err().contains("section `influxdb`"));
        assert!(
            read("storage: {archive: {target: a, schedule: never}}\n")
                .unwrap_err()
                .contains("storage.archive.schedule")
        );
        assert!(read("storage: {archive: {}}\n").unwrap_err().contains("target"));
        let endpoint = "storage: {archive: {target: \"s3://abc\", s3: {access_key: a, secret_key: b, endpoint: h}}}\n";
        assert!(read(endpoint).unwrap_err().contains("storage.archive.s3.endpoint"));
        let elsewhere = "influxdb: {url: \"http://h:1\"}\nstorage: {embedded: {enabled: false}, influxdb: {enabled: true}, archive: {target: a}}\n";
        assert!(read(elsewhere).unwrap_err().contains("the embedded store has, which is switched off"));
        let misspelt = read("storage:\n  archive:\n    target: a\n    shedule: never\n").unwrap_err();
        assert!(misspelt.starts_with("h.yaml:4:") && misspelt.contains("did you mean `schedule`?"), "{misspelt}");
        assert!(read("query: {backend: postgres}\n").unwrap_err().contains("query.backend"));
        assert!(read("engine: {partition: 1s}\n").unwrap_err().contains("engine.partition"));
    }

    #[test]
    fn a_rollup_of_an_unknown_policy_is_refused() {
        let text = "retention: {policies: [{name: a, duration: 1d}]}\ndownsampling: {tasks: [{name: t, source: a, target: b, \
                    interval: 1h, aggregations: [{function: MEAN, alias: avg}]}]}\n";
        assert!(read(text).unwrap_err().contains("no retention policy `b`"));
    }

    #[test]
    fn a_measurement_is_at_home_in_one_policy_and_in_none_of_rollups() {
        let policies = |a: &str, b: &str| {
            format!(
                "retention: {{policies: [{{name: a, duration: 1d, measurements: {a}}}, {{name: b, duration: 2d, measurements: {b}}}]}}\n"
            )
        };
        let config = read(&policies("[signal, \"sig*\", alarm]", "[\"m*\"]")).unwrap();
        assert_eq!(config.warnings, Vec::<String>::new());
        for (a, b) in [("[signal]", "[signal]"), ("[\"sig*\"]", "[signal]"), ("[x, signal]", "[\"s*\"]")] {
            let message = read(&policies(a, b)).unwrap_err();
            assert!(message.contains("in `a`") && message.contains("in `b`") && message.contains("sig"), "{message}");
        }
        for wrong in ["[\"s*l\"]", "[\"\"]"] {
            assert!(read(&policies(wrong, "[]")).unwrap_err().contains("a * may stand at its end only"), "{wrong}");
        }
        let task = "downsampling: {tasks: [{name: t, source: a, target: b, interval: 1h, \
                    aggregations: [{function: MEAN, alias: avg}]}]}\n";
        let message = read(&(policies("[signal]", "[alarm]") + task)).unwrap_err();
        assert!(message.contains("`b`") && message.contains("rollups are written to it"), "{message}");
        assert!(read(&(policies("[signal]", "[]") + task)).is_ok());
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("fsnyc", "fsync"), 2);
        assert_eq!(distance("", "abc"), 3);
    }
}
