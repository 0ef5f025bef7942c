//! Memory of pieces that are done, on its way back from the workers to the reader.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Those that nobody asked for. More are not needed at once: the reader takes one for each piece.
const MAX: usize = 8;

/// Hands out what was put in last: that is most likely still in the processor's cache.
#[derive(Default)]
pub(crate) struct Spares(Mutex<Vec<Vec<u8>>>);

impl Spares {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the memory of a piece, if it has some that others can use.
    pub(crate) fn put(&self, memory: Option<Vec<u8>>) {
        // That of a record as long as many pieces would never be given back.
        let usual = memory.filter(|memory| memory.capacity() <= 2 * formats::BLOCK_BYTES);
        let mut spares = self.lock();
        if spares.len() < MAX {
            spares.extend(usual);
        }
    }

    /// Some memory, perhaps none.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }
}
