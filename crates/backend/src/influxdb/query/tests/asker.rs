//! A real server, asked over a plain connection.

use std::io::{Cursor, Read};
use std::sync::Mutex;

use query::QueryError;

use super::super::Ask;

/// A server, and what it was asked.
pub(super) struct Server {
    server: rig::Server,
    pub(super) asked: Mutex<Vec<String>>,
}

impl Server {
    /// One with an empty database.
    pub(super) fn start(database: &str) -> Self {
        let server = Self { server: rig::influxdb(), asked: Mutex::default() };
        server.command(&format!("CREATE DATABASE \"{database}\""));
        server
    }

    pub(super) fn command(&self, text: &str) {
        let (status, body) = rig::http_post(&format!("{}/query?q={}", self.server.url(), rig::encode(text)), "");
        assert!(status == 200 && !body.contains("error"), "{text}: {body}");
    }

    pub(super) fn write(&self, database: &str, policy: &str, lines: &str) {
        let url = format!("{}/write?db={}&rp={}", self.server.url(), rig::encode(database), rig::encode(policy));
        let (status, body) = rig::http_post(&url, lines);
        assert_eq!(status, 204, "{body}");
    }
}

impl Ask for Server {
    fn ask(&self, database: &str, policy: Option<&str>, text: &str) -> Result<Box<dyn Read>, QueryError> {
        self.asked.lock().unwrap().push(text.to_owned());
        let (database, policy) = (rig::encode(database), rig::encode(policy.unwrap_or_default()));
        // Small chunks, so that most answers have several.
        let parameters = format!("chunked=true&chunk_size=7&epoch=ns&db={database}&rp={policy}");
        let url = format!("{}/query?{parameters}&q={}", self.server.url(), rig::encode(text));
        let (_, body) = rig::http_post(&url, "");
        Ok(Box::new(Cursor::new(body.into_bytes())))
    }
}
