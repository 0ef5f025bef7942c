//! The nouns of hissrv: time, values, series keys, identifiers, batches of points, and line protocol as text.
//! Pure: no files, no sockets, no clock. Everything else in the workspace may use this crate; it uses nothing of ours.

pub mod column;
pub mod glob;
pub mod ids;
pub mod key;
pub mod line;
pub mod percent;
pub mod secret;
pub mod time;
pub mod units;
pub mod value;
pub mod wildcard;
pub mod wire;

pub use column::{Strings, Values};
pub use ids::{BucketId, ColumnId, MeasurementId, Seq, SeriesId};
pub use secret::Secret;
pub use time::{Precision, TimeRange, TimestampNs, WindowNs};
pub use units::{ByteSize, HumanDuration};
pub use value::{FieldType, FieldValue};
