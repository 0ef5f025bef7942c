//! A simulated plant: channels with voltages, currents, powers, states of charge, temperatures, signals and set-points that follow
//! the hours of the day. Seeded: the same seed and times give the same values. It publishes to a Redis as the producers in the field
//! do, or feeds the same messages through the decoder without one.

use std::f64::consts::PI;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use model::{HumanDuration, TimestampNs};
use serde::{Deserialize, Serialize};

use crate::config::TimeUnit;
use crate::decode::time::TimeRules;
use crate::decode::{DecodeRules, Decoder};
use crate::redis::endpoint::{Endpoint, UrlError};
use crate::redis::{Backoff, Connection, Dialer, LinkError, Stop};
use crate::sink::{Clock, SinkFactory};
use tls::TlsConfig;

const FIRST_CHANNEL: u32 = 1001;
const DAY_NS: i64 = 86_400 * 1_000_000_000;
/// Commands sent before their answers are read.
const PIPELINE: usize = 500;

/// Size and pace of the plant.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    /// Number of channels. Default 20.
    pub channels: u32,
    /// Points of each channel. Default 50.
    pub points: u32,
    /// Time between two values of a point. Default 1 s.
    pub interval: HumanDuration,
    /// Seed of the noise. Default 1.
    pub seed: u64,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self { channels: 20, points: 50, interval: HumanDuration(Duration::from_secs(1)), seed: 1 }
    }
}

/// What a point measures, which decides about its kind and shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    Voltage,
    Current,
    Power,
    Charge,
    Temperature,
    Signal,
    Control,
    SetPoint,
}

impl Quantity {
    /// Most points are telemetry, some are signals, few are commands and set-points.
    fn of(point: u32) -> Self {
        match point % 25 {
            0..=4 => Self::Voltage,
            5..=9 => Self::Current,
            10..=14 => Self::Power,
            15..=16 => Self::Charge,
            17..=18 => Self::Temperature,
            19..=22 => Self::Signal,
            23 => Self::Control,
            _ => Self::SetPoint,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Signal => Kind { lower: 's', upper: 'S', base: 20_001 },
            Self::Control => Kind { lower: 'c', upper: 'C', base: 30_001 },
            Self::SetPoint => Kind { lower: 'a', upper: 'A', base: 40_001 },
            _ => Kind { lower: 'm', upper: 'T', base: 10_001 },
        }
    }

    /// The value at a time of day of 0..1, with noise of -1..1.
    fn value(self, day: f64, noise: f64) -> f64 {
        let sun = (PI * (day - 0.25) * 2.0).sin().max(0.0);
        let busy = 0.5 - 0.5 * (2.0 * PI * day).cos();
        match self {
            Self::Voltage => 230.0 - 4.0 * busy + 0.8 * noise,
            Self::Current => 5.0 + 40.0 * busy + 1.5 * noise,
            Self::Power => 60.0 * sun - 25.0 * busy + 1.2 * noise,
            Self::Charge => (55.0 + 35.0 * (2.0 * PI * (day - 0.4)).sin() + 0.05 * noise).clamp(0.0, 100.0),
            Self::Temperature => 22.0 + 9.0 * (2.0 * PI * (day - 0.35)).sin() + 0.2 * noise,
            Self::Signal => f64::from(u8::from(noise > -0.98)),
            Self::Control => f64::from(u8::from(sun > 0.3)),
            Self::SetPoint => (50.0 * sun).round(),
        }
    }
}

/// How a kind is written: in channels, in the keys of the newest producers, and its first point.
#[derive(Debug, Clone, Copy)]
struct Kind {
    lower: char,
    upper: char,
    base: u32,
}

/// One new value.
#[derive(Debug, Clone, Copy)]
struct Update {
    channel: u32,
    kind: Kind,
    point: u32,
    value: f64,
}

/// A plant that runs until it is asked to stop.
pub struct Simulator {
    config: SimulatorConfig,
    clock: Clock,
    random: u64,
    /// Texts of the current message, kept for their memory.
    name: String,
    text: String,
}

/// Why a simulation ended early.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The URL is wrong.
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl Simulator {
    /// A plant; `clock` gives the times of its values.
    pub fn new(config: SimulatorConfig, clock: Clock) -> Self {
        let random = config.seed;
        Self { config, clock, random, name: String::new(), text: String::new() }
    }

    /// Publishes to a Redis and sets its hashes, every interval, until asked to stop. An outage of Redis is waited for.
    ///
    /// # Errors
    /// The URL is wrong.
    pub fn run_redis(mut self, url: &str, stop: &Arc<Stop>) -> Result<(), SimulatorError> {
        let dialer = Dialer { endpoint: Endpoint::parse(url)?, tls: TlsConfig::default(), stop: Arc::clone(stop) };
        let mut backoff = Backoff::default();
        while !stop.is_requested() {
            match self.publish(&dialer) {
                LinkError::Stopping => break,
                error => tracing::warn!(endpoint = %dialer.endpoint, %error, "simulator lost Redis"),
            }
            stop.sleep(backoff.next_pause());
        }
        Ok(())
    }

    /// Feeds the messages through the decoder into a sink, every interval, until asked to stop. What the sink could not take
    /// when it stops is left with the sink.
    pub fn run_in_process(mut self, sinks: &dyn SinkFactory, stop: &Stop) {
        let mut sink = sinks.sink("simulator");
        let time = TimeRules { unit: TimeUnit::Ms, zone: TimeZone::UTC };
        let mut decoder = Decoder::new(DecodeRules { time, decoders: Vec::new() });
        let mut due = Instant::now();
        while !stop.is_requested() {
            let now = (self.clock)();
            for update in self.tick(now) {
                self.render(update, now);
                decoder.message(self.name.as_bytes(), self.text.as_bytes(), now, sink.as_mut());
            }
            if let Err(error) = sink.flush() {
                tracing::warn!(%error, "simulator's batch not taken");
            }
            self.pause(&mut due, stop);
        }
    }

    /// Publishes until something fails.
    fn publish(&mut self, dialer: &Dialer) -> LinkError {
        let mut connection = match dialer.connect() {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        let mut due = Instant::now();
        loop {
            let now = (self.clock)();
            for updates in self.tick(now).chunks(PIPELINE / 3) {
                if let Err(error) = self.send(&mut connection, updates, now) {
                    return error;
                }
            }
            if self.pause(&mut due, &dialer.stop) {
                return LinkError::Stopping;
            }
        }
    }

    fn send(&mut self, connection: &mut Connection, updates: &[Update], now: TimestampNs) -> Result<(), LinkError> {
        let millis = (now.0 / 1_000_000).to_string();
        for update in updates {
            self.render(*update, now);
            let key = format!("comsrv:{}:{}", update.channel, update.kind.upper);
            let (point, value) = (update.point.to_string(), update.value.to_string());
            connection.queue(&[b"PUBLISH", self.name.as_bytes(), self.text.as_bytes()]);
            connection.queue(&[b"HSET", key.as_bytes(), point.as_bytes(), value.as_bytes()]);
            connection.queue(&[b"HSET", format!("{key}:ts").as_bytes(), point.as_bytes(), millis.as_bytes()]);
        }
        connection.send()?;
        for _ in 0..3 * updates.len() {
            connection.reply()?;
        }
        Ok(())
    }

    /// The new values of all points.
    fn tick(&mut self, now: TimestampNs) -> Vec<Update> {
        let day = now.0.rem_euclid(DAY_NS) as f64 / DAY_NS as f64;
        let mut updates = Vec::with_capacity((self.config.channels * self.config.points) as usize);
        for channel in 0..self.config.channels {
            for point in 0..self.config.points {
                let quantity = Quantity::of(point);
                let noise = self.noise();
                let value = (quantity.value(day, noise) * 1e6).round() / 1e6;
                let kind = quantity.kind();
                updates.push(Update { channel: FIRST_CHANNEL + channel, kind, point: kind.base + point, value });
            }
        }
        updates
    }

    /// Writes channel and message as the producers do: `comsrv:1001:m`, `10001:230.512345:1642592400000`.
    fn render(&mut self, update: Update, now: TimestampNs) {
        let Update { channel, kind, point, value } = update;
        self.name.clear();
        self.text.clear();
        let written = write!(self.name, "comsrv:{channel}:{}", kind.lower)
            .and_then(|()| write!(self.text, "{point}:{value:.6}:{}", now.0 / 1_000_000));
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }

    /// Uniform in -1..1 (splitmix64).
    fn noise(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Sleeps until the next interval; true when it is time to stop. A plant that is late does not catch up.
    fn pause(&self, due: &mut Instant, stop: &Stop) -> bool {
        *due = (*due + self.config.interval.0).max(Instant::now());
        stop.sleep(due.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: TimestampNs = TimestampNs(1_760_011_200_000_000_000);

    fn messages(seed: u64) -> Vec<String> {
        let mut plant = Simulator::new(SimulatorConfig { seed, ..SimulatorConfig::default() }, || NOON);
        let updates = plant.tick(NOON);
        let mut line = |update| {
            plant.render(update, NOON);
            format!("{} {}", plant.name, plant.text)
        };
        updates.into_iter().map(&mut line).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_plant_and_another_gives_another() {
        assert_eq!(messages(1), messages(1));
        assert_ne!(messages(1), messages(2));
        assert_eq!(messages(1).len(), 1_000);
    }

    #[test]
    fn messages_have_the_form_of_the_field() {
        let all = messages(7);
        assert!(all[0].starts_with("comsrv:1001:m 10001:22"), "{}", all[0]);
        assert!(all[0].ends_with(":1760011200000"), "{}", all[0]);
        assert!(all.iter().any(|line| line.starts_with("comsrv:1020:s 200")));
        assert!(all.iter().any(|line| line.starts_with("comsrv:1003:a 400")));
    }

    #[test]
    fn the_sun_shines_at_noon_and_not_at_night() {
        assert!(Quantity::Power.value(0.5, 0.0) > Quantity::Power.value(0.0, 0.0));
        assert_eq!(Quantity::SetPoint.value(0.0, 0.0), 0.0);
    }
}
