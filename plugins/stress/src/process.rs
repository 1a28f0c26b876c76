//! Ways for a plugin to take its process down, without unsafe code.

use std::{hint::black_box, time::Duration};

use crate::FaultKind;

/// A panic payload that panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload of a panic panicked");
    }
}

/// Does what a fault of a step says; returns for the others.
pub(crate) fn strike(fault: FaultKind) {
    match fault {
        FaultKind::PanicInStep => panic!("asked to panic in step"),
        FaultKind::PanicPayload => std::panic::panic_any(Bomb),
        FaultKind::Exit => std::process::exit(7),
        FaultKind::Abort => std::process::abort(),
        FaultKind::StackOverflow => {
            black_box(descend(0));
        }
        FaultKind::AllocationBomb => {
            black_box(Vec::<u8>::with_capacity(1 << 46));
        }
        FaultKind::EndlessLoop => loop {
            std::thread::sleep(Duration::from_millis(10));
        },
        _ => {}
    }
}

#[allow(unconditional_recursion)] // that is its purpose
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    descend(depth + 1) + frame[63]
}
