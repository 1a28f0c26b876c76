//! Roads and routes: cars keep to the right.

use palaestra_plugin_api::Result;

use super::Difficulty;
use crate::{
    board::{Board, EAST, Grid, NORTH, Place, SOUTH, WEST, moved},
    state::invalid,
};

/// What a car does at a junction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Straight,
    Right,
    Left,
}

const TURNS: [Turn; 3] = [Turn::Straight, Turn::Right, Turn::Left];

/// The part of a junction that never changes.
#[derive(Clone, Debug)]
pub(super) struct Roads {
    pub(super) board: Board,
    /// Number of the road cell, `base` off the roads, with a border for windows.
    classes: Grid<u16>,
    base: usize,
    /// Those of the first arrival point first, as many of each.
    routes: Vec<Vec<Place>>,
    arrivals: usize,
}

impl Roads {
    pub(super) fn new(difficulty: Difficulty, dim: u32, vision: i32) -> Result<Self> {
        let hard = difficulty == Difficulty::Hard;
        let (least, multiple) = if hard { (9, 3) } else { (4 + vision as u32, 2) };
        if !(least..=200).contains(&dim) || !dim.is_multiple_of(multiple) {
            return Err(invalid(
                "/dim",
                format_args!("a multiple of {multiple} of {least} to 200"),
                dim,
            ));
        }
        let dim = dim as i32;
        // The original makes easy boards odd, but not its vocabulary.
        let side = if difficulty == Difficulty::Easy {
            dim + 1
        } else {
            dim
        };
        let board = Board {
            rows: side,
            columns: side,
        };
        // First line of each road, the horizontal ones first; the number of lanes; arrival points.
        let (lines, lanes, entries): (Vec<i32>, i32, Vec<(Place, Place)>) = match difficulty {
            Difficulty::Easy => (
                vec![side / 2],
                1,
                vec![([0, side / 2], SOUTH), ([side / 2, 0], EAST)],
            ),
            Difficulty::Medium => {
                let line = side / 2 - 1;
                (
                    vec![line],
                    2,
                    [SOUTH, NORTH, EAST, WEST]
                        .map(|heading| (entry(line, heading, side), heading))
                        .into(),
                )
            }
            Difficulty::Hard => {
                let lines = [side / 3 - 2, 2 * side / 3];
                let headings = [SOUTH, EAST, NORTH, WEST].iter();
                let at = headings
                    .flat_map(|&heading| lines.map(|line| (entry(line, heading, side), heading)));
                (lines.into(), 2, at.collect())
            }
        };
        let base = (2 * dim * lanes * lines.len() as i32) as usize;
        let on = |line: i32| {
            lines
                .iter()
                .any(|&first| (first..first + lanes).contains(&line))
        };
        let junction = |[row, column]: Place| on(row) && on(column);
        let routes: Vec<Vec<Place>> = entries
            .iter()
            .flat_map(|&(place, heading)| routes_from(place, heading, hard, board, &junction))
            .collect();
        let classes = number(board, vision, base as u16, &lines, lanes);
        Ok(Self {
            board,
            classes,
            base,
            routes,
            arrivals: entries.len(),
        })
    }

    /// Numbers in an observation of one cell.
    pub(super) fn vocabulary(&self) -> usize {
        self.base + 3
    }

    pub(super) fn arrivals(&self) -> usize {
        self.arrivals
    }

    pub(super) fn routes(&self) -> usize {
        self.routes.len()
    }

    pub(super) fn per_arrival(&self) -> usize {
        self.routes.len() / self.arrivals
    }

    #[inline(always)]
    pub(super) fn route(&self, number: usize) -> &[Place] {
        &self.routes[number]
    }

    #[inline(always)]
    pub(super) fn classes(&self, row: i32, column: i32, width: usize) -> &[u16] {
        self.classes.run([row, column], width)
    }

    /// Whether any route leads over a cell.
    pub(super) fn is_road(&self, place: Place) -> bool {
        self.routes.iter().any(|route| route.contains(&place))
    }
}

/// Where cars that head somewhere enter the two-lane road whose first line is `line`: on the right.
fn entry(line: i32, heading: Place, side: i32) -> Place {
    match heading {
        SOUTH => [0, line],
        NORTH => [side - 1, line + 1],
        EAST => [line + 1, 0],
        _ => [line, side - 1],
    }
}

/// Numbers the cells road by road, row by row; at junctions the later road wins.
fn number(board: Board, vision: i32, base: u16, lines: &[i32], lanes: i32) -> Grid<u16> {
    let mut classes = Grid::new(board, vision, base, base);
    let mut next = 0;
    let mut give = |place| {
        classes[place] = next;
        next += 1;
    };
    for &line in lines {
        (line..line + lanes)
            .for_each(|row| (0..board.columns).for_each(|column| give([row, column])));
    }
    for &line in lines {
        (0..board.rows).for_each(|row| (line..line + lanes).for_each(|column| give([row, column])));
    }
    classes
}

/// All routes from an arrival point: a turn at the first junction and, where there are more, one at the second.
fn routes_from(
    place: Place,
    heading: Place,
    hard: bool,
    board: Board,
    junction: &impl Fn(Place) -> bool,
) -> Vec<Vec<Place>> {
    let mut routes = Vec::new();
    if board.rows % 2 == 1 && !hard {
        return vec![drive(place, heading, &[], board, junction).0];
    }
    for first in TURNS {
        let second: &[Turn] = if hard { &TURNS } else { &TURNS[..1] };
        for &second in second {
            let (route, junctions) = drive(place, heading, &[first, second], board, junction);
            routes.push(route);
            if junctions == 1 {
                break;
            }
        }
    }
    routes
}

/// The cells from an arrival point to the edge of the board, turning as told and then straight on, and how
/// many junctions they cross.
fn drive(
    mut place: Place,
    mut heading: Place,
    turns: &[Turn],
    board: Board,
    junction: &impl Fn(Place) -> bool,
) -> (Vec<Place>, usize) {
    let mut route = vec![place];
    let mut junctions = 0;
    // Cells until a planned turn to the left.
    let mut left_after = None;
    loop {
        let next = moved(place, heading);
        if !board.contains(next) {
            return (route, junctions);
        }
        if junction(next) && !junction(place) {
            match turns.get(junctions) {
                Some(Turn::Right) => heading = right_of(heading),
                Some(Turn::Left) => left_after = Some(1),
                _ => {}
            }
            junctions += 1;
        } else if left_after == Some(1) {
            heading = right_of(heading).map(|x| -x);
            left_after = None;
        }
        place = next;
        route.push(place);
    }
}

fn right_of([down, right]: Place) -> Place {
    [right, -down]
}
