//! Status logs made of metrics: a lane of its own reads the journal and writes events as points, so that metrics never wait for them; on
//! request the events of a part of history are made anew.

mod columns;
mod counts;
mod generate;
mod hooks;
mod lane;
mod outbox;
mod passing;
mod samples;
mod saved;
mod status;
mod stored;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ::events::Rules;
use anyhow::Context;
use catalog::Catalog;
use journal::Journal;
use model::Seq;
use pipeline::Intake;
use vfs::Fs;

use crate::config::Config;
use columns::Columns;
use counts::Counts;
use lane::{Lane, Parts};
use saved::Saved;

pub(super) use counts::Snapshot;
pub(crate) use generate::{History, Order, Report};
pub(crate) use hooks::Hooks;
pub(crate) use passing::FromNow;
pub(crate) use saved::verify;

/// Name of the journal's consumer that events are made by.
pub(super) const CONSUMER: &str = "events";
/// Folder below the data directory, and the file in it.
const FOLDER: &str = "events";
const STATE: &str = "state";

/// Everything about events in a node.
pub(crate) struct Eventing {
    pub(crate) rules: Rules,
    pub(super) counts: Arc<Counts>,
    columns: Columns,
    /// Longest time between a status event's time and the sample that it comes from.
    status_interval_ns: i64,
    /// None: switched off.
    lane: Option<Lane>,
}

/// What the lane works with.
pub(super) struct Rooms<'a> {
    pub(super) fs: &'a Arc<dyn Fs>,
    pub(super) dir: &'a Path,
    pub(super) catalog: &'a Arc<Catalog>,
    pub(super) journal: &'a Arc<Journal>,
    pub(super) intake: &'a Intake,
    /// Whom live events are handed to.
    pub(super) hooks: &'a Arc<Hooks>,
    pub(super) from_now: FromNow,
}

impl Eventing {
    /// Starts the lane; where events are switched off, gives up its place in the journal instead.
    pub(super) fn open(config: &Config, rooms: &Rooms<'_>) -> anyhow::Result<Self> {
        let rules = Rules::new(&config.events)?;
        let counts = Arc::<Counts>::default();
        let booked = Arc::clone(&counts);
        rooms.hooks.add(Box::new(move |events| booked.book_events(events)));
        let columns = Columns::new(Arc::clone(rooms.catalog), rules.clone(), config.database());
        let saved = Saved::new(Arc::clone(rooms.fs), state_file(rooms.dir));
        let lane = if config.events.enabled {
            let consumer = rooms.journal.consumer(CONSUMER).context("open the journal's cursor of the events")?;
            let target = rooms.intake.target(config.database(), None)?;
            Some(Lane::start(Parts {
                journal: Arc::clone(rooms.journal),
                consumer,
                intake: rooms.intake.clone(),
                target,
                columns: columns.clone(),
                saved,
                hooks: Arc::clone(rooms.hooks),
                counts: Arc::clone(&counts),
                from_now: rooms.from_now,
            })?)
        } else {
            rooms.journal.remove_consumer(CONSUMER).context("remove the journal's cursor of the events")?;
            saved.forget().context("remove the state of the events")?;
            None
        };
        let status_interval_ns = i64::try_from(config.events.status_interval.0.as_nanos()).unwrap_or(i64::MAX);
        Ok(Self { rules, counts, columns, status_interval_ns, lane })
    }

    /// Whether live events are made.
    pub(crate) fn is_enabled(&self) -> bool {
        self.lane.is_some()
    }

    /// True once the lane has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.lane.as_ref().is_some_and(Lane::has_ended)
    }

    /// Whether an earlier process has passed over records whose events were not made. Nobody knows of which nodes and times they are.
    pub(crate) fn has_found_debt(&self) -> bool {
        self.lane.as_ref().is_some_and(Lane::has_found_debt)
    }

    /// The events of all that was passed over up to a record are made: nothing is owed any more.
    pub(crate) fn release(&self, until: Seq) {
        if let Some(lane) = &self.lane {
            lane.release(until);
        }
    }

    /// Whether the lane has read everything up to a record, and its events are durable, and it goes on from what was
    /// handed over. Without a lane there is nothing to wait for.
    pub(crate) fn has_seen(&self, seq: Seq) -> bool {
        let (Some(lane), counts) = (&self.lane, self.counts.read()) else { return true };
        lane.has_ended() || (counts.seen >= seq && counts.waiting == 0 && lane.has_taken_over())
    }

    /// The last record that the lane has read.
    pub(crate) fn seen(&self) -> Seq {
        self.counts.read().seen
    }

    /// Ends the lane once it has read what the journal has, or at the deadline: then it goes on there at the next start.
    pub(super) fn stop(&self, deadline: Instant) {
        if let Some(lane) = &self.lane {
            lane.stop(deadline);
        }
    }
}

/// The file with the lane's state.
pub(crate) fn state_file(dir: &Path) -> PathBuf {
    dir.join(FOLDER).join(STATE)
}
