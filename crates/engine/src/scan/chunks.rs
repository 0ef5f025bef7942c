//! The points of one chunk: decoded, or kept from before.

use std::ops::ControlFlow;
use std::sync::Arc;

use model::{FieldType, TimeRange, TimestampNs};

use super::kept::{Stretch, worth_keeping};
use super::{Piece, Scan, ScanCache};
use crate::block::{BlockError, ChunkMeta, TimesMeta};
use crate::files::LiveFile;
use crate::points::{Points, bounds};

impl Scan<'_> {
    /// Hands out the part of a chunk that is inside the range, without copying more than that.
    pub(super) fn hand_out_chunk(
        &mut self,
        file: &LiveFile,
        chunk: &ChunkMeta,
        times: &TimesMeta,
        cache: &mut ScanCache,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let inside =
            TimeRange::new(self.range.start.max(times.first), self.range.end.min(times.last.saturating_add(1)));
        let name = (file.block.number, chunk.offset);
        if let Some(stretch) = self.shared.stretches.get(name, inside) {
            return hand_out_stretch(&stretch, inside, visit);
        }
        let all = match cache.times(&file.block, times) {
            Ok(all) => all,
            Err(e) => return self.pass_over(&e),
        };
        let (from, to) = bounds(&all, self.range);
        let Some(part) = all.get(from..to).filter(|part| !part.is_empty()) else {
            return ControlFlow::Continue(());
        };
        let kept = worth_keeping(all.len(), from, to);
        let needed = kept.map_or(to, |(_, end)| end);
        let values = match file.block.read_first_values(chunk, self.kind, all.len() as u32, needed) {
            Ok(values) => values,
            Err(e) => return self.pass_over(&e),
        };
        if let Some((start, end)) = kept {
            let points =
                Points { times: all.get(start..end).unwrap_or_default().to_vec(), values: values.slice(start, end) };
            let stretch = Arc::new(Stretch::new(between(&all, start, end), points));
            self.shared.stretches.keep(name, &stretch);
            return hand_out_stretch(&stretch, inside, visit);
        }
        match values.len() == part.len() {
            true => visit(Piece::Points { times: part, values: &values }),
            false => visit(Piece::Points { times: part, values: &values.slice(from, to) }),
        }
    }
}

/// The range in which `start..end` are all of these times.
fn between(times: &[TimestampNs], start: usize, end: usize) -> TimeRange {
    let before = start.checked_sub(1).and_then(|i| times.get(i));
    TimeRange::new(
        before.map_or(TimestampNs::MIN, |time| time.saturating_add(1)),
        times.get(end).copied().unwrap_or(TimestampNs::MAX),
    )
}

fn hand_out_stretch(
    stretch: &Stretch,
    range: TimeRange,
    visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (points, from, to) = stretch.inside(range);
    match points.times.get(from..to) {
        None | Some([]) => ControlFlow::Continue(()),
        Some(times) if times.len() == points.times.len() => visit(Piece::Points { times, values: &points.values }),
        Some(times) => visit(Piece::Points { times, values: &points.values.slice(from, to) }),
    }
}

/// All points of a chunk.
pub(super) fn read(
    file: &LiveFile,
    chunk: &ChunkMeta,
    times: &TimesMeta,
    kind: FieldType,
    cache: &mut ScanCache,
) -> Result<Points, BlockError> {
    let values = file.block.read_values(chunk, kind, times.count)?;
    Ok(Points { times: cache.times(&file.block, times)?.to_vec(), values })
}
