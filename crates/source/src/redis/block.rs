//! Messages on their way from the socket to the decoder: copied into blocks, queued up to a number of bytes. The reader never
//! waits here: Redis cuts off a client that does not read, which loses far more than a block. What does not fit is handed back.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use model::TimestampNs;

use super::stop::lock;

/// Blocks are merged up to this size, so that a slow trickle does not become a queue of tiny blocks.
const BLOCK_SIZE: usize = 64 * 1024;

#[derive(Debug, Clone, Copy)]
struct Entry {
    arrival: TimestampNs,
    pattern: u16,
    channel_len: u32,
    payload_len: u32,
}

/// One message of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    /// When it was read; later messages have later times.
    pub(crate) arrival: TimestampNs,
    /// Index of the pattern it matched.
    pub(crate) pattern: u16,
    /// Name of its channel.
    pub(crate) channel: &'a [u8],
    /// Its payload.
    pub(crate) payload: &'a [u8],
}

/// Some messages, in order.
#[derive(Debug, Default)]
pub(crate) struct Block {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl Block {
    /// Adds a copy of a message.
    pub(crate) fn push(&mut self, message: Message<'_>) {
        self.entries.push(Entry {
            arrival: message.arrival,
            pattern: message.pattern,
            channel_len: message.channel.len() as u32,
            payload_len: message.payload.len() as u32,
        });
        self.bytes.extend_from_slice(message.channel);
        self.bytes.extend_from_slice(message.payload);
    }

    /// Number of messages.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Memory used by the messages, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// The messages.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        let mut rest = self.bytes.as_slice();
        self.entries.iter().map_while(move |entry| {
            let (channel, after) = rest.split_at_checked(entry.channel_len as usize)?;
            let (payload, after) = after.split_at_checked(entry.payload_len as usize)?;
            rest = after;
            Some(Message { arrival: entry.arrival, pattern: entry.pattern, channel, payload })
        })
    }

    fn append(&mut self, other: &Self) {
        self.entries.extend_from_slice(&other.entries);
        self.bytes.extend_from_slice(&other.bytes);
    }
}

#[derive(Debug, Default)]
struct Waiting {
    blocks: VecDeque<Block>,
    size: usize,
}

/// The queue. Full means [`BlockQueue::offer`] refuses: newest first to go, counted by the caller.
#[derive(Debug)]
pub(crate) struct BlockQueue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    limit: usize,
}

impl BlockQueue {
    /// A queue of at most `limit` bytes, but always of one block.
    pub(crate) fn new(limit: usize) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), limit }
    }

    /// Adds a block. Never waits for the other side.
    ///
    /// # Errors
    /// The block itself, when there is no room.
    pub(crate) fn offer(&self, block: Block) -> Result<(), Block> {
        let mut waiting = lock(&self.waiting);
        let size = block.size();
        if waiting.size > 0 && waiting.size + size > self.limit {
            return Err(block);
        }
        waiting.size += size;
        match waiting.blocks.back_mut().filter(|last| last.size() + size <= BLOCK_SIZE) {
            Some(last) => last.append(&block),
            None => waiting.blocks.push_back(block),
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// The oldest block; waits for one at most this long.
    pub(crate) fn take(&self, patience: Duration) -> Option<Block> {
        let mut waiting = lock(&self.waiting);
        if waiting.blocks.is_empty() {
            waiting = self.arrived.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        let block = waiting.blocks.pop_front()?;
        waiting.size -= block.size();
        Some(block)
    }

    /// Bytes waiting.
    pub(crate) fn size(&self) -> usize {
        lock(&self.waiting).size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: i64, payload: &[u8]) -> Message<'_> {
        Message { arrival: TimestampNs(n), pattern: n as u16, channel: b"channel", payload }
    }

    #[test]
    fn messages_come_out_as_they_went_in_also_when_blocks_are_merged() {
        let queue = BlockQueue::new(1 << 20);
        for n in 0..10 {
            let mut block = Block::default();
            block.push(message(n, b"payload"));
            block.push(message(n + 100, b""));
            queue.offer(block).unwrap();
        }
        let block = queue.take(Duration::ZERO).unwrap();
        assert_eq!(block.len(), 20);
        for (i, pair) in block.messages().collect::<Vec<_>>().chunks(2).enumerate() {
            assert_eq!(pair, [message(i as i64, b"payload"), message(i as i64 + 100, b"")]);
        }
        assert_eq!((queue.size(), queue.take(Duration::ZERO).is_none()), (0, true));
    }

    #[test]
    fn a_full_queue_hands_the_block_back_and_takes_blocks_again_later() {
        let queue = BlockQueue::new(100_000);
        let block = || {
            let mut block = Block::default();
            block.push(message(1, &[b'x'; 60_000]));
            block
        };
        queue.offer(block()).unwrap();
        assert_eq!(queue.offer(block()).unwrap_err().len(), 1);
        assert!(queue.take(Duration::ZERO).is_some());
        queue.offer(block()).unwrap();
    }
}
