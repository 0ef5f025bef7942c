use model::Values;
use proptest::prelude::*;

use super::*;
use crate::points::Points;

const COLUMNS: u32 = 100;
const TIMES: i64 = 40;

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(TimestampNs(start), TimestampNs(end))
}

fn ids(columns: impl IntoIterator<Item = u32>) -> Vec<ColumnId> {
    columns.into_iter().map(ColumnId).collect()
}

/// Ranges and positions of what is kept with a column.
fn kept(tombstones: &Tombstones, column: u32) -> Vec<(i64, i64, u64)> {
    let ranges = tombstones.of(ColumnId(column)).flat_map(|ranges| ranges.iter());
    ranges.map(|d| (d.range.start.0, d.range.end.0, d.seq.0)).collect()
}

fn with(deletions: &[(i64, i64, u64)]) -> Tombstones {
    let mut all = Tombstones::default();
    for (start, end, seq) in deletions {
        all.add(&ids([7]), range(*start, *end), Seq(*seq));
    }
    all
}

#[test]
fn deletions_of_one_position_that_touch_become_one() {
    assert_eq!(kept(&with(&[(10, 20, 5), (30, 40, 5), (20, 30, 5)]), 7), [(10, 40, 5)]);
    assert_eq!(kept(&with(&[(10, 20, 5), (12, 14, 5), (21, 22, 5)]), 7), [(10, 20, 5), (21, 22, 5)]);
}

#[test]
fn an_older_deletion_inside_a_newer_one_is_forgotten() {
    assert_eq!(kept(&with(&[(10, 11, 1), (12, 13, 2), (10, 20, 3)]), 7), [(10, 20, 3)]);
}

#[test]
fn an_older_deletion_stays_where_no_newer_one_covers_it() {
    assert_eq!(kept(&with(&[(10, 20, 1), (14, 16, 2)]), 7), [(10, 14, 1), (14, 16, 2), (16, 20, 1)]);
    assert_eq!(kept(&with(&[(10, 20, 1), (20, 30, 2)]), 7), [(10, 20, 1), (20, 30, 2)]);
}

#[test]
fn a_deletion_of_nothing_is_not_kept() {
    let mut all = with(&[(10, 10, 1), (12, 11, 1)]);
    all.add(&[], range(0, 9), Seq(2));
    assert_eq!((all.len(), all.to_list().len()), (0, 0));
}

#[test]
fn columns_deleted_together_are_listed_together_but_not_so_many_that_they_are_read_as_a_set() {
    let mut all = Tombstones::default();
    for column in 0..COLUMNS {
        all.add(&ids([column]), range(3, 4), Seq(2));
    }
    let sizes = |all: &Tombstones| all.to_list().iter().map(|t| t.columns.len()).collect::<Vec<_>>();
    assert_eq!(sizes(&all), [64, 36]);
    assert_eq!(sizes(&Tombstones::from_list(&all.to_list())), [64, 36]);
}

#[test]
fn deletions_of_the_same_many_columns_share_their_set() {
    let mut all = Tombstones::default();
    for n in 0..500 {
        all.add(&ids(0..COLUMNS), range(n * 10, n * 10 + 10), Seq(2));
    }
    assert_eq!((all.len(), all.by_set.len()), (1, 1));
    assert_eq!(kept(&all, 99), [(0, 5000, 2)]);
}

#[test]
fn only_what_is_needed_is_retained() {
    let mut all = with(&[(10, 20, 1), (14, 16, 2), (30, 31, 2)]);
    all.add(&ids([8]), range(0, 5), Seq(3));
    all.retain(|d| d.seq == Seq(2));
    assert_eq!(kept(&all, 7), [(14, 16, 2), (30, 31, 2)]);
    assert_eq!((all.len(), all.by_column.len()), (2, 1));
}

#[test]
fn a_reader_keeps_what_it_has_while_more_is_deleted() {
    let mut all = with(&[(10, 20, 1)]);
    let deleted = Deleted::of(ColumnId(7), [&all]);
    all.add(&ids([7]), range(30, 40), Seq(1));
    let at = |t| deleted.meets(TimestampNs(t), TimestampNs(t), Seq(0));
    assert_eq!((at(15), at(35)), (true, false));
}

/// A deletion, or a flush of what came before, or a restart from what is stored.
#[derive(Debug, Clone)]
enum Step {
    Delete(Vec<u32>, i64, i64),
    Flush,
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    let few = prop::collection::vec(0..8u32, 1..4);
    let many = (0..3u32).prop_map(|from| (from..from + 90).collect());
    let columns = prop_oneof![4 => few, 1 => many];
    prop_oneof![
        8 => (columns, 0..TIMES, 0..12i64).prop_map(|(columns, start, len)| Step::Delete(columns, start, start + len)),
        2 => Just(Step::Flush),
        1 => Just(Step::Restart),
    ]
}

/// The list that is looked through from end to end.
#[derive(Default)]
struct Linear(Vec<(Vec<u32>, TimeRange, Seq)>);

impl Linear {
    fn is_deleted(&self, column: u32, time: i64, last_seq: Seq) -> bool {
        let mut all = self.0.iter();
        all.any(|(columns, range, seq)| {
            last_seq < *seq && columns.contains(&column) && range.contains(TimestampNs(time))
        })
    }
}

/// Takes the steps as the engine does. Runs of points end at flushes, whose positions are given back.
fn take(steps: &[Step]) -> ([Tombstones; 2], Linear, Vec<Seq>) {
    let ([mut flushed, mut head], mut linear) = ([Tombstones::default(), Tombstones::default()], Linear::default());
    let (mut seq, mut runs) = (Seq(4), vec![Seq(4)]);
    for step in steps {
        seq = seq.next();
        match step {
            Step::Delete(columns, start, end) => {
                let first = runs.last().unwrap().next();
                head.add(&ids(columns.iter().copied()), range(*start, *end), first);
                linear.0.push((columns.clone(), range(*start, *end), seq));
            }
            Step::Flush => {
                flushed.absorb(&std::mem::take(&mut head));
                runs.push(seq);
            }
            Step::Restart => flushed = Tombstones::from_list(&flushed.to_list()),
        }
    }
    ([flushed, head], linear, runs)
}

proptest! {
    #[test]
    fn what_is_found_by_column_is_what_the_list_says(steps in prop::collection::vec(any_step(), 0..40)) {
        let (places, linear, runs) = take(&steps);
        let all: Vec<i64> = (0..TIMES + 12).collect();
        for column in [0, 1, 2, 5, 7, 60, 91, 99] {
            let deleted = Deleted::of(ColumnId(column), &places);
            for last_seq in &runs {
                let left: Vec<i64> = all.iter().copied().filter(|t| !linear.is_deleted(column, *t, *last_seq)).collect();
                let met = |t: &i64| deleted.meets(TimestampNs(*t), TimestampNs(*t), *last_seq);
                prop_assert_eq!(all.iter().filter(|t| !met(t)).copied().collect::<Vec<_>>(), left.clone());
                let points = |times: &[i64]| Points {
                    times: times.iter().map(|t| TimestampNs(*t)).collect(),
                    values: Values::Integer(times.to_vec()),
                };
                prop_assert_eq!(deleted.mask(points(&all), *last_seq), points(&left));
            }
        }
    }
}
