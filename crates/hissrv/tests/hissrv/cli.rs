//! The command line: configurations are checked, mistakes are named with file and line, exit statuses are kept.

use std::net::TcpListener;

use crate::support::{Finished, Folder, Service, hissrv, output_of};

const SERVICE: &str = include_str!("seed/service.yaml");
const DOWNSAMPLING: &str = include_str!("seed/downsampling.yaml");

fn check(folder: &Folder, text: &str) -> Finished {
    output_of(&["check-config", folder.write("h.yaml", text).to_str().unwrap()])
}

#[test]
fn both_sample_files_of_the_requirements_load_unchanged_alone_and_together() {
    let folder = Folder::new();
    for (text, with_token) in [(SERVICE, true), (DOWNSAMPLING, false), (&format!("{SERVICE}\n{DOWNSAMPLING}"), true)] {
        let finished = check(&folder, text);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(finished.out.contains("INFLUXDB_TOKEN is not set"), with_token, "{finished:?}");
        assert!(finished.out.contains("h.yaml: ok"), "{finished:?}");
    }
}

#[test]
fn a_variable_that_is_set_is_taken() {
    let folder = Folder::new();
    let path = folder.write("h.yaml", "data_dir: ${HISSRV_TEST_DATA}/x\ninfluxdb: {token: \"${INFLUXDB_TOKEN}\"}\n");
    let mut command = hissrv();
    command.arg("check-config").arg(path).env("HISSRV_TEST_DATA", "/somewhere").env("INFLUXDB_TOKEN", "secret-word");
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && out.contains("/somewhere/x"), "{out}");
    assert!(!out.contains("INFLUXDB_TOKEN") && !out.contains("secret-word"), "{out}");
}

#[test]
fn wrong_configurations_are_refused_with_file_line_and_hint() {
    let folder = Folder::new();
    for (text, place, word) in [
        ("redis:\n  url: redis://h\n  paterns: [\"*\"]\n", "h.yaml:3:", "did you mean `patterns`?"),
        ("jurnal: {}\n", "h.yaml:1:", "did you mean `journal`?"),
        ("buffer:\n  max_wait_time: 10 parsecs\n", "h.yaml:2:", "parsecs"),
        ("redis:\n  url: ${HISSRV_TEST_MISSING}\n", "h.yaml:2:", "HISSRV_TEST_MISSING"),
        ("redis: [\n", "h.yaml:", ""),
        ("redis: {time_zone: Mars/Base}\n", "h.yaml:", "Mars/Base"),
        ("server: {max_queries: 0}\n", "h.yaml:", "server.max_queries"),
        ("events: {anomalies: {sigma: 0.5}}\n", "h.yaml:", "events.anomalies.sigma"),
        ("events: {node_types: {VM: {cpu_usage: {warning: 95}}}}\n", "h.yaml:", "cpu_usage"),
    ] {
        for command in ["check-config", "run"] {
            let path = folder.write("h.yaml", text);
            let path = path.to_str().unwrap();
            let finished =
                if command == "run" { output_of(&["run", "--config", path]) } else { output_of(&[command, path]) };
            assert_eq!(finished.code, Some(2), "{command} {text}: {finished:?}");
            assert!(finished.err.contains(place) && finished.err.contains(word), "{command} {text}: {finished:?}");
        }
    }
    let missing = output_of(&["check-config", "/nowhere/h.yaml"]);
    assert!(missing.code == Some(2) && missing.err.contains("/nowhere/h.yaml"), "{missing:?}");
}

#[test]
fn wrong_usage_exits_with_2_and_help_with_0() {
    for arguments in
        [&["run", "--confg", "x"][..], &["fly"], &[], &["query"], &["query", "m", "--tag", "x"], &["check-config"]]
    {
        let finished = output_of(arguments);
        assert!(finished.code == Some(2) && !finished.err.is_empty(), "{arguments:?}: {finished:?}");
    }
    let help = output_of(&["--help"]);
    for command in ["run", "demo", "check-config", "query", "status", "verify"] {
        assert!(help.code == Some(0) && help.out.contains(command), "{help:?}");
        assert_eq!(output_of(&[command, "--help"]).code, Some(0));
    }
    assert!(output_of(&["--version"]).out.starts_with("hissrv "));
}

#[test]
fn query_and_status_show_what_a_running_service_holds() {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    service.client().write("m,channel=1 value=1.5 1700000000000000000\nm,channel=1 value=2.5 1700000001000000000");
    let url = service.url();
    let from = ["--start", "2023-11-14", "--url", &url];
    let query = |more: &[&str]| output_of(&[&["query", "m"], &from[..], more].concat());
    let all = query(&["--tag", "channel=1"]);
    assert!(all.code == Some(0) && all.out.contains("1.5") && all.out.contains("2.5"), "{all:?}");
    assert!(all.out.contains("2023-11-14T22:13:20Z"), "{all:?}");
    let latest = output_of(&["query", "m", "--latest", "--url", &url]);
    assert!(latest.out.contains("2.5") && !latest.out.contains("1.5"), "{latest:?}");
    let mean = query(&["--function", "mean", "--json"]);
    let mean: serde_json::Value = serde_json::from_str(&mean.out).unwrap();
    assert_eq!(mean["series"][0]["values"][0][1], 2.0, "{mean}");
    let nothing = output_of(&["query", "nothing", "--url", &url]);
    assert!(nothing.out.contains("no points") || nothing.err.contains("nothing"), "{nothing:?}");
    let status = output_of(&["status", "--url", &url]);
    assert!(status.code == Some(0) && status.out.contains("ready") && status.out.contains("1 series"), "{status:?}");
    let json = output_of(&["status", "--json", "--url", &url]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json.out).unwrap()["ready"], true);
    service.stop();
    for command in [&["status"][..], &["query", "m"]] {
        let gone = output_of(&[command, &["--url", &url]].concat());
        assert!(gone.code == Some(1) && gone.err.contains("is hissrv running there?"), "{gone:?}");
    }
}

#[test]
fn verify_approves_a_data_directory_in_use_and_after() {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    service.client().write("m value=1 1");
    service.client().post("/api/v1/admin/flush", "").ok();
    let data = folder.data();
    let data = data.to_str().unwrap();
    let running = output_of(&["verify", data]);
    assert!(running.code == Some(0) && running.out.contains("every checksum is right"), "{running:?}");
    service.stop();
    assert_eq!(output_of(&["verify", data]).code, Some(0));
    let missing = output_of(&["verify", "/nowhere/data"]);
    assert!(missing.code == Some(2) && missing.err.contains("/nowhere/data"), "{missing:?}");
}

/// `run` with a configuration, which must end by itself.
fn run(folder: &Folder, text: &str) -> Finished {
    output_of(&["run", "--config", folder.write("other.yaml", text).to_str().unwrap()])
}

#[test]
fn a_second_service_on_the_same_data_directory_is_refused() {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    let data = folder.data();
    let text =
        format!("data_dir: {}\nserver: {{listen: \"127.0.0.1:0\"}}\nredis: {{enabled: false}}\n", data.display());
    let second = run(&folder, &text);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(
        second.err.contains("in use by another hissrv") && second.err.contains(data.to_str().unwrap()),
        "{second:?}"
    );
    service.client().write("m value=1 1");
    service.stop();
}

#[test]
fn values_whose_names_or_files_are_gone_are_not_given_to_others() {
    for lost in ["catalog", "engine"] {
        let folder = Folder::new();
        let service = Service::start(&folder, "");
        service.client().write("m value=1 1");
        service.stop();
        std::fs::remove_dir_all(folder.data().join(lost)).unwrap();
        let refused = Service::try_start(&folder, "").map(Service::stop).unwrap_err();
        assert!(refused.code == Some(1) && refused.err.contains(&format!("data/{lost}")), "{lost}: {refused:?}");
    }
}

#[test]
fn a_journal_that_is_gone_is_said_and_what_is_in_files_stays() {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    service.client().write("m value=1 1");
    service.stop();
    std::fs::remove_dir_all(folder.data().join("journal")).unwrap();
    let service = Service::start(&folder, "");
    assert!(service.log().contains("the journal is gone"), "{}", service.log());
    assert_eq!(service.status()["engine"]["values"], 1);
    service.stop();
}

#[test]
fn a_port_in_use_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = format!(
        "data_dir: {}\nserver: {{listen: \"{address}\"}}\nredis: {{enabled: false}}\n",
        folder.data().display()
    );
    let finished = run(&folder, &text);
    assert!(finished.code == Some(1) && finished.err.contains(&address), "{finished:?}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    // Below a file, so that it also fails for root.
    let file = folder.write("file", "");
    let text = format!("data_dir: {}/data\nredis: {{enabled: false}}\n", file.display());
    let finished = run(&folder, &text);
    assert!(finished.code == Some(1) && finished.err.contains(&format!("{}/data", file.display())), "{finished:?}");
}
