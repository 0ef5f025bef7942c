//! A server under test, and a client that sends exactly the bytes it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use model::{ByteSize, HumanDuration};
use serde_json::Value;
use server::{Server, ServerConfig, StopReport};
use tokio::runtime::Runtime;

use crate::fake::Fake;

pub(crate) struct Running {
    pub(crate) runtime: Runtime,
    pub(crate) server: Option<Server>,
    pub(crate) fake: Arc<Fake>,
    pub(crate) addr: SocketAddr,
}

/// Limits small enough to be reached by a test, times long enough for a busy machine.
pub(crate) fn small() -> ServerConfig {
    let ms = |n| HumanDuration(Duration::from_millis(n));
    ServerConfig {
        listen: "127.0.0.1:0".to_owned(),
        max_body: ByteSize(1 << 20),
        write_memory: ByteSize(2 << 20),
        max_connections: 16,
        max_queries: 2,
        query_wait: ms(200),
        query_timeout: ms(5000),
        max_answer: ByteSize(1 << 20),
        answer_memory: ByteSize(2 << 20),
        header_timeout: ms(5000),
        body_timeout: ms(5000),
        response_timeout: ms(500),
        idle_timeout: ms(30_000),
    }
}

pub(crate) fn start() -> Running {
    start_with(|_| {})
}

pub(crate) fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Running {
    let mut config = small();
    change(&mut config);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let fake = Arc::new(Fake::default());
    let server = runtime.block_on(Server::start(config, fake.clone())).unwrap();
    let addr = server.local_addr();
    Running { runtime, server: Some(server), fake, addr }
}

impl Running {
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.addr)
    }

    /// One request over a connection of its own.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect();
        client.send(request.as_bytes());
        client.answer()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(&post(path, body))
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn stop(&mut self, patience: Duration) -> StopReport {
        self.runtime.block_on(self.server.take().unwrap().stop(patience))
    }
}

pub(crate) fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    reader: BufReader<TcpStream>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(15))).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next answer to a request other than HEAD.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().filter(|chunk| !chunk.is_empty()) {
                answer.body.extend(chunk);
            }
            return answer;
        }
        let len = answer.header("content-length").map_or(0, |len| len.parse().unwrap());
        answer.body = self.bytes(len).unwrap();
        answer
    }

    /// The next chunk of a chunked answer, empty at its end; `None` when the connection is cut before.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let len = usize::from_str_radix(&self.line()?, 16).unwrap();
        let chunk = self.bytes(len)?;
        assert_eq!(self.line()?, "");
        Some(chunk)
    }

    fn bytes(&mut self, len: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.reader.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The next status and headers.
    pub(crate) fn head(&mut self) -> Answer {
        let first = self.line().expect("the server answers");
        let status = first.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Answer { status, headers, body: Vec::new() }
    }

    /// The next line; `None` at the end of the connection.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let got = self.reader.read_line(&mut line).unwrap();
        (got > 0).then(|| line.trim_end().to_owned())
    }

    /// True once the server has closed the connection without a further byte; a reset counts.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.reader.read(&mut byte) {
            Ok(got) => got == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// Checks the shape of an own error and gives its code.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        assert!(json["error"].is_string() && json["hint"].is_string(), "{json}");
        json["code"].as_str().unwrap().to_owned()
    }
}
