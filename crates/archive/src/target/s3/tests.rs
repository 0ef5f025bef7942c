//! The client against a server that answers as told: trying again, paging, and what goes wrong between us and it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::{HumanDuration, TimestampNs};
use vfs::RealFs;

use super::*;
use crate::config::{ArchiveConfig, Place};

static GO: AtomicBool = AtomicBool::new(false);

/// Answers one connection after another, each with the next of its answers, and keeps what it was asked. An empty one cuts.
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (all, answers) = (Arc::clone(&asked), answers.iter().map(|a| a.to_string()).collect::<Vec<_>>());
        std::thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                all.lock().unwrap().push(serve(stream, &answer));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// First line and body.
fn serve(mut stream: TcpStream, answer: &str) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        length = line.to_lowercase().strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(answer.as_bytes()).unwrap();
    format!("{} {}", first.trim().trim_end_matches(" HTTP/1.1"), String::from_utf8_lossy(&body)).trim_end().to_owned()
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn target(url: &str, spool: &Path) -> Box<dyn Target> {
    let s3 = S3Config {
        endpoint: Some(url.to_owned()),
        access_key: "me".to_owned(),
        secret_key: Some("geheim".to_owned().into()),
        timeout: HumanDuration(Duration::from_millis(500)),
        ..S3Config::default()
    };
    let place = Place::S3 { bucket: "plant".to_owned(), prefix: "p".to_owned() };
    let config = ArchiveConfig { s3, ..ArchiveConfig::new(place) };
    super::super::open(Arc::new(RealFs), &config, spool, Arc::new(|| TimestampNs(0))).unwrap()
}

#[test]
fn an_upload_that_is_refused_for_now_or_cut_is_sent_again_from_its_beginning() {
    let (busy, fine) = (answer(503, "<Error><Code>SlowDown</Code></Error>"), answer(200, ""));
    let fake = Fake::start(&[&busy, "", &fine]);
    let spool = tempfile::tempdir().unwrap();
    let target = target(&fake.url, spool.path());
    let mut draft = target.draft("a/b.parquet").unwrap();
    draft.write_all(b"data").unwrap();
    target.publish(draft, &GO).unwrap();
    assert_eq!(fake.asked(), ["PUT /plant/p/a/b.parquet data"; 3]);
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0);
}

#[test]
fn a_store_that_stays_away_is_given_up_and_a_silent_one_too() {
    let spool = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = target(&format!("http://{free}"), spool.path());
    let error = away.write("x.json", b"{}", &GO).unwrap_err();
    assert!(matches!(&error, Error::Away(m) if m.contains("refused")), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = target(&format!("http://{}", silent.local_addr().unwrap()), spool.path());
    let (started, stop) = (Instant::now(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        threads.spawn(|| {
            std::thread::sleep(Duration::from_millis(600));
            stop.store(true, Relaxed);
        });
        assert!(matches!(target.read("x.json", &stop), Err(Error::Stopped)));
    });
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn pages_are_put_together() {
    let page = |key: &str, next: &str| {
        let rest = "<IsTruncated>true</IsTruncated><NextContinuationToken>t/1</NextContinuationToken>";
        let rest = if next.is_empty() { "" } else { rest };
        let object = format!("<Contents><Key>p/{key}</Key><Size>7</Size></Contents>");
        answer(200, &format!("<ListBucketResult>{object}{rest}</ListBucketResult>"))
    };
    let fake = Fake::start(&[&page("b.json", "more"), &page("a.json", "")]);
    let spool = tempfile::tempdir().unwrap();
    let found = target(&fake.url, spool.path()).list("x/", &GO).unwrap();
    assert_eq!(found.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["a.json", "b.json"]);
    let query = "encoding-type=url&list-type=2&prefix=p%2Fx%2F";
    let expected = [format!("GET /plant?{query}"), format!("GET /plant?continuation-token=t%2F1&{query}")];
    assert_eq!(fake.asked(), expected);
}

#[test]
fn a_missing_object_is_none_and_other_errors_are_told_with_the_stores_words() {
    let spool = tempfile::tempdir().unwrap();
    let ask = |status, body: &str| {
        let fake = Fake::start(&[&answer(status, body)]);
        target(&fake.url, spool.path()).read("x.json", &GO)
    };
    assert!(ask(404, "<Error><Code>NoSuchKey</Code></Error>").unwrap().is_none());
    let error = ask(404, "<Error><Code>NoSuchBucket</Code></Error>").unwrap_err();
    assert!(error.to_string().contains("does the bucket exist?"), "{error}");
    let error = ask(403, "<Error><Code>AccessDenied</Code><Message>not &lt;you&gt;</Message></Error>").unwrap_err();
    assert!(matches!(&error, Error::Refused(m) if m.contains("403: AccessDenied: not <you>")), "{error}");
    let error = ask(301, "").unwrap_err();
    assert!(error.to_string().contains("s3.region"), "{error}");
}

#[test]
fn a_download_that_ends_early_is_tried_again() {
    let half = "HTTP/1.1 200 x\r\ncontent-length: 8\r\nconnection: close\r\n\r\nhalf";
    let fake = Fake::start(&[half, &answer(200, "complete")]);
    let spool = tempfile::tempdir().unwrap();
    let target = target(&fake.url, spool.path());
    let opened = target.open("x", &GO).unwrap().unwrap();
    let mut content = [0; 8];
    opened.file.read_at(&mut content, 0).unwrap();
    assert_eq!((&content, opened.file.len().unwrap()), (b"complete", 8));
    drop(opened);
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0);
}
