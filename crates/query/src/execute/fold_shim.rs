//! Functions over many windows at once, by way of their accumulators.

use model::{FieldType, SeriesId, TimeRange};

use crate::Summary;
use crate::aggregate::{Accumulator, AggregateFunction, Picked, Run};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    Value,
    Origin,
}

pub(crate) trait Fold: Send {
    fn open(&mut self, span: TimeRange);
    fn add(&mut self, window: usize, run: &Run<'_>);
    fn add_summary(&mut self, window: usize, series: SeriesId, summary: &Summary);
    fn takes_summaries(&self) -> bool;
    fn merge(&mut self, other: Box<dyn Fold>, numbers: &[usize]);
    fn bytes(&self) -> usize;
    fn finish(self: Box<Self>) -> Vec<Option<Picked>>;
}

struct Boxed {
    f: &'static str,
    a: Vec<f64>,
    k: FieldType,
    w: Vec<(TimeRange, Option<Box<dyn Accumulator>>)>,
}

impl Fold for Boxed {
    fn open(&mut self, span: TimeRange) {
        self.w.push((span, None));
    }
    fn add(&mut self, window: usize, run: &Run<'_>) {
        let (Ok(f), a, k) = (crate::aggregate::Registry::shared().get(self.f), &self.a, self.k) else { return };
        if let Some((span, state)) = self.w.get_mut(window) {
            state.get_or_insert_with(|| f.new_state(a, k, *span)).add(run);
        }
    }
    fn add_summary(&mut self, _: usize, _: SeriesId, _: &Summary) {}
    fn takes_summaries(&self) -> bool {
        false
    }
    fn merge(&mut self, _: Box<dyn Fold>, _: &[usize]) {}
    fn bytes(&self) -> usize {
        self.w.len() * 100
    }
    fn finish(self: Box<Self>) -> Vec<Option<Picked>> {
        self.w.into_iter().map(|(_, s)| s.map(|s| s.finish().into())).collect()
    }
}

pub(crate) fn new_fold(f: &dyn AggregateFunction, a: &[f64], k: FieldType, _w: Wants) -> Box<dyn Fold> {
    Box::new(Boxed { f: f.name(), a: a.to_vec(), k, w: Vec::new() })
}
