//! A redis-server of one's own on a free loopback port, which keeps nothing beyond its end but by SAVE; ended with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::wait_for;

/// Where the programs come from.
const MISSING: &str = "redis-server and redis-cli are needed: apt-get install redis-server redis-tools";

/// A server, running or not.
pub(crate) struct Redis {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    /// A running server.
    pub(crate) fn start() -> Self {
        let mut redis = Self::absent();
        redis.launch();
        redis
    }

    /// A port where no server listens yet.
    pub(crate) fn absent() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder: TempDir::new().unwrap(), port, child: None }
    }

    /// Starts the server on its port and waits until it answers.
    pub(crate) fn launch(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
        command.args(["--enable-debug-command", "yes", "--dir"]).arg(self.folder.path());
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect(MISSING));
        wait_for("redis-server to answer", || self.try_command(&["PING"]).as_deref() == Some("PONG"));
    }

    /// Ends the server at once, as a crash does; its content is that of the last SAVE.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("a running server");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs a command; its answer as text.
    #[track_caller]
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let answer = self.try_command(arguments).unwrap_or_else(|| panic!("redis-cli {arguments:?} failed"));
        assert!(!answer.starts_with("ERR") && !answer.starts_with("WRONGTYPE"), "{arguments:?}: {answer}");
        answer
    }

    /// Starts a command without waiting for its answer; it ends when the server does.
    pub(crate) fn command_in_background(&self, arguments: &[&str]) {
        let mut child = self.client().args(arguments).stdout(Stdio::null()).spawn().expect(MISSING);
        std::thread::spawn(move || child.wait());
    }

    fn try_command(&self, arguments: &[&str]) -> Option<String> {
        let output = self.client().args(arguments).output().expect(MISSING);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    fn client(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
