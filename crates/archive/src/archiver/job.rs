//! One run: measurement after measurement, day after day.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use model::{BucketId, MeasurementId, TimestampNs};
use pipeline::Observer;

use crate::day::Day;
use crate::days::Days;
use crate::error::Error;
use crate::manifest::{Content, Manifest, VERSION};
use crate::names;
use crate::rows::Rows;
use crate::source::{Plan, StoreRows};
use crate::table::{Figures, FileRows, TableWriter};
use crate::target::{Draft, Opened};
use crate::union::Union;

use super::report::RunReport;
use super::{Scope, Shared, lock};

/// A measurement and its names.
struct Subject {
    bucket: BucketId,
    id: MeasurementId,
    database: String,
    policy: String,
    name: String,
}

/// A file that was written, and not published yet.
struct Written {
    draft: Draft,
    figures: Figures,
    content: Content,
    missing: Vec<String>,
}

impl Shared {
    /// Archives what is due and over. One run at a time; a second one waits.
    pub(super) fn run(&self, scope: &Scope) -> RunReport {
        let _running = lock(&self.running);
        let (started, now) = (Instant::now(), (self.clock)());
        let mut report = RunReport::default();
        self.forget_dropped();
        for subject in self.subjects(scope) {
            if !report.is_cut_short {
                self.archive_measurement(&subject, self.end(scope, subject.bucket, now), &mut report);
            }
        }
        if *scope == Scope::All && report.is_complete() {
            self.ledger.set_last_run(now);
        }
        if let Err(error) = self.ledger.persist() {
            tracing::warn!(%error, "which days are archived could not be made durable; they are archived again");
        }
        lock(&self.totals).add(&report, started.elapsed());
        report
    }

    /// The first day that is not archived yet: it is not over, or the scope ends.
    fn end(&self, scope: &Scope, bucket: BucketId, now: TimestampNs) -> Day {
        let delay = i64::try_from(self.config.delay.0.as_nanos()).unwrap_or(i64::MAX);
        let over = Day::of(TimestampNs(now.0.saturating_sub(delay)));
        match scope {
            Scope::All => over,
            // The day that holds the instant before is wanted, too.
            Scope::Before(wanted) => {
                let until = wanted.get(&bucket).copied().unwrap_or(TimestampNs::MIN);
                over.min(Day::of(until.saturating_add(-1)).next())
            }
        }
    }

    fn forget_dropped(&self) {
        let names = self.catalog.read();
        let buckets: Vec<BucketId> = names.buckets().map(|(id, ..)| id).collect();
        let known: std::collections::BTreeSet<MeasurementId> =
            buckets.iter().flat_map(|id| names.measurements(*id).map(|(id, _)| id)).collect();
        drop(names);
        self.ledger.retain(|id| known.contains(&id));
    }

    fn subjects(&self, scope: &Scope) -> Vec<Subject> {
        let names = self.catalog.read();
        let mut found = Vec::new();
        for (bucket, database, policy) in names.buckets() {
            let is_meant = match scope {
                Scope::All => true,
                Scope::Before(wanted) => wanted.contains_key(&bucket),
            };
            if !is_meant || !self.config.takes_bucket(database, policy) {
                continue;
            }
            let all = names.measurements(bucket).filter(|(_, name)| self.config.takes(database, policy, name));
            let (database, policy) = (database.to_owned(), policy.to_owned());
            found.extend(all.map(|(id, name)| Subject {
                bucket,
                id,
                database: database.clone(),
                policy: policy.clone(),
                name: name.to_owned(),
            }));
        }
        found
    }

    fn archive_measurement(&self, subject: &Subject, end: Day, report: &mut RunReport) {
        let mut left = self.ledger.take(subject.id, end);
        if left.is_empty() {
            return self.ledger.put_back(&left);
        }
        for day in self.days_with_values(subject.bucket, &left) {
            match self.archive_day(subject, day, report) {
                Ok(()) => {
                    left.remove(day);
                    self.ledger.archived(day);
                }
                Err(error) => {
                    report.is_cut_short |= error.concerns_all();
                    self.note_failure(subject, day, &error, report);
                    if report.is_cut_short {
                        break;
                    }
                }
            }
        }
        self.ledger.put_back(&self.kept(subject.bucket, left, report));
    }

    /// Of what is left, the days on which there is something: they failed, or were not reached.
    fn kept(&self, bucket: BucketId, left: Days, report: &RunReport) -> Days {
        if report.is_cut_short {
            return left;
        }
        let mut kept = Days::default();
        self.days_with_values(bucket, &left).into_iter().for_each(|day| kept.insert(day));
        kept
    }

    fn note_failure(&self, subject: &Subject, day: Day, error: &Error, report: &mut RunReport) {
        if matches!(error, Error::Stopped) {
            return;
        }
        let stem = names::stem(&subject.database, &subject.policy, &subject.name, day);
        let file = self.archive.target.address(&format!("{stem}{}", names::DATA));
        tracing::warn!(file, %error, "a day could not be archived; it stays due");
        report.fail(file, error.to_string());
    }

    /// Writes the file of a day, with what an older one has and the store has no more; nothing when there are no values.
    fn archive_day(&self, subject: &Subject, day: Day, report: &mut RunReport) -> Result<(), Error> {
        // IMPORTANT: before anything is read, so that the position is not too high.
        let complete_to = self.engine.applied_seq();
        let plan = Plan::new(&self.catalog, &self.engine, subject.id, day.range(), &self.stop)?;
        if plan.is_empty() {
            return Ok(());
        }
        let stem = names::stem(&subject.database, &subject.policy, &subject.name, day);
        let older = self.archive.target.open(&format!("{stem}{}", names::DATA), &self.stop)?;
        let Some(written) = self.write_day(subject, day, &plan, older, &stem)? else { return Ok(()) };
        let Written { draft, figures, content, missing } = written;
        if !missing.is_empty() {
            tracing::warn!(
                file = stem,
                parts = missing.len(),
                "a day was archived without what is damaged in the store"
            );
        }
        let manifest = Manifest {
            format: VERSION,
            hissrv: env!("CARGO_PKG_VERSION").to_owned(),
            content,
            rows: figures.rows,
            values: figures.values,
            series: figures.series,
            first_time_ns: figures.times.map_or(0, |(first, _)| first.0),
            last_time_ns: figures.times.map_or(0, |(_, last)| last.0),
            bytes: draft.bytes(),
            sha256: draft.sha256(),
            complete_to: complete_to.0,
            missing,
        };
        let json = serde_json::to_vec_pretty(&manifest).map_err(|e| Error::file(&stem, e))?;
        self.archive.target.publish(draft, &self.stop)?;
        self.archive.target.write(&format!("{stem}{}", names::MANIFEST), &json, &self.stop)?;
        report.files += 1;
        report.rows += manifest.rows;
        report.values += manifest.values;
        report.bytes += manifest.bytes;
        Ok(())
    }

    /// `None` when there is no row.
    fn write_day(
        &self,
        subject: &Subject,
        day: Day,
        plan: &Plan,
        older: Option<Opened>,
        stem: &str,
    ) -> Result<Option<Written>, Error> {
        let mut missing = Vec::new();
        let newer = StoreRows::new(&self.engine, plan, &mut missing);
        let name = format!("{stem}{}", names::DATA);
        let address = self.archive.target.address(&name);
        let mut rows: Box<dyn Rows + '_> = match older {
            None => Box::new(newer),
            Some(older) => Box::new(Union::new(Box::new(FileRows::of_opened(older, &address)?), Box::new(newer))),
        };
        let place = [subject.database.as_str(), subject.policy.as_str(), subject.name.as_str()];
        let content = Content::new(place, day, rows.tags(), rows.fields());
        if !rows.advance()? {
            return Ok(None);
        }
        let wrong = |e| Error::file(&address, e);
        let draft = self.archive.target.draft(&name)?;
        let mut table = TableWriter::new(draft, &content, &*rows).map_err(wrong)?;
        loop {
            if self.stop.load(Relaxed) {
                return Err(Error::Stopped);
            }
            table.push(&*rows).map_err(wrong)?;
            if !rows.advance()? {
                break;
            }
        }
        drop(rows);
        let (draft, figures) = table.finish().map_err(wrong)?;
        Ok(Some(Written { draft, figures, content, missing }))
    }
}
