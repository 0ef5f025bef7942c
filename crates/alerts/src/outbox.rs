//! Notifications that channels have not taken yet, in the order in which they were made; and which one is next.
//!
//! For one alert the order is kept. Otherwise one that a receiver does not take does not hold up the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use model::TimestampNs;
use serde::{Deserialize, Serialize};

use crate::engine::Notice;
use crate::notification::Notification;

/// A notification that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its place in the order.
    pub(crate) seq: u64,
    pub(crate) notification: Notification,
    /// Channels that have not taken it yet.
    pub(crate) channels: BTreeSet<String>,
}

impl Entry {
    fn is_repeat(&self) -> bool {
        self.notification.is_firing() && self.notification.repeat > 0
    }
}

/// What a channel has to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// Send this.
    Send(u64, Box<Notification>),
    /// Nothing before that time.
    At(Instant),
    /// Nothing.
    Nothing,
}

/// What became of a notice.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Pushed {
    /// To be kept; `None` when there is nobody to tell.
    pub(crate) entry: Option<Entry>,
    /// Repeats that wait no longer: places in the order.
    pub(crate) dropped: Vec<u64>,
}

/// What waits.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: BTreeMap<u64, Entry>,
    next_seq: u64,
    max: usize,
    /// When what failed may be tried again.
    not_before: BTreeMap<(u64, String), Attempts>,
}

/// What was tried.
#[derive(Debug, Clone, Copy)]
struct Attempts {
    count: u32,
    again_at: Instant,
}

impl Outbox {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    /// Puts an entry back, as it was.
    pub(crate) fn restore(&mut self, entry: Entry) {
        self.next_seq = self.next_seq.max(entry.seq + 1);
        self.entries.insert(entry.seq, entry);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many notifications can be taken that an alert fires; repeats that wait make way.
    pub(crate) fn room(&self) -> usize {
        let repeats = self.entries.values().filter(|entry| entry.is_repeat()).count();
        self.max.saturating_sub(self.entries.len() - repeats)
    }

    /// Takes a notice. Repeats of the same alert that still wait have become pointless; a repeat is, where something of its alert waits.
    /// When there is no room the oldest repeats make way. That an alert is over is always taken: there is one for each alert that
    /// was told.
    pub(crate) fn push(&mut self, notice: Notice) -> Pushed {
        let Notice { notification, channels } = notice;
        let mut dropped =
            self.drop_where(|entry| entry.is_repeat() && entry.notification.fingerprint == notification.fingerprint);
        let mut channels: BTreeSet<String> = channels.into_iter().collect();
        if notification.repeat > 0 {
            let same = self.entries.values().filter(|e| e.notification.fingerprint == notification.fingerprint);
            same.for_each(|entry| channels.retain(|name| !entry.channels.contains(name)));
        }
        if channels.is_empty() {
            return Pushed { entry: None, dropped };
        }
        if self.entries.len() >= self.max {
            let oldest = self.entries.values().find(|entry| entry.is_repeat()).map(|entry| entry.seq);
            dropped.extend(self.drop_where(|entry| Some(entry.seq) == oldest));
        }
        let entry = Entry { seq: self.next_seq, notification, channels };
        self.restore(entry.clone());
        Pushed { entry: Some(entry), dropped }
    }

    fn drop_where(&mut self, is_dropped: impl Fn(&Entry) -> bool) -> Vec<u64> {
        let dropped: Vec<u64> = self.entries.values().filter(|entry| is_dropped(entry)).map(|e| e.seq).collect();
        dropped.iter().for_each(|seq| self.remove(*seq));
        dropped
    }

    /// Takes an entry away, for all channels.
    pub(crate) fn remove(&mut self, seq: u64) {
        self.entries.remove(&seq);
        self.not_before.retain(|(other, _), _| *other != seq);
    }

    /// What a channel has to send now: what has failed least, and of that the oldest; but nothing before an older one of its alert.
    pub(crate) fn next(&self, channel: &str, now: Instant) -> Next {
        let mut held = BTreeSet::new();
        let mut best: Option<(u32, &Entry)> = None;
        let mut earliest: Option<Instant> = None;
        for entry in self.entries.values().filter(|entry| entry.channels.contains(channel)) {
            if !held.insert(&entry.notification.fingerprint) {
                continue;
            }
            match self.not_before.get(&(entry.seq, channel.to_owned())) {
                None => return Next::Send(entry.seq, Box::new(entry.notification.clone())),
                Some(tried) if tried.again_at > now => {
                    earliest = Some(earliest.map_or(tried.again_at, |at| at.min(tried.again_at)));
                }
                Some(tried) if best.is_none_or(|(fewest, _)| tried.count < fewest) => best = Some((tried.count, entry)),
                Some(_) => {}
            }
        }
        match best {
            Some((_, entry)) => Next::Send(entry.seq, Box::new(entry.notification.clone())),
            None => earliest.map_or(Next::Nothing, Next::At),
        }
    }

    /// How often this one has failed.
    pub(crate) fn failures(&self, seq: u64, channel: &str) -> u32 {
        self.not_before.get(&(seq, channel.to_owned())).map_or(0, |attempts| attempts.count)
    }

    /// It failed, and is to be tried again.
    pub(crate) fn again(&mut self, seq: u64, channel: &str, again_at: Instant) {
        if self.entries.contains_key(&seq) {
            let count = self.failures(seq, channel).saturating_add(1);
            self.not_before.insert((seq, channel.to_owned()), Attempts { count, again_at });
        }
    }

    /// The channel is done with it.
    pub(crate) fn done(&mut self, seq: u64, channel: &str) {
        self.not_before.remove(&(seq, channel.to_owned()));
        if let Some(entry) = self.entries.get_mut(&seq) {
            entry.channels.remove(channel);
            if entry.channels.is_empty() {
                self.entries.remove(&seq);
            }
        }
    }

    /// How many wait for a channel, and since when the oldest one does.
    pub(crate) fn waiting(&self, channel: &str) -> (usize, Option<TimestampNs>) {
        let mut waiting = self.entries.values().filter(|entry| entry.channels.contains(channel));
        let oldest = waiting.next().map(|entry| entry.notification.made.0);
        (oldest.map_or(0, |_| 1 + waiting.count()), oldest)
    }

    /// What waits for a channel and was made before a time.
    pub(crate) fn made_before(&self, channel: &str, time: TimestampNs) -> Vec<Entry> {
        let is_old = |entry: &&Entry| entry.channels.contains(channel) && entry.notification.made.0 <= time;
        self.entries.values().filter(is_old).cloned().collect()
    }

    /// Channels that something waits for.
    pub(crate) fn channels(&self) -> BTreeSet<String> {
        self.entries.values().flat_map(|entry| entry.channels.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Alert, Phase, Rule};
    use crate::notification::{Status, Transition};
    use std::time::Duration;

    fn notice(series: &str, transition: Transition, channels: &[&str]) -> Notice {
        let rule = Rule::store_away(Vec::new());
        let labels: crate::Labels = [("store".to_owned(), series.to_owned())].into();
        let alert = Alert {
            rule: rule.name.clone(),
            fingerprint: crate::Fingerprint::of(&rule.name, &labels),
            series: labels,
            phase: match transition {
                Transition::Resolved => Phase::Resolved { since: 1, until: 2 },
                _ => Phase::Firing { since: 1, over: None },
            },
            reading: crate::engine::Reading::default(),
            told: None,
        };
        let notification = Notification::new(&rule, &alert, transition, TimestampNs(5));
        Notice { notification, channels: channels.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn sent(outbox: &Outbox, channel: &str, now: Instant) -> Option<(u64, Status)> {
        match outbox.next(channel, now) {
            Next::Send(seq, notification) => Some((seq, notification.status)),
            _ => None,
        }
    }

    #[test]
    fn each_channel_takes_what_waits_in_order() {
        let (mut outbox, now) = (Outbox::new(10), Instant::now());
        outbox.push(notice("a", Transition::Firing, &["x", "y"]));
        outbox.push(notice("a", Transition::Resolved, &["x", "y"]));
        assert_eq!(sent(&outbox, "x", now), Some((0, Status::Firing)));
        outbox.done(0, "x");
        assert_eq!(sent(&outbox, "x", now), Some((1, Status::Resolved)));
        assert_eq!(sent(&outbox, "y", now), Some((0, Status::Firing)));
        outbox.done(1, "x");
        outbox.done(0, "y");
        outbox.done(1, "y");
        assert_eq!((outbox.len(), outbox.next("x", now)), (0, Next::Nothing));
    }

    #[test]
    fn what_fails_holds_up_its_own_alert_only() {
        let (mut outbox, now) = (Outbox::new(10), Instant::now());
        outbox.push(notice("a", Transition::Firing, &["x"]));
        outbox.push(notice("a", Transition::Resolved, &["x"]));
        outbox.push(notice("b", Transition::Firing, &["x"]));
        let later = now + Duration::from_secs(5);
        outbox.again(0, "x", later);
        assert_eq!(sent(&outbox, "x", now), Some((2, Status::Firing)));
        outbox.done(2, "x");
        assert_eq!(outbox.next("x", now), Next::At(later));
        assert_eq!(sent(&outbox, "x", later), Some((0, Status::Firing)));
        assert_eq!(outbox.failures(0, "x"), 1);
    }

    #[test]
    fn repeats_make_way_and_the_first_and_the_last_word_never_do() {
        let mut outbox = Outbox::new(3);
        outbox.push(notice("a", Transition::Firing, &["x"]));
        outbox.push(notice("b", Transition::Repeat(1), &["x"]));
        outbox.push(notice("c", Transition::Repeat(1), &["x"]));
        assert_eq!(outbox.room(), 2);
        assert_eq!(outbox.push(notice("d", Transition::Firing, &["x"])).dropped, [1]);
        assert_eq!(outbox.push(notice("e", Transition::Firing, &["x"])).dropped, [2]);
        assert_eq!(outbox.room(), 0);
        let over = outbox.push(notice("a", Transition::Resolved, &["x"]));
        assert!(over.entry.is_some() && over.dropped.is_empty());
        assert_eq!(outbox.len(), 4);
    }

    #[test]
    fn a_repeat_is_pointless_while_something_of_its_alert_waits() {
        let mut outbox = Outbox::new(10);
        outbox.push(notice("a", Transition::Firing, &["x", "y"]));
        outbox.done(0, "y");
        let repeat = outbox.push(notice("a", Transition::Repeat(1), &["x", "y"])).entry.unwrap();
        assert_eq!(repeat.channels, ["y".to_owned()].into());
        assert_eq!(outbox.push(notice("a", Transition::Repeat(2), &["x", "y"])).dropped, [repeat.seq]);
        let over = outbox.push(notice("a", Transition::Resolved, &["x", "y"]));
        assert_eq!((over.dropped.len(), over.entry.unwrap().channels.len()), (1, 2));
    }
}
