//! What `stress/Misbehaving-v0` can do wrong.

use palaestra_plugin_api::prelude::*;

/// A rule to break.
#[config]
pub enum FaultKind {
    /// None: every check passes.
    #[config(default)]
    None,

    /// The no-op of the group is outside its action space (spaces-well-formed).
    NoOpOutsideSpace,
    /// Every object gives other tags (spaces-stable).
    SpecVaries,
    /// The first observation of an episode is out of bounds (reset-in-space).
    ResetOutsideSpace,
    /// An observation within an episode is out of bounds (step-in-space).
    StepOutsideSpace,
    /// An observation within an episode is NaN (step-in-space).
    ObservationNotANumber,
    /// An observation within an episode is not written (step-in-space).
    ObservationMissing,
    /// The last reward of an episode is NaN (reward-finite).
    RewardNotFinite,
    /// Nobody is alive when an episode starts (flags-clear-after-reset).
    NobodyAlive,
    /// The first observation counts the objects of the process (reset-determinism).
    ResetVaries,
    /// Observations count the steps of the process, from step 300 (episode-determinism).
    StepVaries,
    /// Chance comes from a generator with a fixed seed (seed-divergence).
    SeedIgnored,
    /// An observation shows the action of the neighbouring instance (instance-isolation).
    InstancesShare,
    /// An observation shows the place within the batch (vector-equals-scalar).
    BatchSizeMatters,
    /// The spec claims three steps more than configured (truncation-at-limit).
    LimitDiffers,
    /// An episode is cut off before its limit (a warning of truncation-at-limit).
    TruncatesEarly,
    /// The last observation of an episode is not written (final-observation-kept).
    FinalObservationMissing,
    /// The mask leaves no choice (action-mask-valid).
    MaskWithoutChoice,
    /// An agent ends and comes back (agents-never-revive).
    AgentRevives,
    /// A reward is beyond the claimed range (returns-within-bounds).
    RewardOutsideRange,
    /// A counterfactual is that of standing still (counterfactual-is-paid).
    CounterfactualOfAnother,
    /// Snapshots lack the positions (snapshot-roundtrip-mid-episode).
    SnapshotForgets,
    /// Any document is taken for a snapshot (snapshot-invalid-refused).
    SnapshotAcceptsAnything,

    /// Panics when it is asked for its spec.
    PanicInSpec,
    /// Panics when it is made.
    PanicInNew,
    /// Panics in reset.
    PanicInReset,
    /// Panics in a step.
    PanicInStep,
    /// Panics in a step with a payload that panics when it is dropped.
    PanicPayload,
    /// Panics when it is inspected.
    PanicInInspect,
    /// Panics when it is drawn.
    PanicInRender,
    /// Panics when it is saved.
    PanicInSnapshot,
    /// Panics when it is dropped.
    PanicInDrop,

    /// Ends the process with exit code 7, in a step.
    Exit,
    /// Aborts the process, in a step.
    Abort,
    /// Recurses until the stack is used up, in a step.
    StackOverflow,
    /// Asks for more memory than there is, in a step (and touches none of it).
    AllocationBomb,
    /// Never returns from a step.
    EndlessLoop,
}
