//! The files that an import writes beside the data: the checkpoint and the rejects. They never take the place of files that are something else.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use import::{Checkpoint, Input};

use crate::cli::{Failure, ImportArgs};
use crate::commands::same_file::is_same;

/// Longest first line of a file of rejects that is looked at.
const LINE_MAX: u64 = 64 << 10;

/// Where an import writes what.
pub(super) struct Paths {
    /// What is done.
    pub(super) checkpoint: PathBuf,
    /// What was refused.
    pub(super) rejects: PathBuf,
}

impl Paths {
    /// Those of a task; unless they are named, another task has others.
    pub(super) fn of(args: &ImportArgs, task: &str) -> Self {
        let number = crc32c::crc32c(task.as_bytes());
        let named = |path: &Option<PathBuf>, ending: &str| {
            path.clone().unwrap_or_else(|| PathBuf::from(format!("hissrv-import-{number:08x}.{ending}")))
        };
        Self { checkpoint: named(&args.checkpoint, "json"), rejects: named(&args.rejects, "rejects") }
    }

    /// Refuses to write over the inputs, and over files that nobody would miss less for having named them here.
    pub(super) fn check(&self, inputs: &[Input]) -> Result<(), Failure> {
        for (option, path) in [("--checkpoint", &self.checkpoint), ("--rejects", &self.rejects)] {
            if inputs.iter().any(|input| is_same(&input.path, path)) {
                let path = path.display();
                return Err(Failure::Usage(format!("{option} {path}: this file is imported: name another one")));
            }
        }
        if self.checkpoint == self.rejects {
            return Err(Failure::Usage("--checkpoint and --rejects are the same file".to_owned()));
        }
        Checkpoint::load(&self.checkpoint).map_err(|e| Failure::Usage(e.to_string()))?;
        if holds_something_else(&self.rejects).map_err(|e| wrong_rejects(&self.rejects, &e.to_string()))? {
            return Err(wrong_rejects(&self.rejects, "it is there, and is no file of rejects: name another one"));
        }
        Ok(())
    }

    /// What is done, without files that were changed since that was saved: they are read anew.
    pub(super) fn without_changed(&self, mut found: Checkpoint, inputs: &[Input]) -> Checkpoint {
        // The time of change is the file system's own; that of a modification may be older in a file that took the place of another one.
        let saved = std::fs::metadata(&self.checkpoint).map(|about| (about.mtime(), about.mtime_nsec()));
        let is_newer = |input: &Input| match (&saved, std::fs::metadata(&input.path)) {
            (Ok(saved), Ok(about)) => (about.ctime(), about.ctime_nsec()) > *saved,
            _ => true,
        };
        let changed = inputs.iter().filter(|input| is_newer(input)).map(|input| input.name.as_str());
        let changed: HashSet<&str> = changed.collect();
        found.files.retain(|file| !changed.contains(file.name.as_str()));
        found
    }

    /// Removes rejects that an earlier import of the same task left.
    pub(super) fn remove_old_rejects(&self) -> Result<(), Failure> {
        match std::fs::remove_file(&self.rejects) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(wrong_rejects(&self.rejects, &e.to_string())),
            _ => Ok(()),
        }
    }
}

fn wrong_rejects(path: &Path, why: &str) -> Failure {
    Failure::Usage(format!("the file of rejects {}: {why}", path.display()))
}

/// Whether a file is there, and does not begin as a file of rejects does: `# FILE:LINE: REASON`. What is no regular file holds nothing.
fn holds_something_else(path: &Path) -> std::io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) if file.metadata()?.is_file() => file,
        Ok(file) if file.metadata()?.is_dir() => return Err(std::io::ErrorKind::IsADirectory.into()),
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => return Ok(false),
    };
    let mut line = Vec::new();
    BufReader::new(file.take(LINE_MAX)).read_until(b'\n', &mut line)?;
    Ok(!line.is_empty() && !begins_rejects(&String::from_utf8_lossy(&line)))
}

fn begins_rejects(line: &str) -> bool {
    let Some(place) = line.strip_prefix("# ") else { return false };
    place.match_indices(": ").any(|(at, _)| {
        let number = place.get(..at).and_then(|before| before.rsplit_once(':'));
        number.is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_as_rejects_do_is_taken_for_them() {
        assert!(begins_rejects("# a: b.lp:12: no line"));
        for other in ["", "# a title", "# a: b", "m v=1 1", "time,v", "# note 12: x"] {
            assert!(!begins_rejects(other), "{other}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        assert!(!holds_something_else(&path).unwrap());
        std::fs::write(&path, "").unwrap();
        assert!(!holds_something_else(&path).unwrap());
        std::fs::write(&path, "important").unwrap();
        assert!(holds_something_else(&path).unwrap());
        assert!(holds_something_else(folder.path()).is_err());
        assert!(!holds_something_else(Path::new("/dev/null")).unwrap());
    }
}
