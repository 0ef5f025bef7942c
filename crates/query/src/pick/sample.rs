//! `sample`: some points by chance, each as likely as the others (reservoir sampling, Vitter 1985, algorithm R).

use crate::aggregate::Point;

/// `n` of the points, in the order they came in; all where there are no more. The same seed chooses the same.
pub fn sample(points: Vec<Point>, n: usize, seed: u64) -> Vec<Point> {
    let mut random = SplitMix(seed);
    let mut reservoir: Vec<(usize, Point)> = Vec::with_capacity(n.min(points.len()));
    for (number, point) in points.into_iter().enumerate() {
        if number < n {
            reservoir.push((number, point));
        } else if let Some(place) = reservoir.get_mut(random.below(number as u64 + 1)) {
            *place = (number, point);
        }
    }
    reservoir.sort_unstable_by_key(|(number, _)| *number);
    reservoir.into_iter().map(|(_, point)| point).collect()
}

/// SplitMix64 (Steele, Lea, Flood 2014): good enough to choose points, not to keep secrets.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, `bound`.
    fn below(&mut self, bound: u64) -> usize {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pick::support::floats;

    fn ten() -> Vec<Point> {
        floats(&(0..10).map(|i| (i, i as f64)).collect::<Vec<_>>())
    }

    #[test]
    fn a_sample_has_the_size_asked_for_and_keeps_the_order() {
        let three = sample(ten(), 3, 7);
        assert_eq!(three.len(), 3);
        assert!(three.is_sorted_by_key(|point| point.time));
        assert_eq!(three, sample(ten(), 3, 7));
        assert_eq!(sample(ten(), 20, 7), ten());
        assert!(sample(ten(), 0, 7).is_empty());
    }

    #[test]
    fn every_point_is_equally_likely() {
        let mut chosen = [0u32; 10];
        for seed in 0..10_000 {
            for point in sample(ten(), 3, seed) {
                chosen[(point.time.0 / 1_000_000_000) as usize] += 1;
            }
        }
        assert!(chosen.iter().all(|count| (2800..3200).contains(count)), "{chosen:?}");
    }
}
