//! Sends a ring of commands, one buffer in flight, and holds back when the consumer falls behind.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use histbench::redis::Connection;
use histbench::{Result, thread_cpu_seconds};

use crate::Options;
use crate::workload::Ring;

/// How far a producer may be ahead of its consumer.
pub(crate) struct Gate {
    consumed: AtomicU64,
    consumer_ended: AtomicBool,
    ahead_max: u64,
}

impl Gate {
    /// Lets the producer be `ahead_max` messages ahead.
    pub(crate) fn new(ahead_max: u64) -> Self {
        Self { consumed: AtomicU64::new(0), consumer_ended: AtomicBool::new(false), ahead_max }
    }

    /// Nobody consumes: never hold back.
    pub(crate) fn open() -> Self {
        Self::new(u64::MAX)
    }

    /// The consumer has so many messages.
    pub(crate) fn consumed(&self, messages: u64) {
        self.consumed.store(messages, Relaxed);
    }

    /// The consumer has ended, well or not: nobody is to wait for it.
    pub(crate) fn consumer_ended(&self) {
        self.consumer_ended.store(true, Relaxed);
    }

    fn wait(&self, sent: u64) {
        while sent.saturating_sub(self.consumed.load(Relaxed)) > self.ahead_max && !self.consumer_ended.load(Relaxed) {
            thread::sleep(Duration::from_micros(50));
        }
    }
}

/// Sends `options.total` commands and gives the processor time of this thread.
///
/// # Errors
/// When the connection broke or Redis refused a command.
pub(crate) fn produce(options: &Options, ring: &Ring, gate: &Gate) -> Result<f64> {
    let mut connection = Connection::open(&options.address)?;
    let cpu_before = thread_cpu_seconds()?;
    let mut sent = 0;
    for commands in ring.take(options.total) {
        gate.wait(sent);
        connection.send(commands)?;
        for _ in 0..ring.pipe {
            connection.reply(&mut |_| {})?;
        }
        sent += ring.pipe;
    }
    Ok(thread_cpu_seconds()? - cpu_before)
}

/// Processor time of both sides.
pub(crate) struct Sides {
    pub(crate) producer_cpu_s: f64,
    pub(crate) consumer_cpu_s: f64,
}

/// Runs the producer beside `consume`, which tells the gate how far it is and gives its processor time.
///
/// # Errors
/// The consumer's first, then the producer's.
pub(crate) fn beside(
    options: &Options,
    ring: &Ring,
    gate: &Gate,
    consume: impl FnOnce() -> Result<f64> + Send,
) -> Result<Sides> {
    thread::scope(|scope| {
        let consumer = scope.spawn(|| {
            let outcome = consume();
            gate.consumer_ended();
            outcome
        });
        let produced = produce(options, ring, gate);
        let consumer_cpu_s = consumer.join().map_err(|_| "the consumer died")??;
        Ok(Sides { producer_cpu_s: produced?, consumer_cpu_s })
    })
}
