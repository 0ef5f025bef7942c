//! The stores that make the promises.

mod embedded;
mod influxdb;
mod postgres;
mod victoriametrics;

mod remote;

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};

use backend::{Database, Destination, PointList, Policy, RemoteStore, StorageBackend, Wanted, WriteError, Written};
use model::FieldValue;

pub(crate) use embedded::embedded;
pub(crate) use influxdb::influxdb;
pub(crate) use postgres::postgres;
pub(crate) use victoriametrics::victoriametrics;

use remote::Kind;

/// A store with a database of its own.
pub(crate) trait Subject {
    /// Whom to ask.
    fn backend(&self) -> &dyn StorageBackend;

    /// Where its points are.
    fn place(&self) -> &Destination;

    /// Writes the points; they are visible then.
    fn write(&self, points: &PointList) -> Result<Written, WriteError>;

    /// What a value comes back as; `None` where the store has no type for it.
    fn keeps<'v>(&self, value: FieldValue<'v>) -> Option<FieldValue<'v>> {
        Some(value)
    }

    /// In what it falls short of the embedded engine.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// All it can as a store in another process; `None` for the embedded engine.
    fn remote(&self) -> Option<Remote<'_>> {
        None
    }
}

/// In what a store falls short of the embedded engine.
pub(crate) struct Abilities {
    /// Times are multiples of so many nanoseconds.
    pub(crate) grain_ns: i64,
    /// Times it takes, in nanoseconds.
    pub(crate) times: RangeInclusive<i64>,
    /// A field has one type, and values of another one are refused.
    pub(crate) types: bool,
    /// Largest relative error of a number.
    pub(crate) error: f64,
    /// It tells minus zero from zero.
    pub(crate) minus_zero: bool,
    /// Whether a measurement or field may have this name; if not, its points are refused.
    pub(crate) takes_name: fn(&str) -> bool,
    /// Measurement and field are one name with `_` between them: `a_b` has the fields of `a` that start with `b_`.
    pub(crate) joins_names: bool,
    /// Of several values of one series, field and time the last one written stays; else one of them.
    pub(crate) overwrites: bool,
    /// Retention policies of one database are kept apart.
    pub(crate) policies: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            grain_ns: 1,
            // Line protocol has no spelling for times outside.
            times: i64::MIN + 2..=i64::MAX - 1,
            types: true,
            error: 0.0,
            minus_zero: true,
            takes_name: |_| true,
            joins_names: false,
            overwrites: true,
            policies: true,
        }
    }
}

/// The wish for a database with one policy that keeps everything.
pub(crate) fn wanted(place: &Destination) -> Wanted {
    let policy = Policy { name: place.policy.clone(), duration: None, shard_duration: None, replication: 1 };
    let (name, default_policy) = (place.database.clone(), place.policy.clone());
    Wanted { databases: vec![Database { name, default_policy, policies: vec![policy] }], rollups: Vec::new() }
}

/// A store in another process.
pub(crate) struct Remote<'a> {
    /// The store.
    pub(crate) store: &'a dyn RemoteStore,
    /// Of which kind it is.
    pub(crate) kind: &'static Kind,
    /// The server, which other tests use at the same time.
    server: &'a rig::Server,
}

impl Remote<'_> {
    /// The URL of a server of this kind at another port.
    pub(crate) fn url_of(&self, port: u16) -> String {
        self.server.url().replace(&format!(":{}", self.server.port()), &format!(":{port}"))
    }

    /// Waits until what was written can be asked for.
    pub(crate) fn make_visible(&self) {
        (self.kind.make_visible)(self.server);
    }
}

/// A place nobody else of this process has.
fn fresh_place() -> Destination {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Destination { database: format!("plant{number}"), policy: "autogen".to_owned(), is_default: true }
}
