//! Whether two paths lead to one file, so that a command does not write over what it reads.

use std::path::{Path, absolute};

/// True when both are the same, or lead to the same place: through links where they exist, as they are written where they do not.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| std::fs::canonicalize(path).or_else(|_| absolute(path)).ok();
    a == b || place(a).is_some_and(|a| Some(a) == place(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_detours_lead_to_one_file_and_names_of_nothing_are_compared() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a"), "x").unwrap();
        std::os::unix::fs::symlink(at("a"), at("link")).unwrap();
        assert!(is_same(&at("a"), &at("link")) && is_same(&at("a"), &at("./a")) && is_same(&at("no"), &at("no")));
        assert!(!is_same(&at("a"), &at("no")) && !is_same(&at("no"), &at("none")));
    }
}
