//! Invented events of VMs and hosts: a pure function of seed, node and hour, so that they are the same however often they are made.

use model::{TimestampNs, WindowNs};

use crate::config::{Demo, Language};
use crate::fnv::Fnv;

/// Each hour holds one event or none.
const SLOT_NS: i64 = 3_600_000_000_000;
const SLOTS_PER_DAY: f64 = 24.0;
/// Hours that are searched for the next event before a pause; after so long without samples a node has no events in between.
const SEARCHED_SLOTS: i64 = 48;

/// What may happen to a node: word (the event's `metric`), English, Chinese.
type Happening = (&'static str, &'static str, &'static str);

const OF_VM: [Happening; 4] = [
    ("start", "started", "启动"),
    ("stop", "stopped", "停止"),
    ("restart", "restarted", "重启"),
    ("migrate", "migrated to another host", "迁移到其他主机"),
];
const OF_HOST: [Happening; 4] = [
    ("start", "started", "启动"),
    ("stop", "stopped", "停止"),
    ("maintenance", "under maintenance", "进入维护"),
    ("upgrade", "upgraded", "升级"),
];

/// What may happen to nodes of a type.
fn happenings(node_type: &str) -> Option<&'static [Happening]> {
    match node_type {
        "VM" => Some(&OF_VM),
        "HOST" => Some(&OF_HOST),
        _ => None,
    }
}

/// The words of what may happen to nodes of a type.
pub(crate) fn words(node_type: &str) -> impl Iterator<Item = &'static str> {
    happenings(node_type).unwrap_or_default().iter().map(|(word, _, _)| *word)
}

/// An invented event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Invented {
    pub(crate) time: TimestampNs,
    pub(crate) word: &'static str,
    en: &'static str,
    zh: &'static str,
}

impl Invented {
    pub(crate) const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        }
    }
}

/// The events of one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inventor<'a> {
    pub(crate) demo: Demo,
    pub(crate) node_type: &'a str,
    pub(crate) node_id: &'a str,
}

impl Inventor<'_> {
    /// When to look next, always later than `after`: the time of the next event, or one before it when that is far away.
    pub(crate) fn next_after(&self, after: TimestampNs) -> TimestampNs {
        let first = slot_of(after);
        let in_slot = |n: i64| self.of_slot(first.saturating_add(n.saturating_mul(SLOT_NS)));
        let found = (0..SEARCHED_SLOTS).filter_map(in_slot).find(|event| event.time > after);
        found.map_or(first.saturating_add(SEARCHED_SLOTS * SLOT_NS), |event| event.time)
    }

    /// The event at exactly this time.
    pub(crate) fn at(&self, time: TimestampNs) -> Option<Invented> {
        self.of_slot(slot_of(time)).filter(|event| event.time == time)
    }

    fn of_slot(&self, slot: TimestampNs) -> Option<Invented> {
        let hash =
            Fnv::new().integer(self.demo.seed.cast_signed()).text(self.node_type).text(self.node_id).integer(slot.0);
        // 53 bits make a number of 0 to 1, as usual.
        let chance = (hash.finish_mixed() >> 11) as f64 / (1u64 << 53) as f64;
        if chance * SLOTS_PER_DAY >= self.demo.per_day {
            return None;
        }
        let more = hash.text("which and when").finish_mixed();
        let known = happenings(self.node_type)?;
        let &(word, en, zh) = known.get(usize::try_from(more >> 48).ok()? % known.len())?;
        let second = i64::try_from((more & 0xffff_ffff) % 3600).ok()?;
        Some(Invented { time: slot.saturating_add(second * 1_000_000_000), word, en, zh })
    }
}

fn slot_of(time: TimestampNs) -> TimestampNs {
    WindowNs::new(SLOT_NS).map_or(time, |slot| time.window_start(slot))
}

/// True when events between these two are left out, since the node sent nothing for so long.
pub(crate) fn is_pause(from: TimestampNs, to: TimestampNs) -> bool {
    to.0.saturating_sub(from.0) > SEARCHED_SLOTS * SLOT_NS
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * SLOT_NS;

    fn inventor(seed: u64, per_day: f64) -> Inventor<'static> {
        Inventor { demo: Demo { enabled: true, seed, per_day }, node_type: "VM", node_id: "vm-1" }
    }

    fn events(inventor: &Inventor<'_>, days: i64) -> Vec<Invented> {
        let mut time = TimestampNs(0);
        let mut found = Vec::new();
        while time.0 < days * DAY {
            time = inventor.next_after(time);
            found.extend(inventor.at(time));
        }
        found
    }

    #[test]
    fn events_come_as_often_as_wanted_and_are_the_same_again() {
        let found = events(&inventor(1, 0.5), 1000);
        assert!((400..600).contains(&found.len()), "{}", found.len());
        assert_eq!(found, events(&inventor(1, 0.5), 1000));
        assert_ne!(found, events(&inventor(2, 0.5), 1000));
        assert!(OF_VM.iter().all(|(word, _, _)| found.iter().any(|event| event.word == *word)));
    }

    #[test]
    fn nothing_happens_to_types_without_happenings_or_never() {
        assert_eq!(events(&Inventor { node_type: "TRU", ..inventor(1, 24.0) }, 10), []);
        assert_eq!(events(&inventor(1, 0.0), 10), []);
    }

    #[test]
    fn the_next_look_is_always_later() {
        for time in [i64::MIN, -1, 0, DAY, i64::MAX - 60 * SLOT_NS] {
            assert!(inventor(1, 24.0).next_after(TimestampNs(time)).0 > time);
        }
    }
}
