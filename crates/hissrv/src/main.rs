//! `hissrv`: see `hissrv --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    hissrv::cli::main()
}
