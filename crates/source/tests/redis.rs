//! What a Redis source promises, against the real redis-server: every form arrives, and whatever happens to Redis, the source
//! comes back by itself and says what was missed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod server;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use model::{FieldValue, HumanDuration, TimestampNs};
use server::{Auth, Server};
use source::config::SnapshotConfig;
use source::redis::{BATCH_AGE, BATCH_VALUES, Client, Reply};
use source::{PointRef, RedisConfig, RedisSource, Sink, SinkError, SinkFactory, SourceOptions, Stop};
use tls::TlsConfig;

const PATIENCE: Duration = Duration::from_secs(20);

fn now() -> TimestampNs {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    TimestampNs(since.as_nanos() as i64)
}

/// Collects values; refuses to take them while `busy`.
#[derive(Clone, Default)]
struct Store {
    taken: Arc<Mutex<Vec<String>>>,
    busy: Arc<Mutex<bool>>,
}

struct StoreSink {
    store: Store,
    batch: Vec<String>,
}

impl SinkFactory for Store {
    fn sink(&self, _source: &str) -> Box<dyn Sink> {
        Box::new(StoreSink { store: self.clone(), batch: Vec::new() })
    }
}

impl Sink for StoreSink {
    fn push(&mut self, point: PointRef<'_>) {
        let value = match point.value {
            FieldValue::Float(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        let series = std::str::from_utf8(point.series).unwrap();
        self.batch.push(format!("{series} {}={value} {}", point.field, point.time.0));
    }

    fn pending(&self) -> usize {
        self.batch.len()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if *self.store.busy.lock().unwrap() {
            return Err(SinkError::Busy("test".to_owned()));
        }
        self.store.taken.lock().unwrap().append(&mut self.batch);
        Ok(())
    }
}

impl Store {
    fn count(&self, part: &str) -> usize {
        self.taken.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }

    fn lines(&self) -> BTreeSet<String> {
        self.taken.lock().unwrap().iter().cloned().collect()
    }
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn subscribe_only(url: &str) -> RedisConfig {
    let snapshot = SnapshotConfig { enabled: false, ..SnapshotConfig::default() };
    RedisConfig { url: url.into(), snapshot, ..RedisConfig::default() }
}

fn poll_only(url: &str) -> RedisConfig {
    let interval = HumanDuration(Duration::from_millis(100));
    let snapshot = SnapshotConfig { interval, scan_interval: interval, ..SnapshotConfig::default() };
    RedisConfig { url: url.into(), patterns: Vec::new(), snapshot, ..RedisConfig::default() }
}

fn options(queue_bytes: usize) -> SourceOptions {
    SourceOptions { name: "test".to_owned(), queue_bytes, batch_values: BATCH_VALUES, batch_age: BATCH_AGE, clock: now }
}

fn start(config: &RedisConfig, store: &Store) -> RedisSource {
    RedisSource::start(config, options(1 << 20), store).unwrap()
}

fn connected(source: &RedisSource) {
    wait_for("the subscription", || source.status().connected);
}

fn stop(source: RedisSource) {
    source.stop(Instant::now() + PATIENCE).unwrap();
}

#[test]
fn messages_of_every_family_arrive() {
    let redis = Server::start(&Auth::None);
    let store = Store::default();
    let config = RedisConfig {
        patterns: ["point:update*", "calc:result:*", "comsrv:*", "modsrv:*", "alarm:event:*"]
            .map(str::to_owned)
            .to_vec(),
        connections: 2,
        ..subscribe_only(&redis.url())
    };
    let source = start(&config, &store);
    connected(&source);
    for (channel, message) in [
        ("point:update", r#"{"point_id":"9","value":1,"timestamp":1704956400000}"#),
        ("point:update:1001:m", r#"{"point_id":"10001","value":25.6,"timestamp":1752633600000}"#),
        ("comsrv:1001:m", "10001:25.5:1642592400000"),
        ("comsrv:1001:s", "20001:1:1642592400000"),
        ("modsrv:pv:measurement", "total_power:1250.5:1642592400000"),
        ("calc:result:loss", "42.5:1704956400"),
        ("alarm:event:a1", r#"{"type":"t","level":"warning","message":"hot","timestamp":1704956400}"#),
        ("comsrv:1001:m", "nonsense"),
        ("comsrv:1001:C:TODO", "{}"),
    ] {
        redis.cli(&["PUBLISH", channel, message]);
    }
    wait_for("all messages to be read", || {
        let status = source.status();
        status.points == 7 && status.skipped == 1 && !status.malformed.is_empty()
    });
    let status = source.status();
    assert_eq!((status.messages, status.skipped, status.gap_count), (9, 1, 0));
    assert_eq!(status.malformed.len(), 1);
    assert_eq!((status.malformed[0].pattern.as_str(), status.malformed[0].count), ("comsrv:*", 1));
    stop(source);
    let expected = [
        "unknown,point=loss value=42.5 1704956400000000000".to_owned(),
        r#"events,level=warning,source=a1,type=t message=String("hot") 1704956400000000000"#.to_owned(),
        "measurement,channel=1001,point=10001,type=m value=25.5 1642592400000000000".to_owned(),
        "measurement,channel=1001,point=10001,type=m value=25.6 1752633600000000000".to_owned(),
        "measurement,channel=pv,point=total_power,type=m value=1250.5 1642592400000000000".to_owned(),
        "signal,channel=1001,point=20001,type=s value=1 1642592400000000000".to_owned(),
        "unknown,point=9 value=1 1704956400000000000".to_owned(),
    ];
    assert_eq!(store.lines(), BTreeSet::from(expected));
}

#[test]
fn hashes_strings_and_lists_are_polled_and_only_changes_are_stored() {
    let redis = Server::start(&Auth::None);
    for command in [
        &["HSET", "comsrv:1001:T", "1", "230.5", "2", "1e-7"][..],
        &["HSET", "comsrv:1001:T:ts", "2", "1767859200124", "1", "1767859200123"],
        &["HSET", "comsrv:1001:T:raw", "1", "2305.0"],
        &["HSET", "inst:23:M", "101", "7.5", "_updated_at", "1767859200123"],
        &["SET", "1001:m:10001", "25.6:1704956400"],
        &[
            "LPUSH",
            "archive:pending",
            r#"{"timestamp":1753747200,"measurement":"custom","tags":{"a":"b"},"fields":{"x":1.5}}"#,
        ],
        &["RPUSH", "comsrv:1001:C:TODO", "{}"],
        &["SADD", "comsrv:9:m", "x"],
        &["SET", "other", "5"],
    ] {
        redis.cli(command);
    }
    let store = Store::default();
    let source = start(&poll_only(&redis.url()), &store);
    wait_for("the first polls", || source.status().poll.polls >= 3);
    let first = [
        "custom,a=b x=1.5 1753747200000000000",
        "measurement,channel=1001,point=1,type=m raw=2305 1767859200123000000",
        "measurement,channel=1001,point=1,type=m value=230.5 1767859200123000000",
        "measurement,channel=1001,point=2,type=m value=0.0000001 1767859200124000000",
        "measurement,channel=1001,point=10001,type=m value=25.6 1704956400000000000",
        "measurement,channel=23,point=101,source=inst,type=m value=7.5 1767859200123000000",
    ];
    assert_eq!(store.lines(), BTreeSet::from(first.map(str::to_owned)));
    assert_eq!(store.count(""), 6, "unchanged values are stored once");
    redis.cli(&[
        "EVAL",
        "redis.call('HSET',KEYS[1],'1','231') redis.call('HSET',KEYS[2],'1','1767859201000')",
        "2",
        "comsrv:1001:T",
        "comsrv:1001:T:ts",
    ]);
    redis.cli(&["LPUSH", "archive:pending", r#"{"timestamp":1753747201,"measurement":"custom","fields":{"x":2}}"#]);
    redis.cli(&["HSET", "comsrv:1002:T", "1", "5"]);
    wait_for("the changes", || store.count("") >= 10);
    assert_eq!(store.count("point=1,type=m value=231 1767859201000000000"), 1);
    assert_eq!(store.count("point=1,type=m raw=2305 1767859201000000000"), 1);
    assert_eq!(store.count("custom x=2 1753747201000000000"), 1);
    assert_eq!(store.count("measurement,channel=1002,point=1,type=m value=5"), 1);
    assert_eq!(redis.cli(&["LLEN", "archive:pending"]), "2", "nothing is popped");
    assert_eq!(redis.cli(&["LLEN", "comsrv:1001:C:TODO"]), "1");
    stop(source);
}

#[test]
fn a_value_whose_time_did_not_change_with_it_does_not_replace_the_old_value() {
    let redis = Server::start(&Auth::None);
    redis.cli(&["HSET", "comsrv:1:T", "1", "10"]);
    redis.cli(&["HSET", "comsrv:1:T:ts", "1", "1767859200000"]);
    let store = Store::default();
    let source = start(&poll_only(&redis.url()), &store);
    wait_for("the first value", || store.count("value=10 1767859200000000000") == 1);
    redis.cli(&["HSET", "comsrv:1:T", "1", "11"]);
    wait_for("the second value", || store.count("value=11") == 1);
    assert_eq!(store.count("value=11 1767859200000000000"), 0);
    stop(source);
}

#[test]
fn a_notice_reads_its_hash_at_once() {
    let redis = Server::start(&Auth::None);
    redis.cli(&["HSET", "comsrv:1001:T", "1", "1"]);
    let store = Store::default();
    let mut config = poll_only(&redis.url());
    config.patterns = vec!["comsrv:*".to_owned()];
    config.snapshot.interval = HumanDuration(Duration::from_secs(3_600));
    let source = start(&config, &store);
    connected(&source);
    wait_for("the first poll", || store.count("value=1 ") == 1);
    redis.cli(&["HSET", "comsrv:1001:T", "1", "2"]);
    redis.cli(&["PUBLISH", "comsrv:update:1001:T", r#"{"count":1}"#]);
    wait_for("the value of the notice", || store.count("value=2 ") == 1);
    stop(source);
}

#[test]
fn after_a_crash_of_redis_messages_arrive_again_and_the_gap_is_recorded() {
    let mut redis = Server::start(&Auth::None);
    let store = Store::default();
    let source = start(&subscribe_only(&redis.url()), &store);
    connected(&source);
    redis.cli(&["PUBLISH", "comsrv:1:m", "1:1"]);
    wait_for("the first message", || store.count("value=1 ") == 1);
    redis.kill();
    wait_for("the loss to be seen", || !source.status().connected);
    redis.restart();
    connected(&source);
    redis.cli(&["PUBLISH", "comsrv:1:m", "1:3"]);
    wait_for("messages after the restart", || store.count("value=3 ") == 1);
    wait_for("the gap to be stored", || store.count("source_gap,source=test duration_s=") == 1);
    assert_eq!(store.count("source_gap,source=test reason="), 1);
    let status = source.status();
    assert_eq!((status.gap_count, status.gaps.len()), (1, 1));
    assert!(status.gaps[0].duration_s > 0.0 && status.reconnects >= 1, "{status:?}");
    stop(source);
}

#[test]
fn what_was_missed_while_cut_off_is_read_from_the_hashes() {
    let redis = Server::start(&Auth::None);
    let store = Store::default();
    let source = start(&subscribe_only(&redis.url()), &store);
    connected(&source);
    redis.cli(&["HSET", "comsrv:1:T", "1", "2"]);
    redis.cli(&["PUBLISH", "comsrv:1:m", "1:1"]);
    wait_for("the message", || store.count("value=1 ") == 1);
    assert_eq!((store.count("value=2 "), source.status().poll.polls), (0, 0), "polling is off");
    // What Redis does to a client that reads too slowly.
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    wait_for("the gap to be filled", || store.count("value=2 ") == 1);
    let gaps = source.status().gaps;
    assert_eq!((gaps.len(), gaps[0].reason.as_str()), (1, "connection closed by Redis"));
    stop(source);
}

#[test]
fn redis_may_be_away_at_the_start() {
    let mut redis = Server::start(&Auth::None);
    redis.kill();
    let store = Store::default();
    let source = start(&subscribe_only(&redis.url()), &store);
    wait_for("an error", || source.status().connections[0].last_error.is_some());
    redis.restart();
    connected(&source);
    redis.cli(&["PUBLISH", "comsrv:1:m", "1:1"]);
    wait_for("a message", || store.count("value=1 ") == 1);
    assert_eq!(source.status().gap_count, 1);
    stop(source);
}

#[test]
fn a_redis_that_does_not_answer_is_left_and_found_again() {
    let redis = Server::start(&Auth::None);
    let store = Store::default();
    let source = start(&subscribe_only(&redis.url()), &store);
    connected(&source);
    // Longer than the time until we ask and the time to answer together.
    redis.cli_in_background(&["DEBUG", "SLEEP", "12"]);
    wait_for("the silence to be noticed", || !source.status().connected);
    connected(&source);
    redis.cli(&["CLIENT", "PAUSE", "300", "ALL"]);
    redis.cli(&["PUBLISH", "comsrv:1:m", "1:1"]);
    wait_for("a message", || store.count("value=1 ") == 1);
    let gaps = source.status().gaps;
    assert!(gaps[0].reason.contains("no answer"), "{gaps:?}");
    stop(source);
}

#[test]
fn a_user_of_an_acl_logs_in_and_a_wrong_password_is_told_without_it() {
    let redis = Server::start(&Auth::Acl { user: "his", password: "p@ss:word" });
    let store = Store::default();
    let source = start(&subscribe_only(&redis.url_as("his", "p%40ss%3Aword", 3)), &store);
    connected(&source);
    assert!(redis.cli(&["CLIENT", "LIST"]).contains("name=hissrv"));
    stop(source);
    let source = start(&subscribe_only(&redis.url_as("his", "wr0ng", 0)), &store);
    wait_for("the refusal", || source.status().connections[0].last_error.is_some());
    let status = format!("{:?}", source.status());
    assert!(status.contains("WRONGPASS") && !status.contains("wr0ng"), "{status}");
    stop(source);
}

#[test]
fn tls_is_spoken_and_an_unknown_authority_refused() {
    let redis = Server::start(&Auth::Tls);
    let store = Store::default();
    let mut config = subscribe_only(&redis.url());
    let untrusted = start(&config, &store);
    wait_for("the refusal", || untrusted.status().connections[0].last_error.is_some());
    let error = untrusted.status().connections[0].last_error.clone().unwrap();
    assert!(error.contains("certificate"), "{error}");
    stop(untrusted);
    config.tls.ca_file = Some(redis.file("ca.crt"));
    config.tls.cert_file = Some(redis.file("redis.crt"));
    config.tls.key_file = Some(redis.file("redis.key"));
    let source = start(&config, &store);
    connected(&source);
    redis.cli(&["PUBLISH", "comsrv:1:m", "1:1"]);
    wait_for("a message", || store.count("value=1 ") == 1);
    stop(source);
    config.tls.ca_file = None;
    config.tls.insecure = true;
    let source = start(&config, &store);
    connected(&source);
    stop(source);
}

#[test]
fn a_full_queue_drops_and_counts_and_the_rest_arrives_later() {
    let redis = Server::start(&Auth::None);
    let store = Store::default();
    *store.busy.lock().unwrap() = true;
    let source = start(&subscribe_only(&redis.url()), &store);
    connected(&source);
    let big = format!("text:{}", "x".repeat(50_000));
    for _ in 0..60 {
        redis.cli(&["PUBLISH", "modsrv:m:update", &big]);
        redis.cli(&["PUBLISH", "comsrv:1:m", &format!("1:{}", "x".repeat(50_000))]);
    }
    wait_for("drops", || source.status().dropped[0].messages > 0);
    let status = source.status();
    assert!(status.queue_bytes <= status.queue_limit_bytes && status.flush_failures > 0, "{status:?}");
    *store.busy.lock().unwrap() = false;
    wait_for("the queue to drain", || source.status().queue_bytes == 0);
    // Some may have been dropped after the first look, or be on their way still.
    let seen = || store.count("channel=1,point=1") as u64 + source.status().dropped[0].messages;
    wait_for("each to be stored or counted as dropped", || seen() == 60);
    stop(source);
}

#[test]
fn stopping_hands_on_what_was_received() {
    let redis = Server::start(&Auth::None);
    let store = Store::default();
    let source = start(&subscribe_only(&redis.url()), &store);
    connected(&source);
    redis.publish_many("comsrv:1:m", (0..2_000).map(|i| format!("{i}:1")));
    wait_for("the messages", || source.status().messages == 2_000);
    stop(source);
    assert_eq!(store.count("value=1 "), 2_000);
}

#[test]
fn the_simulator_gives_the_same_points_through_redis_and_by_polling() {
    let redis = Server::start(&Auth::None);
    let store = Store::default();
    let mut config = poll_only(&redis.url());
    config.patterns = vec!["comsrv:*".to_owned()];
    let source = start(&config, &store);
    connected(&source);
    let stopping = Arc::new(Stop::default());
    let plant = {
        let (url, stopping) = (redis.url(), Arc::clone(&stopping));
        let config = source::SimulatorConfig { channels: 3, points: 50, ..Default::default() };
        std::thread::spawn(move || source::Simulator::new(config, now).run_redis(&url, &stopping))
    };
    wait_for("a tick by message and by poll", || {
        source.status().messages >= 150 && source.status().poll.changed >= 150
    });
    stopping.request();
    plant.join().unwrap().unwrap();
    stop(source);
    let series: BTreeSet<_> = store.lines().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(series.len(), 150, "polled and published points are the same series");
    let all_pushed = store.count("");
    assert!(store.lines().len() < all_pushed, "and the same values at the same times");
}

#[test]
fn a_client_speaks_of_many_things_at_once_and_connects_anew() {
    let server = Server::start(&Auth::None);
    let mut client = Client::new(&server.url(), TlsConfig::default(), Arc::new(Stop::default())).unwrap();
    let add: &[&[u8]] = &[b"XADD", b"jobs", b"*", b"file", b"a.lp"];
    let replies = client.call_all(&[&[b"SET", b"a", b"1"], &[b"INCR", b"a"], &[b"NONSENSE"], add]).unwrap();
    assert_eq!(replies[..2], [Reply::Text(b"OK".to_vec()), Reply::Integer(2)]);
    assert!(matches!(&replies[2], Reply::Refused(message) if message.contains("unknown command")), "{replies:?}");
    let id = replies[3].text().to_owned();
    let read = client.call(&[b"XRANGE", b"jobs", b"-", b"+"]).unwrap();
    let entry = &read.list()[0];
    assert_eq!((entry.list()[0].text(), entry.list()[1].list()[1].text()), (id.as_str(), "a.lp"));
    assert_eq!(client.call(&[b"GET", b"missing"]).unwrap(), Reply::Nil);
    assert!(client.call(&[b"INCR", b"jobs"]).unwrap_err().to_string().contains("WRONGTYPE"));
    client.call(&[b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"no"]).ok();
    client.call(&[b"PING"]).ok();
    assert_eq!(client.call(&[b"GET", b"a"]).unwrap().integer(), Some(2));
}
