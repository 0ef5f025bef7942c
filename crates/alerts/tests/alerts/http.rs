//! A receiver of webhooks: a real HTTP server that can be down, and that answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) at: Instant,
    /// What was answered.
    pub(crate) status: u16,
}

/// An answer instead of 200.
pub(crate) type Answer = (u16, &'static str);

#[derive(Default)]
struct Inner {
    requests: Mutex<Vec<Request>>,
    answers: Mutex<VecDeque<Answer>>,
    is_down: AtomicBool,
}

pub(crate) struct Receiver {
    port: u16,
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Has a port, and does not listen yet.
    pub(crate) fn down() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, inner: Arc::default(), thread: None }
    }

    pub(crate) fn up() -> Self {
        let mut receiver = Self::down();
        receiver.come_up();
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=geheim", self.port)
    }

    pub(crate) fn come_up(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        self.inner.is_down.store(false, SeqCst);
        let inner = Arc::clone(&self.inner);
        self.thread = Some(std::thread::spawn(move || {
            for stream in listener.incoming() {
                if inner.is_down.load(SeqCst) {
                    return;
                }
                inner.serve(stream.unwrap());
            }
        }));
    }

    pub(crate) fn go_down(&mut self) {
        self.inner.is_down.store(true, SeqCst);
        // Wakes up the thread.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// What the next requests are answered.
    pub(crate) fn answer(&self, answers: &[Answer]) {
        self.inner.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.inner.requests.lock().unwrap().clone()
    }

    /// What was taken: status and host, by the order of arrival.
    pub(crate) fn taken(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let taken = self.requests().into_iter().filter(|request| request.status == 200);
        taken.map(|request| (text(&request.body["status"]), text(&request.body["labels"]["host"]))).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.go_down();
        }
    }
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) {
        let Some(mut request) = read(&stream) else { return };
        let (status, header) = self.answers.lock().unwrap().pop_front().unwrap_or((200, ""));
        request.status = status;
        self.requests.lock().unwrap().push(request);
        let body = "see /hook?key=geheim, Bearer geheimer";
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{header}\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).ok();
        stream.shutdown(Shutdown::Write).ok();
    }
}

/// `None` when the connection ends early, as it does when the client is killed.
fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let pairs = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let headers: BTreeMap<_, _> = pairs.map(|(k, v)| (k.to_lowercase(), v.trim().to_owned())).collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap();
    Some(Request { line: lines[0].clone(), headers, body, at: Instant::now(), status: 0 })
}
