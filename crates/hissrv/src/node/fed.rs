//! What is fed with the values that come: the embedded store, its rollups and its archive, or none of them where it is switched off.

use std::sync::Arc;

use archive::Archiver;
use model::Seq;
use pipeline::{Applied, Applier, Hold, Intake, Observer, Observers};
use rollup::Rollups;

use super::archiving::Archiving;
use super::opened::Opened;
use super::results::Results;
use super::retention::Holds;
use super::{archiving, embedded, now, rolled};
use crate::config::Config;

/// The embedded store's side of a node.
pub(super) struct Fed {
    pub(super) applied: Arc<Applied>,
    /// `None` where the store is switched off.
    pub(super) applier: Option<Arc<Applier>>,
    pub(super) rollups: Option<Arc<Rollups>>,
    pub(super) archiver: Option<Arc<Archiver>>,
}

impl Fed {
    /// Starts taking in what the journal still holds; `results` hears of every write.
    pub(super) fn start(config: &Config, opened: &Opened, results: &Arc<Results>) -> anyhow::Result<Self> {
        let archiving = archiving_of(config, opened)?;
        let archiver = archiving.as_ref().map(|archiving| Arc::clone(&archiving.archiver));
        if !config.feeds_embedded() {
            embedded::leave_alone(&opened.journal)?;
            return Ok(Self { applied: Arc::new(Applied::at_once()), applier: None, rollups: None, archiver });
        }
        let Opened { fs, catalog, engine, journal, .. } = opened;
        let (dir, applied) = (&config.data_dir, Arc::new(Applied::default()));
        let rollups = rolled::open(fs, dir, config, catalog, engine)?;
        let mut observers = vec![Arc::clone(&rollups) as Arc<dyn Observer>, Arc::clone(results) as _];
        observers.extend(archiving.map(|archiving| archiving.ledger as Arc<dyn Observer>));
        let applier = embedded::feed(dir, journal, engine, &applied, Observers(observers))?;
        Ok(Self { applied, applier: Some(Arc::new(applier)), rollups: Some(rollups), archiver })
    }

    /// Starts making rows and files of what is there, once everything up to `replay_to` is.
    pub(super) fn start_making(&self, intake: &Intake, replay_to: Seq) -> anyhow::Result<()> {
        let is_there = |applied: &Arc<Applied>| {
            let applied = Arc::clone(applied);
            move || applied.seq() >= replay_to
        };
        if let Some(rollups) = &self.rollups {
            rollups.start(intake.clone(), now, is_there(&self.applied))?;
        }
        if let Some(archiver) = &self.archiver {
            archiver.start(is_there(&self.applied))?;
        }
        Ok(())
    }

    /// What must stay although its policy does not keep it: rows are still to be made of it, or it is not archived yet.
    pub(super) fn holds(&self) -> Holds {
        let (rollups, archiver, hurried) = (self.rollups.clone(), self.archiver.clone(), self.archiver.clone());
        let hold = move |bucket| {
            let of_rollups = rollups.as_ref().and_then(|rollups| rolled::hold(rollups, bucket));
            Hold::earlier(of_rollups, archiver.as_ref().and_then(|archiver| archiving::hold(archiver, bucket)))
        };
        let hurry = move |bucket, cutoff| {
            if let Some(archiver) = &hurried {
                archiving::hurry(archiver, bucket, cutoff);
            }
        };
        Holds { hold: Box::new(hold), hurry: Box::new(hurry) }
    }
}

/// The archive of the configuration; without one, what was due is forgotten.
fn archiving_of(config: &Config, opened: &Opened) -> anyhow::Result<Option<Archiving>> {
    let Opened { fs, catalog, engine, .. } = opened;
    match config.archive() {
        Some(settings) => Ok(Some(archiving::open(fs, &config.data_dir, settings, catalog, engine)?)),
        None => archiving::forget(fs, &config.data_dir).map(|()| None),
    }
}
