//! Updates every field of many hashes once, as the newest producers do, which publish nothing.

use std::time::Instant;

use histbench::redis::{Connection, push_command_start, push_part};
use histbench::text::push_micro;
use histbench::{Args, Result, Rng};

use crate::{FIRST_CHANNEL, FIRST_POINT, START_MS, value_micro};

/// Hashes written before their replies are awaited.
const PIPELINED: u64 = 50;

/// Sets all fields.
///
/// # Errors
/// When the connection broke or Redis refused a command.
pub(crate) fn run(args: &Args) -> Result<String> {
    let channels: u64 = args.number("channels", 2000)?;
    let points: u64 = args.number("points", 100)?;
    let time_ms = args.number("start-ms", START_MS)?.to_string();
    let mut rng = Rng::new(args.number("seed", 1)?);
    let mut connection = Connection::open(args.required("addr")?)?;
    let start = Instant::now();
    for first in (0..channels).step_by(PIPELINED as usize) {
        let group = first..channels.min(first + PIPELINED);
        let mut commands = Vec::new();
        for channel in group.clone() {
            push_hash(&mut commands, channel, points, &time_ms, &mut rng);
        }
        connection.send(&commands)?;
        for _ in group {
            connection.reply(&mut |_| {})?;
            connection.reply(&mut |_| {})?;
        }
    }
    let (wall, fields) = (start.elapsed().as_secs_f64(), channels * points);
    Ok(format!(r#"{{"sent":{fields},"hashes":{channels},"wall_s":{wall:.3}}}"#))
}

/// Appends HSET of the times, then of the values: a reader that sees a new value then finds its time, too.
fn push_hash(out: &mut Vec<u8>, channel: u64, points: u64, time_ms: &str, rng: &mut Rng) {
    let key = format!("comsrv:{}:T", FIRST_CHANNEL + channel);
    push_hset(out, &format!("{key}:ts"), points, |value| value.extend_from_slice(time_ms.as_bytes()));
    push_hset(out, &key, points, |value| push_micro(value, value_micro(rng)));
}

fn push_hset(out: &mut Vec<u8>, key: &str, points: u64, mut push_value: impl FnMut(&mut Vec<u8>)) {
    push_command_start(out, 2 + 2 * points as usize);
    push_part(out, b"HSET");
    push_part(out, key.as_bytes());
    let mut value = Vec::new();
    for point in 0..points {
        push_part(out, (FIRST_POINT + point).to_string().as_bytes());
        value.clear();
        push_value(&mut value);
        push_part(out, &value);
    }
}
