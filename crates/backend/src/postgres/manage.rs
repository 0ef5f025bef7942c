//! Schemas for the policies wished, and what is older than they keep: partitions that ended before are dropped whole. Called again
//! and again; each table is looked at by itself, so that one that a long query holds does not keep the others.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::HumanDuration;
use postgres::Client;
use postgres::error::SqlState;

use super::client::Conversation;
use super::connector::Timescale;
use super::error::Failure;
use super::known::{KnownPlace, PlaceName};
use super::names::Relation;
use super::{Postgres, Shared, partitions, places, rollup, timescale};
use crate::{Database, Destination, Manage, Policy, Step, Wanted, WriteError};

impl Manage for Postgres {
    fn keep_in_step(&self, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
        let mut steps = Vec::new();
        for database in &wanted.databases {
            self.shared.known.set_default(&database.name, &database.default_policy);
            for policy in &database.policies {
                steps.extend(self.policy_in_step(database, policy)?);
            }
        }
        for wish in &wanted.rollups {
            let wish = wish.clone();
            steps.extend(self.do_work(move |conversation, _| rollup::keep_in_step(conversation.open()?, &wish))?);
        }
        Ok(steps)
    }
}

impl Postgres {
    fn policy_in_step(&self, database: &Database, policy: &Policy) -> Result<Vec<Step>, WriteError> {
        let is_default = policy.name == database.default_policy;
        let to = Destination { database: database.name.clone(), policy: policy.name.clone(), is_default };
        let duration = policy.duration;
        let mut steps = self.do_work(move |conversation, shared| keep_policy(conversation, shared, &to, duration))?;
        if policy.replication > 1 {
            let (policy, database) = (&policy.name, &database.name);
            steps.push(Step::Impossible(format!(
                "policy \"{policy}\" of \"{database}\": copies are made by PostgreSQL's own replication, not by hissrv"
            )));
        }
        Ok(steps)
    }

    fn do_work(
        &self,
        work: impl FnOnce(&mut Conversation, &Shared) -> Result<Vec<Step>, Failure> + Send + 'static,
    ) -> Result<Vec<Step>, WriteError> {
        let shared = std::sync::Arc::clone(&self.shared);
        let outcome = self.link().run(move |conversation| work(conversation, &shared));
        outcome.map_err(|failure| failure.into_write_error(self.shared.connector.at()))
    }
}

fn keep_policy(
    conversation: &mut Conversation,
    shared: &Shared,
    to: &Destination,
    duration: Option<Duration>,
) -> Result<Vec<Step>, Failure> {
    let open = conversation.open()?;
    shared.known.expect_incarnation(&open.peer.incarnation);
    let name = PlaceName { database: to.database.clone(), policy: to.policy.clone() };
    let mut steps = Vec::new();
    let schema = match places::find(&mut open.client, &name)? {
        Some(schema) => schema,
        None => {
            let schema = places::make(&mut open.client, to)?;
            steps.push(Step::Done(format!(
                "schema {schema} for policy \"{}\" of database \"{}\" created",
                to.policy, to.database
            )));
            schema
        }
    };
    let place = shared.known.add_place(&name, schema);
    if let Some(duration) = duration {
        steps.extend(expire(&mut open.client, &place, duration)?);
    }
    if let Some(extension) = open.peer.timescale.clone() {
        steps.extend(keep_policies(&mut open.client, &extension, &place, duration)?);
    }
    Ok(steps)
}

/// Drops what ended longer ago than `duration`.
fn expire(client: &mut Client, place: &KnownPlace, duration: Duration) -> Result<Vec<Step>, Failure> {
    let Some(limit) = limit(client, duration)? else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for measurement in partitions::measurements_with_expired(client, &place.schema, limit)? {
        match partitions::drop_before(client, &place.schema, &measurement, limit) {
            Ok(0) => {}
            Ok(dropped) => {
                place.forget_table(&measurement);
                let kept = HumanDuration(duration);
                steps.push(Step::Done(format!(
                    "{dropped} partitions of \"{measurement}\" in schema {} that are older than {kept} dropped",
                    place.schema
                )));
            }
            Err(failure) if failure.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => steps.push(Step::Impossible(format!(
                "expired partitions of \"{measurement}\" in schema {} are not dropped while a long query holds the table",
                place.schema
            ))),
            Err(failure) => return Err(failure),
        }
    }
    Ok(steps)
}

/// The time before which everything has expired, in microseconds. Of the server's clock and ours the one that is behind counts, so
/// that a clock that is ahead does not cost data.
fn limit(client: &mut Client, duration: Duration) -> Result<Option<i64>, Failure> {
    let row = client.query_one("SELECT now()", &[])?;
    let there: SystemTime = row.try_get(0)?;
    let now = there.min(SystemTime::now()).duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(now.checked_sub(duration).and_then(|limit| i64::try_from(limit.as_micros()).ok()))
}

/// Lets TimescaleDB drop what has expired of its tables.
fn keep_policies(
    client: &mut Client,
    extension: &Timescale,
    place: &KnownPlace,
    duration: Option<Duration>,
) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for (_, table) in partitions::tables(client, &place.schema)? {
        if partitions::is_partitioned(client, &table)? {
            continue;
        }
        match keep_table_policy(client, extension, &table, duration) {
            Ok(false) => {}
            Ok(true) => {
                let kept = duration.map_or_else(|| "for ever".to_owned(), |kept| HumanDuration(kept).to_string());
                steps.push(Step::Done(format!("retention policy of {table}: kept {kept}")));
            }
            Err(failure) if failure.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) => {
                let error = failure.into_write_error("");
                steps.push(Step::Impossible(format!("retention policy of {table}: {error}")));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(steps)
}

fn keep_table_policy(
    client: &mut Client,
    extension: &Timescale,
    table: &Relation,
    duration: Option<Duration>,
) -> Result<bool, Failure> {
    let wanted = duration.map(timescale::interval);
    let row = client.query_one(timescale::RETENTION, &[&table.schema.as_str(), &table.name.as_str(), &wanted])?;
    let (exists, is_right): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if is_right {
        return Ok(false);
    }
    let mut transaction = client.transaction()?;
    if exists {
        timescale::drop_retention(extension, table).run(&mut transaction)?;
    }
    if let Some(duration) = duration {
        timescale::retention(extension, table, duration).run(&mut transaction)?;
    }
    transaction.commit()?;
    Ok(true)
}
