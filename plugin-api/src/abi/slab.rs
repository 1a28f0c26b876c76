//! Slabs: typed, strided, host-owned memory, named by id.
//!
//! A table of slabs is bound to an object once; the addresses stay valid until it is unbound, and
//! hot calls name only time slots. Ids that an object does not know are ignored, so new ids change
//! no layout. Ids are never reused.

use abi_stable::StableAbi;

/// Most axes that a slab can have.
pub const MAX_RANK: usize = 6;

/// `group` of slabs that belong to whole instances and not to one agent group.
pub const NO_GROUP: u32 = u32::MAX;

/// One block of host memory: `[slots, instances, …]`, innermost axes contiguous and row-major.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Slab {
    /// What it holds: one of the constants of [`id`].
    pub id: u32,
    /// Index of the agent group, or [`NO_GROUP`].
    pub group: u32,
    /// Element type: a [`DType`] as a number.
    pub dtype: u32,
    /// Number of axes in use, at most [`MAX_RANK`].
    pub rank: u32,
    /// First element; aligned to the element type.
    pub data: *mut u8,
    /// Elements along each axis; 1 beyond `rank`.
    pub shape: [u64; MAX_RANK],
    /// Bytes from one element to the next along each axis; 0 repeats (a slot axis of stride 0 is one shared slot).
    pub strides: [i64; MAX_RANK],
}

/// A borrowed list of slabs.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct SlabTable {
    /// First slab.
    pub slabs: *const Slab,
    /// Number of slabs.
    pub len: u64,
}

/// Element types of slabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum DType {
    /// Unsigned byte: flags, masks, images.
    U8 = 1,
    /// 32-bit integer: discrete actions.
    I32 = 2,
    /// 32-bit unsigned: rows, lengths, seats.
    U32 = 3,
    /// 64-bit unsigned: instances, episodes, keys.
    U64 = 4,
    /// Single precision: observations, rewards, continuous actions.
    F32 = 5,
    /// Double precision: episode statistics.
    F64 = 6,
}

impl DType {
    /// The type behind the number in a [`Slab`].
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::U8,
            2 => Self::I32,
            3 => Self::U32,
            4 => Self::U64,
            5 => Self::F32,
            6 => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::U64 | Self::F64 => 8,
        }
    }
}

/// Rust types of slab elements: every bit pattern is a value.
pub trait SlabElement: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    /// The element type on the other side.
    const DTYPE: DType;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! slab_elements {
    ($($t:ty => $d:ident),*) => { $(
        impl sealed::Sealed for $t {}
        impl SlabElement for $t {
            const DTYPE: DType = DType::$d;
        }
    )* };
}
slab_elements!(u8 => U8, i32 => I32, u32 => U32, u64 => U64, f32 => F32, f64 => F64);

/// Slab ids. `g` marks slabs of one agent group: `[slots, n, agents, …]`; the others are `[slots, n, …]`.
pub mod id {
    /// g, f32 or u8 `[…, width]`: what each agent sees.
    pub const OBSERVATION: u32 = 1;
    /// g, i32 or f32 `[…, width]`: what each agent does (the executed action, for an environment).
    pub const ACTION: u32 = 2;
    /// g, f32: reward of the step that led to this slot.
    pub const REWARD: u32 = 3;
    /// g, u8 `[…, choices]`: 1 where a choice is allowed.
    pub const ACTION_MASK: u32 = 4;
    /// g, u8: 1 while the agent takes part.
    pub const ALIVE: u32 = 5;
    /// g, u8: 1 where the agent's action counts at this slot (turn-taking).
    pub const ACTING: u32 = 6;
    /// g, u8: the agent's own episode ended in a terminal state.
    pub const AGENT_TERMINATED: u32 = 7;
    /// g, u8: the agent's own episode was cut off.
    pub const AGENT_TRUNCATED: u32 = 8;
    /// g, u8: the observation is the agent's first of its episode.
    pub const AGENT_FIRST: u32 = 9;
    /// g, u32: policy slot of each agent, constant within an episode.
    pub const SEAT: u32 = 10;
    /// g, i32 or f32: what the policy proposed before `arbitrate`.
    pub const PROPOSED_ACTION: u32 = 11;
    /// g, u8: 1 where a mechanism overrode the proposal.
    pub const OVERRIDDEN: u32 = 12;
    /// g, f32: the reward to learn from, after `share`.
    pub const LEARNING_REWARD: u32 = 13;
    /// g, f32 `[…, width]`: opaque values of the algorithm (log-probability, value …).
    pub const EXTRAS: u32 = 14;
    /// g, f32 `[…, width]`: recurrent state of each agent.
    pub const RECURRENT: u32 = 15;
    /// g, f32 `[…, width]`: features that mechanisms add to the observation.
    pub const FEATURES: u32 = 16;
    /// g, u8: 1 where this algorithm object acts and learns.
    pub const CONTROLLED: u32 = 17;

    /// f32 `[…, width]`: global state.
    pub const STATE: u32 = 32;
    /// u8: the episode ended in a terminal state.
    pub const TERMINATED: u32 = 33;
    /// u8: the episode was cut off (time limit).
    pub const TRUNCATED: u32 = 34;
    /// u8: the observation at this slot is the first of an episode.
    pub const FIRST: u32 = 35;
    /// f32 `[…, metrics]`: named metrics of this step.
    pub const METRICS: u32 = 36;
    /// u64: global index of the instance.
    pub const INSTANCE: u32 = 48;
    /// u64: number of the episode within the instance.
    pub const EPISODE: u32 = 49;
    /// u32: steps since the episode began.
    pub const STEP: u32 = 50;
    /// u32: task of the episode (curricula, meta-learning).
    pub const TASK: u32 = 51;
    /// u64: key of all noise drawn for this row.
    pub const KEY: u32 = 52;
    /// f32 `[…, width]`: recurrent state of the instance (mechanisms, central controllers).
    pub const INSTANCE_RECURRENT: u32 = 53;
    /// f32 `[…, width]`: what a mechanism drew or chose, replayed by learning.
    pub const MECHANISM_EXTRAS: u32 = 54;

    /// u32: element 0 is how many episodes ended: the length of the lists below.
    ///
    /// Environments list the episodes that ended in their last step; a fragment lists those of all its
    /// steps, ordered by step and then instance. The lists have room for `shape[1]` entries, which in a
    /// fragment need not be the number of instances, and no slot axis: slot 0 is all there is.
    pub const ENDED_COUNT: u32 = 64;
    /// u32: where each episode ended. Beside a bound environment the instance `i` (within the bound batch);
    /// in a fragment of `n` instances `t·n + i`, where `t` is the step whose action ended the episode, the
    /// slot of its `TERMINATED` and `TRUNCATED` being `t + 1`.
    pub const ENDED_ROW: u32 = 65;
    /// g: last observation of each ended episode.
    pub const FINAL_OBSERVATION: u32 = 66;
    /// g, u8: action mask that went with it.
    pub const FINAL_ACTION_MASK: u32 = 67;
    /// g, u8: who was alive at the end.
    pub const FINAL_ALIVE: u32 = 68;
    /// f32: global state at the end.
    pub const FINAL_STATE: u32 = 69;
    /// g, f64: sum of rewards of each agent over the episode.
    pub const EPISODE_RETURN: u32 = 70;
    /// u32: steps of the episode.
    pub const EPISODE_LENGTH: u32 = 71;
    /// f64 `[…, metrics]`: aggregated metrics of the episode.
    pub const EPISODE_METRICS: u32 = 72;

    /// Whether a slab is a list of ended episodes: one slot, `shape[1]` entries.
    pub const fn is_ended_list(id: u32) -> bool {
        matches!(id, ENDED_COUNT..=EPISODE_METRICS)
    }

    /// Whether slabs of this id belong to one agent group each.
    pub const fn is_of_group(id: u32) -> bool {
        matches!(id, OBSERVATION..=CONTROLLED | FINAL_OBSERVATION..=FINAL_ALIVE | EPISODE_RETURN)
    }

    /// The name of an id, lower case; none for ids that are not listed here.
    pub const fn name(id: u32) -> Option<&'static str> {
        Some(match id {
            OBSERVATION => "observation",
            ACTION => "action",
            REWARD => "reward",
            ACTION_MASK => "action_mask",
            ALIVE => "alive",
            ACTING => "acting",
            AGENT_TERMINATED => "agent_terminated",
            AGENT_TRUNCATED => "agent_truncated",
            AGENT_FIRST => "agent_first",
            SEAT => "seat",
            PROPOSED_ACTION => "proposed_action",
            OVERRIDDEN => "overridden",
            LEARNING_REWARD => "learning_reward",
            EXTRAS => "extras",
            RECURRENT => "recurrent",
            FEATURES => "features",
            CONTROLLED => "controlled",
            STATE => "state",
            TERMINATED => "terminated",
            TRUNCATED => "truncated",
            FIRST => "first",
            METRICS => "metrics",
            INSTANCE => "instance",
            EPISODE => "episode",
            STEP => "step",
            TASK => "task",
            KEY => "key",
            INSTANCE_RECURRENT => "instance_recurrent",
            MECHANISM_EXTRAS => "mechanism_extras",
            ENDED_COUNT => "ended_count",
            ENDED_ROW => "ended_row",
            FINAL_OBSERVATION => "final_observation",
            FINAL_ACTION_MASK => "final_action_mask",
            FINAL_ALIVE => "final_alive",
            FINAL_STATE => "final_state",
            EPISODE_RETURN => "episode_return",
            EPISODE_LENGTH => "episode_length",
            EPISODE_METRICS => "episode_metrics",
            _ => return None,
        })
    }
}
