//! A real mail server in a process of its own: aiosmtpd of PyPI. Tests of other crates use this file, too.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// The folder of the crate `alerts`, whichever crate the test is of.
fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../alerts")
}

/// Python with aiosmtpd in `target/tools/alerts`, made when it is missing; `None`, with a message, where there is no package index.
pub(crate) fn python() -> Option<PathBuf> {
    let own = own_folder();
    let requirements = own.join("tests/alerts/requirements.txt");
    let tools = own.join("../../target/tools");
    fs::create_dir_all(&tools).unwrap();
    // Tests may be processes of their own.
    let lock = File::create(tools.join("alerts.lock")).unwrap();
    lock.lock().unwrap();
    let folder = tools.join("alerts");
    let (python, mark) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if fs::read(&mark).ok() == fs::read(&requirements).ok() {
        return Some(python);
    }
    let run = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let is_made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        && run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--retries", "1", "--requirement"])
            .arg(&requirements));
    if !is_made {
        eprintln!("SKIPPED: aiosmtpd cannot be installed: it needs python3-venv and a package index");
        return None;
    }
    fs::copy(&requirements, &mark).unwrap();
    Some(python)
}

/// A mail server, until it is dropped.
pub(crate) struct Sink {
    process: Child,
    pub(crate) port: u64,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl Sink {
    /// With options of the script.
    pub(crate) fn start(python: &Path, options: &Value) -> Self {
        let script = own_folder().join("tests/alerts/smtp_sink.py");
        let mut command = Command::new(python);
        command.arg(script).arg(options.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the mail server did not start").unwrap().parse().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| kept.lock().unwrap().push(serde_json::from_str(&line).unwrap()));
        });
        Self { process, port, mails }
    }

    /// What was taken, in the order of arrival.
    pub(crate) fn mails(&self) -> Vec<Value> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
