//! Answers of a server: documents of JSON, one a line, each with a part of the rows. A line is read as a whole, so that memory is
//! bounded by the rows of a chunk; what is given out can be forgotten. An answer that ends before its last part is an error.

mod budget;
mod column;
mod document;
mod failure;
mod lines;

use std::io::Read;

use query::QueryError;

pub(super) use budget::{Budget, bytes_of};
pub(super) use column::Columns;
pub(super) use document::Part;

use document::Document;
use lines::Lines;

/// Takes the rows of a series, or a part of them; the parts of one series come after each other.
pub(super) type Each<'e> = &'e mut dyn FnMut(Part) -> Result<(), QueryError>;

/// Reads the answer to one statement. Returns the server's warnings.
///
/// # Errors
/// The server's, as [`failure`] reads them; [`QueryError::Store`] for what is no answer or only a part of one; those of the limits
/// and of `each`.
pub(super) fn read(body: Box<dyn Read>, budget: &Budget<'_>, each: Each<'_>) -> Result<Vec<String>, QueryError> {
    let mut lines = Lines::new(body, budget);
    let mut warnings = Vec::new();
    let mut more_follows = true;
    while let Some(line) = lines.next()? {
        more_follows = document(&line, budget, &mut warnings, each)?;
    }
    if more_follows { Err(incomplete()) } else { Ok(warnings) }
}

/// Reads one document, and tells whether more of the answer follows.
fn document(line: &[u8], budget: &Budget<'_>, warnings: &mut Vec<String>, each: Each<'_>) -> Result<bool, QueryError> {
    let document: Document = serde_json::from_slice(line).map_err(|error| unreadable(&error))?;
    if let Some(message) = document.error {
        return Err(failure::of(message));
    }
    let mut more_follows = false;
    for result in document.results {
        if let Some(message) = result.error {
            return Err(failure::of(message));
        }
        warnings.extend(result.messages.into_iter().map(|message| message.text));
        more_follows = result.partial;
        for part in result.series {
            budget.check()?;
            each(part)?;
        }
    }
    Ok(more_follows)
}

fn unreadable(error: &serde_json::Error) -> QueryError {
    if error.is_eof() { incomplete() } else { QueryError::Store(format!("its answer cannot be read: {error}")) }
}

fn incomplete() -> QueryError {
    QueryError::Store("its answer ended too early".to_owned())
}
