//! Where things came from: the ways of what scenes track, picture after picture.

use std::collections::{BTreeMap, VecDeque};

use palaestra_plugin_api::canvas::{Point, Scene, Shape};

/// Pictures that a trail reaches back.
const LENGTH: usize = 16;

/// Follows the tracked things of one episode: worlds need not remember for the sake of pictures where anybody was.
#[derive(Debug, Default)]
pub struct Tracks {
    /// Where each thing was, oldest first.
    ways: BTreeMap<u32, VecDeque<Point>>,
}

impl Tracks {
    /// Forgets all ways: another episode begins.
    pub fn restart(&mut self) {
        self.ways.clear();
    }

    /// Notes where things are in the next picture, and puts the trail of each in place of its track. What a picture
    /// does not show is forgotten: when it is back, a new way begins.
    pub fn follow(&mut self, scene: &mut Scene) {
        let mut before = std::mem::take(&mut self.ways);
        for shape in &mut scene.shapes {
            let Shape::Track { id, at, pen } = shape else {
                continue;
            };
            let mut way = before.remove(id).unwrap_or_default();
            if way.len() == LENGTH {
                way.pop_front();
            }
            way.push_back(*at);
            let points = way.iter().copied().collect();
            self.ways.insert(*id, way);
            *shape = Shape::Trail { points, pen: *pen };
        }
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::canvas::{Canvas, Color};

    use super::*;

    /// The trails of a picture with things at these places.
    fn trails(tracks: &mut Tracks, things: &[(usize, f64)]) -> Vec<Vec<f32>> {
        let mut canvas = Canvas::new();
        for &(id, x) in things {
            canvas.track(id, (x, 0.0), Color::INK);
        }
        let mut scene = canvas.into_scene();
        tracks.follow(&mut scene);
        let points = |shape: &Shape| match shape {
            Shape::Trail { points, .. } => points.iter().map(|p| p.x).collect(),
            other => panic!("expected a trail, found {other:?}"),
        };
        scene.shapes.iter().map(points).collect()
    }

    #[test]
    fn a_trail_grows_and_loses_its_oldest_point() {
        let mut tracks = Tracks::default();
        for step in 0..LENGTH + 3 {
            let first = (step + 1).saturating_sub(LENGTH);
            let expected: Vec<f32> = (first..=step).map(|x| x as f32).collect();
            assert_eq!(trails(&mut tracks, &[(7, step as f64)]), [expected]);
        }
        tracks.restart();
        assert_eq!(trails(&mut tracks, &[(7, 0.0)]), [[0.0]]);
    }

    #[test]
    fn what_was_out_of_the_picture_begins_anew() {
        let mut tracks = Tracks::default();
        trails(&mut tracks, &[(0, 0.0), (1, 10.0)]);
        assert_eq!(trails(&mut tracks, &[(1, 11.0)]), [[10.0, 11.0]]);
        let both = trails(&mut tracks, &[(1, 12.0), (0, 5.0)]);
        assert_eq!(both, [vec![10.0, 11.0, 12.0], vec![5.0]]);
    }
}
