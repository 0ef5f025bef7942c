//! Checks every checksum of a store without changing anything.

use std::path::Path;

use vfs::Fs;

use crate::block::{BlockFile, number_of};
use crate::blocks_dir;
use crate::error::EngineError;
use crate::manifest::Manifest;

/// One sentence for each damaged place of the store in `dir`, naming file and offset. Empty: all is well.
///
/// # Errors
/// When the folder cannot be read.
pub fn verify(fs: &dyn Fs, dir: &Path) -> Result<Vec<String>, EngineError> {
    let (manifest, mut findings) = match Manifest::load(fs, dir) {
        Ok(loaded) => (loaded.manifest, loaded.findings),
        Err(e) => (None, vec![e.to_string()]),
    };
    let blocks = blocks_dir(dir);
    let present = match fs.list(&blocks) {
        Ok(present) => present,
        Err(e) => {
            findings.push(format!("{}: {e}", blocks.display()));
            Vec::new()
        }
    };
    if manifest.is_none() && present.iter().any(|name| number_of(name).is_some()) {
        findings.push(format!("{}: the manifest is missing, but there are block files", dir.display()));
    }
    // Without a manifest, everything there may be part of the store; with it, what is not listed is unfinished work.
    let names: Vec<String> = match manifest {
        Some(manifest) => manifest.files.into_iter().map(|f| f.name).collect(),
        None => present.into_iter().filter(|name| number_of(name).is_some()).collect(),
    };
    for path in names.iter().map(|name| blocks.join(name)) {
        match BlockFile::open_alone(fs, &path) {
            Ok(block) => findings.extend(block.verify().iter().map(ToString::to_string)),
            Err(e) => findings.push(e.to_string()),
        }
    }
    Ok(findings)
}
