//! Commands built in advance, so that building them is not measured.

use histbench::Rng;
use histbench::text::{push_micro, push_uint};

use crate::Options;

/// Distinct channels that commands go to.
pub(crate) const CHANNELS: u64 = 100;
const BUFFERS: u64 = 20;

/// Buffers of `pipe` commands each, used in turn.
pub(crate) struct Ring {
    buffers: Vec<Vec<u8>>,
    pub(crate) pipe: u64,
}

impl Ring {
    /// Fills the ring: `push` appends the command with this number.
    pub(crate) fn build(options: &Options, push: impl Fn(u64, &mut Rng, &mut Vec<u8>)) -> Self {
        let mut rng = Rng::new(3);
        let buffer = |at: u64| {
            let mut commands = Vec::new();
            for number in at * options.pipe..(at + 1) * options.pipe {
                push(number, &mut rng, &mut commands);
            }
            commands
        };
        Self { buffers: (0..BUFFERS).map(buffer).collect(), pipe: options.pipe }
    }

    /// The buffers over and over, until `total` commands.
    pub(crate) fn take(&self, total: u64) -> impl Iterator<Item = &[u8]> {
        self.buffers.iter().cycle().map(Vec::as_slice).take((total / self.pipe) as usize)
    }
}

/// Channel (or hash) that the command with this number goes to.
pub(crate) fn channel(number: u64) -> String {
    format!("comsrv:{}:m", 1001 + number % CHANNELS)
}

/// `10001:25.123456,10002:...` with so many data points.
pub(crate) fn payload(points: u64, rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    for point in 0..points {
        out.extend_from_slice(if point == 0 { b"" } else { b"," });
        push_uint(&mut out, 10_001 + point);
        out.push(b':');
        push_micro(&mut out, value_micro(rng));
    }
    out
}

/// A value between 20 and 30 with six decimals.
pub(crate) fn value_micro(rng: &mut Rng) -> i64 {
    20_000_000 + rng.below(10_000_000) as i64
}
