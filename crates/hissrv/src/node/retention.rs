//! Old values are removed, by the minute or by an operator, and what is held back meanwhile is known to status and said in the log:
//! once when it begins, and once when it is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use catalog::Catalog;
use engine::{Engine, EngineError, Removed};
use model::{BucketId, HumanDuration, TimestampNs};
use pipeline::{Due, Held, Hold, Old, enforce_retention};
use serde_json::{Value, json};

use super::now;

/// What must stay although its policy does not keep it any more.
pub(super) struct Holds {
    /// Tells what that is of a bucket.
    pub(super) hold: Box<dyn Fn(BucketId) -> Option<Hold> + Send + Sync>,
    /// Called with a bucket of which something is held back and its policy's cutoff: what can be done about it is done soon.
    pub(super) hurry: Box<dyn Fn(BucketId, TimestampNs) + Send + Sync>,
}

/// Sees to it that old values go.
pub(crate) struct Retention {
    catalog: Arc<Catalog>,
    engine: Arc<Engine>,
    holds: Holds,
    /// Buckets of which the last round held something back.
    held: Mutex<Vec<(BucketId, Held)>>,
}

impl Retention {
    pub(super) fn new(catalog: Arc<Catalog>, engine: Arc<Engine>, holds: Holds) -> Self {
        Self { catalog, engine, holds, held: Mutex::default() }
    }

    /// Removes what is due.
    pub(super) fn round(&self) {
        let outcomes = enforce_retention(&self.at(now(), false));
        outcomes.iter().for_each(|(due, removed)| self.log_removed(due, removed));
        outcomes.iter().for_each(|(due, _)| self.hurry(due));
        let held = outcomes.into_iter().filter_map(|(due, _)| Some((due.bucket, due.held?))).collect();
        self.remember(held);
    }

    /// What is due of each bucket, as JSON; nothing is removed.
    pub(crate) fn look(&self, forced: bool) -> Value {
        let retention = self.at(now(), forced);
        let due = retention.due();
        let buckets = due.iter().map(|due| self.shown(&retention, due)).collect::<Vec<_>>();
        json!({ "dry_run": true, "forced": forced, "buckets": buckets })
    }

    /// Removes what is due, and tells what that was.
    pub(crate) fn enforce(&self, forced: bool) -> Value {
        let retention = self.at(now(), forced);
        let mut buckets = Vec::new();
        for due in retention.due() {
            // IMPORTANT: before; once the files are gone nobody knows their series any more.
            let mut shown = self.shown(&retention, &due);
            let removed = retention.remove(&due);
            self.log_removed(&due, &removed);
            self.hurry(&due);
            if let (Err(e), Some(members)) = (&removed, shown.as_object_mut()) {
                members.insert("error".to_owned(), e.to_string().into());
            }
            buckets.push(shown);
        }
        json!({ "dry_run": false, "forced": forced, "buckets": buckets })
    }

    /// What is held back, for status.
    pub(super) fn status(&self) -> Value {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = held.iter().map(|(bucket, held)| {
            let (database, policy) = self.names(*bucket);
            let Held { hold, old } = held;
            json!({
                "database": database, "policy": policy, "from": text(hold.from), "why": hold.why,
                "files": old.holding.files, "bytes": old.holding.bytes,
            })
        });
        json!({ "held_back": shown.collect::<Vec<_>>() })
    }

    fn hurry(&self, due: &Due) {
        if due.held.is_some() {
            (self.holds.hurry)(due.bucket, due.cutoff);
        }
    }

    fn at(&self, now: TimestampNs, forced: bool) -> pipeline::Retention<'_> {
        pipeline::Retention { catalog: &self.catalog, engine: &self.engine, now, holds: &*self.holds.hold, forced }
    }

    fn names(&self, bucket: BucketId) -> (String, String) {
        let names = self.catalog.read();
        names.bucket_names(bucket).map(|(d, p)| (d.to_owned(), p.to_owned())).unwrap_or_default()
    }

    fn shown(&self, retention: &pipeline::Retention<'_>, due: &Due) -> Value {
        let (database, policy) = self.names(due.bucket);
        let duration_ns = self.catalog.policy_of(due.bucket).map_or(0, |p| p.duration_ns);
        let duration = HumanDuration(Duration::from_nanos(duration_ns.unsigned_abs()));
        let held = due.held.as_ref().map(|held| {
            let mut shown = old(retention, due.bucket, &held.old);
            if let Some(members) = shown.as_object_mut() {
                members.insert("from".to_owned(), text(held.hold.from).into());
                members.insert("why".to_owned(), held.hold.why.clone().into());
            }
            shown
        });
        json!({
            "database": database, "policy": policy, "duration": duration, "cutoff": text(due.cutoff),
            "goes": old(retention, due.bucket, &due.goes), "held": held, "error": null,
        })
    }

    fn log_removed(&self, due: &Due, removed: &Result<Removed, EngineError>) {
        let (database, policy) = self.names(due.bucket);
        match removed {
            Ok(Removed { files: 0, .. }) => {}
            Ok(Removed { files, bytes, .. }) => {
                tracing::info!(database, policy, files, bytes, "values past their retention were removed");
            }
            Err(e) => tracing::warn!(
                database,
                policy,
                error = %e,
                "values past their retention could not be removed; tried again in a minute"
            ),
        }
    }

    /// Takes note of what is held back, and says in the log what is new about it: not that there is more of it by the minute.
    fn remember(&self, held: Vec<(BucketId, Held)>) {
        let mut known = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, held);
        for (bucket, Held { hold, old }) in known.iter().filter(|one| !is_among(&before, one)) {
            let (database, policy) = self.names(*bucket);
            let (from, bytes) = (text(hold.from), old.holding.bytes);
            tracing::warn!(
                database,
                policy,
                from,
                bytes,
                why = hold.why,
                "values past their retention are held back, since they are still needed"
            );
        }
        for (bucket, _) in before.iter().filter(|(bucket, _)| !known.iter().any(|(other, _)| other == bucket)) {
            let (database, policy) = self.names(*bucket);
            tracing::info!(database, policy, "no values past their retention are held back any more");
        }
    }
}

fn is_among(list: &[(BucketId, Held)], one: &(BucketId, Held)) -> bool {
    list.iter().any(|(bucket, held)| *bucket == one.0 && held.hold.why == one.1.hold.why)
}

/// Old files as JSON.
fn old(retention: &pipeline::Retention<'_>, bucket: BucketId, old: &Old) -> Value {
    let (holding, times) = (old.holding, old.holding.times);
    let series = if holding.files == 0 { 0 } else { retention.series(bucket, old) };
    json!({
        "files": holding.files, "bytes": holding.bytes, "series": series, "values": holding.values,
        "first": times.map(|(first, _)| text(first)), "last": times.map(|(_, last)| text(last)),
    })
}

fn text(time: TimestampNs) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).map(|t| t.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use catalog::{PolicySpec, Wanted};
    use engine::EngineConfig;
    use model::wire::BatchEncoder;
    use model::{FieldType, FieldValue, Seq};
    use vfs::FaultFs;

    use super::*;

    const DAY: i64 = 86_400_000_000_000;

    /// A policy of two days with values of ten and of five days ago in files; what must stay is what `hold` says, and `hurried` gets
    /// the buckets that something is to be done about.
    fn plant(hold: &Arc<Mutex<Option<Hold>>>, hurried: &Arc<Mutex<Vec<BucketId>>>) -> Retention {
        let disk = Arc::new(FaultFs::default());
        let catalog = Arc::new(Catalog::open(disk.clone(), Path::new("catalog")).unwrap().0);
        let engine = Engine::open(disk, Path::new("engine"), Arc::clone(&catalog), EngineConfig::default()).unwrap().0;
        let spec = PolicySpec { duration_ns: Some(2 * DAY), ..PolicySpec::default() };
        catalog.create_database("d", Some((Some("raw"), &spec))).unwrap();
        let bucket = catalog.bucket_of("d", None).unwrap();
        let wanted = Wanted { key: b"m,site=a", field: "v", kind: FieldType::Float };
        catalog.define(bucket, &[wanted]).unwrap();
        let column = {
            let names = catalog.read();
            names.column(names.series(bucket, b"m,site=a").unwrap(), 0, "v").unwrap().0
        };
        let mut batch = BatchEncoder::default();
        for days in [10, 5] {
            batch.push(column, TimestampNs(now().0 - days * DAY), FieldValue::Float(1.0));
        }
        engine.apply(Seq(1), &batch.finish()).unwrap();
        engine.flush().unwrap();
        let (hold, hurried) = (Arc::clone(hold), Arc::clone(hurried));
        let holds = Holds {
            hold: Box::new(move |_| hold.lock().unwrap().clone()),
            hurry: Box::new(move |bucket, _| hurried.lock().unwrap().push(bucket)),
        };
        Retention::new(catalog, Arc::new(engine), holds)
    }

    fn files(report: &Value, what: &str) -> Option<u64> {
        report["buckets"][0][what]["files"].as_u64()
    }

    #[test]
    fn a_look_removes_nothing_and_what_is_held_back_is_told_until_it_goes() {
        let from = TimestampNs(now().0 - 7 * DAY);
        let hold = Arc::new(Mutex::new(Some(Hold { from, why: "not yet rolled up by hourly".to_owned() })));
        let hurried = Arc::default();
        let retention = plant(&hold, &hurried);
        let seen = retention.look(false);
        assert_eq!((files(&seen, "goes"), files(&seen, "held")), (Some(1), Some(1)), "{seen}");
        let bucket = &seen["buckets"][0];
        assert_eq!(
            (&bucket["database"], &bucket["policy"], &bucket["duration"]),
            (&json!("d"), &json!("raw"), &json!("2d"))
        );
        assert_eq!((&bucket["goes"]["series"], &bucket["held"]["values"]), (&json!(1), &json!(1)));
        assert_eq!(bucket["held"]["why"], "not yet rolled up by hourly");
        let forced = retention.look(true);
        assert_eq!((files(&forced, "goes"), files(&forced, "held")), (Some(2), None), "{forced}");
        assert_eq!(retention.engine.stats().files, 2);

        assert_eq!(retention.status(), json!({ "held_back": [] }));
        assert_eq!(hurried.lock().unwrap().len(), 0, "a look has no consequences");
        retention.round();
        assert_eq!(hurried.lock().unwrap().len(), 1);
        assert_eq!(retention.engine.stats().files, 1);
        let status = retention.status();
        assert_eq!(
            (&status["held_back"][0]["files"], &status["held_back"][0]["from"]),
            (&json!(1), &json!(text(from)))
        );
        *hold.lock().unwrap() = None;
        let done = retention.enforce(false);
        assert_eq!((files(&done, "goes"), &done["buckets"][0]["error"]), (Some(1), &Value::Null), "{done}");
        assert_eq!(retention.engine.stats().files, 0);
        retention.round();
        assert_eq!(retention.status(), json!({ "held_back": [] }));
    }
}
