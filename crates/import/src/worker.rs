//! One worker: takes pieces from the queue, converts them, stores them, and tells what became of them.

use std::ops::ControlFlow;

use formats::{Converted, Lines, REJECT_TEXT_MAX, Reject};

use crate::ImportError;
use crate::counters::{Tally, add};
use crate::deliver::{Delivery, RefusedLine, Undelivered};
use crate::file::Piece;
use crate::rejects::{self, Refused};
use crate::run::Shared;

/// Works until the queue is empty, or the import ends. A failure ends it for all.
pub(crate) fn work(shared: &Shared<'_>, number: u64) {
    let mut delivery = Delivery {
        shared,
        session: shared.sink.session(),
        // Any number but 0; another one for each worker.
        random: (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
    };
    while let Some(mut piece) = shared.queue.pop() {
        match one(shared, &mut delivery, &mut piece) {
            Ok(()) => shared.spares.put(piece.into_memory()),
            Err(Undelivered::Stopped) => return,
            Err(Undelivered::Failed(error)) => return shared.fail(error),
        }
    }
}

fn one(shared: &Shared<'_>, delivery: &mut Delivery<'_>, piece: &mut Piece) -> Result<(), Undelivered> {
    if let Some(text) = piece.as_it_stands()
        && let Some(tally) = delivery.deliver_unchecked(text)?
    {
        add(&shared.counters.records, tally.records);
        return shared.finish(piece, tally, Vec::new());
    }
    let (mut tally, mut refused, mut outcome) = (Tally::default(), Vec::new(), Ok(()));
    let converted = piece.convert(&mut |first_line, converted| match portion(
        shared,
        delivery,
        (piece, first_line),
        converted,
        &mut refused,
    ) {
        Ok(portion) => {
            tally.add(&portion);
            ControlFlow::Continue(())
        }
        Err(undelivered) => {
            outcome = Err(undelivered);
            ControlFlow::Break(())
        }
    });
    refused.sort_by_key(|r| r.line);
    let failed = |source| Undelivered::Failed(ImportError::File { name: shared.name_of(piece.file), source });
    if let Err(undelivered) = outcome.and(converted.map_err(failed)) {
        shared.leave(piece, refused);
        return Err(undelivered);
    }
    shared.finish(piece, tally, refused)
}

/// Stores a portion of a piece; gives what became of its records, but for those refused.
fn portion(
    shared: &Shared<'_>,
    delivery: &mut Delivery<'_>,
    (piece, first_line): (&Piece, u64),
    converted: &Converted,
    refused: &mut Vec<Refused>,
) -> Result<Tally, Undelivered> {
    let Converted { lines, rejects, more_rejects, records, empty } = converted;
    add(&shared.counters.refused, rejects.len() as u64 + more_rejects);
    refused.extend(rejects.iter().cloned().map(|Reject { line, reason, text }| Refused {
        line,
        reason,
        text,
        count: 1,
    }));
    let last = refused.last().map(|last| shared.place_of(piece, last));
    if *more_rejects > 0 {
        let line = refused.last().map_or(first_line, |r| r.line);
        refused.push(Refused {
            line,
            reason: format!("{more_rejects} records behind this one were refused, too"),
            text: Vec::new(),
            count: *more_rejects,
        });
    }
    shared.check_errors(rejects::count(refused), last.as_deref())?;
    let mut tally = Tally { records: *records, empty: *empty, ..Tally::default() };
    let mut unstorable = 0;
    let mut refuse = |found: Vec<RefusedLine>| {
        if found.is_empty() {
            return Ok(());
        }
        unstorable += found.len();
        add(&shared.counters.refused, found.len() as u64);
        refused.extend(found.into_iter().map(|line| described(first_line, lines, line)));
        let last = refused.last().map(|last| shared.place_of(piece, last));
        shared.check_errors(rejects::count(refused), last.as_deref())
    };
    delivery.deliver(lines, &mut refuse, &mut tally)?;
    tally.points = (lines.len() - unstorable) as u64;
    add(&shared.counters.records, *records);
    add(&shared.counters.empty, *empty);
    Ok(tally)
}

fn described(first_line: u64, lines: &Lines, (number, reason): RefusedLine) -> Refused {
    let text = lines.slice(number, number + 1);
    Refused {
        line: first_line + u64::from(lines.origins.get(number).copied().unwrap_or_default()),
        reason,
        text: text.get(..REJECT_TEXT_MAX).unwrap_or(text).to_vec(),
        count: 1,
    }
}
