//! Normal-form games.
