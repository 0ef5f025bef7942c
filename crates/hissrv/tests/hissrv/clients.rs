//! Clients of InfluxDB 1.x as people install them, and the exchanges of Telegraf and Grafana; each script of
//! `conformance/clients/` ends with 0 when the service is what it expects.

use std::time::Duration;

use crate::support::{Folder, Service, project, run_script};

/// Longest time for one client.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn check_client(program: &str, script: &str) {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    let finished = run_script(program, &format!("conformance/clients/{script}"), &[&service.url()], PATIENCE);
    assert_eq!(finished.code, Some(0), "{}\n{}", finished.out, finished.err);
    service.stop();
}

#[test]
fn the_influx_shell_works() {
    check_client("python3", "influx_shell.py");
}

#[test]
fn the_influxdb_client_of_python_works() {
    let python = project().join("target/tools/python-clients/bin/python");
    assert!(python.exists(), "run scripts/install-clients.sh first, as make test does");
    check_client(python.to_str().unwrap(), "python_client.py");
}

#[test]
fn the_influx_client_of_node_works() {
    check_client("node", "node_client.js");
}

#[test]
fn telegraf_can_create_its_database_and_write() {
    check_client("python3", "telegraf.py");
}

#[test]
fn grafana_can_ask_what_its_query_editor_asks() {
    check_client("python3", "grafana.py");
}
