//! PUBLISH, alone and beside one pattern subscriber.

use std::time::Instant;

use histbench::redis::{Connection, push_command};
use histbench::{Result, thread_cpu_seconds};

use crate::producer::{Gate, beside, produce};
use crate::workload::{Ring, channel, payload};
use crate::{Measured, Options};

/// Messages the publisher may be ahead of a subscriber: far below the output buffer that Redis grants it.
const AHEAD_MAX: u64 = 20_000;

fn ring(options: &Options) -> Ring {
    Ring::build(options, |number, rng, out| {
        push_command(out, &[b"PUBLISH", channel(number).as_bytes(), &payload(options.points, rng)]);
    })
}

/// PUBLISH without a subscriber.
pub(crate) fn publish_only(options: &Options) -> Result<Measured> {
    let ring = ring(options);
    let redis_before = options.redis_cpu()?;
    let start = Instant::now();
    let producer_cpu_s = produce(options, &ring, &Gate::open())?;
    Ok(Measured {
        wall: start.elapsed(),
        redis_cpu_s: options.redis_cpu()? - redis_before,
        producer_cpu_s,
        consumer_cpu_s: 0.0,
        points: options.total * options.points,
    })
}

/// PUBLISH beside one subscriber that reads everything and keeps nothing.
pub(crate) fn publish_and_subscribe(options: &Options) -> Result<Measured> {
    let ring = ring(options);
    let mut subscriber = Connection::open(&options.address)?;
    subscriber.call(&[b"PSUBSCRIBE", b"comsrv:*"])?;
    let gate = Gate::new((AHEAD_MAX / options.points.max(1)).max(options.pipe * 2));
    let redis_before = options.redis_cpu()?;
    let start = Instant::now();
    let sides = beside(options, &ring, &gate, || read_all(options, &mut subscriber, &gate))?;
    Ok(Measured {
        wall: start.elapsed(),
        redis_cpu_s: options.redis_cpu()? - redis_before,
        producer_cpu_s: sides.producer_cpu_s,
        consumer_cpu_s: sides.consumer_cpu_s,
        points: options.total * options.points,
    })
}

fn read_all(options: &Options, subscriber: &mut Connection, gate: &Gate) -> Result<f64> {
    const TELL_EVERY: u64 = 64;
    let cpu_before = thread_cpu_seconds()?;
    for message in 1..=options.total {
        subscriber.reply(&mut |_| {})?;
        if message % TELL_EVERY == 0 || message == options.total {
            gate.consumed(message);
        }
    }
    Ok(thread_cpu_seconds()? - cpu_before)
}
