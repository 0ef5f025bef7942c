//! One server and its folder: what all kinds have in common. A kind says only how its process is started and when it answers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::guard::Guard;
use crate::process::Process;

/// Longest time from the start of a process to its first answer.
const START_MAX: Duration = Duration::from_secs(30);
/// How much of a server's log a failure shows.
const LOG_TAIL_BYTES: usize = 4096;

/// The command for a folder and a port.
type MakeCommand = Box<dyn Fn(&Path, u16) -> Command + Send + Sync>;

/// How one kind of server is started.
pub(crate) struct Kind {
    /// Program, and the Debian package that brings it.
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    /// The command, ready to be spawned but for its output.
    pub(crate) command: MakeCommand,
    /// Whether the server on this port answers.
    pub(crate) answers: fn(u16) -> bool,
    /// What stands before and behind `127.0.0.1:PORT` in its URL.
    pub(crate) url: (&'static str, &'static str),
}

/// A server process with a data directory of its own. Dropping it kills the process and removes the directory.
pub struct Server {
    kind: Kind,
    port: u16,
    // Dropped in this order: the process ends before its folder goes.
    running: Option<Running>,
    folder: TempDir,
}

/// A process, and what ends it if we cannot; called off first.
struct Running {
    _guard: Guard,
    process: Process,
}

impl Server {
    /// Starts the server in a prepared folder and waits until it answers.
    pub(crate) fn start(kind: Kind, folder: TempDir, port: u16) -> Self {
        let mut server = Self { kind, port, running: None, folder };
        server.start_again();
        server
    }

    /// Where clients find it: `http://127.0.0.1:PORT`, of PostgreSQL `postgres://hissrv@127.0.0.1:PORT/hissrv`.
    pub fn url(&self) -> String {
        let (before, behind) = self.kind.url;
        format!("{before}127.0.0.1:{}{behind}", self.port)
    }

    /// Its port on the loopback interface, the same after [`Server::start_again`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process (of several, the first).
    ///
    /// # Panics
    /// While the server is killed.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Ends the server at once, as a crash does, and waits until all its processes are gone. Its data stays.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Stops all its processes where they stand: connections stay open and nothing answers.
    ///
    /// # Panics
    /// While the server is killed.
    pub fn pause(&self) {
        self.process().pause();
    }

    /// Lets a paused server go on.
    ///
    /// # Panics
    /// While the server is killed.
    pub fn resume(&self) {
        self.process().resume();
    }

    /// Starts a killed server on the same port with the same data; returns once it answers.
    ///
    /// # Panics
    /// If the program is missing, or the server does not answer within 30 s; the message holds the end of its log.
    pub fn start_again(&mut self) {
        self.kill();
        let mut running = self.launch();
        let deadline = Instant::now() + START_MAX;
        while !(self.kind.answers)(self.port) {
            let state = running.process.ended().map(|status| format!("ended with {status}"));
            let late = (Instant::now() > deadline).then(|| format!("did not answer within {START_MAX:?}"));
            if let Some(trouble) = state.or(late) {
                panic!("{} {trouble}; the end of its log:\n{}", self.kind.program, self.log_tail());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.running = Some(running);
    }

    fn launch(&self) -> Running {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("open the server's log");
        let mut command = (self.kind.command)(self.folder.path(), self.port);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("share the log")).stderr(log);
        let process = Process::spawn(&mut command).unwrap_or_else(|error| {
            let Kind { program, package, .. } = self.kind;
            panic!("{program} cannot be started ({error}): apt-get install {package}")
        });
        Running { _guard: Guard::of(process.pid(), self.folder.path()), process }
    }

    fn process(&self) -> &Process {
        &self.running.as_ref().expect("the server was killed").process
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(log.get(log.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or(&log)).into_owned()
    }
}
