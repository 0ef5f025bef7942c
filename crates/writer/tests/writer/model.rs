//! Whatever happens meanwhile, in the end the store holds what a straightforward replay of the journal gives.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use backend::WriteError;
use model::{FieldType, FieldValue, HumanDuration, TimestampNs};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use writer::{StoreWriter, WriterConfig};

use crate::store::{Content, MemoryStore, away};
use crate::support::{MS, NOW_S, Plant, assert_balanced, key};

/// Series; few, so that most values meet others.
const SERIES: usize = 12;
/// What the store loses when it is killed.
const UNSAFE_FOR: Duration = Duration::from_millis(60);

static CLOCK_NS: AtomicI64 = AtomicI64::new(0);

fn now() -> TimestampNs {
    TimestampNs(NOW_S * 1_000_000_000 + CLOCK_NS.load(SeqCst))
}

#[derive(Debug, Clone)]
enum Step {
    /// Records with so many values each.
    Write {
        records: usize,
        values: usize,
    },
    Up(bool),
    Kill,
    /// So many of 16 requests fail.
    Fail(u64),
    /// Points of this series are refused.
    Refuse(Option<usize>),
    Pause(bool),
    Restart,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1usize..40, 1usize..40).prop_map(|(records, values)| Step::Write { records, values }),
        2 => any::<bool>().prop_map(Step::Up),
        1 => Just(Step::Kill),
        1 => (0u64..12).prop_map(Step::Fail),
        1 => prop::option::of(0..SERIES).prop_map(Step::Refuse),
        1 => any::<bool>().prop_map(Step::Pause),
        1 => Just(Step::Restart),
        5 => (0u64..60).prop_map(Step::Wait),
    ]
}

#[derive(Debug, Clone)]
struct Case {
    workers: usize,
    loses: bool,
    latency_ms: u64,
    seed: u64,
    forecasts: bool,
    steps: Vec<Step>,
}

fn case() -> impl Strategy<Value = Case> {
    let steps = prop::collection::vec(step(), 5..60);
    let flags = (any::<bool>(), any::<bool>());
    (1usize..5, flags, prop_oneof![0u64..12, 0u64..60], any::<u64>(), steps).prop_map(
        |(workers, (loses, forecasts), latency_ms, seed, steps)| Case {
            workers,
            loses,
            latency_ms,
            seed,
            forecasts,
            steps,
        },
    )
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

struct Run {
    plant: Plant,
    columns: Vec<model::ColumnId>,
    config: WriterConfig,
    replay: Content,
    random: Random,
    forecasts: bool,
    written: u32,
    refused: bool,
}

impl Run {
    fn new(case: &Case) -> Self {
        let store = if case.loses { MemoryStore::losing(UNSAFE_FOR) } else { MemoryStore::new() };
        store.be_erratic();
        store.set_latency(Duration::from_millis(case.latency_ms));
        let mut plant = Plant::new(store);
        plant.clock = now;
        let columns = (0..SERIES).map(|n| plant.column(&format!("m,n={n}"), "value", FieldType::Float)).collect();
        let config = WriterConfig {
            num_workers: case.workers,
            batch_size: 100,
            max_wait: HumanDuration(3 * MS),
            retry_delay: HumanDuration(2 * MS),
            ..WriterConfig::default()
        };
        let random = Random(case.seed);
        Self {
            plant,
            columns,
            config,
            replay: Content::new(),
            random,
            forecasts: case.forecasts,
            written: 0,
            refused: false,
        }
    }

    /// Values of a few old times, of the present, of clocks ahead and of forecasts.
    fn time(&mut self) -> i64 {
        let now = now().0 / 1_000_000_000 * 1_000_000_000;
        let s = 1_000_000_000;
        match self.random.below(if self.forecasts { 20 } else { 12 }) {
            0..4 => NOW_S * s - 1_000 * s + self.random.below(5) as i64 * s,
            4..12 => now - self.random.below(3) as i64 * s,
            12..16 => now + self.random.below(40) as i64 * s,
            _ => NOW_S * s + 86_400 * s + self.random.below(5) as i64 * s,
        }
    }

    fn write(&mut self, records: usize, values: usize) {
        for _ in 0..records {
            CLOCK_NS.fetch_add(self.random.below(100) as i64 * 10_000_000, SeqCst);
            let mut record = Vec::new();
            for _ in 0..values {
                let (n, time) = (self.random.below(SERIES as u64) as usize, self.time());
                self.written += 1;
                let value = FieldValue::Float(f64::from(self.written));
                record.push((self.columns[n], time, value));
                self.replay.insert(key(n, time), format!("{value:?}"));
            }
            self.plant.write(&record);
        }
    }

    fn fail(&mut self, of_16: u64, refused: Option<usize>) {
        let mut random = Random(self.random.below(u64::MAX));
        self.refused |= refused.is_some();
        self.plant.store.script(move |request| {
            if random.below(16) < of_16 {
                return Err(if random.below(2) == 0 {
                    away()
                } else {
                    WriteError::Busy { message: "busy".into(), retry_after: None }
                });
            }
            let is_refused = refused.map(|n| format!("m,n={n}"));
            if request.points.iter().any(|(key, _)| Some(&key.2) == is_refused.as_ref()) {
                return Err(WriteError::Points { message: "conflict".into(), blame: backend::Blame::Column });
            }
            if request.points.len() > 700 { Err(WriteError::TooLarge { message: "large".into() }) } else { Ok(()) }
        });
    }

    fn perform(&mut self, step: &Step, writer: &mut StoreWriter) {
        match step {
            Step::Write { records, values } => self.write(*records, *values),
            Step::Up(up) => self.plant.store.set_up(*up),
            Step::Kill => self.plant.store.kill_and_restart(),
            Step::Fail(of_16) => self.fail(*of_16, None),
            Step::Refuse(refused) => self.fail(0, *refused),
            Step::Pause(true) => writer.pause(),
            Step::Pause(false) => writer.resume(),
            Step::Restart => {
                writer.stop(Instant::now() + self.random.below(300) as u32 * MS);
                // A request may still be under way: a new process would find the old one's gone.
                std::thread::sleep(80 * MS);
                assert_balanced(&writer.status());
                *writer = self.plant.start(self.config.clone());
            }
            Step::Wait(ms) => std::thread::sleep(*ms as u32 * MS),
        }
    }

    /// Content of the store but for points that were refused at some time, and the same of the replay.
    fn compare(&self) -> (Content, Content) {
        (self.plant.store.content(), self.replay.clone())
    }
}

fn run(case: &Case) -> Result<(), TestCaseError> {
    let mut run = Run::new(case);
    let mut writer = run.plant.start(run.config.clone());
    for step in &case.steps {
        run.perform(step, &mut writer);
    }
    run.plant.store.set_up(true);
    run.plant.store.script(|_| Ok(()));
    writer.resume();
    let last = run.plant.journal.stats().last_seq;
    let deadline = Instant::now() + Duration::from_secs(60);
    while run.plant.committed() < last {
        prop_assert!(Instant::now() < deadline, "not done: {:?}", writer.status());
        std::thread::sleep(MS);
    }
    writer.stop(Instant::now() + Duration::from_secs(5));
    let status = writer.status();
    assert_balanced(&status);
    prop_assert_eq!(status.on_the_way, 0, "{:?}", status);
    let (content, replay) = run.compare();
    if !run.refused {
        prop_assert_eq!(content, replay);
    } else {
        prop_assert!(content.iter().all(|(key, _)| replay.contains_key(key)));
    }
    Ok(())
}

/// Cases to try: a few, or as many as the environment says when somebody wants to be sure.
fn cases() -> u32 {
    std::env::var("WRITER_CASES").map_or(12, |cases| cases.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn in_the_end_the_store_holds_what_a_replay_gives(case in case()) {
        run(&case)?;
    }
}
