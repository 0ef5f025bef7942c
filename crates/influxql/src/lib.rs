//! The query language of InfluxDB 1.x: text to syntax tree and back.
//!
//! [`ast`] is the tree; printing a tree gives text that parses to the same tree. No I/O, no knowledge of what exists in a
//! store, no meaning: that is `query` for SELECT and `statements` for the rest.

pub mod ast;
mod duration;
mod error;
mod lexer;
mod limits;
mod params;
mod parse;
mod print;
mod regex_syntax;
mod token;

pub use error::{ParseError, Position, Reason};
pub use limits::Limits;
pub use params::{Params, Value};
pub use parse::parse;
