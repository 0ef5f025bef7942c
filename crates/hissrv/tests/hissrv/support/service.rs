//! The binary as a process: started with a configuration, waited for, signalled, and always ended with the test.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Client, Folder, PATIENCE};

/// A command that runs the binary, without variables of the environment that it would look at.
pub(crate) fn hissrv() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hissrv"));
    command.env_remove("INFLUXDB_TOKEN").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary to its end.
#[track_caller]
pub(crate) fn output_of(arguments: &[&str]) -> Finished {
    run_to_end(hissrv().args(arguments))
}

/// Runs a command to its end, which must come soon; its output must be small enough for a pipe.
#[track_caller]
pub(crate) fn run_to_end(command: &mut Command) -> Finished {
    run_to_end_within(command, PATIENCE)
}

/// The same for what may take longer.
#[track_caller]
pub(crate) fn run_to_end_within(command: &mut Command, patience: Duration) -> Finished {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = wait(&mut child, patience);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Finished { code: status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
fn wait(child: &mut Child, patience: Duration) -> ExitStatus {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the process did not end within {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Signals as the shell's `kill` names them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Terminate,
    Interrupt,
}

/// A running service.
pub(crate) struct Service {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

static STARTS: AtomicU64 = AtomicU64::new(0);

impl Service {
    /// Starts on the folder's data directory, without Redis, with further sections of configuration, and waits until ready.
    #[track_caller]
    pub(crate) fn start(folder: &Folder, sections: &str) -> Self {
        match Self::try_start(folder, sections) {
            Ok(service) => service,
            Err(finished) => panic!("hissrv did not start: {finished:?}"),
        }
    }

    /// The same, but it may end instead.
    #[track_caller]
    pub(crate) fn try_start(folder: &Folder, sections: &str) -> Result<Self, Finished> {
        Self::try_run(folder, &["run", "--config", configuration(folder, sections).to_str().unwrap()])
    }

    /// Starts in the same way and kills the process soon, ready or not.
    pub(crate) fn start_and_kill9(folder: &Folder, sections: &str, after: Duration) {
        let mut command = hissrv();
        command.arg("run").arg("--config").arg(configuration(folder, sections));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        assert!(child.try_wait().unwrap().is_none(), "the service ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts with a command line and waits until ready.
    #[track_caller]
    pub(crate) fn run(folder: &Folder, arguments: &[&str]) -> Self {
        match Self::try_run(folder, arguments) {
            Ok(service) => service,
            Err(finished) => panic!("hissrv did not start: {finished:?}"),
        }
    }

    /// Starts with a command line and waits until ready, or until the process ends.
    #[track_caller]
    pub(crate) fn try_run(folder: &Folder, arguments: &[&str]) -> Result<Self, Finished> {
        let log = folder.path().join(format!("log.{}", STARTS.fetch_add(1, Ordering::Relaxed)));
        let mut child =
            hissrv().args(arguments).stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        let address = loop {
            if let Some(status) = child.try_wait().unwrap() {
                let err = std::fs::read_to_string(&log).unwrap();
                return Err(Finished { code: status.code(), out: String::new(), err });
            }
            if let Some(address) = address_in(&log) {
                break address;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("no address in the log within {PATIENCE:?}: {}", std::fs::read_to_string(&log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let service = Self { child, address, log };
        super::wait_for("the service to be ready", || service.client().get("/ready").status == 200);
        Ok(service)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    pub(crate) fn status(&self) -> Value {
        self.client().get("/api/v1/status").ok().json()
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// True while the process lives.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends the process as a power cut of the machine's operating system would: no code of its own runs any more.
    pub(crate) fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Terminate => "-TERM",
            Signal::Interrupt => "-INT",
        };
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("the command `kill` is missing: apt-get install procps").success());
    }

    /// Waits for the end; gives the exit status.
    #[track_caller]
    pub(crate) fn wait(mut self, patience: Duration) -> Option<i32> {
        wait(&mut self.child, patience).code()
    }

    /// Stops in order, which must succeed.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.signal(Signal::Terminate);
        let log = self.log.clone();
        assert_eq!(self.wait(PATIENCE), Some(0), "{}", std::fs::read_to_string(log).unwrap());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already ended where the test waited for it; then there is nothing to kill.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
        if std::thread::panicking() {
            println!("log of hissrv:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// A configuration file: the folder's data directory, any free port, no Redis unless there is a section for it.
fn configuration(folder: &Folder, sections: &str) -> PathBuf {
    let redis = match sections.starts_with("redis:") {
        true => "",
        false => "redis: {enabled: false}\n",
    };
    let (data, listen) = (folder.data(), "server: {listen: \"127.0.0.1:0\"}");
    folder.write("hissrv.yaml", &format!("data_dir: {}\n{listen}\n{redis}{sections}", data.display()))
}

/// The address that the service says it listens on, once it does.
fn address_in(log: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(log).unwrap();
    let line = text.lines().find(|line| line.contains("hissrv is running"))?;
    let (_, rest) = line.split_once("http://")?;
    rest.split(|c: char| c.is_whitespace() || c == '"').next()?.parse().ok()
}
