//! Minimum of a function of several variables by the downhill simplex method (Nelder and Mead 1965).
//!
//! The steps are InfluxDB's in every detail, since which of many minima is found depends on them. In particular the function may
//! change the point it is computed at (bring it back inside its bounds), and the simplex goes on with the changed one.

const MAX_ITERATIONS: usize = 1000;
const EXPANSION: f64 = 2.0;
const CONTRACTION: f64 = 0.5;

/// The smallest value found and where.
pub(super) struct Minimum {
    pub(super) value: f64,
    pub(super) at: Vec<f64>,
}

/// A corner of the simplex and the function's value there.
#[derive(Clone)]
struct Vertex {
    at: Vec<f64>,
    value: f64,
}

/// Looks for a minimum of `function` around `start`, until the values at the corners lie closer together than `epsilon`.
pub(super) fn minimise(function: &mut dyn FnMut(&mut [f64]) -> f64, start: &[f64], epsilon: f64) -> Minimum {
    let mut simplex = initial(function, start);
    for _ in 0..MAX_ITERATIONS {
        step(function, &mut simplex);
        if spread(&simplex) < epsilon {
            break;
        }
    }
    let best = best(&simplex);
    let mut at = simplex.get(best).map(|vertex| vertex.at.clone()).unwrap_or_default();
    let parameters = at.clone();
    Minimum { value: function(&mut at), at: parameters }
}

/// A regular simplex with edges of length 1 at `start`.
fn initial(function: &mut dyn FnMut(&mut [f64]) -> f64, start: &[f64]) -> Vec<Vertex> {
    let n = start.len() as f64;
    let other = ((n + 1.0).sqrt() - 1.0) / (n * std::f64::consts::SQRT_2);
    let own = ((n + 1.0).sqrt() - 1.0 + n) / (n * std::f64::consts::SQRT_2);
    let corner = |own_axis: usize| {
        let shifted = start.iter().enumerate();
        shifted.map(|(axis, x)| x + if axis == own_axis { own } else { other }).collect()
    };
    let corners = std::iter::once(start.to_vec()).chain((0..start.len()).map(corner));
    corners.map(|at| evaluate(function, at)).collect()
}

fn evaluate(function: &mut dyn FnMut(&mut [f64]) -> f64, mut at: Vec<f64>) -> Vertex {
    let value = function(&mut at);
    Vertex { at, value }
}

/// Replaces the worst corner by a better one, or draws all corners towards the best.
fn step(function: &mut dyn FnMut(&mut [f64]) -> f64, simplex: &mut [Vertex]) {
    let Some(ranks) = Ranks::of(simplex) else { return };
    let centre = centroid(simplex, ranks.worst);
    let Some(old) = simplex.get(ranks.worst).cloned() else { return };
    let reflected = evaluate(function, blend(&centre, &old.at, |c, o| c + (c - o)));
    if reflected.value < ranks.best_value {
        let further = evaluate(function, blend(&centre, &reflected.at, |c, r| c + EXPANSION * (r - c)));
        replace(simplex, ranks.worst, if further.value < reflected.value { further } else { reflected });
        return;
    }
    if reflected.value < ranks.second_value {
        return replace(simplex, ranks.worst, reflected);
    }
    // NOTE: not the mere opposite of the test above, which is false for a NaN, too.
    if reflected.value >= ranks.second_value {
        let outside = reflected.value < old.value;
        let at = if outside {
            blend(&centre, &reflected.at, |c, r| c + CONTRACTION * (r - c))
        } else {
            blend(&centre, &old.at, |c, o| c - CONTRACTION * (c - o))
        };
        let contracted = evaluate(function, at);
        if contracted.value < old.value {
            replace(simplex, ranks.worst, contracted);
        } else {
            shrink(function, simplex, &ranks);
        }
    }
}

/// Which corners are which.
struct Ranks {
    worst: usize,
    second: usize,
    second_value: f64,
    best: usize,
    best_value: f64,
}

impl Ranks {
    fn of(simplex: &[Vertex]) -> Option<Self> {
        let best = best(simplex);
        let best_value = simplex.get(best)?.value;
        let mut worst = (0, simplex.first()?.value);
        for (index, vertex) in simplex.iter().enumerate() {
            if vertex.value > worst.1 {
                worst = (index, vertex.value);
            }
        }
        let mut second = (best, best_value);
        for (index, vertex) in simplex.iter().enumerate() {
            if vertex.value > second.1 && vertex.value < worst.1 {
                second = (index, vertex.value);
            }
        }
        Some(Self { worst: worst.0, second: second.0, second_value: second.1, best, best_value })
    }
}

fn best(simplex: &[Vertex]) -> usize {
    let mut best = (0, simplex.first().map_or(f64::NAN, |vertex| vertex.value));
    for (index, vertex) in simplex.iter().enumerate() {
        if vertex.value < best.1 {
            best = (index, vertex.value);
        }
    }
    best.0
}

/// Centre of all corners but one.
fn centroid(simplex: &[Vertex], without: usize) -> Vec<f64> {
    let axes = simplex.len().saturating_sub(1);
    let others = || simplex.iter().enumerate().filter(|(index, _)| *index != without).map(|(_, vertex)| vertex);
    (0..axes).map(|axis| others().filter_map(|v| v.at.get(axis)).fold(0.0, |sum, x| sum + x) / axes as f64).collect()
}

fn blend(a: &[f64], b: &[f64], along: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| along(a, b)).collect()
}

fn replace(simplex: &mut [Vertex], index: usize, by: Vertex) {
    if let Some(vertex) = simplex.get_mut(index) {
        *vertex = by;
    }
}

/// Halves the way from the best corner to the others. As in InfluxDB only the two worst of them are evaluated anew.
fn shrink(function: &mut dyn FnMut(&mut [f64]) -> f64, simplex: &mut [Vertex], ranks: &Ranks) {
    let Some(best) = simplex.get(ranks.best).map(|vertex| vertex.at.clone()) else { return };
    for (index, vertex) in simplex.iter_mut().enumerate() {
        if index != ranks.best {
            vertex.at = blend(&best, &vertex.at, |b, x| b + (x - b) / 2.0);
        }
    }
    for index in [ranks.worst, ranks.second] {
        if let Some(vertex) = simplex.get_mut(index) {
            vertex.value = function(&mut vertex.at);
        }
    }
}

/// Standard deviation of the values at the corners.
fn spread(simplex: &[Vertex]) -> f64 {
    let mean = simplex.iter().map(|vertex| vertex.value).sum::<f64>() / simplex.len() as f64;
    let axes = simplex.len().saturating_sub(1) as f64;
    simplex.iter().map(|vertex| (vertex.value - mean).powi(2) / axes).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_followed_to_its_minimum() {
        let mut rosenbrock = |x: &mut [f64]| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2);
        let found = minimise(&mut rosenbrock, &[-1.2, 1.0], 1e-10);
        assert!(found.value < 1e-9, "{}", found.value);
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-3), "{:?}", found.at);
    }
}
