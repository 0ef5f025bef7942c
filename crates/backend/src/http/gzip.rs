//! Bodies compressed into buffers that are used again.

use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A buffer larger than this is given back to the system.
const MAX_KEPT: usize = 4 << 20;

/// Smaller bodies fit into one packet anyway.
const MIN_BODY: usize = 1024;

/// Buffers not in use; as many as there ever were requests at once, bounded by `keep`.
#[derive(Debug)]
pub(super) struct Packer {
    spare: Mutex<Vec<Vec<u8>>>,
    keep: usize,
}

impl Packer {
    pub(super) fn new(keep: usize) -> Self {
        Self { spare: Mutex::default(), keep }
    }

    /// Calls `send` with the compressed body; `None` when it is too small to gain anything.
    ///
    /// # Errors
    /// The compressor fails only when memory does.
    pub(super) fn pack<T>(&self, body: &[u8], send: impl FnOnce(&[u8]) -> T) -> Option<io::Result<T>> {
        if body.len() < MIN_BODY {
            return None;
        }
        let mut buffer = self.take();
        let sent = compress(body, &mut buffer).map(|()| send(&buffer));
        self.give_back(buffer);
        Some(sent)
    }

    fn take(&self) -> Vec<u8> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < self.keep && buffer.capacity() <= MAX_KEPT {
            spare.push(buffer);
        }
    }
}

/// Level 1: line protocol shrinks to a tenth already, and what is saved beyond costs more than a fast link.
fn compress(body: &[u8], buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut encoder = GzEncoder::new(mem::take(buffer), Compression::fast());
    encoder.write_all(body)?;
    *buffer = encoder.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_packed_body_unpacks_equal_and_its_buffer_is_used_again() {
        let packer = Packer::new(1);
        for round in 0..3 {
            let body = format!("m,a=b v={round} 1\n").repeat(500);
            let unpacked = packer.pack(body.as_bytes(), |packed| {
                assert!(packed.len() < body.len() / 10);
                let mut text = String::new();
                GzDecoder::new(packed).read_to_string(&mut text).unwrap();
                text
            });
            assert_eq!(unpacked.unwrap().unwrap(), body);
            assert_eq!(packer.spare.lock().unwrap().len(), 1);
        }
    }

    #[test]
    fn a_small_body_stays_as_it_is() {
        assert!(Packer::new(1).pack(b"m v=1 1\n", |_| ()).is_none());
    }
}
