//! What the catalog promises: identity, durability before visibility, mending, and lookups by tags.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

mod crash;
mod damage;
mod define;
mod drops;
mod meta;
mod model;
mod stored;
mod support;
mod tags;
