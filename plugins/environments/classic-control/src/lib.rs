//! classic-control
