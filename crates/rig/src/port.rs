//! Ports for servers. Below the range from which Linux takes ports of outgoing connections (32768 and up): none of those can
//! take the port of a server that is down for a moment.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::ops::Range;

const PORTS: Range<u16> = 18_000..32_000;
const TRIES: usize = 200;

/// A port of the loopback interface nobody listens on, picked at random.
pub(crate) fn free_port() -> u16 {
    (0..TRIES).map(|_| random_port()).find(|&port| is_free(port)).expect("no free port on 127.0.0.1")
}

fn random_port() -> u16 {
    let random = RandomState::new().hash_one(0_u8) % u64::from(PORTS.end - PORTS.start);
    PORTS.start + u16::try_from(random).expect("below the number of ports")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
