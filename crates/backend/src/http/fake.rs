//! For tests: a server that answers as the test says and keeps what it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Unpacked when it was sent with gzip.
    pub(crate) body: String,
    /// Number of the connection it came over, from 0.
    pub(crate) connection: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `POST /write?db=x`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What the server does.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Answers with status, further headers (each `Name: value`) and body.
    Reply(u16, Vec<String>, String),
    /// Answers, then cuts the connection without having said so.
    ReplyAndCut(u16),
    /// Closes the connection without an answer.
    Cut,
    /// Says nothing for so long, then closes.
    Silent(Duration),
    /// Sends these bytes and closes.
    Raw(&'static str),
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Reply(status, Vec::new(), String::new())
    }

    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Reply(status, vec!["Content-Type: application/json".to_owned()], body.into())
    }

    pub(crate) fn with(self, header: &str) -> Self {
        match self {
            Self::Reply(status, mut headers, body) => {
                headers.push(header.to_owned());
                Self::Reply(status, headers, body)
            }
            other => other,
        }
    }
}

type Script = dyn FnMut(&Asked) -> Answer + Send;

/// The server; its threads end with the test.
pub(crate) struct Fake {
    scheme: &'static str,
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Starts one on a free port of this machine.
    pub(crate) fn start(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        Self::listen("http", script, |stream, talk| talk(&mut BufReader::new(stream)))
    }

    /// The same behind TLS, with the certificate `server` of `testdata`; who comes must have one of the same authority.
    pub(crate) fn start_tls(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let config = Arc::new(tls_config());
        Self::listen("https", script, move |stream, talk| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            talk(&mut BufReader::new(StreamOwned::new(session, stream)));
        })
    }

    fn listen(
        scheme: &'static str,
        script: impl FnMut(&Asked) -> Answer + Send + 'static,
        wrap: impl Fn(TcpStream, &mut dyn FnMut(&mut dyn Talk)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, wrap) = (Arc::clone(&asked), Arc::new(wrap));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let (script, log, wrap) = (Arc::clone(&script), Arc::clone(&log), Arc::clone(&wrap));
                thread::spawn(move || wrap(stream, &mut |talk| serve(talk, connection, &script, &log)));
            }
        });
        Self { scheme, port, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and target of everything asked so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }
}

/// A file of `testdata`. Its keys protect nothing but these tests.
pub(crate) fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/testdata").join(name)
}

fn tls_config() -> ServerConfig {
    let certificate = |name: &str| CertificateDer::from_pem_file(testdata(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate("authority.pem")).unwrap();
    let provider = Arc::new(ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let key = PrivateKeyDer::from_pem_file(testdata("server.key")).unwrap();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_client_cert_verifier(clients).with_single_cert(vec![certificate("server.pem")], key).unwrap()
}

/// A connection, with TLS or without.
trait Talk: BufRead {
    fn say(&mut self, bytes: &[u8]) -> io::Result<()>;
}

impl<S: Read + Write> Talk for BufReader<S> {
    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.get_mut().write_all(bytes)?;
        self.get_mut().flush()
    }
}

fn serve(talk: &mut dyn Talk, connection: usize, script: &Mutex<Script>, log: &Mutex<Vec<Asked>>) {
    while let Some(asked) = read_request(talk, connection) {
        log.lock().unwrap().push(asked.clone());
        let answer = (script.lock().unwrap())(&asked);
        if !give(talk, answer) {
            return;
        }
    }
}

/// False when the connection is to be closed.
fn give(talk: &mut dyn Talk, answer: Answer) -> bool {
    let (status, headers, body, goes_on) = match answer {
        Answer::Reply(status, headers, body) => (status, headers, body, true),
        Answer::ReplyAndCut(status) => (status, Vec::new(), String::new(), false),
        Answer::Cut => return false,
        Answer::Silent(time) => {
            thread::sleep(time);
            return false;
        }
        Answer::Raw(bytes) => {
            talk.say(bytes.as_bytes()).unwrap();
            return false;
        }
    };
    let mut head = format!("HTTP/1.1 {status} Something\r\n");
    headers.iter().for_each(|header| head.push_str(&format!("{header}\r\n")));
    if status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    talk.say(format!("{head}\r\n{body}").as_bytes()).is_ok() && goes_on
}

fn read_request(reader: &mut dyn Talk, connection: usize) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|len| *len > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut asked = Asked { method, target, headers, body: String::new(), connection };
    let len = asked.header("content-length").map_or(0, |len| len.parse().unwrap());
    if asked.header("expect").is_some() {
        reader.say(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    asked.body = match asked.header("content-encoding") {
        Some("gzip") => unpack(&body),
        _ => String::from_utf8(body).unwrap(),
    };
    Some(asked)
}

fn unpack(body: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).unwrap();
    text
}
