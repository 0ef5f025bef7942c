//! How much memory the process holds that it does not use.

use std::ffi::{c_int, c_long};

use libmimalloc_sys::mi_option_set_default;

/// The option `purge_delay` of mimalloc 3, by its place in the list of `mi_option_t`.
const PURGE_DELAY: c_int = 15;
/// So long freed memory waits to be used again in an import, in ms. With mimalloc's own second a table of 1000 columns takes 180 MB, with this
/// 137 MB, at some percent more processor time. Not in a service: what asks it several times a second, each time for some megabytes, would have the
/// kernel hand out the same memory anew each time, and a query or deletion over 100 000 columns took up to 40 % longer (try either value in
/// the environment variable `MIMALLOC_PURGE_DELAY`).
const PURGE_DELAY_MS: c_long = 50;

/// To be called before a command starts threads: memory that is not used any more goes back to the system soon.
#[expect(unsafe_code, reason = "mimalloc's options have no safe wrapper; this takes two numbers")]
pub(crate) fn give_back_soon() {
    // SAFETY: it takes no pointers, and must not be called by two threads at once: there is only one yet. It leaves alone what the environment says.
    unsafe { mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MS) };
}

/// Each of some thirty threads takes memory of its own in many places, a few kB in each, and a huge page is 2 MB for the first byte
/// of a place: most of what the process had was such pages, and they made nothing faster. A kernel that refuses costs memory only.
///
/// To be called before anything else runs.
pub fn without_huge_pages() {
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "as above")]
    fn the_option_is_the_delay_before_memory_is_given_back() {
        // SAFETY: as above; no other test of this process sets options.
        let (delay, before, behind) = unsafe {
            let option = |number| libmimalloc_sys::mi_option_get(number);
            (option(PURGE_DELAY), option(PURGE_DELAY - 1), option(PURGE_DELAY + 1))
        };
        assert_eq!((delay, before, behind), (1000, 1, 0), "is it another version of mimalloc, with another list?");
    }
}
