//! Each kind of server starts, answers, is killed, comes back with its data, is paused and resumed, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rig::{Server, encode, http_get, http_post};

/// Tells a process of this test binary to be the victim.
const VICTIM: &str = "RIG_VICTIM";

#[test]
fn influxdb_comes_back_with_its_data() {
    let mut server = rig::influxdb();
    let url = server.url();
    assert_eq!(http_post(&format!("{url}/query?q=CREATE DATABASE d"), "").0, 200);
    assert_eq!(http_post(&format!("{url}/write?db=d"), "m v=1 1000").0, 204);
    let select = format!("{url}/query?db=d&q={}", encode("SELECT v FROM m"));
    killed_and_started_again(&mut server, || http_get(&select).contains("1970-01-01T00:00:00.000001Z"));
    paused_and_resumed(&server, &http_request("/ping"));
}

#[test]
fn influxdb_takes_more_configuration() {
    let server = rig::influxdb_with("auth-enabled = true\n[retention]\nenabled = false");
    let create = "CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES";
    assert_eq!(http_post(&format!("{}/query?q={create}", server.url()), "").0, 200);
    assert_eq!(http_post(&format!("{}/query?q=SHOW DATABASES", server.url()), "").0, 401);
}

#[test]
fn victoriametrics_comes_back_with_its_data() {
    let mut server = rig::victoriametrics();
    let url = server.url();
    assert_eq!(http_post(&format!("{url}/write"), "m v=1 1000000000000000000").0, 204);
    // What came in during the last five seconds is in memory only and lost in a crash, but a snapshot writes it first.
    http_get(&format!("{url}/internal/force_flush"));
    http_get(&format!("{url}/snapshot/create"));
    let export = format!("{url}/api/v1/export?match[]=m_v&start=0");
    killed_and_started_again(&mut server, || http_get(&export).contains("1000000000000"));
    paused_and_resumed(&server, &http_request("/health"));
}

#[test]
fn postgres_comes_back_with_its_data() {
    let mut server = rig::postgres();
    let port = server.port();
    psql(port, "CREATE TABLE t AS SELECT 42 AS v");
    assert_eq!(psql(port, "SHOW fsync"), "on");
    killed_and_started_again(&mut server, || psql(port, "SELECT v FROM t") == "42");
    assert!(server.url().starts_with("postgres://hissrv@127.0.0.1:"));
    paused_and_resumed(&server, b"\0\0\0\x20\0\x03\0\0user\0hissrv\0database\0hissrv\0\0");
}

#[test]
fn a_session_of_postgres_is_killed_and_paused_with_it() {
    let mut server = rig::postgres();
    let port = server.port();
    let session = std::thread::spawn(move || psql_output(port, "SELECT pg_sleep(60)").status.success());
    while psql(port, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "1" {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.kill();
    assert!(!session.join().unwrap(), "the session outlived its server");
}

#[test]
fn a_server_that_cannot_start_shows_its_log() {
    let failure = std::panic::catch_unwind(|| rig::victoriametrics_with(&["-noSuchFlag"]).port());
    let message = *failure.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("victoria-metrics ended with exit status"), "{message}");
    assert!(message.contains("noSuchFlag"), "{message}");
}

#[test]
fn nothing_is_left_behind_even_by_a_panic() {
    let server = rig::victoriametrics();
    let (port, pid) = (server.port(), server.pid());
    let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let folder = arguments.split('\0').find_map(|argument| argument.strip_prefix("-storageDataPath=")).unwrap();
    let folder = Path::new(folder).parent().unwrap();
    assert!(folder.exists());
    let failed = std::thread::spawn(move || {
        let _server = server;
        panic!("a test that fails");
    });
    assert!(failed.join().is_err());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!folder.exists() && !Path::new(&format!("/proc/{pid}")).exists());
}

/// Not a promise: what the next test runs in a process of its own, and kills.
#[test]
fn a_victim_tells_its_server_and_waits() {
    if std::env::var_os(VICTIM).is_some() {
        let server = rig::victoriametrics();
        println!("\nserver={}", server.pid());
        std::thread::sleep(Duration::from_secs(60));
    }
}

#[test]
fn a_server_ends_with_a_killed_test_process() {
    let mut victim = std::process::Command::new(std::env::current_exe().unwrap());
    victim.args(["--exact", "--nocapture", "a_victim_tells_its_server_and_waits"]).env(VICTIM, "1");
    let mut victim = victim.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let pid = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("server=")?.to_owned())).unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let command_line = format!("/proc/{pid}/cmdline");
    // Of a process that ended and nobody waited for, the command line is empty.
    while std::fs::read_to_string(&command_line).is_ok_and(|line| !line.is_empty()) {
        assert!(Instant::now() < deadline, "the server outlived its test");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn killed_and_started_again(server: &mut Server, has_data: impl Fn() -> bool) {
    assert!(has_data());
    let (port, pid) = (server.port(), server.pid());
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it still listens");
    server.start_again();
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), pid);
    assert!(has_data());
}

fn paused_and_resumed(server: &Server, request: &[u8]) {
    server.pause();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(request).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(stream.read(&mut [0; 64]).is_err(), "it answers while it is paused");
    server.resume();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert!(stream.read(&mut [0; 64]).unwrap() > 0);
}

fn http_request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

#[track_caller]
fn psql(port: u16, sql: &str) -> String {
    let output = psql_output(port, sql);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn psql_output(port: u16, sql: &str) -> std::process::Output {
    let url = format!("postgres://hissrv@127.0.0.1:{port}/hissrv");
    std::process::Command::new("psql").args(["-X", "-A", "-t", "-c", sql, &url]).output().expect("run psql")
}
