//! What it costs to leave the square \[−1, 1\]²: prey must stay where it can be caught.

use palaestra_plugin_api::math;

/// Coordinate at which the cost begins.
const NEAR: f64 = 0.9;
/// Largest cost of one coordinate.
const MOST: f64 = 10.0;

/// Cost of both coordinates: each 0 below 0.9, 10·(|x| − 0.9) below 1, then e^(2|x| − 2) up to 10.
#[inline(always)]
pub fn penalty<const L: usize>(position: [&[f64; L]; 2]) -> [f64; L] {
    std::array::from_fn(|lane| of_coordinate(position[0][lane]) + of_coordinate(position[1][lane]))
}

#[inline(always)]
fn of_coordinate(x: f64) -> f64 {
    let x = x.abs();
    let outside = math::exp(2.0 * x - 2.0);
    let outside = if outside < MOST { outside } else { MOST };
    let inside = if x < NEAR { 0.0 } else { (x - NEAR) * 10.0 };
    if x < 1.0 { inside } else { outside }
}

#[cfg(test)]
mod tests {
    use super::penalty;

    #[test]
    fn the_cost_grows_from_the_edge_to_its_limit() {
        let x = [0.0, 0.9, -0.95, 1.0, -1.5, 9.0];
        let expected = [0.0, 0.0, 0.5, 1.0, std::f64::consts::E, 10.0];
        for (found, expected) in penalty([&x, &[0.0; 6]]).into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-14,
                "expected {expected}, found {found}"
            );
        }
    }
}
