//! PostgreSQL: a cluster of its own with the superuser `hissrv`, whom it trusts, and his database `hissrv`. Durable as in
//! production (`fsync`). As root it runs as the user `postgres`, since PostgreSQL refuses root.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::port::free_port;
use crate::server::{Kind, Server};

const MISSING: &str = "PostgreSQL is missing: apt-get install postgresql";
/// How long the server may take to say whether it lets us in.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// A PostgreSQL with the superuser `hissrv` (no password needed) and an empty database `hissrv`.
pub fn postgres() -> Server {
    let (folder, port) = (TempDir::new().expect("make a folder"), free_port());
    hand_over(folder.path());
    initialise(folder.path());
    let kind = Kind {
        program: "postgres",
        package: "postgresql",
        command: Box::new(command),
        answers: |port| lets_in(port).unwrap_or(false),
        url: ("postgres://hissrv@", "/hissrv"),
    };
    Server::start(kind, folder, port)
}

fn command(folder: &Path, port: u16) -> Command {
    let mut command = program("postgres", folder);
    command.arg("-D").arg(folder.join("data")).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    command.args(["-c", "unix_socket_directories=", "-c", "logging_collector=off"]);
    command
}

/// A new cluster, its database renamed to ours, which is quicker than making one; without a server, through PostgreSQL's
/// single-user mode.
fn initialise(folder: &Path) {
    let mut initdb = program("initdb", folder);
    initdb.args([
        "--no-sync",
        "--auth=trust",
        "--username=hissrv",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--wal-segsize=1",
        "-D",
    ]);
    run(initdb.arg(folder.join("data")), "");
    let mut single = program("postgres", folder);
    single.args(["--single", "-F", "-D"]).arg(folder.join("data")).arg("template1");
    run(&mut single, "ALTER DATABASE postgres RENAME TO hissrv;\n");
}

fn run(command: &mut Command, input: &str) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{MISSING} ({error})"));
    child.stdin.take().expect("piped").write_all(input.as_bytes()).ok();
    let output = child.wait_with_output().expect("wait for a child");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{error}");
}

/// A program of PostgreSQL, run as a user it accepts, from a folder that user can enter.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(installed().join(name));
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    if let Some(user) = unprivileged(folder) {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// The folder of the newest PostgreSQL of Debian, which is not in the path; of another origin it has to be in the path.
fn installed() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    newest.map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))).unwrap_or_default()
}

/// Whom PostgreSQL runs as.
struct User {
    uid: u32,
    gid: u32,
}

/// If we are root, the folder belongs to the user PostgreSQL has to run as.
fn unprivileged(folder: &Path) -> Option<User> {
    let metadata = std::fs::metadata(folder).expect("look at the folder");
    is_root().then(|| User { uid: metadata.uid(), gid: metadata.gid() })
}

/// As root, gives the folder to the user `postgres`.
fn hand_over(folder: &Path) {
    if !is_root() {
        return;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
    let fields: Vec<&str> =
        users.lines().find(|line| line.starts_with("postgres:")).expect(MISSING).split(':').collect();
    let id = |index: usize| fields.get(index).and_then(|id| id.parse().ok());
    chown(folder, id(2), id(3)).expect("give the folder to postgres");
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Asks for a session: the answer starts with `R` if there is one, with `E` while the server still starts.
fn lets_in(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    let parameters = b"\0\x03\0\0user\0hissrv\0database\0hissrv\0\0";
    let len = u32::try_from(parameters.len() + 4).expect("a short message");
    stream.write_all(&[&len.to_be_bytes(), &parameters[..]].concat())?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    Ok(first == *b"R")
}
