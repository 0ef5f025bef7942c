//! Notifications of alerts as messages of Redis: one connection a server, made when it is needed.

use std::sync::{Arc, Mutex, PoisonError};

use alerts::{RedisPublisher, RedisServer, SendError, Tools};
use source::redis::{Client, Reply, Stop};

/// What channels of alerts need that is made here.
pub(crate) fn tools() -> Tools {
    Tools { redis: Some(Arc::new(Publisher::default())) }
}

/// Clients of Redis by their server.
#[derive(Default)]
struct Publisher {
    clients: Mutex<Vec<(RedisServer, Arc<Mutex<Client>>)>>,
    /// Requested when nobody publishes any more.
    stop: Arc<Stop>,
}

impl Publisher {
    /// Channels that name the same server share a connection.
    fn client(&self, server: &RedisServer) -> Result<Arc<Mutex<Client>>, SendError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| known == server) {
            return Ok(Arc::clone(client));
        }
        let client = Client::new(server.url.reveal(), server.tls.clone(), Arc::clone(&self.stop));
        let client = Arc::new(Mutex::new(client.map_err(SendError::refused)?));
        clients.push((server.clone(), Arc::clone(&client)));
        Ok(client)
    }
}

impl RedisPublisher for Publisher {
    /// What Redis refuses (a login, a state of the server) can be mended there, so all of it is tried again.
    fn publish(&self, server: &RedisServer, channel: &str, message: &[u8]) -> Result<(), SendError> {
        let client = self.client(server)?;
        let mut client = client.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = client.call(&[b"PUBLISH", channel.as_bytes(), message]).map_err(SendError::retryable)?;
        match answer {
            Reply::Integer(_) => Ok(()),
            other => Err(SendError::retryable(format!("Redis answered PUBLISH with {other:?}"))),
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.request();
    }
}
