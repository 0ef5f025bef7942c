//! A historian whose behaviour is chosen by the name of the database or the body of the question.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::statements;
use query::{CacheUse, Cancel};
use server::{
    Answered, ApiError, Dropped, ErrorKind, Health, Historian, InfluxRequest, LetterAction, QueryOptions, RetentionRun,
    StoreAction, WriteDone, WriteFailure, WriteOutcome, WriteRequest,
};

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) writes: Mutex<Vec<WriteRequest>>,
    pub(crate) requests: Mutex<Vec<InfluxRequest>>,
    /// Lets the writes to the database `slow` end.
    pub(crate) release: Arc<AtomicBool>,
    pub(crate) slow_started: AtomicUsize,
    pub(crate) cancelled_queries: AtomicUsize,
    /// Tables of the statement `endless` that were taken.
    pub(crate) tables: AtomicUsize,
    /// Lines that exports wrote.
    pub(crate) exported: AtomicUsize,
    pub(crate) sick: AtomicBool,
}

impl Fake {
    pub(crate) fn last_write(&self) -> WriteRequest {
        self.writes.lock().unwrap().last().cloned().unwrap()
    }
}

/// Waits, for 10 s at most, until `condition` holds.
pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited 10 s in vain");
        thread::sleep(Duration::from_millis(2));
    }
}

fn echo(list: &[(String, String)]) -> Vec<u8> {
    serde_json::to_vec(list).unwrap()
}

fn answered(body: Vec<u8>, cache: CacheUse) -> Answered {
    Answered { body, cache }
}

impl Historian for Fake {
    fn write(&self, request: WriteRequest, done: WriteDone) {
        let database = request.database.clone();
        let release = (database == "slow").then(|| Arc::clone(&self.release));
        self.writes.lock().unwrap().push(request);
        let result = match database.as_str() {
            "nosuch" => Err(WriteFailure::NoSuchDatabase(database)),
            "nopolicy" => Err(WriteFailure::NoSuchRetentionPolicy("nope".to_owned())),
            "bad" => Err(WriteFailure::BadRequest("the body is wrong".to_owned())),
            "full" => Err(WriteFailure::Full("the journal is full".to_owned())),
            "stopping" => Err(WriteFailure::Shutdown),
            "broken" => Err(WriteFailure::Internal("secret path".to_owned())),
            "panic" => panic!("as the test asked"),
            "forgetful" => return,
            "partial" => Ok(WriteOutcome {
                accepted: 2,
                rejected: vec!["unable to parse 'm v=+ 2': invalid boolean (line 2, column 5)".to_owned()],
                rejected_total: 1,
                dropped: Some(Dropped { reason: "field type conflict: x".to_owned(), points: 3 }),
            }),
            _ => Ok(WriteOutcome { accepted: 1, ..WriteOutcome::default() }),
        };
        self.slow_started.fetch_add(usize::from(release.is_some()), SeqCst);
        thread::spawn(move || {
            if let Some(release) = release {
                wait_until(|| release.load(SeqCst));
            }
            done(result);
        });
    }

    fn query_series(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError> {
        match body {
            b"panic" => panic!("as the test asked"),
            b"wrong" => Err(ApiError::new(ErrorKind::BadRequest, "what is wrong").with_hint("what to do")),
            b"slow" => {
                wait_until(|| options.cancel.check().is_err());
                self.cancelled_queries.fetch_add(1, SeqCst);
                Err(ApiError::new(ErrorKind::Timeout, "cancelled"))
            }
            b"large" => Ok(answered(vec![b' '; 64 << 20], CacheUse::Miss)),
            _ => {
                let text = format!("{{\"series\":{:?},\"epoch\":\"{:?}\"}}", body.len(), options.epoch);
                Ok(answered(text.into(), CacheUse::Bypass))
            }
        }
    }

    fn query_aggregate(&self, body: &[u8], _: &QueryOptions) -> Result<Answered, ApiError> {
        Ok(answered(body.to_vec(), CacheUse::Hit))
    }

    fn query_plot(&self, body: &[u8], _: &QueryOptions) -> Result<Answered, ApiError> {
        Ok(answered(body.to_vec(), CacheUse::Partial))
    }

    fn influxql(&self, request: &InfluxRequest, answer: &mut dyn query::Answer) -> Result<(), ApiError> {
        statements::answer(self, request, answer)
    }

    fn latest(&self, parameters: &[(String, String)], _: &QueryOptions) -> Result<Vec<u8>, ApiError> {
        Ok(echo(parameters))
    }

    fn measurements(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        Ok(echo(parameters))
    }

    fn tags(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        Ok(echo(parameters))
    }

    fn fields(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        Ok(echo(parameters))
    }

    fn export(
        &self,
        parameters: &[(String, String)],
        cancel: &Cancel,
        mut to: Box<dyn Write + Send>,
    ) -> Result<String, ApiError> {
        let asked = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let lines: usize = asked("lines").map_or(1, |count| count.parse().unwrap());
        let failed = |e: std::io::Error| ApiError::new(ErrorKind::Internal, e.to_string());
        if lines == 0 {
            return Err(ApiError::new(ErrorKind::NotFound, "nothing to export"));
        }
        for _ in 0..lines {
            cancel.check()?;
            to.write_all(b"m value=1 1\n").map_err(failed)?;
            self.exported.fetch_add(1, SeqCst);
        }
        if asked("fails").is_some() {
            return Err(ApiError::new(ErrorKind::Internal, "the disk is gone"));
        }
        Ok(format!("{{\"rows\":{lines}}}"))
    }

    fn status(&self) -> Vec<u8> {
        br#"{"uptime_seconds":1}"#.to_vec()
    }

    fn metrics(&self) -> String {
        "hissrv_fake 1\n".to_owned()
    }

    fn health(&self) -> Health {
        if self.sick.load(SeqCst) { Health::Fail("the disk is gone".to_owned()) } else { Health::Pass }
    }

    fn ready(&self) -> Result<(), String> {
        if self.sick.load(SeqCst) { Err("recovering".to_owned()) } else { Ok(()) }
    }

    fn flush(&self, compact: bool) -> Result<Vec<u8>, ApiError> {
        Ok(format!("{{\"compact\":{compact}}}").into_bytes())
    }

    fn retention(&self, run: RetentionRun) -> Result<Vec<u8>, ApiError> {
        Ok(format!("{{\"dry\":{},\"forced\":{}}}", run.dry, run.forced).into_bytes())
    }

    fn archive(&self) -> Result<Vec<u8>, ApiError> {
        Ok(br#"{"files":2}"#.to_vec())
    }

    fn control_store(&self, name: &str, action: StoreAction) -> Result<Vec<u8>, ApiError> {
        Ok(format!("{{\"{name}\":\"{action:?}\"}}").into_bytes())
    }

    fn dead_letters(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        Ok(echo(parameters))
    }

    fn treat_dead_letters(&self, action: LetterAction, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
        Ok([format!("{action:?} ").into_bytes(), echo(parameters)].concat())
    }

    fn alerts(&self) -> Result<Vec<u8>, ApiError> {
        Ok(br#"{"alerts":[]}"#.to_vec())
    }

    fn silence(&self, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        Ok(body.to_vec())
    }

    fn unsilence(&self, id: &str) -> Result<Vec<u8>, ApiError> {
        Ok(id.as_bytes().to_vec())
    }
}
