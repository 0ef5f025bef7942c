//! The feed of an energy management system: channels that are polled in turn, each with data points of four kinds.
//! Of 100 data points of a channel 60 are analog, 25 signals, 8 controls and 7 set-points. The data points of one poll share
//! a time stamp; each channel has its own phase in the interval, plus jitter; lines come in order of arrival.

use std::io::Write;

use histbench::text::{push_micro, push_uint};
use histbench::{Args, Result, Rng};

use crate::{Format, NS_PER_MS, Rounds, Written};

/// Chances are given out of this.
const CERTAIN: u64 = 65_536;
const FIRST_CHANNEL: u64 = 1001;
const FIRST_POINT: u64 = 10_001;

/// Size and character of the plant.
pub(crate) struct Plant {
    channels: u64,
    points: usize,
    jitter_ns: u64,
    resolution_ns: u64,
    full_decimals: u64,
    noise: bool,
}

impl Plant {
    /// Reads the options of this set.
    pub(crate) fn from_args(args: &Args) -> Result<Self> {
        let resolution_ns = match args.get("ts-res").unwrap_or("ms") {
            "ms" => NS_PER_MS,
            "us" => 1_000,
            "ns" => 1,
            other => return Err(format!("--ts-res {other}: ms, us or ns").into()),
        };
        let points = args.number("points", 100)?;
        if points == 0 {
            return Err("--points 0: a channel has at least one".into());
        }
        Ok(Self {
            channels: args.number("channels", 100)?,
            points,
            jitter_ns: (args.number("jitter-ms", 5)? * NS_PER_MS).min(u64::from(u32::MAX)),
            resolution_ns,
            full_decimals: (args.number("full-frac", 0.15)? * CERTAIN as f64) as u64,
            noise: args.number("noise", 0u8)? > 0,
        })
    }
}

/// Writes all rounds of the plant.
pub(crate) fn generate(rounds: &Rounds, plant: &Plant, out: &mut impl Write) -> Result<Written> {
    let mut rng = Rng::new(rounds.seed);
    let mut data_points = build(plant, rounds.format, &mut rng);
    let mut poll = Vec::with_capacity(1 << 20);
    for tick in 0..rounds.ticks {
        for (channel, points) in (0..plant.channels).zip(data_points.chunks_exact_mut(plant.points)) {
            let time_ns = poll_time(rounds, plant, tick, channel, &mut rng);
            poll.clear();
            for point in points {
                point.step(&mut rng);
                point.push_line(&mut poll, time_ns, plant.noise, rounds.format, &mut rng);
            }
            out.write_all(&poll)?;
        }
    }
    let lines = rounds.ticks * data_points.len() as u64;
    Ok(Written { lines, values: lines })
}

fn poll_time(rounds: &Rounds, plant: &Plant, tick: u64, channel: u64, rng: &mut Rng) -> u64 {
    let phase = rounds.interval_ns * channel / plant.channels;
    let jitter = if plant.jitter_ns > 0 { rng.below(plant.jitter_ns) } else { 0 };
    let exact = rounds.start_ns + tick * rounds.interval_ns + phase + jitter;
    exact / plant.resolution_ns * plant.resolution_ns
}

fn build(plant: &Plant, format: Format, rng: &mut Rng) -> Vec<DataPoint> {
    let mut data_points = Vec::new();
    for channel in 0..plant.channels {
        for point in 0..plant.points as u64 {
            let kind = Kind::of(point * 100 / plant.points as u64);
            let prefix = prefix(kind, FIRST_CHANNEL + channel, FIRST_POINT + point, format);
            data_points.push(DataPoint { prefix, walk: Walk::new(kind, point, plant, rng) });
        }
    }
    data_points
}

fn prefix(kind: Kind, channel: u64, point: u64, format: Format) -> Vec<u8> {
    let (measurement, letter) = kind.names();
    match format {
        Format::Csv => format!("{measurement},{channel},{point},{letter},").into_bytes(),
        Format::Lines => format!("{measurement},channel={channel},point={point},type={letter} value=").into_bytes(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Analog,
    Signal,
    Control,
    Adjustment,
}

impl Kind {
    /// Kind of the data point at this hundredth of its channel.
    fn of(hundredth: u64) -> Self {
        match hundredth {
            0..=59 => Self::Analog,
            60..=84 => Self::Signal,
            85..=92 => Self::Control,
            _ => Self::Adjustment,
        }
    }

    fn names(self) -> (&'static str, char) {
        match self {
            Self::Analog => ("measurement", 'm'),
            Self::Signal => ("signal", 's'),
            Self::Control => ("control", 'c'),
            Self::Adjustment => ("adjustment", 'a'),
        }
    }
}

struct DataPoint {
    /// The line up to its value (line protocol) or up to its time stamp (CSV).
    prefix: Vec<u8>,
    walk: Walk,
}

impl DataPoint {
    fn step(&mut self, rng: &mut Rng) {
        self.walk.step(rng.bits());
    }

    fn push_line(&self, out: &mut Vec<u8>, time_ns: u64, noise: bool, format: Format, rng: &mut Rng) {
        let mut micro = self.walk.value_micro();
        if noise && self.walk.kind == Kind::Analog {
            micro += rng.below(self.walk.scale_micro as u64) as i64;
        }
        out.extend_from_slice(&self.prefix);
        match format {
            Format::Lines => {
                push_micro(out, micro);
                out.push(b' ');
                push_uint(out, time_ns);
            }
            Format::Csv => {
                push_uint(out, time_ns);
                out.push(b',');
                push_micro(out, micro);
            }
        }
        out.push(b'\n');
    }
}

/// A register count that wanders between two bounds; its value is `raw * scale + offset`.
struct Walk {
    kind: Kind,
    raw: i64,
    low: i64,
    high: i64,
    step_max: i64,
    /// Chance of a change per round, out of [`CERTAIN`].
    change_chance: u64,
    scale_micro: i64,
    offset_micro: i64,
}

impl Walk {
    fn new(kind: Kind, point: u64, plant: &Plant, rng: &mut Rng) -> Self {
        match kind {
            Kind::Analog => Self::analog(point, plant, rng),
            Kind::Signal => Self::switch(kind, rng.pick(&[20, 200, 2000]), rng),
            Kind::Control => Self::switch(kind, 30, rng),
            Kind::Adjustment => Self {
                kind,
                raw: rng.below(1000) as i64,
                low: 0,
                high: 1000,
                step_max: 1,
                change_chance: 60,
                scale_micro: 500_000,
                offset_micro: 0,
            },
        }
    }

    fn switch(kind: Kind, change_chance: u64, rng: &mut Rng) -> Self {
        let raw = rng.below(2) as i64;
        Self { kind, raw, low: 0, high: 1, step_max: 1, change_chance, scale_micro: 1_000_000, offset_micro: 0 }
    }

    fn analog(point: u64, plant: &Plant, rng: &mut Rng) -> Self {
        let (scale_micro, low, high, step_max, change_chance) = match point % 6 {
            0 => (100_000, 2100, 2500, 3, 40_000),      // phase voltage, 0.1 V
            1 => (10_000, 0, 20_000, 25, 52_000),       // current, 0.01 A
            2 => (10_000, -30_000, 30_000, 40, 56_000), // power, 0.01 kW
            3 => (100_000, 150, 600, 1, 4000),          // temperature, 0.1 degrees Celsius
            4 => (10_000, 4980, 5020, 1, 30_000),       // frequency, 0.01 Hz
            _ => (100_000, 0, 1000, 1, 1500),           // state of charge, 0.1 %
        };
        let mut walk =
            Self { kind: Kind::Analog, raw: 0, low, high, step_max, change_chance, scale_micro, offset_micro: 0 };
        if rng.bits() % CERTAIN < plant.full_decimals {
            // An odd calibration fills all six decimals.
            walk.scale_micro = 12_000 + rng.below(3000) as i64;
            walk.offset_micro = rng.below(1_000_000) as i64;
        }
        walk.raw = low + rng.below((high - low) as u64) as i64;
        walk
    }

    fn step(&mut self, bits: u64) {
        if bits % CERTAIN >= self.change_chance {
            return;
        }
        match self.kind {
            Kind::Analog => {
                let size = 1 + ((bits >> 16) % CERTAIN) as i64 * self.step_max / CERTAIN as i64;
                let change = if bits >> 63 == 0 { size } else { -size };
                self.raw = (self.raw + change).clamp(self.low, self.high);
            }
            Kind::Signal | Kind::Control => self.raw ^= 1,
            Kind::Adjustment => self.raw = ((bits >> 20) % 1000) as i64,
        }
    }

    fn value_micro(&self) -> i64 {
        self.raw * self.scale_micro + self.offset_micro
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANT: Plant =
        Plant { channels: 2, points: 100, jitter_ns: 0, resolution_ns: NS_PER_MS, full_decimals: 0, noise: false };

    fn text(format: Format, seed: u64) -> String {
        let rounds = Rounds { seed, start_ns: 5_000_000_000, interval_ns: 1_000_000_000, ticks: 3, format };
        let mut out = Vec::new();
        assert_eq!(generate(&rounds, &PLANT, &mut out).unwrap().lines, 600);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_poll_shares_its_time_and_channels_have_their_own_phase() {
        let lines = text(Format::Lines, 1);
        let times: Vec<&str> = lines.lines().map(|line| line.rsplit_once(' ').unwrap().1).collect();
        assert!(times[..100].iter().all(|time| *time == "5000000000"));
        assert!(times[100..200].iter().all(|time| *time == "5500000000"));
    }

    #[test]
    fn kinds_come_in_their_shares() {
        let lines = text(Format::Lines, 1);
        let share = |name: &str| lines.lines().take(100).filter(|line| line.starts_with(name)).count();
        assert_eq!(["measurement,", "signal,", "control,", "adjustment,"].map(share), [60, 25, 8, 7]);
    }

    #[test]
    fn a_seed_fixes_the_bytes_and_both_formats_tell_the_same_values() {
        assert_eq!(text(Format::Lines, 7), text(Format::Lines, 7));
        assert_ne!(text(Format::Lines, 7), text(Format::Lines, 8));
        let values = |text: &str, after: char| -> Vec<String> {
            text.lines()
                .map(|line| line.split(' ').nth(1).unwrap_or(line).rsplit_once(after).unwrap().1.to_owned())
                .collect()
        };
        assert_eq!(values(&text(Format::Lines, 7), '='), values(&text(Format::Csv, 7), ','));
    }
}
