//! Bounds of a request's text, so that no text can exhaust the stack or keep a thread busy for long.

/// What a text may ask of the parser, and of everything that walks the tree afterwards.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest text, in bytes. Default 1 MiB.
    pub text_bytes: usize,
    /// Parentheses, calls and subqueries inside each other. Default 200.
    pub depth: usize,
    /// Operators in one expression, those in its parentheses included: a chain `a + a + ...` is a tree as deep as it is
    /// long. Default 2000.
    pub operators: usize,
    /// Whether a time zone of this name exists; `tz()` with another is an error of the text. Default: any name does.
    pub time_zone_exists: fn(&str) -> bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes: 1 << 20, depth: 200, operators: 2000, time_zone_exists: |_| true }
    }
}
