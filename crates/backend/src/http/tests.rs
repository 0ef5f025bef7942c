//! Requests against a server that answers as told.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::fake::{Answer, Asked, Fake, testdata};
use super::*;
use crate::WriteError;

fn settings(url: &str) -> HttpSettings {
    HttpSettings {
        endpoint: url.parse().unwrap(),
        auth: Auth::None,
        gzip: Gzip::Auto,
        timeout: Duration::from_secs(5),
        connections: 4,
        tls: TlsConfig::default(),
    }
}

fn http(url: &str) -> Http {
    Http::new(settings(url)).unwrap()
}

fn answering(answer: Answer) -> Fake {
    Fake::start(move |_| answer.clone())
}

fn write(fake: &Fake) -> Result<Reply, WriteError> {
    http(&fake.url()).post("/write", "text/plain", b"m v=1 1\n").map_err(|error| error.into_write_error("Store"))
}

#[test]
fn a_request_goes_to_the_prefix_and_the_answer_comes_back_with_headers() {
    let fake = answering(Answer::Reply(200, vec!["X-Influxdb-Version: 1.6.7".to_owned()], "yes".to_owned()));
    let http = http(&format!("{}/tsdb/", fake.url()));
    let reply = http.post("/write?db=a%20b", "text/plain", b"m v=1 1\n").unwrap();
    assert_eq!((reply.body.as_str(), reply.header("x-influxdb-version")), ("yes", Some("1.6.7")));
    let asked = &fake.asked()[0];
    assert_eq!((asked.line().as_str(), asked.body.as_str()), ("POST /tsdb/write?db=a%20b", "m v=1 1\n"));
    assert_eq!(asked.header("content-type"), Some("text/plain"));
    assert_eq!(asked.header("authorization"), None);
}

#[test]
fn each_login_has_its_header() {
    let fake = answering(Answer::status(204));
    let login = Login { user: "ann".to_owned(), password: "s:e".to_owned().into() };
    let secret = || Secret::from("t0p".to_owned());
    for auth in [Auth::Basic(login), Auth::Token(secret()), Auth::Bearer(secret())] {
        Http::new(HttpSettings { auth, ..settings(&fake.url()) }).unwrap().get("/ping").unwrap();
    }
    http(&format!("http://bob:pw@127.0.0.1:{}", fake.port())).get("/ping").unwrap();
    let headers: Vec<_> = fake.asked().iter().map(|asked| asked.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(headers, ["Basic YW5uOnM6ZQ==", "Token t0p", "Bearer t0p", "Basic Ym9iOnB3"]);
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let token = Auth::Token("t0p\n".to_owned().into());
    let wrong = Http::new(HttpSettings { auth: token, ..settings("http://h") }).unwrap_err();
    assert_eq!(wrong, SetupError::Login("token"));
    let tls = TlsConfig { cert_file: Some("c.pem".into()), ..TlsConfig::default() };
    let wrong = Http::new(HttpSettings { tls, ..settings("https://h") }).unwrap_err();
    assert_eq!(wrong, SetupError::Certificate);
}

#[test]
fn bodies_are_packed_towards_other_machines_or_when_told() {
    let fake = answering(Answer::status(204));
    let body = "m,a=b v=1 1\n".repeat(1000);
    for gzip in [Gzip::Auto, Gzip::On, Gzip::Off] {
        let http = Http::new(HttpSettings { gzip, ..settings(&fake.url()) }).unwrap();
        http.post("/write", "text/plain", body.as_bytes()).unwrap();
    }
    let asked = fake.asked();
    assert!(asked.iter().all(|asked| asked.body == body));
    let encodings: Vec<_> = asked.iter().map(|asked| asked.header("content-encoding")).collect();
    assert_eq!(encodings, [None, Some("gzip"), None]);
}

#[test]
fn a_connection_is_used_again() {
    let fake = answering(Answer::status(204));
    let http = http(&fake.url());
    for _ in 0..5 {
        http.get("/ping").unwrap();
    }
    assert!(fake.asked().iter().all(|asked| asked.connection == 0));
}

#[test]
fn a_kept_connection_that_was_cut_costs_at_most_one_request() {
    let fake = answering(Answer::ReplyAndCut(204));
    let http = http(&fake.url());
    for _ in 0..20 {
        if let Err(error) = http.post("/write", "text/plain", b"m v=1 1\n") {
            assert!(matches!(error.into_write_error("Store"), WriteError::Away { .. }));
        }
    }
    assert!(fake.asked().len() >= 10, "{}", fake.asked().len());
}

#[test]
fn each_status_means_something_to_a_writer() {
    let kind = |status: u16| match write(&answering(Answer::json(status, r#"{"error":"so it is"}"#))) {
        Ok(_) => "fine",
        Err(WriteError::Points { .. }) => "points",
        Err(WriteError::Denied { .. }) => "denied",
        Err(WriteError::TooLarge { .. }) => "too large",
        Err(WriteError::Busy { .. }) => "busy",
        Err(WriteError::Away { .. }) => "away",
        Err(WriteError::NoPlace { .. }) => "no place",
    };
    for (status, expected) in [
        (200, "fine"),
        (204, "fine"),
        (302, "denied"),
        (400, "points"),
        (401, "denied"),
        (403, "denied"),
        (404, "denied"),
        (408, "away"),
        (413, "too large"),
        (422, "points"),
        (429, "busy"),
        (500, "busy"),
        (502, "busy"),
        (503, "busy"),
    ] {
        assert_eq!(kind(status), expected, "{status}");
    }
}

#[test]
fn a_message_names_the_store_and_what_it_said() {
    let fake = answering(Answer::json(400, r#"{"error":"unable to parse 'm'"}"#));
    let message = write(&fake).unwrap_err().to_string();
    assert_eq!(message, format!("Store: {} answered 400: unable to parse 'm'", fake.url()));
}

#[test]
fn a_busy_store_says_how_long_to_wait() {
    let error = write(&answering(Answer::status(503).with("Retry-After: 7"))).unwrap_err();
    assert!(matches!(error, WriteError::Busy { retry_after: Some(wait), .. } if wait == Duration::from_secs(7)));
    let error = write(&answering(Answer::status(429))).unwrap_err();
    assert!(matches!(error, WriteError::Busy { retry_after: None, .. }));
}

#[test]
fn a_token_that_the_store_repeats_is_not_passed_on() {
    let repeat = |asked: &Asked| Answer::json(401, format!("you sent {}", asked.header("authorization").unwrap()));
    let fake = Fake::start(repeat);
    let auth = Auth::Token("t0p-secret".to_owned().into());
    let http = Http::new(HttpSettings { auth, ..settings(&fake.url()) }).unwrap();
    let error = http.get("/ping").unwrap_err();
    assert!(!format!("{error} {error:?} {http:?}").contains("t0p-secret"));
    assert!(error.to_string().contains("you sent Token ***"), "{error}");
}

#[test]
fn no_server_a_silent_one_and_one_that_cuts_are_away() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = http(&format!("http://127.0.0.1:{free}")).get("/ping").unwrap_err();
    assert!(matches!(&error, HttpError::Connect(message) if message.contains("refused")), "{error}");

    let error = http("http://nosuch.invalid").get("/ping").unwrap_err();
    assert!(
        matches!(&error, HttpError::Connect(message) if message.starts_with("cannot reach http://nosuch.invalid:80")),
        "{error}"
    );

    let fake = answering(Answer::Silent(Duration::from_secs(20)));
    let timeout = Duration::from_millis(200);
    let started = Instant::now();
    let error = Http::new(HttpSettings { timeout, ..settings(&fake.url()) }).unwrap().get("/ping").unwrap_err();
    assert_eq!(error.to_string(), format!("{} did not answer within 200ms", fake.url()));
    assert!(started.elapsed() < Duration::from_secs(5));

    let error = http(&answering(Answer::Cut).url()).get("/ping").unwrap_err();
    assert!(matches!(&error, HttpError::Lost(message) if message.ends_with("cut the connection")), "{error}");
    assert!(matches!(error.into_write_error("Store"), WriteError::Away { .. }));
}

#[test]
fn a_server_of_another_kind_is_told_apart() {
    let error = http(&answering(Answer::Raw("-ERR unknown command\r\n")).url()).get("/ping").unwrap_err();
    assert!(error.to_string().contains("is the port the right one?"), "{error}");
    let fake = answering(Answer::status(204));
    let error = http(&format!("https://127.0.0.1:{}", fake.port())).get("/ping").unwrap_err();
    assert!(matches!(error.into_write_error("Store"), WriteError::Away { .. }));
}

#[test]
fn a_missing_authority_file_is_named() {
    let tls = TlsConfig { ca_file: Some("/nowhere/ca.pem".into()), ..TlsConfig::default() };
    let fake = answering(Answer::status(204));
    let url = format!("https://127.0.0.1:{}", fake.port());
    let error = Http::new(HttpSettings { tls, ..settings(&url) }).unwrap().get("/ping").unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[test]
fn a_large_answer_is_refused_as_a_whole_but_can_be_streamed() {
    let fake = answering(Answer::json(200, "x".repeat(5 << 20)));
    let http = http(&fake.url());
    assert!(matches!(http.get("/query"), Err(HttpError::AnswerTooLarge(_))));
    let mut stream = http.stream("/query", &form(&[("q", "SHOW")])).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.len(), 5 << 20);
    let asked = fake.asked().pop().unwrap();
    assert_eq!((asked.line().as_str(), asked.body.as_str()), ("POST /query", "q=SHOW"));
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn other_methods_carry_json_or_nothing() {
    let fake = answering(Answer::status(204));
    let http = http(&fake.url());
    http.send(Method::PATCH, "/api/v2/buckets/1", Some("{}")).unwrap();
    http.send(Method::DELETE, "/api/v2/tasks/1", None).unwrap();
    http.post_form("/query", "q=x").unwrap();
    assert_eq!(fake.lines(), ["PATCH /api/v2/buckets/1", "DELETE /api/v2/tasks/1", "POST /query"]);
    assert_eq!(fake.asked()[0].body, "{}");
}

#[test]
fn a_large_body_is_sent_when_the_server_wants_it() {
    let fake = answering(Answer::status(204));
    let http = http(&fake.url());
    for (len, expect) in [(100 << 10, None), (300 << 10, Some("100-continue"))] {
        let body = "x".repeat(len);
        http.post("/write", "text/plain", body.as_bytes()).unwrap();
        let asked = fake.asked().pop().unwrap();
        assert_eq!((asked.body.len(), asked.header("expect")), (len, expect));
    }
}

fn with_tls(url: &str, tls: TlsConfig) -> Http {
    Http::new(HttpSettings { tls, ..settings(url) }).unwrap()
}

#[test]
fn both_sides_of_tls_show_their_certificates_and_a_connection_is_used_again() {
    let fake = Fake::start_tls(|_| Answer::status(204));
    let tls = TlsConfig {
        ca_file: Some(testdata("authority.pem")),
        cert_file: Some(testdata("client.pem")),
        key_file: Some(testdata("client.key")),
        insecure: false,
    };
    let by_name = format!("https://localhost:{}", fake.port());
    for url in [fake.url(), by_name] {
        let http = with_tls(&url, tls.clone());
        let body = "m,a=b v=1 1\n".repeat(50_000);
        http.post("/write", "text/plain", body.as_bytes()).unwrap();
        http.get("/ping").unwrap();
        let asked = fake.asked();
        let [.., write, ping] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(write.body == body && write.connection == ping.connection);
    }
    assert!(with_tls(&fake.url(), TlsConfig { insecure: true, ca_file: None, ..tls.clone() }).get("/ping").is_ok());

    let stranger = with_tls(&fake.url(), TlsConfig { cert_file: None, key_file: None, ..tls.clone() });
    assert!(matches!(stranger.get("/ping").unwrap_err().into_write_error("Store"), WriteError::Away { .. }));
    let distrustful = with_tls(&fake.url(), TlsConfig { ca_file: None, ..tls });
    let error = distrustful.get("/ping").unwrap_err().to_string();
    assert!(error.contains("tls.ca_file names an authority to trust"), "{error}");
}
