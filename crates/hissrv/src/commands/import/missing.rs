//! What is missing after an import on several machines: the parts of files whose jobs were given up.

use std::fmt;

use import::Part;
use import::spread::{Coordinator, GivenUp};
use serde_json::{Value, json};

/// A job that was given up.
pub(super) struct Missing<'a> {
    job: u64,
    file: &'a str,
    /// `None`: the whole file.
    part: Option<Part>,
    /// Length of the file.
    len: Option<u64>,
    given_up: &'a GivenUp,
}

impl<'a> Missing<'a> {
    /// The jobs that were given up, in their order.
    pub(super) fn of(coordinator: &'a Coordinator) -> Vec<Self> {
        let of_job = |(number, done): (&u64, &'a import::spread::JobDone)| {
            let input = &coordinator.jobs().get(usize::try_from(*number).ok()?)?.input;
            let given_up = done.failure.as_ref()?;
            Some(Self { job: *number, file: &input.name, part: input.part, len: input.len, given_up })
        };
        coordinator.done().iter().filter_map(of_job).collect()
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "job": self.job, "file": self.file, "start": self.part.map_or(0, |part| part.start.offset),
            "end": self.part.map_or(self.len, |part| Some(part.end)), "line": self.part.map_or(1, |part| part.start.line),
            "tries": self.given_up.tries, "reason": self.given_up.reason,
        })
    }
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.file)?;
        match self.part {
            Some(Part { start, end }) => write!(f, "bytes {} to {end} (from line {} on)", start.offset, start.line)?,
            None => f.write_str("the whole file")?,
        }
        write!(f, ": job {}, tried {} times: {}", self.job, self.given_up.tries, self.given_up.reason)
    }
}
