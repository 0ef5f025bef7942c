//! Watches the server during the load: its processor time, its memory at worst, what it wrote.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use histbench::{Process, Result};

const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// A running watch over one process.
pub(crate) struct Watch {
    server: Process,
    cpu_before: f64,
    written_before: f64,
    done: Arc<AtomicBool>,
    sampler: JoinHandle<Result<f64>>,
}

impl Watch {
    /// Begins to watch the process with this id.
    ///
    /// # Errors
    /// When there is no such process.
    pub(crate) fn start(id: &str) -> Result<Self> {
        let server = Process::with_id(id)?;
        let sampled = Process::with_id(id)?;
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        let sampler = thread::spawn(move || peak_anonymous_mib(&sampled, &stop));
        Ok(Self { cpu_before: server.cpu_seconds()?, written_before: server.written_mib()?, server, done, sampler })
    }

    /// Ends the watch and gives its figures as further members of a JSON object.
    ///
    /// # Errors
    /// When the server died meanwhile.
    pub(crate) fn finish(self, values: u64) -> Result<String> {
        self.done.store(true, Relaxed);
        let anonymous = self.sampler.join().map_err(|_| "the sampler died")??;
        let cpu = self.server.cpu_seconds()? - self.cpu_before;
        Ok(format!(
            ",\"server_cpu_s\":{cpu:.2},\"values_per_server_cpu_s\":{:.0},\"server_peak_anon_mib\":{anonymous:.0},\
             \"server_hwm_mib\":{:.0},\"server_written_mib\":{:.0}",
            values as f64 / cpu.max(0.01),
            self.server.memory_mib("VmHWM")?,
            self.server.written_mib()? - self.written_before
        ))
    }
}

/// Page cache mapped by the server is not counted: it is given back under pressure.
fn peak_anonymous_mib(server: &Process, done: &AtomicBool) -> Result<f64> {
    let mut peak = 0f64;
    while !done.load(Relaxed) {
        peak = peak.max(server.memory_mib("RssAnon")?);
        thread::sleep(SAMPLE_EVERY);
    }
    Ok(peak)
}
