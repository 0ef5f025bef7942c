//! Statements over a whole store on a disk in memory: what they answer, what they change.

mod change;
mod delete;
mod select;
mod show;
mod support;
