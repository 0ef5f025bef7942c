//! The folder of a store's dead letters, and the names of the files in it.

use std::io;
use std::path::{Path, PathBuf};

use vfs::Fs;

use super::error::Error;

const SUFFIX: &str = ".jsonl";

/// `DIR/dead-letter/STORE`. Its files are numbered from 1 on, in eight digits or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// That of a store in a data directory.
    pub(super) fn new(dir: &Path, store: &str) -> Result<Self, Error> {
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if store.is_empty() || !store.bytes().all(plain) {
            return Err(Error::Name(store.to_owned()));
        }
        Ok(Self(dir.join("dead-letter").join(store)))
    }

    /// Makes it if it is not there. Its name and that of the folder above are durable then.
    pub(super) fn create(&self, fs: &dyn Fs) -> Result<(), Error> {
        let create = || {
            fs.create_dir_all(&self.0)?;
            self.0.ancestors().skip(1).take(2).try_for_each(|above| fs.sync_dir(above))
        };
        create().map_err(Error::io("create folder", &self.0))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number:08}{SUFFIX}"))
    }

    /// Numbers of the files, ascending; none when there is no folder.
    pub(super) fn files(&self, fs: &dyn Fs) -> Result<Vec<u64>, Error> {
        let names = match fs.list(&self.0) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names.map_err(Error::io("list folder", &self.0))?,
        };
        let mut files: Vec<u64> = names.iter().filter_map(|name| parse(name)).collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Makes creations and removals in it durable.
    pub(super) fn sync(&self, fs: &dyn Fs) -> Result<(), Error> {
        fs.sync_dir(&self.0).map_err(Error::io("sync folder", &self.0))
    }
}

/// The number in a file's name; `None` when it is none of ours, and for one that others could not be counted on from.
fn parse(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok().filter(|number| *number < u64::MAX / 2)?;
    (format!("{number:08}{SUFFIX}") == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_and_parsed_alike() {
        let folder = Folder::new(Path::new("/data"), "influxdb").unwrap();
        assert_eq!(folder.file(7), Path::new("/data/dead-letter/influxdb/00000007.jsonl"));
        assert_eq!((parse("00000007.jsonl"), parse("123456789.jsonl")), (Some(7), Some(123_456_789)));
        for name in
            ["7.jsonl", "00000007.jsonl.tmp", "00000007", "+0000007.jsonl", "x.jsonl", "18446744073709551615.jsonl"]
        {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_store_has_a_plain_name() {
        for name in ["", "..", "a/b", "InfluxDB"] {
            assert!(matches!(Folder::new(Path::new("/data"), name), Err(Error::Name(_))), "{name}");
        }
    }
}
