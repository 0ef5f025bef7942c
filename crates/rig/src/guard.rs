//! Ends a server whose test process died without a chance to: killed by a test runner's time limit, or by Ctrl-C. A shell waits
//! for the end of a pipe that only the test process holds; the kernel closes it however the test process ends.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `cat` returns when the pipe ends. Children of PostgreSQL end by themselves when the first process is gone.
const SCRIPT: &str = "cat; kill -9 \"$1\"; sleep 1; rm -rf \"$2\"";

/// The waiting shell. Dropping it calls it off, which must happen before the server's process id is free for another process.
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    pub(crate) fn of(pid: u32, folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "guard", &pid.to_string()]).arg(folder);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { shell: command.spawn().expect("start sh") }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shell.kill().ok();
        // Waiting closes the pipe, which ends the shell's `cat` too.
        self.shell.wait().ok();
    }
}
