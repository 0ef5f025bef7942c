//! A redis-server of its own for each test, on a free loopback port, in a temporary folder; ended with the test.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How clients log in.
pub(crate) enum Auth {
    None,
    Acl { user: &'static str, password: &'static str },
    Tls,
}

/// A running (or killed) server.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    tls: bool,
    arguments: Vec<String>,
    child: Child,
}

impl Server {
    /// Starts a server and waits until it answers.
    pub(crate) fn start(auth: &Auth) -> Self {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port_text = port.to_string();
        let tls = matches!(auth, Auth::Tls);
        let file = |name: &str| folder.path().join(name).display().to_string();
        let mut arguments: Vec<String> =
            ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "yes"]
                .map(str::to_owned)
                .to_vec();
        arguments.extend(["--dir".to_owned(), folder.path().display().to_string()]);
        match auth {
            Auth::None => arguments.extend(["--port".to_owned(), port_text]),
            Auth::Acl { user, password } => {
                let rules = format!("user {user} on >{password} ~* &* +@all\n");
                std::fs::write(folder.path().join("users.acl"), rules + "user default on nopass ~* &* +@all\n")
                    .unwrap();
                arguments.extend(["--port".to_owned(), port_text, "--aclfile".to_owned(), file("users.acl")]);
            }
            Auth::Tls => {
                make_certificates(&folder);
                for (option, value) in [
                    ("--port", "0".to_owned()),
                    ("--tls-port", port_text),
                    ("--tls-ca-cert-file", file("ca.crt")),
                    ("--tls-cert-file", file("redis.crt")),
                    ("--tls-key-file", file("redis.key")),
                ] {
                    arguments.extend([option.to_owned(), value]);
                }
            }
        }
        let child = launch(&arguments);
        let server = Self { folder, port, tls, arguments, child };
        server.wait();
        server
    }

    /// The URL without a login.
    pub(crate) fn url(&self) -> String {
        // The certificate of the tests is for the name, not for the address.
        let (scheme, host) = if self.tls { ("rediss", "localhost") } else { ("redis", "127.0.0.1") };
        format!("{scheme}://{host}:{}", self.port)
    }

    /// The URL with a login and a database.
    pub(crate) fn url_as(&self, user: &str, password: &str, db: u32) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}/{db}", self.port)
    }

    /// A file in the server's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends the process at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same port.
    pub(crate) fn restart(&mut self) {
        self.child = launch(&self.arguments);
        self.wait();
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.try_cli(&["PING"]).as_deref() != Some("PONG") {
            assert!(Instant::now() < deadline, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn client(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]);
        if self.tls {
            command.args(["--tls", "--cacert", "ca.crt", "--cert", "redis.crt", "--key", "redis.key"]);
            command.current_dir(self.folder.path());
        }
        command
    }

    fn try_cli(&self, arguments: &[&str]) -> Option<String> {
        let output = self.client().args(arguments).output().expect("redis-cli is missing: apt-get install redis-tools");
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    /// Runs a command; its answer as text.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let answer = self.try_cli(arguments).unwrap_or_else(|| panic!("redis-cli {arguments:?} failed"));
        assert!(!answer.starts_with("ERR"), "{arguments:?}: {answer}");
        answer
    }

    /// Runs a command without waiting for its answer.
    pub(crate) fn cli_in_background(&self, arguments: &[&str]) {
        let mut child = self.client().args(arguments).stdout(Stdio::null()).spawn().unwrap();
        std::thread::spawn(move || child.wait().unwrap());
    }

    /// Publishes through one connection.
    pub(crate) fn publish_many(&self, channel: &str, messages: impl Iterator<Item = String>) {
        self.pipe(&publish_commands(channel, messages));
    }

    fn pipe(&self, input: &str) {
        let (mut command, silent) = (self.client(), || Stdio::null());
        let mut child = command.arg("--pipe").stdin(Stdio::piped()).stdout(silent()).stderr(silent()).spawn().unwrap();
        // Dropping the input ends it, and with it redis-cli.
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

fn publish_commands(channel: &str, messages: impl Iterator<Item = String>) -> String {
    let mut commands = String::new();
    for message in messages {
        let (name_len, len) = (channel.len(), message.len());
        write!(commands, "*3\r\n$7\r\nPUBLISH\r\n${name_len}\r\n{channel}\r\n${len}\r\n{message}\r\n").unwrap();
    }
    commands
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn launch(arguments: &[String]) -> Child {
    Command::new("redis-server")
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is missing: apt-get install redis-server")
}

fn make_certificates(folder: &TempDir) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.crt -subj /CN=test-ca &&
        openssl req -newkey rsa:2048 -nodes -keyout redis.key -out redis.csr -subj /CN=localhost &&
        printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > ext &&
        openssl x509 -req -in redis.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out redis.crt";
    let output = Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "making certificates failed (is openssl installed?): {error}");
}
