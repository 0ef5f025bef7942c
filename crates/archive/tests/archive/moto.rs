//! An archive in a real S3 server (moto), which checks every signature.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use archive::{Archive, ArchiveConfig, Error, Place, S3Config, Scope, Selection};
use model::{FieldType, TimestampNs};
use serde_json::Value as Json;
use vfs::RealFs;

use crate::support::{DAY, DAY_NS, GO, Plant, Value, restored, wrong};
use crate::tools::script;

struct Moto {
    process: Child,
    address: Json,
}

impl Moto {
    fn start() -> Option<Self> {
        let mut command = script("s3.py")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(address) = serde_json::from_str(&line) else {
            let output = process.wait_with_output().unwrap();
            panic!("moto did not start: {}", String::from_utf8_lossy(&output.stderr))
        };
        Some(Self { process, address })
    }

    fn config(&self) -> ArchiveConfig {
        let of = |key: &str| self.address[key].as_str().unwrap().to_owned();
        let s3 = S3Config {
            endpoint: Some(of("endpoint")),
            region: "eu-central-1".to_owned(),
            access_key: of("access_key"),
            secret_key: Some(of("secret_key").into()),
            ..S3Config::default()
        };
        let target = Place::S3 { bucket: of("bucket"), prefix: "a b/historian".to_owned() };
        ArchiveConfig { s3, ..ArchiveConfig::new(target) }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Signatures are refused when clocks differ by much, so the plant's is today's.
fn plant(config: ArchiveConfig) -> (Plant, i64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i64;
    let plant = Plant::with(|_| config);
    plant.now.store(now, std::sync::atomic::Ordering::Relaxed);
    (plant, now - now % DAY_NS - 2 * DAY_NS)
}

#[test]
fn an_object_store_has_the_same_archive_as_a_folder() {
    let Some(moto) = Moto::start() else { return };
    let (mut plant, day) = plant(moto.config());
    plant.put_power(&[(day, 1.0), (day + 1, 2.0), (day - DAY_NS, 3.0)]);
    let bucket = plant.bucket("数据 +&=", "a/b");
    let text = plant.column(bucket, "m%\\ x\\,,tag=v".as_bytes(), "state", FieldType::String);
    plant.put(text, &[(day, Value::Text("x".repeat(1_000_000)))]);
    assert_eq!(plant.run(), 3);
    plant.check();
    plant.put_power(&[(day + 2, 4.0)]);
    assert_eq!(plant.run(), 1);
    plant.check();
    assert_eq!(plant.list().iter().map(|m| m.rows).sum::<u64>(), 5);
    assert_eq!(std::fs::read_dir(plant.folder.path().join("spool")).unwrap().count(), 0, "no temporary file is left");
}

fn open(config: &ArchiveConfig, now: i64) -> (tempfile::TempDir, Archive) {
    let spool = tempfile::tempdir().unwrap();
    let archive = Archive::new(Arc::new(RealFs), config, spool.path(), Arc::new(move || TimestampNs(now))).unwrap();
    (spool, archive)
}

#[test]
fn refusals_say_what_to_look_at() {
    let Some(moto) = Moto::start() else { return };
    let (mut plant, day) = plant(ArchiveConfig {
        s3: S3Config { secret_key: Some("wrong".to_owned().into()), ..moto.config().s3 },
        ..moto.config()
    });
    plant.put_power(&[(day, 1.0), (day - DAY_NS, 2.0)]);
    let report = plant.archiver.run(&Scope::All);
    assert_eq!((report.files, report.failed, report.is_cut_short), (0, 1, true), "the second day would meet the same");
    let reason = &report.failures[0].reason;
    assert!(
        reason.contains("403") && reason.contains("SignatureDoesNotMatch") && reason.contains("s3.secret_key"),
        "{reason}"
    );

    let nowhere = Place::S3 { bucket: "nosuchbucket".to_owned(), prefix: String::new() };
    let (_spool, archive) =
        open(&ArchiveConfig { target: nowhere, ..moto.config() }, plant.now.load(std::sync::atomic::Ordering::Relaxed));
    let error = archive.list(&Selection::default(), &GO).unwrap_err();
    assert!(matches!(&error, Error::Refused(m) if m.contains("NoSuchBucket")), "{error}");
    let nothing = &mut |_: archive::RestoredPoint<'_>| ControlFlow::Continue(());
    assert!(archive.restore(&Selection::default(), &GO, nothing).is_err());
}

#[test]
fn an_archive_is_restored_elsewhere_with_nothing_but_its_settings() {
    let Some(moto) = Moto::start() else { return };
    let (mut plant, day) = plant(moto.config());
    plant.put_power(&[(day, 1.0), (day + 1, 2.0)]);
    plant.run();
    let (_spool, archive) = open(&moto.config(), plant.now.load(std::sync::atomic::Ordering::Relaxed));
    assert_eq!(restored(&archive), plant.stored(plant.today()));
    assert_eq!(wrong(&archive), Vec::<String>::new());
    let stopped = AtomicBool::new(true);
    assert!(matches!(archive.list(&Selection::default(), &stopped), Err(Error::Stopped)));
    assert!(plant.now.load(std::sync::atomic::Ordering::Relaxed) > DAY);
}
