//! A process and all its descendants, signalled as one. Not by process group: PostgreSQL gives each of its children a group of
//! its own. The process starts in a group of its own, so a Ctrl-C meant for the tests does not reach it.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// A running process. Dropping it ends it and its descendants at once and waits until they are gone.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self { child: command.process_group(0).spawn()? })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("ask for the state of a child")
    }

    pub(crate) fn pause(&self) {
        self.stop();
    }

    pub(crate) fn resume(&self) {
        for pid in with_descendants(self.pid()) {
            signal(pid, libc::SIGCONT);
        }
    }

    /// Stops the first process before its children are listed: a stopped process starts no further ones. Returns all of them.
    fn stop(&self) -> Vec<u32> {
        signal(self.pid(), libc::SIGSTOP);
        let all = with_descendants(self.pid());
        for &pid in &all {
            signal(pid, libc::SIGSTOP);
        }
        all
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        let all = self.stop();
        for &pid in &all {
            signal(pid, libc::SIGKILL);
        }
        self.child.wait().ok();
        while all.iter().any(|&pid| is_alive(pid)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[expect(unsafe_code, reason = "kill(2) has no safe wrapper in std; it takes two numbers")]
fn signal(pid: u32, signal: libc::c_int) {
    let pid = libc::pid_t::try_from(pid).expect("a process id");
    // A process that is gone already needs no signal.
    // SAFETY: kill(2) touches no memory of ours; the pid is a child of ours not waited for, or a descendant just seen.
    unsafe { libc::kill(pid, signal) };
}

/// The process and all below it, parents first.
fn with_descendants(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("read /proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, status(pid)?.parent)))
        .collect();
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&parent) = all.get(next) {
        all.extend(parents.iter().filter(|entry| entry.1 == parent).map(|entry| entry.0));
        next += 1;
    }
    all
}

/// What /proc tells about a process.
struct Status {
    state: char,
    parent: u32,
}

fn status(pid: u32) -> Option<Status> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // pid (name) state parent ..; the name may hold spaces and parentheses.
    let mut words = line.rsplit_once(')')?.1.split_whitespace();
    Some(Status { state: words.next()?.chars().next()?, parent: words.next()?.parse().ok()? })
}

/// A zombie waits for its parent only, which may be a container's lazy init.
fn is_alive(pid: u32) -> bool {
    status(pid).is_some_and(|status| !matches!(status.state, 'Z' | 'X'))
}
