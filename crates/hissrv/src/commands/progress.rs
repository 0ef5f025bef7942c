//! Progress of a command that moves points: a line that is drawn again and again on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use import::Snapshot;

/// How much there is to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Total {
    /// Bytes of all files.
    Bytes(u64),
    /// Nobody knows how many bytes.
    Stream,
    /// Points.
    Points(u64),
    /// It ends when it is stopped.
    Endless,
}

/// Between two drawings on a terminal.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// Between two lines elsewhere.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Cells of the bar.
const BAR: usize = 24;
/// The rate is that of the last so long.
const RATE_OVER: Duration = Duration::from_secs(5);

/// Shows how far it is.
pub(super) struct Progress {
    total: Total,
    quiet: bool,
    is_terminal: bool,
    start: Instant,
    shown: Option<Instant>,
    /// Points at earlier moments, for the rate.
    earlier: Vec<(Instant, u64)>,
    /// The share that was done before.
    before: Option<f64>,
    drawn: bool,
    /// What the store said last when it did not take something, unless it was shown.
    trouble: Option<String>,
}

impl Progress {
    pub(super) fn new(total: Total, quiet: bool) -> Self {
        let (start, is_terminal) = (Instant::now(), std::io::stderr().is_terminal());
        Self {
            total,
            quiet,
            is_terminal,
            start,
            shown: None,
            earlier: Vec::new(),
            before: None,
            drawn: false,
            trouble: None,
        }
    }

    /// Shows the state, unless it was shown just now; what the store said is kept until then.
    pub(super) fn show(&mut self, counts: &Snapshot, trouble: Option<String>) {
        self.trouble = trouble.or(self.trouble.take());
        self.before = self.before.or_else(|| self.share(counts));
        let every = if self.is_terminal { DRAW_EVERY } else { LINE_EVERY };
        if !self.quiet && self.shown.unwrap_or(self.start).elapsed() >= every {
            self.draw(counts);
        }
    }

    fn draw(&mut self, counts: &Snapshot) {
        self.shown = Some(Instant::now());
        let line = self.line(counts);
        let mut err = std::io::stderr().lock();
        // Progress that cannot be shown must not end the work.
        if let Some(trouble) = self.trouble.take() {
            let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
            writeln!(err, "{clear}the store did not take a batch, trying again: {trouble}").ok();
        }
        match self.is_terminal {
            true => write!(err, "\r{line}\x1b[K").ok(),
            false => writeln!(err, "{line}").ok(),
        };
        err.flush().ok();
        self.drawn = self.is_terminal;
    }

    /// Leaves the line as it is and goes on below it.
    pub(super) fn end(&self) {
        if self.drawn {
            writeln!(std::io::stderr()).ok();
        }
    }

    fn line(&mut self, counts: &Snapshot) -> String {
        let rate = self.rate(counts.points);
        let done = self.share(counts);
        let head = match (done, self.total) {
            (Some(done), _) => format!("{} {:3.0} %, ", bar(done, self.is_terminal), (done * 100.0).min(100.0)),
            (None, Total::Endless) => String::new(),
            (None, _) => format!("{} MB, ", counts.read_bytes / 1_000_000),
        };
        let before = self.before.unwrap_or_default();
        let now_done = done.filter(|done| *done > before);
        let eta = now_done.map(|done| self.start.elapsed().mul_f64((1.0 - done).max(0.0) / (done - before)));
        let eta = eta.map_or_else(String::new, |left| format!(", {} left", clock(left)));
        let mut line = format!("{head}{} points, {}/s{eta}", grouped(counts.points), grouped(rate as u64),);
        for (count, what) in [
            (counts.queued, "queue"),
            (counts.in_flight, "in flight"),
            (counts.retries, "retries"),
            (counts.refused, "refused"),
        ] {
            if count > 0 {
                line += &format!(", {what} {}", grouped(count));
            }
        }
        line.trim_start().to_owned()
    }

    /// The share that is done, where that is known.
    fn share(&self, counts: &Snapshot) -> Option<f64> {
        let (Total::Bytes(total) | Total::Points(total)) = self.total else { return None };
        (total > 0).then(|| counts.read_bytes as f64 / total as f64)
    }

    /// Points a second over the last while.
    fn rate(&mut self, points: u64) -> f64 {
        let now = Instant::now();
        self.earlier.push((now, points));
        let recent = self.earlier.iter().rposition(|(at, _)| now.duration_since(*at) >= RATE_OVER).unwrap_or(0);
        self.earlier.drain(..recent);
        let (since, before) = match self.earlier.as_slice() {
            [first, _, ..] => *first,
            _ => (self.start, 0),
        };
        points.saturating_sub(before) as f64 / now.duration_since(since).as_secs_f64().max(1e-3)
    }
}

fn bar(done: f64, is_terminal: bool) -> String {
    if !is_terminal {
        return String::new();
    }
    let full = (done.clamp(0.0, 1.0) * BAR as f64) as usize;
    format!("[{}{}]", "#".repeat(full), "-".repeat(BAR - full))
}

fn clock(left: Duration) -> String {
    let seconds = left.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number with its thousands apart.
pub(in crate::commands) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_easy_to_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!([5, 65, 3700].map(|s| clock(Duration::from_secs(s))), ["5 s", "1 min 05 s", "1 h 01 min"]);
    }

    #[test]
    fn a_line_says_all_there_is_to_say() {
        let mut progress = Progress { is_terminal: false, ..Progress::new(Total::Bytes(200), false) };
        let counts = Snapshot {
            read_bytes: 50,
            points: 1234,
            queued: 2,
            in_flight: 3,
            retries: 1,
            refused: 4,
            ..Default::default()
        };
        let line = progress.line(&counts);
        assert!(line.starts_with("25 %, 1 234 points, "), "{line}");
        assert!(line.ends_with("queue 2, in flight 3, retries 1, refused 4"), "{line}");
        progress.total = Total::Endless;
        assert!(progress.line(&Snapshot::default()).starts_with("0 points, 0/s"));
    }
}
