//! An S3-compatible object store, addressed by path: `ENDPOINT/BUCKET/KEY`. Objects are put together in a file and sent by one
//! request, which bounds them to 5 GiB; what is read comes through a file, too.

mod client;
mod error;
mod list;
mod retry;
mod sign;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use ring::digest;
use vfs::{File, Fs};

use crate::Clock;
use crate::config::{ConfigError, S3Config};
use crate::error::Error;
use crate::names::hex;

use client::{Client, Content, Request};

use super::draft::{Draft, Removed};
use super::{MAX_SMALL, Object, Opened, Target};

/// Largest object that one PUT carries.
const MAX_PUT: u64 = 5 << 30;
/// Bytes copied at a time.
const PORTION: usize = 256 << 10;
/// Most objects that are listed.
const MAX_LISTED: usize = 2_000_000;

/// A bucket, below a prefix.
pub(super) struct S3 {
    client: Client,
    prefix: String,
    fs: Arc<dyn Fs>,
    spool: PathBuf,
    /// Tells files in the spool apart.
    drafts: AtomicU64,
}

impl S3 {
    pub(super) fn new(
        fs: Arc<dyn Fs>,
        config: &S3Config,
        [bucket, prefix]: [&str; 2],
        spool: &Path,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        let client = Client::new(config, bucket, clock)?;
        Ok(Self { client, prefix: prefix.to_owned(), fs, spool: spool.to_owned(), drafts: AtomicU64::new(0) })
    }

    fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    /// A path for a temporary file.
    fn spool_path(&self) -> Result<PathBuf, Error> {
        self.fs.create_dir_all(&self.spool).map_err(|source| Error::io("create folder", &self.spool, source))?;
        Ok(self.spool.join(format!("{}.tmp", self.drafts.fetch_add(1, Relaxed))))
    }

    fn copy(&self, mut from: impl Read, name: &str) -> Result<Opened, Error> {
        let path = self.spool_path()?;
        let (file, copy) = Removed::create(&self.fs, path)?;
        let mut buffer = vec![0; PORTION];
        let mut at = 0;
        loop {
            let count = from.read(&mut buffer).map_err(|e| Error::Away(format!("{}: {e}", self.address(name))))?;
            let part = buffer.get(..count).unwrap_or_default();
            if part.is_empty() {
                return Ok(Opened { file, _copy: Some(copy) });
            }
            file.write_at(part, at).map_err(|source| Error::io("write", &copy.path, source))?;
            at += count as u64;
        }
    }
}

impl Target for S3 {
    fn list(&self, prefix: &str, stop: &AtomicBool) -> Result<Vec<Object>, Error> {
        let below = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let page = list::page(&self.client, &format!("{below}{prefix}"), token.as_deref(), stop)?;
            let named = page
                .objects
                .into_iter()
                .filter_map(|o| Some(Object { name: o.name.strip_prefix(&below)?.to_owned(), bytes: o.bytes }));
            found.extend(named);
            if found.len() > MAX_LISTED {
                return Err(Error::Refused(format!("{} has more than {MAX_LISTED} objects", self.address(prefix))));
            }
            token = page.next;
            if token.is_none() {
                found.sort_unstable();
                return Ok(found);
            }
        }
    }

    fn read(&self, name: &str, stop: &AtomicBool) -> Result<Option<Vec<u8>>, Error> {
        let key = self.key(name);
        retry::retry(stop, || {
            let Some(body) = self.client.get(&Request::object(&key))? else { return Ok(None) };
            let mut content = Vec::new();
            let read = body.take(MAX_SMALL).read_to_end(&mut content);
            read.map_err(|e| Error::Away(format!("{}: {e}", self.address(name))))?;
            Ok(Some(content))
        })
    }

    fn open(&self, name: &str, stop: &AtomicBool) -> Result<Option<Opened>, Error> {
        let key = self.key(name);
        retry::retry(stop, || match self.client.get(&Request::object(&key))? {
            Some(body) => self.copy(body, name).map(Some),
            None => Ok(None),
        })
    }

    fn draft(&self, name: &str) -> Result<Draft, Error> {
        Draft::create(&self.fs, self.spool_path()?, name)
    }

    fn publish(&self, mut draft: Draft, stop: &AtomicBool) -> Result<(), Error> {
        draft.sync()?;
        let (bytes, sha256) = (draft.bytes(), draft.sha256());
        if bytes > MAX_PUT {
            return Err(Error::TooLarge { file: self.address(&draft.name), bytes, limit: MAX_PUT });
        }
        let key = self.key(&draft.name);
        retry::retry(stop, || {
            let mut reader = FileReader { file: &*draft.file, at: 0, bytes, stop };
            self.client.put(&Request::object(&key), Content { reader: &mut reader, bytes, sha256: &sha256 })
        })
    }

    fn write(&self, name: &str, content: &[u8], stop: &AtomicBool) -> Result<(), Error> {
        let key = self.key(name);
        let (bytes, sha256) = (content.len() as u64, hex(digest::digest(&digest::SHA256, content).as_ref()));
        retry::retry(stop, || {
            let mut reader = content;
            self.client.put(&Request::object(&key), Content { reader: &mut reader, bytes, sha256: &sha256 })
        })
    }

    fn address(&self, name: &str) -> String {
        format!("s3://{}/{}", self.client.bucket(), self.key(name))
    }
}

/// A file from its beginning. Reading fails once `stop` is set, which ends a long upload.
struct FileReader<'a> {
    file: &'a dyn File,
    at: u64,
    bytes: u64,
    stop: &'a AtomicBool,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.load(Relaxed) {
            return Err(std::io::Error::other("stopped"));
        }
        let rest = usize::try_from(self.bytes - self.at).unwrap_or(usize::MAX);
        let count = buffer.len().min(rest);
        self.file.read_at(buffer.get_mut(..count).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
