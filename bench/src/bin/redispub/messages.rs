//! Publishes messages in pipelined batches, at a fixed rate or flat out, and adds up how many receivers Redis reports.

use std::thread;
use std::time::{Duration, Instant};

use histbench::redis::{Connection, Item, push_command};
use histbench::text::{push_micro, push_uint};
use histbench::{Args, Result, Rng, thread_cpu_seconds};

use crate::{FIRST_CHANNEL, FIRST_POINT, START_MS, value_micro};

/// Distance of two values of a data point.
const TICK_MS: u64 = 1000;

/// Which messages to send, and how fast.
struct Plan {
    messages: u64,
    rate: Option<f64>,
    pipe: u64,
    points: u64,
    channels: Vec<Vec<u8>>,
    start_ms: u64,
}

impl Plan {
    fn from_args(args: &Args) -> Result<Self> {
        let channels = args.number("channels", 100u64)?.max(1);
        Ok(Self {
            messages: args.number("n", 3_000_000)?,
            rate: args.get("rate").map(|_| args.number("rate", 0.0)).transpose()?,
            pipe: args.number("pipe", 500u64)?.max(1),
            points: args.number("points", 100u64)?.max(1),
            channels: (0..channels).map(|at| format!("comsrv:{}:m", FIRST_CHANNEL + at).into_bytes()).collect(),
            start_ms: args.number("start-ms", START_MS)?,
        })
    }

    /// Appends the PUBLISH with this number: data points in turn, a tick later each time round.
    fn push(&self, number: u64, rng: &mut Rng, payload: &mut Vec<u8>, out: &mut Vec<u8>) {
        let channels = self.channels.len() as u64;
        let channel = (number / self.points % channels) as usize;
        let tick = number / (self.points * channels);
        payload.clear();
        push_uint(payload, FIRST_POINT + number % self.points);
        payload.push(b':');
        push_micro(payload, value_micro(rng));
        payload.push(b':');
        push_uint(payload, self.start_ms + tick * TICK_MS);
        push_command(out, &[b"PUBLISH", self.channels.get(channel).map_or(b"", Vec::as_slice), payload]);
    }

    fn due(&self, sent: u64) -> Duration {
        self.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(sent as f64 / rate))
    }
}

/// Sends all messages.
///
/// # Errors
/// When the connection broke.
pub(crate) fn run(args: &Args) -> Result<String> {
    let plan = Plan::from_args(args)?;
    let mut connection = Connection::open(args.required("addr")?)?;
    let mut rng = Rng::new(args.number("seed", 1)?);
    let (mut batch, mut payload) = (Vec::new(), Vec::new());
    let (mut sent, mut answered, mut receivers) = (0u64, 0u64, 0u64);
    let (start, cpu_before) = (Instant::now(), thread_cpu_seconds()?);
    while answered < plan.messages {
        thread::sleep(plan.due(sent).saturating_sub(start.elapsed()));
        let until = plan.messages.min(sent + plan.pipe);
        batch.clear();
        (sent..until).for_each(|number| plan.push(number, &mut rng, &mut payload, &mut batch));
        connection.send(&batch)?;
        // One batch stays in flight, so that Redis has work while the next is built.
        let await_until = if until < plan.messages { sent } else { until };
        for _ in answered..await_until {
            receivers += receivers_of_one(&mut connection)?;
        }
        (sent, answered) = (until, await_until);
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), thread_cpu_seconds()? - cpu_before);
    let per_second = sent as f64 / wall;
    Ok(format!(
        "{{\"sent\":{sent},\"receivers\":{receivers},\"wall_s\":{wall:.3},\"msgs_per_s\":{per_second:.0},\
         \"publisher_cpu_s\":{cpu:.3}}}"
    ))
}

fn receivers_of_one(connection: &mut Connection) -> Result<u64> {
    let mut receivers = 0;
    connection.reply(&mut |item| {
        if let Item::Integer(count) = item {
            receivers += count.unsigned_abs();
        }
    })?;
    Ok(receivers)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn plan() -> Plan {
        let channels = vec![b"comsrv:1001:m".to_vec(), b"comsrv:1002:m".to_vec()];
        Plan { messages: 0, rate: Some(1000.0), pipe: 1, points: 3, channels, start_ms: 5000 }
    }

    #[test]
    fn no_two_messages_share_data_point_and_time() {
        let (plan, mut rng) = (plan(), Rng::new(1));
        let mut seen = HashSet::new();
        for number in 0..60 {
            let (mut payload, mut command) = (Vec::new(), Vec::new());
            plan.push(number, &mut rng, &mut payload, &mut command);
            let text = String::from_utf8(command).unwrap();
            let channel = text.lines().nth(4).unwrap().to_owned();
            let [point, _value, time]: [String; 3] =
                text.lines().nth(6).unwrap().split(':').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
            assert!(seen.insert((channel, point, time)), "{text}");
        }
        assert_eq!(seen.iter().map(|(_, _, time)| time.parse::<u64>().unwrap()).max(), Some(14_000));
    }

    #[test]
    fn a_rate_sets_when_each_batch_is_due() {
        assert_eq!(plan().due(2500), Duration::from_millis(2500));
        assert_eq!(Plan { rate: None, ..plan() }.due(2500), Duration::ZERO);
    }
}
