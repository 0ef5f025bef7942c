//! The thread that turns queued messages into points.

use std::sync::Arc;

use super::block::{Block, BlockQueue};
use super::outlet::Outlet;
use super::poll::requests::Requests;
use super::status::{Sample, Shared};
use super::stop::Stop;
use crate::decode::Decoder;

/// Blocks in, points out.
pub(crate) struct Intake {
    pub(crate) queue: Arc<BlockQueue>,
    pub(crate) decoder: Decoder,
    pub(crate) outlet: Outlet,
    pub(crate) patterns: Arc<[String]>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) shared: Arc<Shared>,
    /// Set when no subscriber is left that could add to the queue.
    pub(crate) drained: Arc<Stop>,
}

impl Intake {
    /// Runs until the queue is empty and nobody adds to it any more; then hands on what is left.
    pub(crate) fn run(mut self) {
        loop {
            // Looked at before the queue: a subscriber may add a last block in between.
            let last = self.drained.is_requested();
            match self.queue.take(self.outlet.patience()) {
                Some(block) => self.decode(&block),
                None if last => break,
                None => {}
            }
            self.outlet.push_gaps();
            self.outlet.flush_if_due();
        }
        self.outlet.push_gaps();
        self.outlet.flush();
    }

    fn decode(&mut self, block: &Block) {
        for message in block.messages() {
            let sink = self.outlet.sink.as_mut();
            let notice = self.decoder.message(message.channel, message.payload, message.arrival, sink);
            if let Some(notice) = notice {
                self.requests.changed(notice);
            }
            let pattern = self.patterns.get(usize::from(message.pattern)).map_or("", String::as_str);
            let sample = Sample { pattern, name: message.channel, payload: message.payload };
            self.shared.note_malformed(&mut self.decoder.tally, sample);
        }
        self.shared.add_tally(&mut self.decoder.tally);
    }
}
