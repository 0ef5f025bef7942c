//! Any text is read as InfluxData's Rust parser reads it, or differs for a listed reason; any bytes are read without a
//! panic.

#![no_main]

#[path = "../../crates/model/tests/compare/mod.rs"]
mod compare;

use libfuzzer_sys::fuzz_target;
use model::line::LineParser;

fuzz_target!(|bytes: &[u8]| match std::str::from_utf8(bytes) {
    Ok(text) => compare::check(text),
    Err(_) => {
        let mut parser = LineParser::new(bytes);
        while parser.next_line().is_some() {}
    }
});
