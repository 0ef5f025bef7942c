//! A plan to Redis at a given rate, in the way of one of the producers: a load generator. Each point is counted as sent once Redis has taken
//! all its commands.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::Context;
use generate::{Format, Message, Order, Plan};
use import::Snapshot;
use source::RedisConfig;
use source::config::UrlText;
use source::redis::{Client, LinkError, Reply, Stop};

use super::STOP;
use super::done::{Done, Published};
use super::pace::Pace;
use crate::cli::{Failure, GenerateArgs, TimeSource};
use crate::commands::progress::Progress;
use crate::node::now;

/// Points of one exchange with Redis.
const BATCH: u64 = 1000;
/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(5);
/// The wait before the first further try; each one is twice as long, up to the longest.
const DELAY: Duration = Duration::from_millis(250);
const DELAY_MAX: Duration = Duration::from_secs(10);

/// Sends the plan's points, until its end or until somebody stops it.
pub(super) fn publish(
    args: &GenerateArgs,
    config: RedisConfig,
    plan: &Plan,
    times: TimeSource,
    progress: &mut Progress,
) -> Result<Done, Failure> {
    let url = args.redis.as_deref().unwrap_or_default();
    let client = Client::new(url, config.tls, Arc::new(Stop::default()));
    let client = client.map_err(|e| Failure::Usage(format!("--redis: {e}")))?;
    let rate = args.rate.map_or_else(|| natural_rate(plan), f64::from);
    let done = Done {
        target: format!("{} as {}", UrlText::from(url), args.format_of_redis),
        published: Some(Published { rate, ..Published::default() }),
        ..Done::default()
    };
    let publisher = Publisher {
        client,
        plan,
        format: args.format_of_redis,
        times,
        keep: args.keep,
        retries: args.delivery.retries,
        done,
    };
    publisher.run(Pace::new(rate), progress)
}

/// A point of each series each step.
fn natural_rate(plan: &Plan) -> f64 {
    plan.series().len() as f64 / plan.options().step.0.as_secs_f64()
}

struct Publisher<'p> {
    client: Client,
    plan: &'p Plan,
    format: Format,
    times: TimeSource,
    keep: u32,
    retries: u32,
    done: Done,
}

impl Publisher<'_> {
    fn run(mut self, mut pace: Pace, progress: &mut Progress) -> Result<Done, Failure> {
        self.client.call(&[b"PING"]).context("Redis")?;
        let (start, mut position) = (Instant::now(), 0);
        while position < self.plan.len() && !STOP.load(Relaxed) {
            let count = pace.due(start.elapsed()).min(BATCH).min(self.plan.len() - position);
            if count == 0 {
                std::thread::sleep(TICK);
            } else if let Err(error) = self.send(position..position + count, progress) {
                self.done.failure = Some(format!("Redis: {error}"));
                break;
            } else {
                pace.sent(count);
                position += count;
            }
            self.show(position, None, progress);
        }
        self.done.took = start.elapsed();
        self.done.ticks = position.div_ceil(self.plan.series().len() as u64);
        self.done.complete = position == self.plan.len();
        if self.done.refused > 0 && self.done.failure.is_none() {
            self.done.failure = Some(format!("Redis refused {} points", self.done.refused));
        }
        Ok(self.done)
    }

    /// Sends some points, again and again where Redis is away; nobody knows then what it had taken, and the same once more does no harm.
    fn send(&mut self, positions: std::ops::Range<u64>, progress: &mut Progress) -> Result<(), LinkError> {
        let batch = self.batch(positions.clone());
        let mut tries = 0;
        loop {
            let error = match self.exchange(&batch) {
                Ok(replies) => {
                    self.count(&batch, &replies);
                    return Ok(());
                }
                Err(error) => error,
            };
            if tries >= self.retries || STOP.load(Relaxed) {
                return Err(error);
            }
            self.done.retries += 1;
            self.show(positions.start, Some(error.to_string()), progress);
            pause((DELAY * (1 << tries.min(10))).min(DELAY_MAX));
            tries += 1;
        }
    }

    fn batch(&self, positions: std::ops::Range<u64>) -> Batch {
        let offset = self.plan.options().utc_offset;
        let time = (self.times == TimeSource::Now).then(now);
        let mut batch = Batch::default();
        for mut sample in self.plan.samples(Order::ByTime, positions) {
            sample.time = time.unwrap_or(sample.time);
            self.format.render(&sample, offset, &mut batch.messages);
            batch.ends.push(batch.messages.len());
        }
        batch
    }

    fn exchange(&mut self, batch: &Batch) -> Result<Vec<Reply>, LinkError> {
        let (most, last) = (self.keep.to_string(), self.keep.saturating_sub(1).to_string());
        let trims = batch.trims(&most, &last);
        let words = batch.messages.iter().map(Message::command).chain(trims);
        let commands: Vec<Vec<&[u8]>> = words.map(|words| words.into_iter().map(str::as_bytes).collect()).collect();
        let commands: Vec<&[&[u8]]> = commands.iter().map(Vec::as_slice).collect();
        self.client.call_all(&commands)
    }

    /// Counts what became of the points.
    fn count(&mut self, batch: &Batch, replies: &[Reply]) {
        let published = self.done.published.get_or_insert_default();
        let mut start = 0;
        for end in &batch.ends {
            let own = replies.get(start..*end).unwrap_or_default();
            let refusal = own.iter().find_map(|reply| match reply {
                Reply::Refused(message) => Some(message),
                _ => None,
            });
            match refusal {
                None => self.done.points += 1,
                Some(message) => {
                    self.done.refused += 1;
                    self.done.reason = Some(message.clone());
                }
            }
            start = *end;
        }
        for (message, reply) in batch.messages.iter().zip(replies) {
            published.messages += u64::from(!matches!(reply, Reply::Refused(_)));
            let is_message = matches!(message, Message::Publish { .. });
            published.unheard += u64::from(is_message && *reply == Reply::Integer(0));
        }
    }

    fn show(&self, position: u64, trouble: Option<String>, progress: &mut Progress) {
        let Done { points, refused, retries, .. } = self.done;
        let counts = Snapshot { read_bytes: position, points, refused, retries, ..Snapshot::default() };
        progress.show(&counts, trouble);
    }
}

/// Commands for some points.
#[derive(Debug, Default)]
struct Batch {
    messages: Vec<Message>,
    /// For each point where its commands end.
    ends: Vec<usize>,
}

impl Batch {
    /// Commands that cut off what lists and streams hold too much.
    fn trims<'a>(&'a self, most: &'a str, last: &'a str) -> Option<Vec<&'a str>> {
        match self.messages.last()? {
            Message::ListPush { key, .. } => Some(vec!["LTRIM", key, "0", last]),
            Message::StreamAdd { key, .. } => Some(vec!["XTRIM", key, "MAXLEN", "~", most]),
            _ => None,
        }
    }
}

/// Sleeps, or less when somebody stops it.
fn pause(length: Duration) {
    let end = Instant::now() + length;
    while Instant::now() < end && !STOP.load(Relaxed) {
        std::thread::sleep(TICK.max(Duration::from_millis(20)));
    }
}
