//! The Python environment that `scripts/install-archive-tools.sh` makes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A script of `conformance/archive`; `None`, with a message, where the environment is missing.
pub(crate) fn script(name: &str) -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python: PathBuf = root.join("target/tools/archive/bin/python");
    if !python.is_file() {
        eprintln!(
            "SKIPPED: there is no {}: run scripts/install-archive-tools.sh (it needs a package index)",
            python.display()
        );
        return None;
    }
    let mut command = Command::new(python);
    command.arg(root.join("conformance/archive").join(name));
    Some(command)
}
