use std::collections::BTreeSet;

use super::*;
use crate::replace_durably;

fn tree() -> (FaultFs, PathBuf) {
    let fs = FaultFs::new();
    let dir = PathBuf::from("/data");
    fs.create_dir_all(&dir).unwrap();
    (fs, dir)
}

/// A file whose name and content are durable.
fn durable(fs: &FaultFs, path: &Path, content: &[u8]) -> Arc<dyn File> {
    let file = fs.create(path).unwrap();
    file.write_at(content, 0).unwrap();
    file.sync().unwrap();
    fs.sync_dir(path.parent().unwrap()).unwrap();
    file
}

#[test]
fn synced_content_under_a_synced_name_survives_every_crash() {
    let (fs, dir) = tree();
    durable(&fs, &dir.join("a"), b"kept");
    for seed in 0..50 {
        assert_eq!(fs.crash(seed).read(&dir.join("a")).unwrap(), b"kept");
    }
}

#[test]
fn an_unsynced_name_may_or_may_not_survive() {
    let (fs, dir) = tree();
    let file = fs.create(&dir.join("a")).unwrap();
    file.sync().unwrap();
    let outcomes: BTreeSet<bool> = (0..50).map(|seed| fs.crash(seed).exists(&dir.join("a"))).collect();
    assert_eq!(outcomes.len(), 2);
    assert!(!fs.crash(0).exists(&dir.join("a")));
    assert!(fs.crash(1).exists(&dir.join("a")));
}

#[test]
fn an_unsynced_write_is_lost_kept_or_torn() {
    let (fs, dir) = tree();
    let path = dir.join("a");
    let file = durable(&fs, &path, b"old");
    file.write_at(&[7; 2000], 3).unwrap();
    let outcomes: BTreeSet<Vec<u8>> = (0..200).map(|seed| fs.crash(seed).read(&path).unwrap()).collect();
    assert_eq!(fs.crash(0).read(&path).unwrap(), b"old");
    assert_eq!(fs.crash(1).read(&path).unwrap().len(), 2003);
    assert!(outcomes.iter().all(|content| content.starts_with(b"old")));
    assert!(outcomes.iter().any(|content| (4..2003).contains(&content.len())), "some are cut short");
    assert!(outcomes.iter().any(|content| content.len() == 2003 && content.contains(&0)), "some have holes");
}

#[test]
fn the_same_seed_gives_the_same_crash() {
    let (fs, dir) = tree();
    let file = durable(&fs, &dir.join("a"), b"");
    file.write_at(&[7; 5000], 0).unwrap();
    let content = |seed| fs.crash(seed).read(&dir.join("a")).unwrap();
    for seed in 0..50 {
        assert_eq!(content(seed), content(seed));
    }
}

#[test]
fn replacing_durably_shows_old_or_new_at_every_cut() {
    let path = Path::new("/data/a");
    let prepared = || {
        let (fs, _) = tree();
        durable(&fs, path, b"old");
        fs
    };
    let fs = prepared();
    let before = fs.operations();
    replace_durably(&fs, path, b"new").unwrap();
    for cut in 0..fs.operations() - before {
        for seed in 0..20 {
            let fs = prepared();
            fs.stop_after_operations(cut);
            replace_durably(&fs, path, b"new").unwrap_err();
            let found = fs.crash(seed).read(path).unwrap();
            assert!(found == b"old" || found == b"new", "cut {cut} seed {seed}: {found:?}");
        }
    }
    for seed in 0..20 {
        assert_eq!(fs.crash(seed).read(path).unwrap(), b"new");
    }
}

#[test]
fn after_the_last_sync_everything_fails() {
    let (fs, dir) = tree();
    let file = durable(&fs, &dir.join("a"), b"one");
    fs.stop_after_syncs(1);
    file.write_at(b"two", 0).unwrap();
    file.sync().unwrap();
    assert!(file.write_at(b"x", 0).is_err());
    assert!(file.read_at(&mut [0], 0).is_err());
    assert!(fs.list(&dir).is_err());
    assert_eq!(fs.crash(0).read(&dir.join("a")).unwrap(), b"two");
}

#[test]
fn a_cut_sync_makes_nothing_durable() {
    let (fs, dir) = tree();
    let file = durable(&fs, &dir.join("a"), b"one");
    fs.stop_after_operations(1);
    file.write_at(b"two", 0).unwrap();
    assert!(file.sync().is_err());
    assert_eq!(fs.crash(0).read(&dir.join("a")).unwrap(), b"one");
}

#[test]
fn what_a_failed_sync_lost_stays_lost_after_the_next_one() {
    let (fs, dir) = tree();
    let file = durable(&fs, &dir.join("a"), b"abc");
    fs.fail_next_sync();
    file.write_at(b"X", 0).unwrap();
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(libc::EIO));
    file.write_at(b"Y", 2).unwrap();
    file.sync().unwrap();
    assert_eq!(fs.read(&dir.join("a")).unwrap(), b"XbY");
    assert_eq!(fs.crash(1).read(&dir.join("a")).unwrap(), b"abY");
}

#[test]
fn a_full_disk_stores_what_fits_and_removing_makes_room() {
    let (fs, dir) = tree();
    let file = durable(&fs, &dir.join("a"), b"1234");
    fs.limit_space(6);
    assert_eq!(fs.free_space(&dir).unwrap(), 2);
    assert_eq!(file.write_at(b"5678", 4).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 6);
    file.write_at(b"....", 0).unwrap();
    fs.remove(&dir.join("a")).unwrap();
    assert_eq!(fs.free_space(&dir).unwrap(), 6);
}

#[test]
fn an_unsynced_removal_may_bring_the_file_back() {
    let (fs, dir) = tree();
    durable(&fs, &dir.join("a"), b"kept");
    fs.remove(&dir.join("a")).unwrap();
    assert!(!fs.exists(&dir.join("a")));
    assert_eq!(fs.crash(0).read(&dir.join("a")).unwrap(), b"kept");
    fs.sync_dir(&dir).unwrap();
    assert!((0..20).all(|seed| !fs.crash(seed).exists(&dir.join("a"))));
}

#[test]
fn creating_an_existing_file_and_opening_a_missing_one_are_refused() {
    let (fs, dir) = tree();
    fs.create(&dir.join("a")).unwrap();
    assert_eq!(fs.create(&dir.join("a")).err().unwrap().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs.open(&dir.join("b")).err().unwrap().kind(), io::ErrorKind::NotFound);
    assert_eq!(fs.list(Path::new("/other")).unwrap_err().kind(), io::ErrorKind::NotFound);
}
