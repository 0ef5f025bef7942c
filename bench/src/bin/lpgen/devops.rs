//! The cpu-only shape of the Time Series Benchmark Suite: hosts with ten tags and ten integer fields, clamped random walks.

use std::io::Write;

use histbench::text::push_uint;
use histbench::{Result, Rng};

use crate::{Format, Rounds, Written};

const TAGS: [&str; 10] = [
    "hostname",
    "region",
    "datacenter",
    "rack",
    "os",
    "arch",
    "team",
    "service",
    "service_version",
    "service_environment",
];
const FIELDS: [&str; 10] = [
    "usage_user",
    "usage_system",
    "usage_idle",
    "usage_nice",
    "usage_iowait",
    "usage_irq",
    "usage_softirq",
    "usage_steal",
    "usage_guest",
    "usage_guest_nice",
];
/// Regions and the letters of their zones.
const REGIONS: [(&str, &str); 9] = [
    ("us-east-1", "abce"),
    ("us-west-1", "ab"),
    ("us-west-2", "abc"),
    ("eu-west-1", "abc"),
    ("eu-central-1", "ab"),
    ("ap-southeast-1", "ab"),
    ("ap-southeast-2", "ab"),
    ("ap-northeast-1", "ac"),
    ("sa-east-1", "abc"),
];

struct Host {
    /// The line up to its fields.
    prefix: Vec<u8>,
    fields: [f64; FIELDS.len()],
}

/// Writes all rounds of `hosts` hosts.
pub(crate) fn generate(rounds: &Rounds, hosts: u64, out: &mut impl Write) -> Result<Written> {
    let mut rng = Rng::new(rounds.seed);
    let mut fleet: Vec<Host> = (0..hosts).map(|number| Host::new(number, rounds.format, &mut rng)).collect();
    let mut round = Vec::with_capacity(1 << 20);
    for tick in 0..rounds.ticks {
        let time_ns = rounds.start_ns + tick * rounds.interval_ns;
        round.clear();
        for host in &mut fleet {
            host.step(&mut rng);
            host.push_line(&mut round, time_ns, rounds.format);
        }
        out.write_all(&round)?;
    }
    let lines = rounds.ticks * hosts;
    Ok(Written { lines, values: lines * FIELDS.len() as u64 })
}

impl Host {
    fn new(number: u64, format: Format, rng: &mut Rng) -> Self {
        let prefix = prefix(&tag_values(number, rng), format);
        let fields = std::array::from_fn(|_| rng.unit() * 100.0);
        Self { prefix, fields }
    }

    fn step(&mut self, rng: &mut Rng) {
        for field in &mut self.fields {
            *field = (*field + rng.normal()).clamp(0.0, 100.0);
        }
    }

    fn push_line(&self, out: &mut Vec<u8>, time_ns: u64, format: Format) {
        out.extend_from_slice(&self.prefix);
        match format {
            Format::Lines => self.push_fields(out, time_ns),
            Format::Csv => self.push_columns(out, time_ns),
        }
        out.push(b'\n');
    }

    fn push_fields(&self, out: &mut Vec<u8>, time_ns: u64) {
        for (at, (name, value)) in FIELDS.iter().zip(self.fields).enumerate() {
            out.extend_from_slice(if at == 0 { b"" } else { b"," });
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            push_uint(out, value as u64);
            out.push(b'i');
        }
        out.push(b' ');
        push_uint(out, time_ns);
    }

    fn push_columns(&self, out: &mut Vec<u8>, time_ns: u64) {
        push_uint(out, time_ns);
        for value in self.fields {
            out.push(b',');
            push_uint(out, value as u64);
        }
    }
}

/// NOTE: the order of the draws is part of the data set.
fn tag_values(number: u64, rng: &mut Rng) -> [String; TAGS.len()] {
    let (region, zones) = rng.pick(&REGIONS);
    let zone = char::from(rng.pick(zones.as_bytes()));
    [
        format!("host_{number}"),
        region.to_owned(),
        format!("{region}{zone}"),
        rng.below(100).to_string(),
        rng.pick(&["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"]).to_owned(),
        rng.pick(&["x64", "x86"]).to_owned(),
        rng.pick(&["SF", "NYC", "LON", "CHI"]).to_owned(),
        rng.below(20).to_string(),
        rng.below(2).to_string(),
        rng.pick(&["production", "staging", "test"]).to_owned(),
    ]
}

fn prefix(values: &[String; TAGS.len()], format: Format) -> Vec<u8> {
    let text = match format {
        Format::Csv => format!("{},", values.join(",")),
        Format::Lines => {
            let tags: String = TAGS.iter().zip(values).map(|(tag, value)| format!(",{tag}={value}")).collect();
            format!("cpu{tags} ")
        }
    };
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_ten_tags_and_ten_integers_up_to_100() {
        let rounds = Rounds { seed: 1, start_ns: 0, interval_ns: 1, ticks: 50, format: Format::Lines };
        let mut out = Vec::new();
        assert_eq!(generate(&rounds, 3, &mut out).unwrap().values, 1500);
        for line in String::from_utf8(out).unwrap().lines() {
            let [tags, fields, _time] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(tags.split(',').count(), 11);
            let values = fields.split(',').map(|field| field.split_once('=').unwrap().1.trim_end_matches('i'));
            assert_eq!(values.filter(|value| value.parse::<u64>().unwrap() <= 100).count(), 10);
        }
    }
}
