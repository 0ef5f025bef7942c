//! XADD and reading by a consumer group with acknowledgement.

use std::time::Instant;

use histbench::redis::{Connection, Item, push_command};
use histbench::{Result, thread_cpu_seconds};

use crate::producer::{Gate, beside, produce};
use crate::workload::{Ring, channel, payload};
use crate::{Measured, Options};

const STREAM: &[u8] = b"hist:stream";
const GROUP: &[u8] = b"g";
const CONSUMER: &[u8] = b"me";
const AHEAD_MAX: u64 = 50_000;

fn ring(options: &Options) -> Ring {
    Ring::build(options, |number, rng, out| {
        let points = payload(options.points, rng);
        push_command(out, &[b"XADD", STREAM, b"*", b"c", channel(number).as_bytes(), b"p", &points]);
    })
}

fn fresh_stream(options: &Options) -> Result<Connection> {
    let mut connection = Connection::open(&options.address)?;
    connection.call(&[b"DEL", STREAM])?;
    connection.call(&[b"XGROUP", b"CREATE", STREAM, GROUP, b"0", b"MKSTREAM"])?;
    Ok(connection)
}

/// XADD alone.
pub(crate) fn add(options: &Options) -> Result<Measured> {
    let (ring, mut connection) = (ring(options), fresh_stream(options)?);
    let redis_before = options.redis_cpu()?;
    let start = Instant::now();
    let producer_cpu_s = produce(options, &ring, &Gate::open())?;
    let measured = Measured {
        wall: start.elapsed(),
        redis_cpu_s: options.redis_cpu()? - redis_before,
        producer_cpu_s,
        consumer_cpu_s: 0.0,
        points: options.total * options.points,
    };
    connection.call(&[b"DEL", STREAM])?;
    Ok(measured)
}

/// Reads and acknowledges a stream that was filled before the clock starts.
pub(crate) fn read(options: &Options) -> Result<Measured> {
    let (ring, mut connection) = (ring(options), fresh_stream(options)?);
    produce(options, &ring, &Gate::open())?;
    let redis_before = options.redis_cpu()?;
    let start = Instant::now();
    let consumer_cpu_s = consume(options, &mut connection, &Gate::open())?;
    let measured = Measured {
        wall: start.elapsed(),
        redis_cpu_s: options.redis_cpu()? - redis_before,
        producer_cpu_s: 0.0,
        consumer_cpu_s,
        points: options.total * options.points,
    };
    connection.call(&[b"DEL", STREAM])?;
    Ok(measured)
}

/// Both sides at once.
pub(crate) fn add_and_read(options: &Options) -> Result<Measured> {
    let (ring, mut connection) = (ring(options), fresh_stream(options)?);
    let gate = Gate::new(AHEAD_MAX);
    let redis_before = options.redis_cpu()?;
    let start = Instant::now();
    let sides = beside(options, &ring, &gate, || consume(options, &mut connection, &gate))?;
    let measured = Measured {
        wall: start.elapsed(),
        redis_cpu_s: options.redis_cpu()? - redis_before,
        producer_cpu_s: sides.producer_cpu_s,
        consumer_cpu_s: sides.consumer_cpu_s,
        points: options.total * options.points,
    };
    connection.call(&[b"DEL", STREAM])?;
    Ok(measured)
}

fn consume(options: &Options, connection: &mut Connection, gate: &Gate) -> Result<f64> {
    let cpu_before = thread_cpu_seconds()?;
    let request = read_request(options.entries);
    let mut consumed = 0;
    while consumed < options.total {
        connection.send(&request)?;
        let mut ids = Vec::new();
        connection.reply(&mut |item| ids.extend(entry_id(&item)))?;
        acknowledge(connection, &ids)?;
        consumed += ids.len() as u64;
        gate.consumed(consumed);
    }
    Ok(thread_cpu_seconds()? - cpu_before)
}

fn read_request(entries: u64) -> Vec<u8> {
    let count = entries.to_string();
    let mut request = Vec::new();
    let head: [&[u8]; 4] = [b"XREADGROUP", b"GROUP", GROUP, CONSUMER];
    let tail: [&[u8]; 7] = [b"COUNT", count.as_bytes(), b"BLOCK", b"1000", b"STREAMS", STREAM, b">"];
    push_command(&mut request, &[&head[..], &tail[..]].concat());
    request
}

/// Entry ids are `milliseconds-number`, and 13 digits of milliseconds last until the year 2286.
fn entry_id(item: &Item<'_>) -> Option<Vec<u8>> {
    let Item::Bulk(text) = item else { return None };
    let is_id = text.get(13) == Some(&b'-') && text.first().is_some_and(u8::is_ascii_digit);
    is_id.then(|| text.to_vec())
}

fn acknowledge(connection: &mut Connection, ids: &[Vec<u8>]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut parts: Vec<&[u8]> = vec![b"XACK", STREAM, GROUP];
    parts.extend(ids.iter().map(Vec::as_slice));
    connection.call(&parts)
}
