//! Files as they come: what is exported is imported equal, files of other programs are read, damaged ones are named.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod damage;
mod foreign;
mod identity;
mod support;
