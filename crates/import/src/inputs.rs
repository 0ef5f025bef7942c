//! What an import reads: files, named one by one, by pattern, or by folder; or points that are made.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Done;
use crate::error::ImportError;
use crate::file::FileFormat;
use crate::pattern;

/// A file that is read, or points that are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// As it was named.
    pub name: String,
    /// Where it is; `-` is standard input.
    pub path: PathBuf,
    /// Its length in bytes as stored, of what is made in points; `None` for a stream.
    pub len: Option<u64>,
    /// Its format.
    pub format: FileFormat,
    /// The part that is read; `None`: all of it.
    pub part: Option<Part>,
    #[serde(skip)]
    pub(crate) maker: Option<Maker>,
}

/// A part of a text file that is not compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where its first record begins.
    pub start: Done,
    /// The byte behind its last record.
    pub end: u64,
}

/// Points that are made when their turn comes, in pieces that may be made on any thread and in any order.
pub trait MadeLines: Send + Sync {
    /// Number of points altogether.
    fn points(&self) -> u64;

    /// Appends the points from one position up to another one as line protocol, times in nanoseconds. Each is one line: no text has
    /// line breaks in it.
    fn write(&self, positions: std::ops::Range<u64>, out: &mut Vec<u8>);
}

/// What makes the points of an input.
#[derive(Clone)]
pub(crate) struct Maker(pub(crate) Arc<dyn MadeLines>);

impl PartialEq for Maker {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Maker {}

impl fmt::Debug for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} points", self.0.points())
    }
}

impl Input {
    /// Points that are made.
    pub fn made(name: String, maker: Arc<dyn MadeLines>) -> Self {
        let len = Some(maker.points());
        Self { name, path: PathBuf::new(), len, format: FileFormat::Lines, part: None, maker: Some(Maker(maker)) }
    }
}

/// The files meant by `names`, in that order: a name may be a file, `-`, a pattern (`data/*/**/*.csv.gz`, which stands for files in the order
/// of their paths), or a folder, whose files of known formats are meant. Without `format` the ending of each file's name decides.
///
/// # Errors
/// [`ImportError::Input`]: which name means nothing, or which format is not known.
pub fn find_inputs(names: &[String], format: Option<FileFormat>) -> Result<Vec<Input>, ImportError> {
    let mut inputs = Vec::new();
    for name in names {
        let path = Path::new(name);
        if name == "-" {
            let format =
                format.ok_or_else(|| ImportError::Input("standard input: name its format with --format".to_owned()))?;
            inputs.push(Input {
                name: name.clone(),
                path: path.to_owned(),
                len: None,
                format,
                part: None,
                maker: None,
            });
        } else if path.is_dir() {
            let files = known_files(path, format)?;
            if files.is_empty() {
                return Err(ImportError::Input(format!(
                    "{name}: no file in this folder ends in .lp, .csv, .parquet or the like (those of folders below it: '{}/**')",
                    name.trim_end_matches('/')
                )));
            }
            files.iter().try_for_each(|file| inputs.push_file(file, format))?;
        } else if path.exists() {
            inputs.push_file(path, format)?;
        } else if pattern::is_pattern(path) {
            let files = matching(path, format)?;
            if files.is_empty() {
                return Err(ImportError::Input(format!("{name}: no file fits this pattern")));
            }
            files.iter().try_for_each(|file| inputs.push_file(file, format))?;
        } else {
            return Err(ImportError::Input(format!("{name}: no such file")));
        }
    }
    Ok(inputs)
}

trait PushFile {
    fn push_file(&mut self, path: &Path, format: Option<FileFormat>) -> Result<(), ImportError>;
}

impl PushFile for Vec<Input> {
    fn push_file(&mut self, path: &Path, format: Option<FileFormat>) -> Result<(), ImportError> {
        let name = path.display().to_string();
        let format = format.or_else(|| FileFormat::of_name(path)).ok_or_else(|| {
            ImportError::Input(format!(
                "{name}: the ending does not tell its format: name it with --format lines|csv|parquet"
            ))
        })?;
        let about = fs::metadata(path).map_err(|e| ImportError::Input(format!("{name}: {e}")))?;
        let len = about.is_file().then_some(about.len());
        self.push(Input { name, path: path.to_owned(), len, format, part: None, maker: None });
        Ok(())
    }
}

/// Files of a folder whose format is known.
fn known_files(folder: &Path, format: Option<FileFormat>) -> Result<Vec<PathBuf>, ImportError> {
    let is_known = |path: &PathBuf| format.is_some() || FileFormat::of_name(path).is_some();
    Ok(listed(folder)?.into_iter().filter(is_known).collect())
}

/// Files of a folder, by name.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let failed = |e: std::io::Error| ImportError::Input(format!("{}: {e}", folder.display()));
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// Files that fit a pattern; one that ends in `**` means the files of all folders below whose format is known.
fn matching(path: &Path, format: Option<FileFormat>) -> Result<Vec<PathBuf>, ImportError> {
    let failed = |(path, e): (PathBuf, std::io::Error)| ImportError::Input(format!("{}: {e}", path.display()));
    let found = pattern::matching(path).map_err(failed)?;
    if path.file_name().is_some_and(|name| name == "**") {
        let mut files = Vec::new();
        for folder in &found {
            files.extend(known_files(folder, format)?);
        }
        files.sort();
        return Ok(files);
    }
    Ok(found.into_iter().filter(|path| path.is_file()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_patterns_and_folders_stand_for_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("e/f")).unwrap();
        for name in ["b.csv", "a.csv.gz", "c.lp", "d.xyz", "e/f/c.lp", "e/f/d.xyz"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let named = |name: &str| folder.path().join(name).display().to_string();
        let found = |names: &[String]| -> Vec<(String, FileFormat)> {
            let inputs = find_inputs(names, None).unwrap();
            inputs.iter().map(|i| (i.path.file_name().unwrap().to_string_lossy().into_owned(), i.format)).collect()
        };
        use FileFormat::{Csv, Lines};
        let (a, b, c) = (("a.csv.gz".to_owned(), Csv), ("b.csv".to_owned(), Csv), ("c.lp".to_owned(), Lines));
        assert_eq!(found(&[named("c.lp"), named("*.csv*")]), [c.clone(), a.clone(), b.clone()]);
        assert_eq!(found(&[named("")]), [a.clone(), b.clone(), c.clone()]);
        assert_eq!(found(&[named("**")]), [a, b, c.clone(), c.clone()]);
        assert_eq!(found(&[named("**/f/c.*")]), [c]);
        let wrong = |name: &str| find_inputs(&[name.to_owned()], None).unwrap_err().to_string();
        assert!(wrong(&named("d.xyz")).contains("--format"));
        assert!(wrong(&named("e.csv")).contains("no such file"));
        assert!(wrong(&named("*/*.csv")).contains("no file fits"));
        assert!(wrong(&named("e")).contains("/e/**'"));
        assert!(wrong("-").contains("--format"));
        assert_eq!(find_inputs(&[named("d.xyz")], Some(Csv)).unwrap()[0].len, Some(1));
    }
}
