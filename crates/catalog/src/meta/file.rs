//! How databases and users are stored: whole, in two files of the same content, each replaced at every change.
//!
//! ```text
//! file = "HSCMETA1" | crc32c:u32le | generation:u64le | JSON           (crc over generation and JSON)
//! ```
//! The intact copy of the higher generation counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vfs::{Fs, replace_durably};

use super::Meta;
use crate::CatalogError;

const MAGIC: &[u8; 8] = b"HSCMETA1";
/// The magic without its last character, which is the version.
const MAGIC_ANY_VERSION: &[u8; 7] = b"HSCMETA";
const FILES: [&str; 2] = ["meta.1", "meta.2"];

/// Both files.
pub(crate) struct MetaFiles {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    /// Of the last content written or tried, so that no two differ under one number.
    generation: u64,
}

/// What is stored.
pub(crate) struct Loaded {
    /// `None` when there is no copy at all.
    pub(crate) meta: Option<Meta>,
    /// One sentence for each damaged or missing copy.
    pub(crate) findings: Vec<String>,
    /// True when both copies are intact and equal.
    agree: bool,
}

/// What is in one of the files.
enum Copy {
    Missing,
    Damaged,
    /// Of another version.
    Other,
    Intact {
        generation: u64,
        meta: Meta,
    },
}

impl MetaFiles {
    /// Reads both copies and mends one from the other.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, Loaded), CatalogError> {
        let (generation, loaded) = load(&*fs, dir)?;
        let mut files = Self { fs, dir: dir.to_owned(), generation };
        if let (Some(meta), false) = (&loaded.meta, loaded.agree) {
            files.save(meta)?;
        }
        Ok((files, loaded))
    }

    /// Writes both copies.
    pub(crate) fn save(&mut self, meta: &Meta) -> Result<(), CatalogError> {
        self.generation += 1;
        let first = self.dir.join(FILES[0]);
        let bytes = encode(self.generation, meta).map_err(failed("encode", &first))?;
        for path in FILES.map(|name| self.dir.join(name)) {
            replace_durably(&*self.fs, &path, &bytes).map_err(failed("write", &path))?;
        }
        Ok(())
    }
}

/// Checks both files without changing them: one sentence for each damaged place.
pub(crate) fn verify(fs: &dyn Fs, dir: &Path) -> Vec<String> {
    match load(fs, dir) {
        Ok((_, loaded)) => {
            let differ = loaded.findings.is_empty() && loaded.meta.is_some() && !loaded.agree;
            let differ = differ.then(|| format!("{}: meta.1 and meta.2 have different content", dir.display()));
            loaded.findings.into_iter().chain(differ).collect()
        }
        Err(e) => vec![e.to_string()],
    }
}

/// The generation to go on from, and the newer intact copy.
fn load(fs: &dyn Fs, dir: &Path) -> Result<(u64, Loaded), CatalogError> {
    let paths = FILES.map(|name| dir.join(name));
    let copies = paths.iter().map(|path| read(fs, path)).collect::<Result<Vec<_>, _>>()?;
    let mut findings = Vec::new();
    let mut intact = Vec::new();
    let are_missing = copies.iter().all(|c| matches!(c, Copy::Missing));
    let has_intact = copies.iter().any(|c| matches!(c, Copy::Intact { .. }));
    for (path, copy) in paths.iter().zip(copies) {
        match copy {
            Copy::Intact { generation, meta } => intact.push((generation, meta)),
            // Beside an intact copy it is a damaged magic.
            Copy::Other if !has_intact => return Err(CatalogError::Newer { path: path.clone() }),
            Copy::Damaged | Copy::Other => findings.push(format!("{}: offset 0: damaged", path.display())),
            Copy::Missing if are_missing => {}
            Copy::Missing => findings.push(format!("{}: missing", path.display())),
        }
    }
    let agree = matches!(intact.as_slice(), [a, b] if a == b);
    let newest = intact.into_iter().max_by_key(|(generation, _)| *generation);
    if newest.is_none() && !are_missing {
        return Err(CatalogError::MetaDamaged { path: dir.join(FILES[0]) });
    }
    let generation = newest.as_ref().map_or(0, |(generation, _)| *generation);
    Ok((generation, Loaded { meta: newest.map(|(_, meta)| meta), findings, agree }))
}

fn read(fs: &dyn Fs, path: &Path) -> Result<Copy, CatalogError> {
    if !fs.exists(path) {
        return Ok(Copy::Missing);
    }
    let bytes = fs.read(path).map_err(failed("read", path))?;
    Ok(decode(&bytes).unwrap_or(Copy::Damaged))
}

fn encode(generation: u64, meta: &Meta) -> io::Result<Vec<u8>> {
    let mut body = generation.to_le_bytes().to_vec();
    serde_json::to_writer(&mut body, meta)?;
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    out.extend_from_slice(&body);
    Ok(out)
}

/// `None` when the bytes are not what was written.
fn decode(bytes: &[u8]) -> Option<Copy> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        let rest = bytes.strip_prefix(MAGIC_ANY_VERSION)?.get(1..)?;
        return intact_body(rest).map(|_| Copy::Other);
    };
    let (generation, json) = intact_body(rest)?.split_first_chunk()?;
    let meta = serde_json::from_slice(json).ok()?;
    Some(Copy::Intact { generation: u64::from_le_bytes(*generation), meta })
}

fn intact_body(rest: &[u8]) -> Option<&[u8]> {
    let (crc, body) = rest.split_first_chunk()?;
    (crc32c::crc32c(body) == u32::from_le_bytes(*crc)).then_some(body)
}

fn failed<'a>(op: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> CatalogError + 'a {
    move |source| CatalogError::Io { op, path: path.to_owned(), source }
}
