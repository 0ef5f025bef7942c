//! What `/proc` tells about a process: processor time, memory, bytes written. Linux only.

use std::fs;

use crate::Result;

/// Clock ticks a second in `/proc/PID/stat`; 100 on every Linux that user space sees.
const TICKS_PER_SECOND: f64 = 100.0;
const MIB: f64 = 1024.0 * 1024.0;

/// A process named by its id, or `self`.
pub struct Process {
    id: String,
}

impl Process {
    /// The process with this id.
    ///
    /// # Errors
    /// When there is none, or `/proc` cannot be read.
    pub fn with_id(id: &str) -> Result<Self> {
        let process = Self { id: id.to_owned() };
        process.cpu_seconds().map_err(|error| format!("process {id}: {error}"))?;
        Ok(process)
    }

    /// User and system time of all threads, in seconds, to 10 ms.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = self.read("stat")?;
        // The name of the program stands in parentheses and may hold spaces: count the fields behind it.
        let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).ok_or("stat without program name")?;
        let mut times = fields.split(' ').skip(11).map(str::parse::<f64>);
        let (Some(user), Some(system)) = (times.next(), times.next()) else {
            return Err("stat is too short".into());
        };
        Ok((user? + system?) / TICKS_PER_SECOND)
    }

    /// A field of `/proc/PID/status` that is given in kB (`VmRSS`, `RssAnon`, `VmHWM`), in MiB.
    ///
    /// # Errors
    /// When the process is gone or the field is missing.
    pub fn memory_mib(&self, field: &str) -> Result<f64> {
        let kib: f64 = field_of(&self.read("status")?, field)?.trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// MiB handed to the block layer since the process started.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn written_mib(&self) -> Result<f64> {
        Ok(field_of(&self.read("io")?, "write_bytes")?.parse::<f64>()? / MIB)
    }

    fn read(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(format!("/proc/{}/{file}", self.id))?)
    }
}

fn field_of(text: &str, field: &str) -> Result<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let found = pairs.find(|(name, _)| *name == field);
    found.map(|(_, value)| value.trim().to_owned()).ok_or_else(|| format!("no field {field}").into())
}

/// Processor time of the calling thread, in seconds, to the nanosecond.
///
/// # Errors
/// When the kernel keeps no scheduler statistics.
pub fn thread_cpu_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_shows_in_process_and_thread_time() {
        let process = Process::with_id("self").unwrap();
        let (process_before, thread_before) = (process.cpu_seconds().unwrap(), thread_cpu_seconds().unwrap());
        while process.cpu_seconds().unwrap() < process_before + 0.02 {}
        assert!(thread_cpu_seconds().unwrap() > thread_before);
    }

    #[test]
    fn memory_is_known_for_oneself_and_a_missing_process_is_an_error() {
        assert!(Process::with_id("self").unwrap().memory_mib("VmRSS").unwrap() > 0.1);
        assert!(Process::with_id("0").is_err());
    }
}
