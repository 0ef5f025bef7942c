//! Any sequence of marks, work, and restarts leaves dirty what the model says: exactly that where only single windows were marked,
//! and no less where a window may be marked twice over, or memory is short.

use std::collections::BTreeSet;

use model::{ByteSize, ColumnId, TimeRange, TimestampNs};
use proptest::prelude::*;
use rollup::ledger::{Columns, Ledger, LedgerLimits, Marked, Order, TaskNumber, What, Work};
use vfs::FaultFs;

use crate::support::{A, B, COLUMNS, PLENTY, Pair, Universe, clean, columns, try_open};

/// So little that marks become coarse at once.
const SHORT: LedgerLimits = LedgerLimits { max_memory: ByteSize(3000) };

#[derive(Debug, Clone)]
enum Step {
    Mark(TaskNumber, Vec<(u32, usize)>),
    MarkRange(TaskNumber, Vec<u32>, TimeSpan),
    MarkEverything(TaskNumber),
    Take(TaskNumber, usize, Order, usize),
    Done(usize),
    /// With the columns and windows that remain, by their number modulo something.
    DoneBut(usize, u32),
    GiveBack(usize),
    Persist,
    Reopen,
}

#[derive(Debug, Clone)]
enum TimeSpan {
    Between(usize, usize),
    Since(usize),
    Until(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    SingleWindows,
    Anything,
    ShortOfMemory,
}

/// What ought to be dirty.
struct Model {
    marked: BTreeSet<Pair>,
    stored: BTreeSet<Pair>,
}

struct Run {
    universe: Universe,
    fs: FaultFs,
    kind: Kind,
    ledger: Ledger,
    model: Model,
    in_work: Vec<(Work, BTreeSet<Pair>)>,
}

impl Kind {
    fn limits(self) -> LedgerLimits {
        if self == Self::ShortOfMemory { SHORT } else { PLENTY }
    }

    fn allows(self, step: &Step) -> bool {
        self != Self::SingleWindows || !matches!(step, Step::MarkRange(..) | Step::MarkEverything(_))
    }
}

impl Run {
    fn new(kind: Kind) -> Self {
        let (universe, fs) = (Universe::new(), FaultFs::new());
        let (ledger, _) = try_open(&fs, kind.limits()).unwrap();
        let model = Model { marked: universe.everything(), stored: universe.everything() };
        let mut run = Self { universe, fs, kind, ledger, model, in_work: Vec::new() };
        if kind == Kind::SingleWindows {
            run.finish();
            run.step(&Step::Persist);
        }
        run
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Mark(task, values) => self.mark(*task, values),
            Step::MarkRange(task, ids, span) => self.mark_range(*task, ids, span),
            Step::MarkEverything(task) => {
                self.ledger.mark_everything(*task);
                self.model.marked.extend(self.universe.meeting(*task, TimeRange::ALL, &Columns::All));
            }
            Step::Take(task, ripe, order, max) => self.take(*task, self.universe.instant(*ripe), *order, *max),
            Step::Done(n) => self.with_work(*n, |ledger, work| ledger.done(work), |_| false),
            Step::DoneBut(n, modulus) => self.done_but(*n, *modulus),
            Step::GiveBack(n) => self.with_work(*n, |ledger, work| ledger.give_back(work), |_| true),
            Step::Persist => {
                self.ledger.persist().unwrap();
                self.model.stored = self.dirty();
            }
            Step::Reopen => {
                self.ledger = try_open(&self.fs, self.kind.limits()).unwrap().0;
                self.in_work.clear();
                self.model.marked = self.model.stored.clone();
            }
        }
    }

    fn mark(&mut self, task: TaskNumber, values: &[(u32, usize)]) {
        let values = values.iter().map(|(column, n)| (ColumnId(*column), self.universe.instant(*n)));
        self.ledger.mark(task, values.clone());
        for (column, time) in values {
            let instant = TimeRange::new(time, time.saturating_add(1));
            self.model.marked.extend(self.universe.meeting(task, instant, &columns(&[column.0]).into()));
        }
    }

    fn mark_range(&mut self, task: TaskNumber, ids: &[u32], span: &TimeSpan) {
        let at = |n: &usize| self.universe.instant(*n);
        let range = match span {
            TimeSpan::Between(a, b) => TimeRange::new(at(a), at(b)),
            TimeSpan::Since(a) => TimeRange::new(at(a), TimestampNs::MAX),
            TimeSpan::Until(b) => TimeRange::new(TimestampNs::MIN, at(b)),
        };
        self.ledger.mark_range(task, &columns(ids), range);
        self.model.marked.extend(self.universe.meeting(task, range, &columns(ids).into()));
    }

    fn take(&mut self, task: TaskNumber, ripe: TimestampNs, order: Order, max: usize) {
        let ended = |pair: &&Pair| pair.0 == task && self.universe.windows(task)[pair.1].end <= ripe;
        let ready: Vec<TimeRange> =
            self.model.marked.iter().filter(ended).map(|pair| self.universe.windows(task)[pair.1]).collect();
        let Some(work) = self.ledger.take(task, ripe, order, max) else {
            assert!(ready.is_empty() || !self.in_work.is_empty(), "{ready:?} was not handed out");
            return;
        };
        let pairs = self.universe.of_work(task, work.what());
        if let What::Windows(windows) = work.what() {
            assert!(windows.iter().all(|mark| mark.range.end <= ripe));
            let handed_out: u64 = windows.iter().filter_map(|mark| mark.columns.len()).sum();
            assert!(handed_out <= max.max(1) as u64, "{handed_out} pairs");
        }
        assert!(self.in_work.iter().all(|(_, others)| others.is_disjoint(&pairs)), "handed out twice");
        if self.in_work.is_empty() {
            check_order(&work, &ready, order);
        }
        if self.is_exact() {
            assert!(pairs.is_subset(&self.model.marked), "{pairs:?} is not dirty");
        }
        self.model.marked.retain(|pair| !pairs.contains(pair));
        self.in_work.push((work, pairs));
    }

    fn done_but(&mut self, n: usize, modulus: u32) {
        let universe = Universe::new();
        let remains = |pair: &Pair| (pair.1 as u32 + pair.2).is_multiple_of(modulus);
        let give_back = |ledger: &Ledger, work: Work| {
            let pairs = universe.of_work(work.task(), work.what());
            let remaining = pairs.into_iter().filter(remains).map(|(task, window, column)| Marked {
                range: universe.windows(task)[window],
                columns: columns(&[column]).into(),
            });
            ledger.done_but(work, remaining.collect());
        };
        self.with_work(n, give_back, remains);
    }

    fn with_work(&mut self, n: usize, finish: impl Fn(&Ledger, Work), remains: impl Fn(&Pair) -> bool) {
        if self.in_work.is_empty() {
            return;
        }
        let (work, pairs) = self.in_work.swap_remove(n % self.in_work.len());
        finish(&self.ledger, work);
        self.model.marked.extend(pairs.into_iter().filter(remains));
    }

    /// Gives all work back and does all there is.
    fn finish(&mut self) {
        while !self.in_work.is_empty() {
            self.step(&Step::GiveBack(0));
        }
        clean(&self.ledger);
        self.model.marked.clear();
    }

    fn dirty(&self) -> BTreeSet<Pair> {
        self.model.marked.iter().chain(self.in_work.iter().flat_map(|(_, pairs)| pairs)).copied().collect()
    }

    fn is_exact(&self) -> bool {
        self.kind == Kind::SingleWindows
    }

    fn check(&self, context: &str) {
        let (expected, found) = (self.dirty(), self.universe.dirty(&self.ledger));
        let missing: Vec<_> = expected.difference(&found).collect();
        assert!(missing.is_empty(), "{context}: {missing:?} is not dirty any more");
        for task in [A, B] {
            let of_task = expected.iter().filter(|pair| pair.0 == task);
            let oldest = of_task.map(|pair| self.universe.windows(task)[pair.1].start).min();
            let found = self.ledger.oldest(task);
            let is_right = if self.is_exact() { found == oldest } else { oldest.is_none() || found <= oldest };
            assert!(is_right, "{context}: {found:?} is not {oldest:?}");
        }
        if self.is_exact() {
            assert_eq!(found, expected, "{context}");
        }
    }
}

/// Nothing that is ready comes before what was handed out.
fn check_order(work: &Work, ready: &[TimeRange], order: Order) {
    let marked = work.what().marked();
    let (first, last) = (marked.first().unwrap().range, marked.last().unwrap().range);
    match order {
        Order::OldestFirst => assert!(ready.iter().all(|window| first.start <= window.start)),
        Order::NewestFirst => assert!(ready.iter().all(|window| last.end >= window.end)),
    }
    assert!(marked.iter().zip(marked.iter().skip(1)).all(|(a, b)| a.range.end == b.range.start));
}

fn any_step() -> impl Strategy<Value = Step> {
    let task = || prop::sample::select(vec![A, B]);
    let ids = || prop::collection::vec(0..COLUMNS, 1..4);
    let instant = || 0usize..30;
    let order = prop::sample::select(vec![Order::OldestFirst, Order::NewestFirst]);
    let span = prop_oneof![
        4 => (instant(), instant()).prop_map(|(a, b)| TimeSpan::Between(a, b)),
        1 => instant().prop_map(TimeSpan::Since),
        1 => instant().prop_map(TimeSpan::Until),
    ];
    prop_oneof![
        6 => (task(), prop::collection::vec((0..COLUMNS, instant()), 1..30)).prop_map(|(t, v)| Step::Mark(t, v)),
        2 => (task(), ids(), span).prop_map(|(t, c, s)| Step::MarkRange(t, c, s)),
        1 => task().prop_map(Step::MarkEverything),
        6 => (task(), instant(), order, 0usize..20).prop_map(|(t, r, o, m)| Step::Take(t, r, o, m)),
        4 => (0usize..5).prop_map(Step::Done),
        2 => (0usize..5, 1u32..5).prop_map(|(n, m)| Step::DoneBut(n, m)),
        2 => (0usize..5).prop_map(Step::GiveBack),
        2 => Just(Step::Persist),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_dirty_is_what_was_marked_and_not_done(
        steps in prop::collection::vec(any_step(), 1..50),
        kind in prop::sample::select(vec![Kind::SingleWindows, Kind::Anything, Kind::ShortOfMemory]),
    ) {
        let mut run = Run::new(kind);
        for step in steps.iter().filter(|step| kind.allows(step)) {
            run.step(step);
            run.check(&format!("after {step:?}"));
        }
        prop_assert_eq!(run.universe.dirty(&run.ledger), run.universe.dirty_one_by_one(&run.ledger));
        run.finish();
        prop_assert_eq!(run.universe.dirty(&run.ledger), BTreeSet::new());
    }
}
