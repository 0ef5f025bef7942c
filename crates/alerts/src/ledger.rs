//! Alerts, what waits for channels, and silences; each change durable before anybody acts upon it.
//!
//! Not here: threads and channels.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use model::TimestampNs;
use vfs::Fs;

use crate::config::Config;
use crate::engine::{Circumstances, Engine, Evaluation, Rule, Sight};
use crate::outbox::{Entry, Next, Outbox};
use crate::silence::{Silence, SilenceConfig};
use crate::store::{Change, Store};

/// Most silences that people can have added at a time.
const MAX_SILENCES: usize = 1_000;

/// All that is known.
pub(crate) struct Ledger {
    engine: Engine,
    outbox: Outbox,
    /// Channels of the configuration.
    channels: BTreeSet<String>,
    /// Silences of the configuration.
    configured: Vec<Silence>,
    /// Of people.
    added: BTreeMap<String, Silence>,
    /// Both.
    silences: Vec<Silence>,
    store: Store,
    /// True while the file cannot be written.
    is_failing: bool,
    counts: Counts,
}

/// Since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Repeats that made way or became pointless.
    pub(crate) dropped_repeats: u64,
    /// Looks at which an alert was not told because too much waits.
    pub(crate) held_back: u64,
}

/// Why no silence was added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// It cannot work.
    #[error("{0}")]
    Wrong(String),
    /// It would hold forever.
    #[error("until: a silence that is added while hissrv runs must have an end")]
    Endless,
    /// There are too many.
    #[error("there are {MAX_SILENCES} silences already: remove some, or write them into the configuration")]
    TooMany,
}

impl Ledger {
    /// Reads what was left, ends alerts of rules that are gone, and drops what waits for channels that are gone.
    ///
    /// # Errors
    /// When the folder cannot be made or the file cannot be read.
    pub(crate) fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        config: &Config,
        rules: &[Rule],
        now: TimestampNs,
    ) -> io::Result<Self> {
        let (store, found) = Store::open(fs, dir)?;
        let mut ledger = Self {
            engine: Engine::new(now, config.max_alerts),
            outbox: Outbox::new(config.max_waiting),
            channels: config.channels.keys().cloned().collect(),
            configured: config.silences.iter().filter_map(|silence| Silence::new(silence.clone()).ok()).collect(),
            added: BTreeMap::new(),
            silences: Vec::new(),
            store,
            is_failing: false,
            counts: Counts::default(),
        };
        found.alerts.into_values().for_each(|alert| ledger.engine.restore(alert));
        found.entries.into_values().for_each(|entry| ledger.outbox.restore(entry));
        let added = found.silences.into_iter().filter_map(|(id, config)| Some((id, Silence::new(config).ok()?)));
        ledger.added = added.collect();
        ledger.gather_silences();
        ledger.drop_gone_channels();
        ledger.retire(rules, now);
        ledger.record(&Change::default());
        Ok(ledger)
    }

    fn drop_gone_channels(&mut self) {
        for name in self.outbox.channels().difference(&self.channels) {
            let waiting = self.outbox.made_before(name, TimestampNs::MAX);
            tracing::warn!(
                channel = name,
                count = waiting.len(),
                "notifications wait for a channel that is gone; dropped"
            );
            waiting.iter().for_each(|entry| self.outbox.done(entry.seq, name));
        }
    }

    fn retire(&mut self, rules: &[Rule], now: TimestampNs) {
        let is_gone = |name: &&str| !rules.iter().any(|rule| rule.name == **name);
        let gone: Vec<String> = self.engine.rules().filter(is_gone).map(str::to_owned).collect();
        for name in gone {
            let at = Circumstances { now, silences: &self.silences, room: 0 };
            let evaluation = self.engine.retire(&name, &at);
            self.take(evaluation);
        }
    }

    /// Looks at a rule. What it changes is durable afterwards, unless the disk fails, which is logged. Returns how many series had no
    /// place.
    pub(crate) fn look(&mut self, rule: &Rule, sight: Sight<'_>, now: TimestampNs) -> usize {
        let over = self.added.iter().filter(|(_, silence)| silence.is_over(now)).map(|(id, _)| id.clone());
        let unsilenced: Vec<String> = over.collect();
        unsilenced.iter().for_each(|id| drop(self.added.remove(id)));
        if !unsilenced.is_empty() {
            self.gather_silences();
        }
        let at = Circumstances { now, silences: &self.silences, room: self.outbox.room() };
        let evaluation = self.engine.evaluate(rule, sight, &at);
        let beyond_limit = evaluation.beyond_limit;
        let change = self.take(evaluation);
        self.record(&Change { unsilenced, ..change });
        beyond_limit
    }

    fn take(&mut self, evaluation: Evaluation) -> Change {
        let mut change = Change { alerts: evaluation.changed, forgotten: evaluation.forgotten, ..Change::default() };
        for mut notice in evaluation.notices {
            // An alert may have been told over a channel that is gone since.
            notice.channels.retain(|name| self.channels.contains(name));
            let pushed = self.outbox.push(notice);
            change.queued.extend(pushed.entry);
            change.dropped.extend(pushed.dropped);
        }
        self.counts.dropped_repeats += change.dropped.len() as u64;
        self.counts.held_back += evaluation.held_back as u64;
        change
    }

    /// What a channel has to send now.
    pub(crate) fn next(&self, channel: &str, now: Instant) -> Next {
        self.outbox.next(channel, now)
    }

    /// A channel is done with a notification.
    pub(crate) fn done(&mut self, seq: u64, channel: &str) {
        self.outbox.done(seq, channel);
        self.record(&Change { done: vec![(seq, channel.to_owned())], ..Change::default() });
    }

    /// What waits for a channel, and was made before a time, waits no longer. Returns it.
    pub(crate) fn give_up(&mut self, channel: &str, made_before: TimestampNs) -> Vec<Entry> {
        let given_up = self.outbox.made_before(channel, made_before);
        given_up.iter().for_each(|entry| self.outbox.done(entry.seq, channel));
        let done = given_up.iter().map(|entry| (entry.seq, channel.to_owned())).collect();
        self.record(&Change { done, ..Change::default() });
        given_up
    }

    /// How often sending has failed before.
    pub(crate) fn failures(&self, seq: u64, channel: &str) -> u32 {
        self.outbox.failures(seq, channel)
    }

    /// Sending failed, and is to be tried again.
    pub(crate) fn again(&mut self, seq: u64, channel: &str, at: Instant) {
        self.outbox.again(seq, channel, at);
    }

    /// Adds a silence, and returns its id.
    ///
    /// # Errors
    /// [`SilenceError`]: nothing was added.
    pub(crate) fn silence(&mut self, config: SilenceConfig) -> Result<String, SilenceError> {
        if config.until.is_none() {
            return Err(SilenceError::Endless);
        }
        let silence = Silence::new(config).map_err(SilenceError::Wrong)?;
        if self.added.len() >= MAX_SILENCES {
            return Err(SilenceError::TooMany);
        }
        let id = silence.id.clone();
        let silences = [(id.clone(), silence.config.clone())].into();
        self.added.insert(id.clone(), silence);
        self.gather_silences();
        self.record(&Change { silences, ..Change::default() });
        Ok(id)
    }

    /// Takes a silence back that was added; false when there is none of that id.
    pub(crate) fn unsilence(&mut self, id: &str) -> bool {
        if self.added.remove(id).is_none() {
            return false;
        }
        self.gather_silences();
        self.record(&Change { unsilenced: vec![id.to_owned()], ..Change::default() });
        true
    }

    fn gather_silences(&mut self) {
        self.silences = self.configured.iter().chain(self.added.values()).cloned().collect();
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub(crate) fn silences(&self) -> &[Silence] {
        &self.silences
    }

    pub(crate) fn is_added(&self, id: &str) -> bool {
        self.added.contains_key(id)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// True when everything is in the file.
    pub(crate) fn is_durable(&self) -> bool {
        !self.is_failing
    }

    /// Makes a change durable, and with it what an earlier failure has left out.
    fn record(&mut self, change: &Change) {
        if change.is_empty() && !self.store.is_behind() {
            return;
        }
        let Self { engine, outbox, added, store, .. } = self;
        let whole = || Change {
            alerts: engine.alerts().cloned().collect(),
            queued: outbox.entries().cloned().collect(),
            silences: added.iter().map(|(id, silence)| (id.clone(), silence.config.clone())).collect(),
            ..Change::default()
        };
        match store.record(change, whole) {
            Ok(()) if self.is_failing => {
                self.is_failing = false;
                tracing::info!("the alerts' file can be written again");
            }
            Ok(()) => {}
            Err(error) if self.is_failing => tracing::debug!(%error, "the alerts' file still cannot be written"),
            Err(error) => {
                self.is_failing = true;
                tracing::warn!(%error, "the alerts' file cannot be written; notifications are sent all the same, a crash may repeat them");
            }
        }
    }
}

#[cfg(test)]
mod tests;
