//! A Redis of one's own, stores that do as they are told, and workers in this process.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use backend::WriteError;
use formats::{Output, Packing};
use import::spread::{Board, Coordinator, Duties, Task, WorkError, Worked, cut, work};
use import::{Layout, Options, Sink, SinkSession, Taken, find_inputs};
use source::Stop;
use source::redis::Client;
use tls::TlsConfig;

pub(crate) struct Redis {
    child: Child,
    url: String,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
        let child = command.stdout(Stdio::null()).spawn().expect("redis-server: apt-get install redis-server");
        let redis = Self { child, url: format!("redis://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(30);
        while redis.board().task().is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        redis
    }

    pub(crate) fn board(&self) -> Board {
        Board::new(&self.url, "test", Arc::new(Stop::default())).unwrap()
    }

    /// Halts it for a while: nobody is answered.
    pub(crate) fn halt(&self, time: Duration) {
        self.signal("-STOP");
        std::thread::sleep(time);
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("the command `kill` is missing: apt-get install procps").success());
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url, TlsConfig::default(), Arc::new(Stop::default())).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A store that takes so many batches, and refuses whatever comes after.
pub(crate) struct Store(Arc<AtomicI64>);

impl Sink for Store {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }
}

impl SinkSession for Store {
    fn write(&mut self, _lines: &[u8]) -> Result<Taken, WriteError> {
        if self.0.fetch_sub(1, Relaxed) > 0 {
            return Ok(Taken::default());
        }
        Err(WriteError::Denied { message: "wrong password".to_owned() })
    }
}

pub(crate) fn coordinator(redis: &Redis, folder: &Path, lease: Duration) -> Coordinator {
    let inputs = find_inputs(&[folder.join("*.lp*").display().to_string()], None).unwrap();
    let jobs = cut(&inputs, &Layout::default(), 1 << 20).unwrap();
    let task = Task {
        id: "one".to_owned(),
        layout: Layout::default(),
        database: None,
        policy: None,
        max_errors: 1000,
        lease,
        jobs: jobs.len() as u64,
    };
    Coordinator::new(redis.board(), task, jobs, folder.join("spool"))
}

pub(crate) fn run_worker(redis: &Redis, folder: &Path, name: &str, batches: i64) -> Result<Worked, WorkError> {
    run_worker_until(redis, folder, name, batches, &AtomicBool::new(false))
}

pub(crate) fn run_worker_until(
    redis: &Redis,
    folder: &Path,
    name: &str,
    batches: i64,
    stop: &AtomicBool,
) -> Result<Worked, WorkError> {
    let options = Options { workers: 1, delay: Duration::from_millis(10), ..Options::default() };
    let store = Arc::new(AtomicI64::new(batches));
    let duties = Duties { name, options: &options, scratch: folder.join(name), stop, tell: &|_| {} };
    work(&mut redis.board(), &duties, &mut |_| Ok(Box::new(Store(Arc::clone(&store)))))
}

pub(crate) fn write_files(folder: &Path) {
    for file in 0..3 {
        std::fs::write(folder.join(format!("{file}.lp")), format!("m,f={file} v=1 1700000000000000000\n")).unwrap();
    }
}

/// Writes a file that ends in the middle.
pub(crate) fn damaged_file(folder: &Path) {
    let path = folder.join("a.lp.gz");
    let mut packed = Output::new(Box::new(std::fs::File::create(&path).unwrap()), Packing::Gzip).unwrap();
    packed.write_all(b"m v=1 1700000000000000000\n").unwrap();
    packed.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
}
