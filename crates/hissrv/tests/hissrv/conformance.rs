//! Compatibility with InfluxDB 1.x: the recorded cases of `conformance/`, and random questions beside a real `influxd`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Folder, Service, project, run_script};

/// Smallest share of the checks that must pass, in percent. What is known to differ is told in docs/influxql.md.
const CORE_MIN_PERCENT: f64 = 99.5;
/// The same with accidents of the real server (`quirk`) and differences between its versions.
const TOTAL_MIN_PERCENT: f64 = 98.0;
/// Longest time that a suite may take, on a busy machine.
const SUITE_PATIENCE: Duration = Duration::from_secs(300);

/// Runs the suite on an empty service and demands the shares.
#[track_caller]
fn check_cases(cases: &std::path::Path, more: &[&str]) {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    let (url, cases) = (service.url(), cases.display().to_string());
    let mut arguments = vec![url.as_str(), &cases, "--show", "1000"];
    arguments.extend(more);
    let finished = run_script("python3", "conformance/conformance.py", &arguments, SUITE_PATIENCE);
    let (core, total) = (share(&finished.out, "CORE "), share(&finished.out, "TOTAL "));
    if core < CORE_MIN_PERCENT || total < TOTAL_MIN_PERCENT {
        let mut message = String::new();
        writeln!(message, "core {core:.2} % of {CORE_MIN_PERCENT}, total {total:.2} % of {TOTAL_MIN_PERCENT}").unwrap();
        panic!("{message}{}\n{}", finished.out, finished.err);
    }
    service.stop();
}

/// The percentage in a line such as `CORE  2193 of 2193 checks pass ...`.
#[track_caller]
fn share(out: &str, word: &str) -> f64 {
    let line = out.lines().find(|line| line.starts_with(word)).unwrap_or_else(|| panic!("no {word}: {out}"));
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|part| part.parse().ok()).collect();
    100.0 * numbers[0] / numbers[1]
}

#[test]
fn recorded_cases_of_a_real_influxdb_pass() {
    check_cases(&project().join("conformance/cases"), &[]);
}

#[test]
fn cases_of_influxdbs_own_tests_pass_where_they_are_there() {
    let cases: PathBuf = project().join("../shared/conformance/cases");
    if !cases.is_dir() {
        println!("not run: there is no folder {}", cases.display());
        return;
    }
    check_cases(&cases, &["--only", "^upstream"]);
}

#[test]
fn random_questions_are_answered_like_a_real_influxdb_answers_them() {
    let arguments = ["--hissrv", env!("CARGO_BIN_EXE_hissrv"), "--seed", "1970", "--queries", "600"];
    let finished = run_script("bash", "scripts/differential.sh", &arguments, SUITE_PATIENCE);
    assert_eq!(finished.code, Some(0), "{}\n{}", finished.out, finished.err);
}
