//! Writing and reading whole hashes.

use std::time::Instant;

use histbench::Result;
use histbench::Rng;
use histbench::redis::{Connection, push_command, push_command_start, push_part};
use histbench::text::push_micro;

use crate::producer::{Gate, produce};
use crate::workload::{CHANNELS, Ring, channel, value_micro};
use crate::{Measured, Options};

/// HSET of all fields of a hash.
pub(crate) fn set(options: &Options) -> Result<Measured> {
    let ring = Ring::build(options, |number, rng, out| push_hset(out, number, options.fields, rng));
    measure(options, &ring)
}

/// HGETALL of hashes filled before the clock starts.
pub(crate) fn get_all(options: &Options) -> Result<Measured> {
    fill(options)?;
    let ring = Ring::build(options, |number, _, out| push_command(out, &[b"HGETALL", channel(number).as_bytes()]));
    measure(options, &ring)
}

fn measure(options: &Options, ring: &Ring) -> Result<Measured> {
    let redis_before = options.redis_cpu()?;
    let start = Instant::now();
    let producer_cpu_s = produce(options, ring, &Gate::open())?;
    Ok(Measured {
        wall: start.elapsed(),
        redis_cpu_s: options.redis_cpu()? - redis_before,
        producer_cpu_s,
        consumer_cpu_s: 0.0,
        points: options.total * options.fields,
    })
}

fn fill(options: &Options) -> Result<()> {
    let mut connection = Connection::open(&options.address)?;
    let mut rng = Rng::new(3);
    for number in 0..CHANNELS {
        let mut command = Vec::new();
        push_hset(&mut command, number, options.fields, &mut rng);
        connection.send(&command)?;
        connection.reply(&mut |_| {})?;
    }
    Ok(())
}

fn push_hset(out: &mut Vec<u8>, number: u64, fields: u64, rng: &mut Rng) {
    push_command_start(out, 2 + 2 * fields as usize);
    push_part(out, b"HSET");
    push_part(out, channel(number).as_bytes());
    for field in 0..fields {
        push_part(out, (10_001 + field).to_string().as_bytes());
        let mut value = Vec::new();
        push_micro(&mut value, value_micro(rng));
        push_part(out, &value);
    }
}
