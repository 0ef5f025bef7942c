//! The same work on many items, on several threads, the results in the order of the items.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::QueryError;

/// Results of one block of items, once they are there.
type Done<R> = Mutex<Option<Result<Vec<R>, QueryError>>>;

/// Calls `work` for every item with a state that is made once a thread. Each thread takes `block` neighbouring items at a time,
/// since neighbours share what reading one has decoded. With one thread, or no more than a block, nothing is started.
pub(super) fn map<'i, I: Sync, S, R: Send>(
    items: &'i [I],
    threads: usize,
    block: usize,
    state: &(dyn Fn() -> S + Sync),
    work: &(dyn Fn(&mut S, &'i I) -> Result<R, QueryError> + Sync),
) -> Result<Vec<R>, QueryError> {
    let blocks: Vec<&[I]> = items.chunks(block.max(1)).collect();
    if threads <= 1 || blocks.len() <= 1 {
        let mut state = state();
        return items.iter().map(|item| work(&mut state, item)).collect();
    }
    let done: Vec<Done<R>> = blocks.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut state = state();
        while let Some((items, slot)) = take(&next, &blocks, &done) {
            let results = items.iter().map(|item| work(&mut state, item)).collect::<Result<Vec<R>, _>>();
            let failed = results.is_err();
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(results);
            if failed {
                // Nobody needs the rest.
                next.store(blocks.len(), Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(blocks.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    collect(done)
}

fn take<'b, B: Copy, D>(next: &AtomicUsize, blocks: &'b [B], done: &'b [D]) -> Option<(B, &'b D)> {
    let index = next.fetch_add(1, Relaxed);
    Some((*blocks.get(index)?, done.get(index)?))
}

/// The results in order, or the first error.
fn collect<R>(done: Vec<Done<R>>) -> Result<Vec<R>, QueryError> {
    let mut all = Vec::new();
    let mut unfinished = false;
    for slot in done {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(results) => all.append(&mut results?),
            None => unfinished = true,
        }
    }
    if unfinished {
        return Err(QueryError::Store("a thread of the query ended early".to_owned()));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        for threads in [1, 2, 5] {
            let doubled = map(&items, threads, 7, &|| (), &|(), i| Ok(i * 2)).unwrap();
            assert_eq!(doubled, items.iter().map(|i| i * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let items: Vec<u32> = (0..1000).collect();
        let work = |(): &mut (), i: &u32| if *i == 500 { Err(QueryError::invalid("five hundred")) } else { Ok(*i) };
        for threads in [1, 3] {
            assert!(map(&items, threads, 10, &|| (), &work).is_err());
        }
    }
}
