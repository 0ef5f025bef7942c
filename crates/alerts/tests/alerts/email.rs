//! Notifications to a real mail server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::smtp::{Sink, python};
use crate::support::{Desk, config, wait_for};

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
