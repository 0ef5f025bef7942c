//! A full disk: writes get a clear error, the process lives, and what was acknowledged is there again once there is room.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Answer, Client, Folder, Numbers, Service, check_numbers, lines, wait_for};

const WRITE: &str = "/write?db=telemetry&precision=ms";

/// A small file system in memory, gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs", at.to_str().unwrap()]).then(|| Self(at.to_owned()))
    }

    fn grow(&self) {
        assert!(mount(&["-o", "remount,size=256m", self.0.to_str().unwrap()]));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since the process that used it may be about to end only.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

fn mount(arguments: &[&str]) -> bool {
    let status = Command::new("mount").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Writes until the disk is full; the numbers that were acknowledged, and the first answer that is no success.
fn fill(client: &mut Client, numbers: &Numbers) -> (Vec<Range<u64>>, Answer) {
    let mut acknowledged = Vec::new();
    loop {
        let batch = numbers.take(2_000);
        assert!(batch.end < 2_000_000, "the disk never got full");
        let answer = client.post(WRITE, lines(batch.clone()));
        if answer.status != 204 {
            return (acknowledged, answer);
        }
        acknowledged.push(batch);
    }
}

#[test]
fn on_a_full_disk_writes_fail_clearly_and_acknowledged_points_survive() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(&folder.data()) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let mut service = Service::start(&folder, "");
    let (mut client, numbers) = (service.client(), Numbers::default());
    let (mut acknowledged, refused) = fill(&mut client, &numbers);
    println!("disk full: {} batches, then {} {}", acknowledged.len(), refused.status, refused.text());
    assert!(!acknowledged.is_empty());
    assert!((500..=503).contains(&refused.status), "{}", refused.text());
    assert!(refused.json()["error"].as_str().is_some_and(|text| !text.is_empty()), "{}", refused.text());
    assert!(service.is_alive(), "{}", service.log());
    check_numbers(&mut client, &acknowledged, &numbers);
    service.kill9();

    disk.grow();
    let service = Service::start(&folder, "");
    let mut client = service.client();
    check_numbers(&mut client, &acknowledged, &numbers);
    let batch = numbers.take(100);
    assert_eq!(client.post(WRITE, lines(batch.clone())).status, 204);
    acknowledged.push(batch);
    check_numbers(&mut client, &acknowledged, &numbers);
    service.stop();
}

#[test]
fn writes_are_taken_again_as_soon_as_a_full_disk_has_room() {
    let folder = Folder::new();
    let Some(disk) = SmallDisk::mount(&folder.data()) else {
        println!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let service = Service::start(&folder, "");
    let (mut client, numbers) = (service.client(), Numbers::default());
    let (mut acknowledged, refused) = fill(&mut client, &numbers);
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_ne!(refused.header("retry-after"), "");
    disk.grow();
    let batch = numbers.take(100);
    wait_for("a write to be taken", || client.post(WRITE, lines(batch.clone())).status == 204);
    acknowledged.push(batch);
    check_numbers(&mut client, &acknowledged, &numbers);
    service.stop();
}
