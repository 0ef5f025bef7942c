//! Files of the archive back to points.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use model::{FieldValue, TimestampNs};
use ring::digest;
use vfs::{File, Fs};

use crate::error::Error;
use crate::manifest::Content;
use crate::names::hex;
use crate::rows::Rows;
use crate::table::FileRows;

/// Bytes read at a time.
const PORTION: usize = 256 << 10;

/// One value as it was archived.
#[derive(Debug, Clone, Copy)]
pub struct RestoredPoint<'a> {
    /// Names of the file that it comes from.
    pub content: &'a Content,
    /// Canonical key of its series.
    pub series: &'a [u8],
    /// Key of its field.
    pub field: &'a str,
    /// The value.
    pub value: FieldValue<'a>,
    /// Its time.
    pub time: TimestampNs,
}

/// What was handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files read, the last one perhaps not to its end.
    pub files: u64,
    /// Rows: one a series and time.
    pub rows: u64,
    /// Field values.
    pub values: u64,
}

/// Hands out every point of one file, by series, then by time, until `visit` ends it. The file tells by itself what it holds; only with
/// its manifest ([`crate::Archive::restore`]) damage is certain to be found.
///
/// # Errors
/// When the file cannot be read, is damaged, or was not written by hissrv.
pub fn restore_file(
    fs: &dyn Fs,
    path: &Path,
    stop: &AtomicBool,
    visit: &mut dyn FnMut(RestoredPoint<'_>) -> ControlFlow<()>,
) -> Result<Restored, Error> {
    let file = fs.open(path).map_err(|source| Error::io("open", path, source))?;
    let mut rows = FileRows::open(file, &path.display().to_string())?;
    let mut total = Restored::default();
    // Whether the caller ended it is known to the caller.
    restore_rows(&mut rows, stop, &mut total, visit).map(|_| total)
}

/// Hands out all points of a file and adds them to `total`.
pub(crate) fn restore_rows(
    rows: &mut FileRows,
    stop: &AtomicBool,
    total: &mut Restored,
    visit: &mut dyn FnMut(RestoredPoint<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Error> {
    total.files += 1;
    while rows.advance()? {
        if stop.load(Relaxed) {
            return Err(Error::Stopped);
        }
        let mut flow = ControlFlow::Continue(());
        let (fields, series, time) = (rows.fields(), rows.series(), rows.time());
        rows.values(&mut |field, value| {
            let Some(field) = fields.get(field).filter(|_| flow.is_continue()) else { return };
            flow = visit(RestoredPoint { content: rows.content(), series, field: &field.name, value, time });
            total.values += 1;
        });
        total.rows += 1;
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// SHA-256 of a file in hexadecimal digits; `name` is for messages.
pub(crate) fn sha256_of(file: &dyn File, name: &str, stop: &AtomicBool) -> Result<String, Error> {
    let wrong = |e| Error::file(name, e);
    let (len, mut at) = (file.len().map_err(wrong)?, 0);
    let (mut digest, mut buffer) = (digest::Context::new(&digest::SHA256), vec![0; PORTION]);
    while at < len {
        if stop.load(Relaxed) {
            return Err(Error::Stopped);
        }
        let count = PORTION.min(usize::try_from(len - at).unwrap_or(PORTION));
        let part = buffer.get_mut(..count).unwrap_or_default();
        file.read_at(part, at).map_err(wrong)?;
        digest.update(part);
        at += count as u64;
    }
    Ok(hex(digest.finish().as_ref()))
}
