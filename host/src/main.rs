//! The `palaestra` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    palaestra::cli::main()
}
