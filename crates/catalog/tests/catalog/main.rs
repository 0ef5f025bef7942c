//! What the catalog promises: identity, durability before visibility, mending, and lookups by tags.

mod crash;
mod damage;
mod define;
mod support;
mod tags;
