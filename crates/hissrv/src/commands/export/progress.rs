//! How far an export is: a line that is drawn again and again, on a terminal only.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Between two drawings.
const DRAW_EVERY: Duration = Duration::from_millis(200);
/// Between two looks at whether the work is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Files that are to be written, those that are, and bytes of them and of the one under way.
static FILES: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// So many files will be written.
pub(super) fn begin(files: usize) {
    FILES.store(files as u64, Relaxed);
}

/// A file is done.
pub(super) fn next() {
    DONE.fetch_add(1, Relaxed);
}

/// So many bytes were written.
pub(super) fn wrote(bytes: usize) {
    BYTES.fetch_add(bytes as u64, Relaxed);
}

/// Does the work, and shows how far it is, unless that is not wanted, nobody would see it, or the data themselves go to the terminal.
pub(super) fn shown<T>(quiet: bool, to_stdout: bool, work: impl FnOnce() -> T) -> T {
    if quiet || !std::io::stderr().is_terminal() || to_stdout && std::io::stdout().is_terminal() {
        return work();
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| draw_until(&is_over));
        let done = work();
        is_over.store(true, Relaxed);
        done
    })
}

fn draw_until(is_over: &AtomicBool) {
    let (start, mut drawn) = (Instant::now(), Instant::now());
    let mut has_drawn = false;
    while !is_over.load(Relaxed) {
        std::thread::sleep(LOOK_EVERY);
        if drawn.elapsed() >= DRAW_EVERY {
            drawn = Instant::now();
            has_drawn = true;
            // Progress that cannot be shown must not end the work.
            write!(std::io::stderr(), "\r{}\x1b[K", line(start.elapsed())).ok();
        }
    }
    if has_drawn {
        write!(std::io::stderr(), "\r\x1b[K").ok();
    }
}

fn line(took: Duration) -> String {
    let (files, done, bytes) = (FILES.load(Relaxed), DONE.load(Relaxed), BYTES.load(Relaxed));
    let megabytes = bytes as f64 / 1e6;
    let rate = megabytes / took.as_secs_f64().max(1e-3);
    let files = if files > 1 { format!("file {} of {files}, ", (done + 1).min(files)) } else { String::new() };
    format!("{files}{megabytes:.1} MB written, {rate:.1} MB/s, {:.0} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_files_bytes_and_time() {
        begin(3);
        next();
        wrote(2_500_000);
        assert_eq!(line(Duration::from_secs(5)), "file 2 of 3, 2.5 MB written, 0.5 MB/s, 5 s");
    }
}
