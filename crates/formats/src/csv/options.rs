//! What the user says about a CSV file.

use serde::{Deserialize, Serialize};

use crate::table::Mapping;

/// How a CSV file is read. A file that hissrv has exported describes itself: nothing is needed then, and nothing of this is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvOptions {
    /// Between cells: any ASCII character, such as `,`, `;` or a tab. Default: that of `,` `;` tab and `|` which the first record has most of.
    pub delimiter: Option<char>,
    /// Around cells that hold delimiters or line breaks; `null`: there are none. Default `"`.
    pub quote: Option<char>,
    /// Whether the first record has the names of the columns. Default: it has, unless `columns` are given.
    pub header: Option<bool>,
    /// Names of the columns; in place of those of the header, if there is one. Default: none; without a header they are called `column1`
    /// and so on.
    pub columns: Vec<String>,
    /// Lines at the start of the file that are passed over. Default 0.
    pub skip_lines: u64,
    /// Lines that begin so are passed over. Default: none.
    pub comment: Option<String>,
    /// Which column is what.
    pub mapping: Mapping,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: None,
            quote: Some('"'),
            header: None,
            columns: Vec::new(),
            skip_lines: 0,
            comment: None,
            mapping: Mapping::default(),
        }
    }
}
