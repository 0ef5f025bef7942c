//! Patterns of paths: `*`, `?` and `[a-c]` in any part of a path, and `**` for any number of folders, also none.
//!
//! Names that begin with a dot are meant only where the pattern has the dot, and `**` does not go through symbolic links.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use model::glob;

/// Stands for any number of folders.
const ANY_DEPTH: &str = "**";

/// Whether a path is a pattern.
pub(crate) fn is_pattern(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// Folders and files that fit a pattern, in the order of their paths.
///
/// # Errors
/// A folder that cannot be read.
pub(crate) fn matching(pattern: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let mut next = Vec::new();
        for path in &found {
            step(path, part, &mut next)?;
        }
        next.sort();
        next.dedup();
        found = next;
    }
    Ok(found)
}

/// What a part of a pattern makes of a path.
fn step(path: &Path, part: Component<'_>, out: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let name = part.as_os_str();
    if name == ANY_DEPTH {
        return add_folders(path, out);
    }
    if !matches!(part, Component::Normal(_)) || !is_pattern(Path::new(name)) {
        out.extend(Some(path.join(name)).filter(|path| path.symlink_metadata().is_ok()));
        return Ok(());
    }
    let wanted = name.as_encoded_bytes();
    let fits = |found: &[u8]| glob::matches(wanted, found) && (!found.starts_with(b".") || wanted.starts_with(b"."));
    let named = entries(path)?;
    out.extend(named.into_iter().filter(|path| fits(path.file_name().unwrap_or_default().as_encoded_bytes())));
    Ok(())
}

/// A folder and all below it.
fn add_folders(folder: &Path, out: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|about| about.is_dir());
        let is_hidden = |path: &PathBuf| path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b".");
        left.extend(entries(&folder)?.into_iter().filter(|path| is_folder(path) && !is_hidden(path)));
        out.push(folder);
    }
    Ok(())
}

/// What is in a folder; nothing if it is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |e| (folder.to_owned(), e);
    let listed = fs::read_dir(place).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    Ok(listed.into_iter().map(|entry| folder.join(entry.file_name())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_understood_in_every_part_of_a_path() {
        let folder = tempfile::tempdir().unwrap();
        for path in
            ["a/1/x.lp", "a/2/x.lp", "a/2/deep/er/y.lp", "b1/x.lp", "b2/x.csv", ".hidden/x.lp", "x.lp", "[q].lp"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        let found = |pattern: &str| -> Vec<String> {
            let found = matching(&folder.path().join(pattern)).unwrap();
            found.iter().map(|p| p.strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        assert_eq!(found("*/x.lp"), ["b1/x.lp"]);
        assert_eq!(found("a/[12]/*.lp"), ["a/1/x.lp", "a/2/x.lp"]);
        assert_eq!(found("b?/x.*"), ["b1/x.lp", "b2/x.csv"]);
        assert_eq!(found("**/*.lp"), ["[q].lp", "a/1/x.lp", "a/2/deep/er/y.lp", "a/2/x.lp", "b1/x.lp", "x.lp"]);
        assert_eq!(found("a/**/y.lp"), ["a/2/deep/er/y.lp"]);
        assert_eq!(found("a/**"), ["a", "a/1", "a/2", "a/2/deep", "a/2/deep/er"]);
        assert_eq!(found("**/**/b1/*"), ["b1/x.lp"]);
        assert_eq!(found(".hid*/*"), [".hidden/x.lp"]);
        assert_eq!(found(r"\[q\].lp*"), ["[q].lp"]);
        assert_eq!(found("none/*/*.lp"), [""; 0]);
        assert_eq!(found("x.lp/*"), [""; 0]);
    }

    #[test]
    fn a_plain_name_is_no_pattern() {
        assert!(is_pattern(Path::new("a/*/b")) && is_pattern(Path::new("a?")) && !is_pattern(Path::new("a/b.lp")));
    }
}
