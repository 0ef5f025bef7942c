//! Values that hissrv makes itself, under identifiers that it knows.

use std::time::{Duration, Instant};

use model::wire::BatchEncoder;
use model::{ColumnId, FieldValue, TimestampNs};

use crate::drops::PATIENCE;
use crate::{Intake, IntakeError, Origin};

/// Time between two looks at what is durable.
const DURABLE_CHECK: Duration = Duration::from_millis(5);

/// One value of a column, of the column's type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnValue<'a> {
    /// Its column.
    pub column: ColumnId,
    /// Its time.
    pub time: TimestampNs,
    /// The value.
    pub value: FieldValue<'a>,
}

impl Intake {
    /// Writes values in their order; returns once they are durable and queries see them. Those whose column was dropped meanwhile are
    /// passed over.
    ///
    /// # Errors
    /// The journal did not take all of them, or the store did not catch up. Those before may be stored.
    pub fn write_values<'a>(
        &self,
        origin: Origin,
        values: impl IntoIterator<Item = ColumnValue<'a>>,
    ) -> Result<(), IntakeError> {
        let mut encoder = BatchEncoder::default();
        let mut last = None;
        for ColumnValue { column, time, value } in values {
            encoder.push(column, time, value);
            if encoder.encoded_len() >= self.record_bytes() {
                last = Some(self.append_values(origin, &mut encoder)?);
            }
        }
        if !encoder.is_empty() {
            last = Some(self.append_values(origin, &mut encoder)?);
        }
        last.map_or(Ok(()), |seq| self.until_visible(seq))
    }

    /// Waits until everything that the journal has taken so far would survive a power cut: with `fsync: interval` that is later than it is
    /// acknowledged.
    ///
    /// # Errors
    /// [`IntakeError::Behind`] when that takes too long.
    pub fn until_durable(&self) -> Result<(), IntakeError> {
        let wanted = self.journal.stats().last_seq;
        let deadline = Instant::now() + PATIENCE;
        while self.journal.durable_seq() < wanted {
            if Instant::now() > deadline {
                return Err(IntakeError::Behind);
            }
            std::thread::sleep(DURABLE_CHECK);
        }
        Ok(())
    }

    fn append_values(&self, origin: Origin, encoder: &mut BatchEncoder) -> Result<model::Seq, IntakeError> {
        let count = encoder.len();
        let counters = self.counters.of(origin);
        counters.book(|c| c.receive(count as u64));
        let appended = self.journal.append_wait(encoder.finish(), count as u32);
        counters.book(|c| if appended.is_ok() { c.journal(count as u64) } else { c.lose(count as u64) });
        Ok(appended?)
    }
}
