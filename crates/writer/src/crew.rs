//! The workers as the dispatcher sees them: who is idle, and what the others have.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::report::Report;
use crate::task::{LaneId, Task};
use crate::worker::{Bench, Worker};

/// All workers of a store. They end when this is dropped, once they are through with what they have.
pub(crate) struct Crew {
    seats: Vec<Seat>,
}

struct Seat {
    tasks: SyncSender<Task>,
    /// What the worker has.
    out: Option<Out>,
}

/// A task that a worker has.
#[derive(Debug, Clone, Copy)]
struct Out {
    lane: LaneId,
    first_time: u64,
    bytes: usize,
}

impl Crew {
    /// Starts so many workers, and gives their threads.
    pub(crate) fn start(
        workers: usize,
        bench: &Arc<Bench>,
        reports: &SyncSender<Report>,
    ) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (mut seats, mut threads) = (Vec::new(), Vec::new());
        for number in 0..workers {
            let (tasks, received): (_, Receiver<Task>) = sync_channel(1);
            let worker = Worker::new(Arc::clone(bench));
            let reports = reports.clone();
            let name = format!("{}-{number}", bench.store.name());
            let run = move || worker.run(number, &received, &reports);
            threads.push(thread::Builder::new().name(name).spawn(run)?);
            seats.push(Seat { tasks, out: None });
        }
        Ok((Self { seats }, threads))
    }

    /// Tasks that workers have.
    pub(crate) fn under_way(&self) -> usize {
        self.seats.iter().filter(|seat| seat.out.is_some()).count()
    }

    /// Those of one lane.
    pub(crate) fn under_way_of(&self, lane: LaneId) -> usize {
        self.seats.iter().filter_map(|seat| seat.out).filter(|out| out.lane == lane).count()
    }

    /// Values of these tasks that have no fate yet.
    pub(crate) fn first_time(&self) -> u64 {
        self.seats.iter().filter_map(|seat| seat.out).map(|out| out.first_time).sum()
    }

    /// Memory of these tasks.
    pub(crate) fn bytes(&self) -> usize {
        self.seats.iter().filter_map(|seat| seat.out).map(|out| out.bytes).sum()
    }

    /// Gives a task to an idle worker, the first one, whose connection is warm; returns it when there is none.
    pub(crate) fn give(&mut self, task: Task) -> Option<Task> {
        let Some(seat) = self.seats.iter_mut().find(|seat| seat.out.is_none()) else { return Some(task) };
        let out = Out { lane: task.lane, first_time: task.first_time, bytes: task.bytes };
        match seat.tasks.send(task) {
            Ok(()) => {
                seat.out = Some(out);
                None
            }
            // Its thread has ended, which it does not do by itself.
            Err(refused) => Some(refused.0),
        }
    }

    /// A worker gave its task back.
    pub(crate) fn returned(&mut self, worker: usize) {
        if let Some(seat) = self.seats.get_mut(worker) {
            seat.out = None;
        }
    }
}
