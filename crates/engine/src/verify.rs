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
        Ok((manifest, findings)) => (manifest, findings),
        Err(e) => (None, vec![e.to_string()]),
    };
    let blocks = blocks_dir(dir);
    let names = fs.list(&blocks).map_err(|source| EngineError::io("list", &blocks, source))?;
    let missing = |name: &str| !names.iter().any(|n| n == name);
    for entry in manifest.iter().flat_map(|m| &m.files).filter(|f| missing(&f.name)) {
        findings.push(format!("{}: missing", blocks.join(&entry.name).display()));
    }
    for name in &names {
        let Some(number) = number_of(name) else { continue };
        match BlockFile::open(fs, &blocks.join(name), number) {
            Ok(block) => findings.extend(block.verify().iter().map(ToString::to_string)),
            Err(e) => findings.push(e.to_string()),
        }
    }
    Ok(findings)
}
