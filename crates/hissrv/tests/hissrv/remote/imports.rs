//! `hissrv import` into the stores themselves, each of which dies while it goes on, and so does the importer: in the end every point is there once.
//! How many imports of each store are tried is told by `HISSRV_TEST_ROUNDS`.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::peers::{Census, Peer};
use crate::support::{Finished, Folder, PATIENCE, Rng, hissrv};

/// Points of one import.
const POINTS: u64 = 12_000;
/// Deaths in one import, at most.
const DEATHS: u64 = 3;
/// VictoriaMetrics tells the second of its start: one that lived shorter is not told from the next one.
const LIFE: Duration = Duration::from_millis(1100);
/// Of a start of PostgreSQL after a crash, on a busy machine.
const RETURN: Duration = Duration::from_secs(60);

/// Points numbered from 0 on, a second apart, of 50 series; so long that a file has several pieces.
fn lines(measurement: &str) -> String {
    let (start, site) = (1_700_000_000_000_000_000, "s".repeat(200));
    let line = |n| format!("{measurement},point={},site={site} value={n} {}\n", n % 50, start + n * 1_000_000_000);
    (0..POINTS).map(line).collect()
}

const EXPECTED: Census = Census { count: POINTS, sum: (POINTS * (POINTS - 1) / 2) as f64 };

/// What died.
#[derive(Debug, Default)]
struct Deaths {
    stores: u64,
    importers: u64,
}

/// A store, and imports into it.
struct Site {
    peer: Peer,
    folder: Folder,
    rng: Rng,
    started: Instant,
    deaths: Deaths,
}

impl Site {
    fn new(peer: Peer) -> Self {
        let (folder, url) = (Folder::new(), peer.server.url());
        let stores = match peer.name {
            "influxdb" => format!("influxdb: {{url: \"{url}\"}}\nstorage: {{influxdb: {{enabled: true}}}}\n"),
            name => format!("storage: {{{name}: {{url: \"{url}\"}}}}\n"),
        };
        let data = folder.data();
        folder.write("import.yaml", &format!("data_dir: {}\nredis: {{enabled: false}}\n{stores}", data.display()));
        let rng = Rng::new(&format!("imports into {}", peer.name));
        Self { peer, folder, rng, started: Instant::now(), deaths: Deaths::default() }
    }

    /// One import, with deaths.
    fn round(&mut self, number: u64) {
        let measurement = format!("dying{number}");
        self.folder.write("a.lp", &lines(&measurement));
        let mut import = self.import();
        let mut deaths = 0;
        while !ended_within(&mut import, Duration::from_millis(self.rng.within(20..900))) {
            deaths += 1;
            import = match self.rng.within(0..3) {
                _ if deaths > DEATHS => import,
                0 => {
                    self.kill_importer(import);
                    self.import()
                }
                1 => {
                    self.kill_store();
                    self.return_store();
                    import
                }
                // Both, and the importer is back before the store is.
                _ => {
                    self.kill_store();
                    self.kill_importer(import);
                    let import = self.import();
                    self.return_store();
                    import
                }
            };
        }
        let finished = finish(import);
        assert_eq!(finished.code, Some(0), "{} round {number}: {finished:?}", self.peer.name);
        self.check(&measurement);
    }

    /// Begins an import, or goes on with the one that was begun.
    fn import(&self) -> Child {
        let is_begun = std::fs::exists(self.folder.path().join("checkpoint")).unwrap();
        let mut command = hissrv();
        // So small that it takes a second or two.
        let batch = match self.peer.name {
            "victoriametrics" => "10",
            "influxdb" => "50",
            _ => "250",
        };
        command.current_dir(self.folder.path()).args(["import", "a.lp", "--to", self.peer.name]);
        command.args(["--config", "import.yaml", "--checkpoint", "checkpoint", "--retries", "50", "--quiet"]);
        command.args(["--workers", "2", "--batch", batch]);
        command.args(is_begun.then_some("--resume"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn kill_importer(&mut self, mut import: Child) {
        self.deaths.importers += 1;
        import.kill().unwrap();
        import.wait().unwrap();
    }

    fn kill_store(&mut self) {
        std::thread::sleep(LIFE.saturating_sub(self.started.elapsed()));
        self.deaths.stores += 1;
        self.peer.server.kill();
    }

    fn return_store(&mut self) {
        std::thread::sleep(Duration::from_millis(self.rng.within(0..300)));
        self.peer.server.start_again();
        // Not before: on a busy machine a start takes long.
        self.started = Instant::now();
    }

    /// VictoriaMetrics shows what it has taken a second or two later.
    #[track_caller]
    fn check(&self, measurement: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.peer.census(measurement);
            if found == EXPECTED {
                return;
            }
            assert!(Instant::now() < deadline, "{}: {found:?} of {measurement}", self.peer.name);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn ended_within(import: &mut Child, time: Duration) -> bool {
    let deadline = Instant::now() + time;
    while import.try_wait().unwrap().is_none() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

#[track_caller]
fn finish(mut import: Child) -> Finished {
    if !ended_within(&mut import, RETURN) {
        import.kill().unwrap();
    }
    let output = import.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Imports, so many unless the environment says otherwise.
fn survives(peer: Peer, rounds: u64) {
    let told = std::env::var("HISSRV_TEST_ROUNDS").ok();
    let rounds = told.map_or(rounds, |text| text.parse().expect("HISSRV_TEST_ROUNDS: a number"));
    let mut site = Site::new(peer);
    for number in 0..rounds {
        site.round(number);
    }
    // Whatever dies after the end: it is there.
    site.kill_store();
    site.return_store();
    (0..rounds).for_each(|number| site.check(&format!("dying{number}")));
    println!("{}: {rounds} imports, {:?}", site.peer.name, site.deaths);
}

#[test]
fn influxdb_may_die_under_an_import() {
    survives(Peer::influxdb(), 2);
}

#[test]
fn victoriametrics_may_die_under_an_import() {
    survives(Peer::victoriametrics(), 3);
}

#[test]
fn postgres_may_die_under_an_import() {
    survives(Peer::postgres(), 1);
}
