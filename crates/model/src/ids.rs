//! Small integers that stand for names. Each is given out once by the catalog and never used again for something else.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($raw:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $raw);

        impl $name {
            /// As an index into a table kept in identifier order.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A database together with one of its retention policies: what InfluxDB 2 calls a bucket.
    BucketId(u32)
}
id! {
    /// A measurement of one bucket, with its fields and their types.
    MeasurementId(u32)
}
id! {
    /// A measurement and tag set of one bucket.
    SeriesId(u32)
}
id! {
    /// One field of one series: the unit in which values are stored. Its type never changes.
    ColumnId(u32)
}
id! {
    /// Position of a record in the journal. The first record is 1; 0 stands for "nothing yet".
    Seq(u64)
}

impl Seq {
    /// The position after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
