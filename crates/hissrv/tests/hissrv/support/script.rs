//! Scripts of the project as processes: Python, shell or JavaScript, ended when they take too long.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Finished, Folder, PATIENCE};

/// The folder of the project, with its scripts.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs `program script arguments` in the project's folder to its end; its output goes to files, so there may be much of it.
#[track_caller]
pub(crate) fn run_script(program: &str, script: &str, arguments: &[&str], patience: Duration) -> Finished {
    let folder = Folder::new();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let mut child = Command::new(program)
        .arg(script)
        .args(arguments)
        .current_dir(project())
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap_or_else(|e| panic!("{program} {script}: {e}"));
    let in_time = ends_within(&mut child, patience);
    if !in_time {
        stop(&mut child);
    }
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let finished = Finished { code: child.wait().unwrap().code(), out: text(&out), err: text(&err) };
    assert!(in_time, "{script} did not end within {patience:?}: {finished:?}");
    finished
}

fn ends_within(child: &mut Child, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Asks it to end, so that it can stop what it started, before it is killed.
fn stop(child: &mut Child) {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    if !ends_within(child, PATIENCE) {
        child.kill().unwrap();
    }
}
