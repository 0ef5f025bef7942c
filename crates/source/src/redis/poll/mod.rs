//! Polling with change detection, for producers that publish nothing: find keys with SCAN now and then, read them in pipelines,
//! push what differs from the previous poll. Also fills the gap after a subscription was lost. Reads only; nothing is ever popped.

pub(crate) mod key;
pub(crate) mod requests;
pub(crate) mod table;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::key::{Attempt, Key, Reading, Seen};
use self::requests::{Requests, Wanted};
use super::backoff::Backoff;
use super::connection::{Connection, Dialer, LinkError};
use super::outlet::Outlet;
use super::resp::Item;
use super::status::{Sample, Shared};
use crate::config::SnapshotConfig;
use crate::decode::route::Shape;
use crate::decode::{DecodeRules, Decoder};
use model::glob;

/// Most keys that are polled.
const KEYS_MAX: usize = 100_000;
/// Most fields, strings and list items that are remembered.
const FIELDS_MAX: usize = 5_000_000;
/// Keys read in one pipeline; each is up to three commands.
const PIPELINE_KEYS: usize = 100;
/// Keys that Redis looks at for one call of SCAN.
const SCAN_COUNT: &[u8] = b"1000";
/// A notice about unknown keys makes us look for new keys, at most this often.
const SCAN_FOR_NOTICE: Duration = Duration::from_secs(5);
/// Pause after answering notices, in which further ones coalesce.
const NOTICE_PAUSE: Duration = Duration::from_millis(20);
/// Attempts to read a key whose type is not known yet or that is being written.
const ATTEMPTS: usize = 4;

/// Polls one Redis.
pub(crate) struct Poller {
    pub(crate) dialer: Dialer,
    pub(crate) config: SnapshotConfig,
    pub(crate) rules: DecodeRules,
    pub(crate) decoder: Decoder,
    pub(crate) outlet: Outlet,
    pub(crate) requests: Arc<Requests>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) keys: Vec<Key>,
    pub(crate) scanned: Option<Instant>,
}

impl Poller {
    /// Runs until asked to stop.
    pub(crate) fn run(mut self) {
        let mut connection = None;
        let mut backoff = Backoff::default();
        let mut due = self.config.enabled.then(Instant::now);
        while !self.dialer.stop.is_requested() {
            let mut wanted = self.requests.take(due);
            wanted.everything |= due.is_some_and(|due| due <= Instant::now());
            while !self.dialer.stop.is_requested() {
                match self.poll(&mut connection, &wanted) {
                    Ok(()) => {
                        backoff.reset();
                        break;
                    }
                    Err(error) => self.failed(&error),
                }
                connection = None;
                // Half of what was asked for may be done already; change detection makes doing it again harmless.
                wanted.everything = true;
                if self.dialer.stop.sleep(backoff.next_pause()) {
                    break;
                }
            }
            if wanted.everything && self.config.enabled {
                due = Some(Instant::now() + self.config.interval.0);
            }
            if !wanted.notices.is_empty() {
                self.dialer.stop.sleep(NOTICE_PAUSE);
            }
        }
        self.outlet.flush();
    }

    fn failed(&self, error: &LinkError) {
        if matches!(error, LinkError::Stopping) {
            return;
        }
        tracing::warn!(source = %self.shared.name, endpoint = %self.dialer.endpoint, %error, "poll failed");
        self.shared.update_poll(|poll| {
            poll.connected = false;
            poll.last_error = Some(error.to_string());
        });
    }

    fn poll(&mut self, connection: &mut Option<Connection>, wanted: &Wanted) -> Result<(), LinkError> {
        let started = Instant::now();
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(self.dialer.connect()?),
        };
        if self.scan_is_due(wanted) {
            self.scan(connection)?;
        }
        let chosen = self.choose(wanted);
        let mut room = FIELDS_MAX.saturating_sub(self.remembered());
        for chunk in chosen.chunks(PIPELINE_KEYS) {
            self.read_keys(connection, chunk.to_vec(), &mut room)?;
        }
        self.outlet.flush();
        let (keys, fields) = (self.keys.len() as u64, self.remembered() as u64);
        self.shared.update_poll(|poll| {
            poll.connected = true;
            (poll.keys, poll.fields) = (keys, fields);
            poll.polls += 1;
            poll.last_duration_s = started.elapsed().as_secs_f64();
        });
        Ok(())
    }

    fn scan_is_due(&self, wanted: &Wanted) -> bool {
        let Some(scanned) = self.scanned else { return true };
        let unknown = || wanted.notices.iter().any(|notice| !self.keys.iter().any(|key| key.concerns(notice)));
        (wanted.everything && scanned.elapsed() >= self.config.scan_interval.0)
            || (scanned.elapsed() >= SCAN_FOR_NOTICE && unknown())
    }

    /// Indices of the keys to read.
    fn choose(&self, wanted: &Wanted) -> Vec<usize> {
        let is_wanted = |key: &Key| wanted.everything || wanted.notices.iter().any(|notice| key.concerns(notice));
        self.keys.iter().enumerate().filter(|(_, key)| is_wanted(key)).map(|(i, _)| i).collect()
    }

    fn remembered(&self) -> usize {
        self.keys.iter().map(Key::remembered).sum()
    }

    /// Reads keys, and those again that were being written or are of another type than thought.
    /// `room` is the number of fields that may still be remembered.
    fn read_keys(
        &mut self,
        connection: &mut Connection,
        mut chosen: Vec<usize>,
        room: &mut usize,
    ) -> Result<(), LinkError> {
        for attempt in 0..ATTEMPTS {
            let attempt = if attempt == 0 { Attempt::First } else { Attempt::Again };
            chosen.iter().filter_map(|i| self.keys.get(*i)).for_each(|key| key.ask(connection));
            connection.send()?;
            let mut again = Vec::new();
            for i in chosen {
                let Some(key) = self.keys.get_mut(i) else { continue };
                let before = key.remembered();
                let limits = (attempt, *room);
                let seen = read_key(key, connection, &mut self.outlet, &mut self.decoder, limits, &self.shared)?;
                *room = (*room + before).saturating_sub(key.remembered());
                if matches!(seen, Seen::Torn | Seen::WrongType) {
                    again.push(i);
                }
                self.shared.update_poll(|poll| match seen {
                    Seen::Changed(fields) => poll.changed += fields,
                    Seen::WrongType => poll.wrong_type += 1,
                    Seen::OverLimit => poll.over_limit += 1,
                    Seen::Torn => {}
                });
            }
            if again.is_empty() {
                break;
            }
            chosen = again;
        }
        Ok(())
    }

    /// Looks for keys. What is known of keys that are still there stays known.
    fn scan(&mut self, connection: &mut Connection) -> Result<(), LinkError> {
        let names = self.scan_names(connection)?;
        let mut known: HashMap<Box<[u8]>, Key> = self.keys.drain(..).map(|key| (key.name.clone(), key)).collect();
        let mut over_limit = 0;
        for name in names.iter().filter(|name| !is_sibling(name)) {
            let Ok(text) = std::str::from_utf8(name) else { continue };
            let route = self.rules.route(text);
            if matches!(route.shape, Shape::Skip | Shape::Notice | Shape::Events) {
                continue;
            }
            if self.keys.len() >= KEYS_MAX {
                over_limit += 1;
                continue;
            }
            let mut key = known.remove(name).unwrap_or_else(|| Key::new(name, &route));
            let has = |suffix: &[u8]| names.binary_search_by(|other| (**other).cmp(&[name, suffix].concat())).is_ok();
            key.siblings = [true, has(b":ts"), has(b":raw")];
            self.keys.push(key);
        }
        add_over_limit(&self.shared, over_limit);
        self.scanned = Some(Instant::now());
        Ok(())
    }

    /// The names that match, sorted, each once. SCAN may list a key twice.
    fn scan_names(&self, connection: &mut Connection) -> Result<Vec<Box<[u8]>>, LinkError> {
        let mut names = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let mut arguments: Vec<&[u8]> = vec![&cursor, b"COUNT", SCAN_COUNT];
            // Redis filters only where it cannot leave out siblings: those need not match the pattern themselves.
            if let [only] = self.config.include.as_slice()
                && only.ends_with('*')
            {
                arguments.extend([b"MATCH".as_slice(), only.as_bytes()]);
            }
            let frame = connection.call("SCAN", &arguments)?;
            let mut items = frame.items().skip(1);
            let next = items.next().and_then(Item::bytes).unwrap_or(b"0").to_vec();
            names.extend(items.filter_map(Item::bytes).filter(|name| self.is_included(name)).map(Box::from));
            if next == b"0" {
                break;
            }
            cursor = next;
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn is_included(&self, name: &[u8]) -> bool {
        let any = |patterns: &[String], name: &[u8]| patterns.iter().any(|p| glob::matches(p.as_bytes(), name));
        let base = [b":ts".as_slice(), b":raw"].iter().find_map(|suffix| name.strip_suffix(*suffix)).unwrap_or(name);
        any(&self.config.include, base) && !any(&self.config.exclude, name)
    }
}

fn is_sibling(name: &[u8]) -> bool {
    name.ends_with(b":ts") || name.ends_with(b":raw")
}

/// Reads one key, and counts and logs what was malformed in it.
fn read_key(
    key: &mut Key,
    connection: &mut Connection,
    outlet: &mut Outlet,
    decoder: &mut Decoder,
    limits: (Attempt, usize),
    shared: &Shared,
) -> Result<Seen, LinkError> {
    let (attempt, room) = limits;
    let reading = Reading { decoder, sink: outlet.sink.as_mut(), arrival: (shared.clock)(), attempt, room };
    let seen = key.read(connection, reading)?;
    shared.note_malformed(&mut decoder.tally, Sample { pattern: "snapshot", name: &key.name, payload: b"" });
    shared.add_tally(&mut decoder.tally);
    outlet.flush_if_due();
    Ok(seen)
}

fn add_over_limit(shared: &Shared, keys: u64) {
    if keys > 0 {
        tracing::warn!(source = %shared.name, keys, limit = KEYS_MAX, "too many keys: not all are polled");
        shared.update_poll(|poll| poll.over_limit += keys);
    }
}
