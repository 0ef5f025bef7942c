//! The same work on many items, on several threads, each result given out as soon as all before it are.
//!
//! The calling thread gives the results out, and works itself while the next one is not ready. Results wait in memory up to a
//! weight; past it, only the work on the next one goes on.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::QueryError;

/// What is to be done.
pub(super) struct Work<'w, I, S, R> {
    /// Neighbouring items are worked on in blocks of so many, since neighbours share what reading one has decoded.
    pub(super) block: usize,
    /// Threads, the calling one included; at least 1.
    pub(super) threads: usize,
    /// Weight of results that may wait.
    pub(super) max_waiting: usize,
    /// Makes what a thread works with.
    pub(super) state: &'w (dyn Fn() -> S + Sync),
    /// The work on one item.
    pub(super) run: &'w (dyn Fn(&mut S, &I) -> Result<R, QueryError> + Sync),
    /// Weight of a result.
    pub(super) weigh: &'w (dyn Fn(&R) -> usize + Sync),
}

/// Works on all items and hands the results to `give`, in the order of the items.
pub(super) fn run<I: Sync, S, R: Send>(
    items: &[I],
    work: &Work<'_, I, S, R>,
    give: &mut dyn FnMut(R) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let blocks: Vec<&[I]> = items.chunks(work.block.max(1)).collect();
    if work.threads <= 1 || blocks.len() <= 1 {
        let mut state = (work.state)();
        return items.iter().try_for_each(|item| give((work.run)(&mut state, item)?));
    }
    let line = Line { blocks, work, state: Mutex::default(), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 1..work.threads.min(line.blocks.len()) {
            scope.spawn(|| line.help());
        }
        let outcome = line.lead(give);
        line.update(|progress| progress.stopped = true);
        outcome
    })
}

/// The results of the same work on all items, in their order. With one thread, or no more than a block, nothing is started.
pub(super) fn map<I: Sync, S, R: Send>(
    items: &[I],
    threads: usize,
    block: usize,
    state: &(dyn Fn() -> S + Sync),
    run_one: &(dyn Fn(&mut S, &I) -> Result<R, QueryError> + Sync),
) -> Result<Vec<R>, QueryError> {
    let work = Work { block, threads, max_waiting: usize::MAX, state, run: run_one, weigh: &|_| 0 };
    let mut results = Vec::with_capacity(items.len());
    run(items, &work, &mut |result| {
        results.push(result);
        Ok(())
    })?;
    Ok(results)
}

/// Results on their way.
struct Line<'w, I, S, R> {
    blocks: Vec<&'w [I]>,
    work: &'w Work<'w, I, S, R>,
    state: Mutex<Progress<R>>,
    changed: Condvar,
}

struct Progress<R> {
    /// Block that is begun next.
    next: usize,
    /// Block that is given out next.
    due: usize,
    /// Blocks that are done and wait.
    done: BTreeMap<usize, Done<R>>,
    waiting: usize,
    stopped: bool,
}

struct Done<R> {
    results: Result<Vec<R>, QueryError>,
    weight: usize,
}

impl<R> Default for Progress<R> {
    fn default() -> Self {
        Self { next: 0, due: 0, done: BTreeMap::new(), waiting: 0, stopped: false }
    }
}

impl<I: Sync, S, R: Send> Line<'_, I, S, R> {
    fn lock(&self) -> MutexGuard<'_, Progress<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut Progress<R>)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn wait<'g>(&self, guard: MutexGuard<'g, Progress<R>>) -> MutexGuard<'g, Progress<R>> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until there is nothing left to begin.
    fn help(&self) {
        let _alive = Alive(self);
        let mut state = (self.work.state)();
        loop {
            let mut progress = self.lock();
            while !progress.stopped && progress.next < self.blocks.len() && !self.may_begin(&progress) {
                progress = self.wait(progress);
            }
            if progress.stopped || progress.next >= self.blocks.len() {
                return;
            }
            self.begin(progress, &mut state);
        }
    }

    /// Gives results out in order, and works while the next one is not ready.
    fn lead(&self, give: &mut dyn FnMut(R) -> Result<(), QueryError>) -> Result<(), QueryError> {
        let mut state = (self.work.state)();
        loop {
            let mut progress = self.lock();
            let due = progress.due;
            if due == self.blocks.len() {
                return Ok(());
            }
            if let Some(done) = progress.done.remove(&due) {
                progress.due += 1;
                progress.waiting -= done.weight;
                drop(progress);
                self.changed.notify_all();
                done.results?.into_iter().try_for_each(&mut *give)?;
            } else if self.may_begin(&progress) {
                self.begin(progress, &mut state);
            } else if progress.stopped {
                return Err(QueryError::Store("a thread of the query ended early".to_owned()));
            } else {
                drop(self.wait(progress));
            }
        }
    }

    fn may_begin(&self, progress: &Progress<R>) -> bool {
        let is_due = progress.next == progress.due;
        progress.next < self.blocks.len() && (is_due || progress.waiting < self.work.max_waiting)
    }

    fn begin(&self, mut progress: MutexGuard<'_, Progress<R>>, state: &mut S) {
        let number = progress.next;
        progress.next += 1;
        drop(progress);
        let items = self.blocks.get(number).copied().unwrap_or_default();
        let results: Result<Vec<R>, QueryError> = items.iter().map(|item| (self.work.run)(state, item)).collect();
        let weight = results.as_ref().map_or(0, |results| results.iter().map(self.work.weigh).sum());
        self.update(|progress| {
            progress.waiting += weight;
            progress.done.insert(number, Done { results, weight });
        });
    }
}

/// Tells the others should a thread panic, so that nobody waits for what it was to do.
struct Alive<'l, 'w, I: Sync, S, R: Send>(&'l Line<'w, I, S, R>);

impl<I: Sync, S, R: Send> Drop for Alive<'_, '_, I, S, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.update(|progress| progress.stopped = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work<'w>(
        threads: usize,
        run: &'w (dyn Fn(&mut (), &u32) -> Result<u32, QueryError> + Sync),
    ) -> Work<'w, u32, (), u32> {
        Work { block: 7, threads, max_waiting: 20, state: &|| (), run, weigh: &|_| 1 }
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        for threads in [1, 2, 5] {
            let mut got = Vec::new();
            let run_one = |(): &mut (), i: &u32| Ok(i * 2);
            run(&items, &work(threads, &run_one), &mut |result| {
                got.push(result);
                Ok(())
            })
            .unwrap();
            assert_eq!(got, items.iter().map(|i| i * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_comes_after_the_results_before_it() {
        let items: Vec<u32> = (0..1000).collect();
        let run_one = |(): &mut (), i: &u32| if *i == 500 { Err(QueryError::invalid("five hundred")) } else { Ok(*i) };
        for threads in [1, 3] {
            let mut got = 0;
            let outcome = run(&items, &work(threads, &run_one), &mut |_| {
                got += 1;
                Ok(())
            });
            assert!(outcome.is_err());
            assert!((490..=500).contains(&got), "{got}");
        }
    }

    #[test]
    fn who_takes_no_more_ends_the_work() {
        let items: Vec<u32> = (0..1000).collect();
        let run_one = |(): &mut (), i: &u32| Ok(*i);
        let outcome = run(&items, &work(2, &run_one), &mut |result| match result {
            300 => Err(QueryError::Enough),
            _ => Ok(()),
        });
        assert!(matches!(outcome, Err(QueryError::Enough)));
    }
}
