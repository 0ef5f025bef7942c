//! `hissrv`: see `hissrv --help`.

use std::process::ExitCode;

/// Queries make and drop many small columns on several threads; see the manifest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    without_huge_pages();
    hissrv::cli::main()
}

/// Each of some thirty threads takes memory of its own in many places, a few kB in each, and a huge page is 2 MB for the first byte
/// of a place: most of what the process had was such pages, and they made nothing faster. A kernel that refuses costs memory only.
fn without_huge_pages() {
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).ok();
}
