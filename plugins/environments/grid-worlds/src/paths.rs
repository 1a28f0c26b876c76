//! Shortest ways for the scripted baselines: for one, and for a few who must not meet.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque, btree_map::Entry},
};

use crate::board::{Board, Grid, Place, WALK, moved};

/// Steps to where no way leads.
pub(crate) const FAR: u32 = u32::MAX;
/// Steps that somebody may lose by waiting for others.
const PATIENCE: u32 = 24;

/// Steps from every cell to the nearest goal, over cells that are open; [`FAR`] where no way leads, and around.
pub(crate) fn ways(
    board: Board,
    goals: impl IntoIterator<Item = Place>,
    open: impl Fn(Place) -> bool,
) -> Grid<u32> {
    let mut ways = Grid::new(board, 1, FAR, FAR);
    let mut reached = VecDeque::new();
    for goal in goals {
        ways[goal] = 0;
        reached.push_back(goal);
    }
    while let Some(place) = reached.pop_front() {
        for step in &WALK[1..] {
            let next = moved(place, *step);
            if board.contains(next) && ways[next] == FAR && open(next) {
                ways[next] = ways[place] + 1;
                reached.push_back(next);
            }
        }
    }
    ways
}

/// The move that leads nearest to the goal of `ways`, over cells that are free, if any leads nearer.
pub(crate) fn nearer(
    ways: &Grid<u32>,
    from: Place,
    moves: &[Place],
    free: impl Fn(Place) -> bool,
) -> Option<usize> {
    let to = |&action: &usize| moved(from, moves[action]);
    (0..moves.len())
        .filter(|action| ways[to(action)] < ways[from] && free(to(action)))
        .min_by_key(|action| ways[to(action)])
}

/// The move that leads from one cell to a neighbour, or to itself.
pub(crate) fn move_to(from: Place, to: Place, moves: &[Place]) -> Option<usize> {
    moves.iter().position(|&step| moved(from, step) == to)
}

/// Who goes where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey {
    /// Where it is.
    pub(crate) from: Place,
    /// Where it wants to be.
    pub(crate) to: Place,
}

/// What travellers share.
pub(crate) struct Streets<'a> {
    /// The board.
    pub(crate) board: Board,
    /// Whether a cell can be entered.
    pub(crate) open: &'a dyn Fn(Place) -> bool,
    /// Whether who has arrived is out of the way.
    pub(crate) vanish: bool,
    /// Whether the first traveller may enter the cell that the second leaves in the same step.
    pub(crate) follows: fn(usize, usize) -> bool,
}

impl Streets<'_> {
    /// The next place of everybody, such that all arrive soonest in sum: each in turn takes a shortest way past those
    /// before it, in the best of all turns. None when there is no such plan, or more than four travel.
    pub(crate) fn travel(&self, journeys: &[Journey]) -> Option<Vec<Place>> {
        let ways: Vec<Grid<u32>> = journeys
            .iter()
            .map(|journey| ways(self.board, [journey.to], self.open))
            .collect();
        let plan = |turns: &Vec<usize>| {
            let mut paths: Vec<(usize, Vec<Place>)> = Vec::new();
            for &traveller in turns {
                let path = self.path(&ways[traveller], traveller, journeys[traveller], &paths)?;
                paths.push((traveller, path));
            }
            let steps: usize = paths.iter().map(|(_, path)| path.len()).sum();
            let mut next = vec![[0, 0]; journeys.len()];
            for (traveller, path) in &paths {
                next[*traveller] = path[1.min(path.len() - 1)];
            }
            Some((steps, next))
        };
        let plans = orders(journeys.len());
        let best = plans.iter().filter_map(plan).min_by_key(|plan| plan.0);
        best.map(|(_, next)| next)
    }

    /// Whether a step at a time gets along with the path of another.
    fn passes(
        &self,
        (traveller, [from, to], time): (usize, [Place; 2], usize),
        (other, path): &(usize, Vec<Place>),
    ) -> bool {
        let there = |time: usize| {
            let last = if self.vanish { None } else { path.last() };
            path.get(time).or(last).copied()
        };
        let (before, after) = (there(time), there(time + 1));
        let (follows, followed) = (before == Some(to), after == Some(from));
        after != Some(to)
            && !(follows && followed)
            && (!follows || (self.follows)(traveller, *other))
            && (!followed || (self.follows)(*other, traveller))
    }

    /// A shortest path past the paths of others, from now on; A* over places and times.
    fn path(
        &self,
        ways: &Grid<u32>,
        traveller: usize,
        journey: Journey,
        others: &[(usize, Vec<Place>)],
    ) -> Option<Vec<Place>> {
        let passes = |step: [Place; 2], time: u32| {
            let step = (traveller, step, time as usize);
            others.iter().all(|other| self.passes(step, other))
        };
        // Who stays where it arrives must be in nobody's way later.
        let last = others.iter().map(|(_, path)| path.len()).max().unwrap_or(0) as u32;
        let stays =
            |time: u32| self.vanish || (time..last).all(|later| passes([journey.to; 2], later));
        let least = ways[journey.from];
        let limit = least.checked_add(PATIENCE)?;
        let mut before = BTreeMap::from([((journey.from, 0), journey.from)]);
        let mut open = BinaryHeap::from([Reverse((least, Reverse(0_u32), journey.from))]);
        while let Some(Reverse((_, Reverse(time), place))) = open.pop() {
            if place == journey.to && stays(time) {
                let mut path = vec![place];
                for then in (1..=time).rev() {
                    path.push(before[&(path[path.len() - 1], then)]);
                }
                path.reverse();
                return Some(path);
            }
            for step in WALK {
                let (next, then) = (moved(place, step), time + 1);
                let reachable = self.board.contains(next) && ways[next] != FAR;
                if !reachable || ways[next] + then > limit || !passes([place, next], time) {
                    continue;
                }
                if let Entry::Vacant(entry) = before.entry((next, then)) {
                    entry.insert(place);
                    open.push(Reverse((ways[next] + then, Reverse(then), next)));
                }
            }
        }
        None
    }
}

/// All orders of up to four things; none of more.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count > 4 {
        return Vec::new();
    }
    let mut all = vec![Vec::new()];
    for thing in 0..count {
        let inserted = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, thing);
                longer
            })
        };
        all = all.iter().flat_map(inserted).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Board = Board {
        rows: 3,
        columns: 5,
    };

    /// A corridor of one row, with a bay below its middle.
    fn corridor([row, column]: Place) -> bool {
        row == 0 || (row == 1 && column == 2)
    }

    #[test]
    fn ways_lead_around_walls() {
        let ways = ways(BOARD, [[0, 0]], |place| place != [0, 1] && place != [1, 1]);
        assert_eq!((ways[[0, 2]], ways[[2, 1]], ways[[0, 1]]), (6, 3, FAR));
        assert_eq!(nearer(&ways, [0, 2], &WALK, |_| true), Some(2));
        assert_eq!(nearer(&ways, [0, 2], &WALK, |place| place != [1, 2]), None);
    }

    /// Nobody may enter a cell that another one leaves.
    fn streets(open: &dyn Fn(Place) -> bool) -> Streets<'_> {
        Streets {
            board: BOARD,
            open,
            vanish: false,
            follows: |_, _| false,
        }
    }

    #[test]
    fn two_pass_each_other_in_a_bay() {
        let mut places = [[0, 0], [0, 2]];
        let goals = [[0, 4], [0, 0]];
        for _ in 0..10 {
            let journeys = [0, 1].map(|i| Journey {
                from: places[i],
                to: goals[i],
            });
            let next = streets(&corridor).travel(&journeys).unwrap();
            assert!(next[0] != next[1] && next[0] != places[1] && next[1] != places[0]);
            places = [next[0], next[1]];
        }
        assert_eq!(places, goals);
    }

    #[test]
    fn who_may_follow_does_not_wait() {
        let journeys = [([0, 1], [0, 4]), ([0, 0], [0, 3])].map(|(from, to)| Journey { from, to });
        let next = |follows| {
            Streets {
                follows,
                ..streets(&corridor)
            }
            .travel(&journeys)
            .unwrap()
        };
        assert_eq!(next(|_, _| false), [[0, 2], [0, 0]]);
        assert_eq!(next(|own, other| own > other), [[0, 2], [0, 1]]);
    }

    #[test]
    fn without_a_bay_there_is_no_plan() {
        let journeys = [([0, 0], [0, 4]), ([0, 4], [0, 0])].map(|(from, to)| Journey { from, to });
        assert!(streets(&|place| place[0] == 0).travel(&journeys).is_none());
        assert_eq!(orders(4).len(), 24);
        assert!(orders(5).is_empty());
    }
}
