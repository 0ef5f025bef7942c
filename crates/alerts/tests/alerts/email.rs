//! Notifications to a real mail server, aiosmtpd of PyPI.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Desk, config, wait_for};

/// Python with aiosmtpd in `target/tools/alerts`, made when it is missing; `None`, with a message, where there is no package index.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let requirements = own.join("tests/alerts/requirements.txt");
    let tools = own.join("../../target/tools");
    fs::create_dir_all(&tools).unwrap();
    // Tests may be processes of their own.
    let lock = File::create(tools.join("alerts.lock")).unwrap();
    lock.lock().unwrap();
    let folder = tools.join("alerts");
    let (python, mark) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if fs::read(&mark).ok() == fs::read(&requirements).ok() {
        return Some(python);
    }
    let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let is_made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        && run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--retries", "1", "--requirement"])
            .arg(&requirements));
    if !is_made {
        eprintln!("SKIPPED: aiosmtpd cannot be installed: it needs python3-venv and a package index");
        return None;
    }
    fs::copy(&requirements, &mark).unwrap();
    Some(python)
}

struct Sink {
    process: Child,
    port: u64,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl Sink {
    fn start(python: &Path, options: &Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts/smtp_sink.py");
        let mut command = Command::new(python);
        command.arg(script).arg(options.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the mail server did not start").unwrap().parse().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| kept.lock().unwrap().push(serde_json::from_str(&line).unwrap()));
        });
        Self { process, port, mails }
    }

    fn mails(&self) -> Vec<Value> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn channel(port: u64) -> Value {
    json!({"email": {
        "server": format!("localhost:{port}"), "tls": "none", "language": "zh",
        "from": "电站 <hissrv@example.com>", "to": ["ops@example.com", "值班 <night@example.com>"],
    }})
}

#[test]
fn while_the_mail_server_is_down_nothing_is_lost_and_nothing_comes_twice() {
    let Some(python) = python() else { return };
    let sink = Sink::start(&python, &json!({}));
    let port = sink.port;
    let mut desk = Desk::new(config(channel(port)));
    desk.see(&[("a", 11.5)]);
    desk.wait_until_delivered();
    wait_for("a mail", || sink.mails().len() == 1);
    let first = sink.mails()[0].clone();
    assert_eq!(first["subject"], "[告警] hot（警告）：a 当前 11.5 (host=a)");
    assert_eq!(first["to"], json!(["ops@example.com", "night@example.com"]));
    assert_eq!((&first["from"], &first["sender"]), (&json!("hissrv@example.com"), &json!("电站 <hissrv@example.com>")));
    let text = first["text"].as_str().unwrap();
    for line in ["[告警] hot（警告）：a 当前 11.5 (host=a)", "value: 11.5", "host: a", "since: 2023-11-14T22:13:21Z"]
    {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    drop(sink);
    desk.see(&[("a", 1.0), ("b", 11.0)]);
    wait_for("an attempt fails", || desk.alerts.list().channels[0].failed_attempts > 1);
    desk.restart();
    desk.see(&[("a", 11.0), ("b", 1.0)]);
    let sink = Sink::start(&python, &json!({"port": port, "busy": 2}));
    desk.wait_until_delivered();
    wait_for("mails", || sink.mails().len() >= 4);
    let mails = sink.mails();
    let ids: BTreeSet<String> = mails.iter().map(|mail| mail["id"].to_string()).collect();
    assert_eq!((mails.len(), ids.len()), (4, 4));
    assert!(!ids.contains(&first["id"].to_string()));
    let over =
        mails.iter().find(|mail| mail["subject"].as_str().unwrap().starts_with("[恢复] hot（警告）：a")).unwrap();
    assert_eq!(over["references"], first["references"], "mails about one alert are one thread");
}

#[test]
fn what_the_mail_server_refuses_for_good_is_given_up() {
    let Some(python) = python() else { return };
    let sink = Sink::start(&python, &json!({"refuse": {"night@example.com": "550 no such user"}}));
    let desk = Desk::new(config(channel(sink.port)));
    desk.see(&[("a", 11.5)]);
    desk.wait_until_delivered();
    let channel = &desk.alerts.list().channels[0];
    assert_eq!((channel.given_up, channel.delivered), (1, 0));
    assert!(channel.last_error.as_ref().unwrap().contains("no such user"), "{channel:?}");
}

/// A certificate for localhost, which is its own authority.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:false"]);
    let output = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output();
    let output = output.expect("openssl: apt-get install openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (certificate, key)
}

#[test]
fn passwords_go_over_tls_to_a_server_that_is_trusted() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let (certificate, key) = certificate(folder.path());
    let options = json!({"certificate": certificate, "key": key, "user": "hissrv", "password": "geheim"});
    let sink = Sink::start(&python, &options);
    let with = |more: Value| {
        let mut channel = channel(sink.port);
        channel["email"]["tls"] = json!("starttls");
        more.as_object().unwrap().iter().for_each(|(key, value)| channel["email"][key] = value.clone());
        Desk::new(config(channel))
    };
    let desk = with(json!({"username": "hissrv", "password": "geheim", "ca_file": certificate}));
    desk.see(&[("a", 11.5)]);
    desk.wait_until_delivered();
    wait_for("a mail", || !sink.mails().is_empty());
    assert_eq!((&sink.mails()[0]["tls"], &sink.mails()[0]["user"]), (&json!(true), &json!("hissrv")));
    let error = |desk: &Desk| {
        desk.see(&[("a", 11.5)]);
        wait_for("an error", || desk.alerts.list().channels[0].last_error.is_some());
        desk.alerts.list().channels[0].last_error.clone().unwrap()
    };
    let untrusted = error(&with(json!({"username": "hissrv", "password": "geheim"})));
    assert!(untrusted.starts_with("localhost: "), "{untrusted}");
    let wrong = error(&with(json!({"username": "hissrv", "password": "falsch", "ca_file": certificate})));
    assert!(wrong.contains("535") && !wrong.contains("falsch"), "{wrong}");
    let missing = error(&with(json!({"ca_file": "/nowhere/ca.pem"})));
    assert!(missing.contains("/nowhere/ca.pem"), "{missing}");
    assert_eq!(sink.mails().len(), 1);
}
