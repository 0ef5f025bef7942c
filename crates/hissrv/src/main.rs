//! `hissrv`: see `hissrv --help`.

use std::process::ExitCode;

/// Queries make and drop many small columns on several threads; see the manifest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hissrv::memory::without_huge_pages();
    hissrv::cli::main()
}
