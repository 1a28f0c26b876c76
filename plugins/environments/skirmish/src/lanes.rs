//! Several units at a time: a number of each in a lane.
//!
//! What is computed for all lanes has no branches: masks of bits say for whom it counts, and the compiler makes one
//! instruction of four. Each lane comes to what it would come to alone, bit by bit.

use std::array::from_fn;

/// How many are computed at a time: as many numbers as fit a register of every x86-64.
pub(crate) const LANES: usize = 4;
/// Blocks of lanes that hold the units of a team.
pub(crate) const TEAM_BLOCKS: usize = 32 / LANES;
/// Blocks of lanes that hold all units.
pub(crate) const FIELD_BLOCKS: usize = 2 * TEAM_BLOCKS;

/// A number of each of some units.
pub(crate) type Lanes = [f32; LANES];
/// All bits where something is true of a unit, else none.
pub(crate) type Mask = [u32; LANES];

/// A coordinate of the dead, and of who fills up the last lanes: out of everybody's reach.
pub(crate) const NOWHERE: f32 = f32::INFINITY;

/// From one place to several.
#[inline(always)]
pub(crate) fn differences([x, y]: [f32; 2], to_x: &Lanes, to_y: &Lanes) -> [Lanes; 2] {
    [
        from_fn(|lane| to_x[lane] - x),
        from_fn(|lane| to_y[lane] - y),
    ]
}

/// Squares of lengths.
#[inline(always)]
pub(crate) fn squares([dx, dy]: &[Lanes; 2]) -> Lanes {
    from_fn(|lane| dx[lane] * dx[lane] + dy[lane] * dy[lane])
}

/// Where a number is less than another.
#[inline(always)]
pub(crate) fn less(a: &Lanes, b: &Lanes) -> Mask {
    from_fn(|lane| u32::from(a[lane] < b[lane]).wrapping_neg())
}

/// Numbers where the mask is set, else 0.
#[inline(always)]
pub(crate) fn masked(numbers: &Lanes, mask: &Mask) -> Lanes {
    from_fn(|lane| f32::from_bits(numbers[lane].to_bits() & mask[lane]))
}

/// The first where the mask is set, else the second.
#[inline(always)]
pub(crate) fn select(mask: &Mask, a: &Mask, b: &Mask) -> Mask {
    from_fn(|lane| a[lane] & mask[lane] | b[lane] & !mask[lane])
}

/// The bits of numbers.
#[inline(always)]
pub(crate) fn bits(numbers: &Lanes) -> Mask {
    from_fn(|lane| numbers[lane].to_bits())
}

/// Numbers of bits.
#[inline(always)]
pub(crate) fn numbers(bits: &Mask) -> Lanes {
    from_fn(|lane| f32::from_bits(bits[lane]))
}
