//! One flipped bit in any file: hissrv starts with everything that is not damaged, or refuses and names the file; a wrong value is
//! never read; `hissrv verify` names the file beforehand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Folder, Rng, Series, Service, copy_tree, files_below, output_of};

const FLIPS: usize = 150;
/// Each file gets at least so many of them, where it is not empty.
const FLIPS_OF_A_FILE: usize = 8;

const DAY_MS: u64 = 86_400_000;
const BASE_MS: u64 = 1_700_006_400_000;
/// Points of a batch; the unit in which the journal can lose.
const BATCH: u64 = 100;
/// Batches of each day; every day but the last is in files.
const BATCHES: u64 = 8;
const DAYS: u64 = 5;

/// Series and time in milliseconds, to value and text.
type Content = BTreeMap<(String, i64), (f64, String)>;

/// Point `n` of a day.
fn point(day: u64, n: u64) -> ((String, i64), (f64, String)) {
    let time = BASE_MS + day * DAY_MS + n * 1_000;
    ((format!("s{}", n % 4), time as i64), (((day * 1_000 + n) as f64).sqrt(), format!("text {day} {n}")))
}

fn batch(day: u64, batch: u64) -> impl Iterator<Item = ((String, i64), (f64, String))> {
    (batch * BATCH..(batch + 1) * BATCH).map(move |n| point(day, n))
}

/// A data directory with block files of several days, and a last day in the journal only.
fn build(folder: &Folder) -> Content {
    let service = Service::start(folder, "");
    let mut client = service.client();
    // So that there is more than one line in the file of alerts.
    let silence = json!({ "labels": { "rule": "r" }, "until": "2100-01-01T00:00:00Z", "comment": "none" });
    client.post("/api/v1/admin/silence", silence.to_string()).ok();
    let mut content = Content::new();
    for day in 0..DAYS {
        for number in 0..BATCHES {
            let mut lines = String::new();
            for ((series, time), (value, text)) in batch(day, number) {
                writeln!(lines, "m,series={series} value={value},text=\"{text}\" {time}000000").unwrap();
            }
            client.write(&lines);
            content.extend(batch(day, number));
            // Two files of the first day, one of each further one.
            if day + 1 < DAYS && (number + 1 == BATCHES || (day == 0 && number == 3)) {
                client.post("/api/v1/admin/flush", "").ok();
            }
        }
    }
    service.kill9();
    content
}

/// Everything that can be read. Damaged parts are left out by the service, which says so.
fn read(service: &Service) -> Content {
    let question = json!({ "measurement": "m", "group_by": ["series"] }).to_string();
    let answer = service.client().post("/api/v1/query/series?epoch=ms", question);
    if answer.status == 404 {
        return Content::new();
    }
    let mut content = Content::new();
    for series in Series::read(&answer.ok()) {
        for row in series.rows {
            let key = (series.tags["series"].clone(), row.time);
            // A file may be lost with one of its fields intact; the other one is then absent.
            let value = (
                row.float("value").unwrap_or(f64::NAN),
                row.values.get("text").map_or("", |t| t.as_str().unwrap()).to_owned(),
            );
            assert!(content.insert(key.clone(), value).is_none(), "{key:?} twice");
        }
    }
    content
}

/// Which points a damage of this file may cost.
fn may_be_lost(file: &Path, time: i64) -> bool {
    let day = (time as u64 - BASE_MS) / DAY_MS;
    match file.components().next().unwrap().as_os_str().to_str().unwrap() {
        // The last day is in the journal only.
        "journal" => day == DAYS - 1,
        // A block file is named by the day in seconds.
        "engine" => file.to_str().unwrap().contains(&format!("_{}_", (BASE_MS + day * DAY_MS) / 1_000)),
        // Kept twice.
        _ => false,
    }
}

/// A bit of a file that carries no meaning, with the reason.
fn carries_nothing(file: &Path, offset: usize) -> Option<&'static str> {
    let name = file.file_name().unwrap().to_str().unwrap();
    (name.ends_with(".cursor") && (24..4096).contains(&offset)).then_some("the space between the two slots of a cursor")
}

/// Bytes to damage: of every file some, spread over its length, in all about [`FLIPS`].
fn places(data: &Path, rng: &mut Rng) -> Vec<(PathBuf, usize)> {
    let files: Vec<(PathBuf, usize)> = files_below(data)
        .into_iter()
        .map(|f| (f.clone(), fs::metadata(data.join(f)).unwrap().len() as usize))
        .collect();
    let empty: Vec<&PathBuf> = files.iter().filter(|(_, len)| *len == 0).map(|(f, _)| f).collect();
    assert_eq!(empty, [Path::new("LOCK")], "only the lock has no bytes to damage");
    let total: usize = files.iter().map(|(_, len)| len).sum();
    let mut places = Vec::new();
    for (file, len) in files.into_iter().filter(|(_, len)| *len > 0) {
        let count = (FLIPS * len / total).max(FLIPS_OF_A_FILE).min(len);
        let step = len as u64 / count as u64;
        places.extend((0..count as u64).map(|i| (file.clone(), (i * step + rng.within(0..step)) as usize)));
    }
    places
}

#[test]
fn a_flipped_bit_anywhere_is_named_and_never_gives_a_wrong_value() {
    let (mut rng, folder) = (Rng::new("corruption"), Folder::new());
    let content = build(&folder);
    let places = places(&folder.data(), &mut rng);
    let files: BTreeSet<&PathBuf> = places.iter().map(|(file, _)| file).collect();
    assert!(files.len() >= 2 + 2 + 5 + 2, "two catalogs, two manifests, blocks, journal and cursor: {files:?}");
    let (mut refused, mut lossless) = (0, 0);
    for (file, offset) in &places {
        let bit = rng.within(0..8);
        let what = format!("bit {bit} of byte {offset} of {}", file.display());
        match try_damage(&folder, &content, Damage { file, offset: *offset, bit }, &what) {
            Outcome::Refused => refused += 1,
            Outcome::Lossless => lossless += 1,
            Outcome::Lossy => {}
        }
    }
    println!("corruption: {} flips, {refused} refused, {lossless} without loss", places.len());
}

#[test]
fn both_copies_damaged_are_named_and_refused_and_nothing_is_removed() {
    let folder = Folder::new();
    build(&folder);
    let data = folder.data();
    for name in ["engine/manifest.1", "engine/manifest.2"] {
        let mut bytes = fs::read(data.join(name)).unwrap();
        bytes[12] ^= 1;
        fs::write(data.join(name), bytes).unwrap();
    }
    let before = contents(&data);
    let verified = output_of(&["verify", data.to_str().unwrap()]);
    assert!(verified.code == Some(1) && verified.out.contains("manifest.1"), "{verified:?}");
    let Err(refused) = Service::try_start(&folder, "") else {
        panic!("started without knowing which files belong to it")
    };
    assert!(refused.code == Some(1) && refused.err.contains("manifest"), "{refused:?}");
    assert_eq!(before, contents(&data), "files were changed");
}

/// All files and their bytes.
fn contents(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(data).into_iter().map(|file| (file.clone(), fs::read(data.join(file)).unwrap())).collect()
}

#[derive(Clone, Copy)]
struct Damage<'a> {
    file: &'a Path,
    offset: usize,
    bit: u64,
}

enum Outcome {
    Refused,
    Lossless,
    Lossy,
}

/// Damages a copy, verifies it, starts on it, and judges all that is read.
fn try_damage(original: &Folder, content: &Content, damage: Damage<'_>, what: &str) -> Outcome {
    let folder = Folder::new();
    copy_tree(&original.data(), &folder.data());
    let path = folder.data().join(damage.file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[damage.offset] ^= 1 << damage.bit;
    fs::write(&path, bytes).unwrap();
    let name = damage.file.file_name().unwrap().to_str().unwrap();

    let verified = output_of(&["verify", folder.data().to_str().unwrap()]);
    match carries_nothing(damage.file, damage.offset) {
        Some(reason) => assert_eq!(verified.code, Some(0), "{what} ({reason}): {verified:?}"),
        None => assert!(verified.code == Some(1) && verified.out.contains(name), "{what}: {verified:?}"),
    }
    let service = match Service::try_start(&folder, "") {
        Ok(service) => service,
        Err(finished) => {
            assert!(finished.code == Some(1) && finished.err.contains(name), "{what}: {finished:?}");
            return Outcome::Refused;
        }
    };
    let found = read(&service);
    service.kill9();
    judge(content, &found, damage.file, what)
}

/// Nothing wrong, nothing strange, and nothing missing that the damage did not hit.
fn judge(content: &Content, found: &Content, file: &Path, what: &str) -> Outcome {
    for (key, (value, text)) in found {
        let Some((right, right_text)) = content.get(key) else { panic!("{what}: {key:?} was never written") };
        let absent_allowed = may_be_lost(file, key.1);
        assert!(value == right || (value.is_nan() && absent_allowed), "{what}: {key:?}: {value} instead of {right}");
        assert!(
            text == right_text || (text.is_empty() && absent_allowed),
            "{what}: {key:?}: {text} instead of {right_text}"
        );
    }
    let missing: Vec<&(String, i64)> = content.keys().filter(|key| !found.contains_key(*key)).collect();
    for key in &missing {
        assert!(may_be_lost(file, key.1), "{what}: {key:?} is missing");
    }
    if file.starts_with("journal") {
        assert!(missing.len() as u64 <= BATCH, "{what}: {} points are missing, more than one batch", missing.len());
    }
    if missing.is_empty() { Outcome::Lossless } else { Outcome::Lossy }
}
