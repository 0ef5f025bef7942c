//! What the HTTP server knows of hissrv: one trait, implemented by the binary, and the types it speaks in. The answers of
//! queries are ready JSON, so that the server stays out of plans and results.

use std::io::Write;

use bytes::Bytes;
use model::Precision;
use query::{Answer, CacheUse, Cancel, Shortcuts};

use crate::error::ApiError;

/// Takes the result of a write; called exactly once, from any thread.
pub type WriteDone = Box<dyn FnOnce(Result<WriteOutcome, WriteFailure>) + Send>;

/// The historian behind the HTTP server. Methods may compute and read files, and are then called on a thread that may block;
/// [`Historian::health`] and [`Historian::ready`] are called on a thread that must not, so these never wait.
pub trait Historian: Send + Sync + 'static {
    /// Parses a line-protocol body on the calling thread and hands it to the journal. `done` is called once it is durable and
    /// visible to queries, or has failed; a `done` dropped without a call is answered 500. A full journal is
    /// [`WriteFailure::Full`], never waited for.
    fn write(&self, request: WriteRequest, done: WriteDone);

    /// Stored points: the JSON body of `POST /api/v1/query/series` in, a JSON answer out. Blocks.
    ///
    /// # Errors
    /// What is wrong with the question, or why it was given up.
    fn query_series(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError>;

    /// Computed values: the JSON body of `POST /api/v1/query/aggregate` in, a JSON answer out. Blocks.
    ///
    /// # Errors
    /// What is wrong with the question, or why it was given up.
    fn query_aggregate(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError>;

    /// Points that draw a curve: the JSON body of `POST /api/v1/query/plot` in, a JSON answer out. Blocks.
    ///
    /// # Errors
    /// What is wrong with the question, or why it was given up.
    fn query_plot(&self, body: &[u8], options: &QueryOptions) -> Result<Answered, ApiError>;

    /// Executes statements of InfluxQL in order and gives `answer` what each of them yields. An error within a statement is a
    /// failed [`query::Outcome`], with which the answer ends. Blocks.
    ///
    /// # Errors
    /// The text cannot be understood or a bind parameter is missing, as [`crate::ErrorKind::BadRequest`] in InfluxDB's words
    /// (`error parsing query: ...`); then nothing was executed and `answer` was not called.
    fn influxql(&self, request: &InfluxRequest, answer: &mut dyn Answer) -> Result<(), ApiError>;

    /// Newest value of every series that fits `measurement`, `db`, `field`, `tag.NAME=VALUE`, as JSON. Blocks. The parameters
    /// come without `epoch`, which is in `options`.
    ///
    /// # Errors
    /// An unknown parameter or name, or why it was given up.
    fn latest(&self, parameters: &[(String, String)], options: &QueryOptions) -> Result<Vec<u8>, ApiError>;

    /// Names of measurements, as JSON; `db` chooses the database. Blocks.
    ///
    /// # Errors
    /// An unknown parameter or name.
    fn measurements(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError>;

    /// Tag keys and values of a `measurement`, as JSON. Blocks.
    ///
    /// # Errors
    /// An unknown parameter or name.
    fn tags(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError>;

    /// Field keys and types of a `measurement`, as JSON. Blocks.
    ///
    /// # Errors
    /// An unknown parameter or name.
    fn fields(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError>;

    /// Writes stored points, or the answer to a query, to `to` in the form that the parameter `format` names; gives a summary as JSON on
    /// one line. Blocks, possibly for hours, and writes as fast as `to` takes it.
    ///
    /// # Errors
    /// What is wrong with the question, or why it was given up, maybe in the middle.
    fn export(
        &self,
        parameters: &[(String, String)],
        cancel: &Cancel,
        to: Box<dyn Write + Send>,
    ) -> Result<String, ApiError>;

    /// State of sources, journal, engine and sinks, as JSON. Blocks.
    fn status(&self) -> Vec<u8>;

    /// Metrics as Prometheus text, each line ended; the server adds its own behind it. Blocks.
    fn metrics(&self) -> String;

    /// Whether the historian works. Does not wait.
    fn health(&self) -> Health;

    /// Whether requests can be answered already (recovery is over). Does not wait.
    ///
    /// # Errors
    /// What is still being waited for.
    fn ready(&self) -> Result<(), String>;

    /// Writes everything in memory to block files and, with `compact`, merges these until nothing is left to merge; the
    /// answer is JSON. Blocks, possibly for minutes.
    ///
    /// # Errors
    /// When a file could not be written.
    fn flush(&self, compact: bool) -> Result<Vec<u8>, ApiError>;

    /// Removes what is older than its retention policy keeps, or only tells what would go; the answer is JSON, by bucket. Blocks.
    ///
    /// # Errors
    /// When the service keeps no values itself. What could not be removed is said in the answer.
    fn retention(&self, run: RetentionRun) -> Result<Vec<u8>, ApiError>;

    /// Archives the days that are due now and waits for it; the answer is JSON, what was written and what could not be. Blocks,
    /// possibly for hours.
    ///
    /// # Errors
    /// When there is no archive, or not all data is there yet. What could not be archived is said in the answer.
    fn archive(&self) -> Result<Vec<u8>, ApiError>;

    /// Does something to the feeding of a remote store; the answer is its state as JSON. Blocks.
    ///
    /// # Errors
    /// There is no such store, or it cannot be done.
    fn control_store(&self, name: &str, action: StoreAction) -> Result<Vec<u8>, ApiError>;

    /// Points that stores refused, oldest first, as JSON; `store`, `reason` (part of it), `limit` and `after` choose. Blocks.
    ///
    /// # Errors
    /// An unknown parameter or store, or they cannot be read.
    fn dead_letters(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError>;

    /// Does something with such points; `store` and `reason` choose, the answer is JSON with the numbers. Blocks.
    ///
    /// # Errors
    /// An unknown parameter or store, or the store cannot be reached.
    fn treat_dead_letters(&self, action: LetterAction, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError>;

    /// Alerts, silences, and how rules and channels fare, as JSON. Blocks.
    ///
    /// # Errors
    /// A fault of ours.
    fn alerts(&self) -> Result<Vec<u8>, ApiError>;

    /// Adds a silence: the JSON body of `POST /api/v1/admin/silence` in, its id as JSON out. Durable afterwards. Blocks.
    ///
    /// # Errors
    /// What is wrong with it, or that there are too many.
    fn silence(&self, body: &[u8]) -> Result<Vec<u8>, ApiError>;

    /// Takes back a silence that was added; the answer is JSON. Blocks.
    ///
    /// # Errors
    /// There is none of that id.
    fn unsilence(&self, id: &str) -> Result<Vec<u8>, ApiError>;

    /// Stored events, newest first, as JSON; `level` (this and worse), `node`, `type`, `metric`, `source`, `since`, `until` and `limit` choose. The
    /// parameters come without `epoch`, which is in `options`. Blocks.
    ///
    /// # Errors
    /// An unknown parameter or value, or why it was given up.
    fn events(&self, parameters: &[(String, String)], options: &QueryOptions) -> Result<Vec<u8>, ApiError>;

    /// Makes the events of a part of history anew; `from`, `to`, `match`, `lookback` and `dry_run` say of which and how, the answer is JSON with
    /// the numbers. Blocks, possibly for hours.
    ///
    /// # Errors
    /// An unknown parameter or value, or the journal does not take what is to be written. What was done before stays.
    fn generate_events(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError>;
}

/// How old values are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionRun {
    /// Nothing is removed: it is only told what would be.
    pub dry: bool,
    /// Also what somebody still needs, such as values without a finished rollup.
    pub forced: bool,
}

/// What can be done to the feeding of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAction {
    /// Nothing is sent until it is resumed; the journal keeps everything.
    Pause,
    /// Sending goes on.
    Resume,
    /// Everything that waits for it is given up.
    Skip,
    /// A store that is not configured any more: the journal keeps nothing for it.
    Forget,
}

/// What can be done with points that a store refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterAction {
    /// They are sent to it once more; what it takes is removed.
    Retry,
    /// They are removed.
    Purge,
}

/// A body of line protocol and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRequest {
    /// InfluxDB's database; never empty.
    pub database: String,
    /// Retention policy; `None` is the database's default one.
    pub retention_policy: Option<String>,
    /// Unit of the timestamps.
    pub precision: Precision,
    /// The lines, already inflated; may be empty.
    pub body: Bytes,
    /// Which endpoint it came through.
    pub dialect: Dialect,
}

/// Whose manner of speaking a write uses; decides about parameters and the shape of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// InfluxDB 1.x, `/write`.
    V1,
    /// InfluxDB 2.x, `/api/v2/write`.
    V2,
}

/// What became of a body. Everything accepted is durable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteOutcome {
    /// Points stored.
    pub accepted: u64,
    /// Messages of the first lines that hold no point, `unable to parse '...': ...`.
    pub rejected: Vec<String>,
    /// Lines that hold no point, also those without a message here.
    pub rejected_total: u64,
    /// Well-formed points that were not stored.
    pub dropped: Option<Dropped>,
}

/// Well-formed points that were not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The first reason, in InfluxDB's words: `field type conflict: ...`, `points beyond retention policy`.
    pub reason: String,
    /// How many; at least 1.
    pub points: u64,
}

/// Why nothing of a body was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteFailure {
    /// There is no such database.
    NoSuchDatabase(String),
    /// The database has no such retention policy.
    NoSuchRetentionPolicy(String),
    /// The body is wrong as a whole; the message is for the client.
    BadRequest(String),
    /// A queue or the disk is full; the message says which. Worth a retry.
    Full(String),
    /// The server is stopping.
    Shutdown,
    /// A fault of ours. The message goes to the log, not to the client.
    Internal(String),
}

/// What the request says about a query besides its content.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// Set when the client has gone away; carries the deadline.
    pub cancel: Cancel,
    /// Unit of integer times in the question and of times in the answer, from the parameter `epoch`; `None`: times of the
    /// answer are RFC 3339.
    pub epoch: Option<Precision>,
}

/// The answer to a question of the own API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// JSON.
    pub body: Vec<u8>,
    /// What the cache did for it, which the header `Cache` tells.
    pub cache: CacheUse,
}

/// Statements of InfluxQL and what they mean. How the answer is written is the server's own affair.
#[derive(Debug, Clone)]
pub struct InfluxRequest {
    /// The statements; not blank.
    pub text: String,
    /// Database of names that have none; never empty.
    pub database: Option<String>,
    /// Retention policy of names that have none; never empty, `None` is the database's default one.
    pub policy: Option<String>,
    /// The bind parameters, as the JSON text that the client sent; never empty.
    pub parameters: Option<String>,
    /// Whether statements may change something.
    pub modifying: Modifying,
    /// Which ways around reading points queries may take.
    pub shortcuts: Shortcuts,
    /// Whether messages say where the rows of a query came from.
    pub tells_origins: bool,
    /// Set when the client has gone away; carries the deadline.
    pub cancel: Cancel,
}

/// Whether the statements of a request may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifying {
    /// They may.
    Allowed,
    /// They came by GET: they are executed all the same, each with a warning in InfluxDB's words (`deprecated use of
    /// 'STATEMENT' in a read only context, please use a POST request instead`).
    Deprecated,
}

/// Whether the historian works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Pass,
    /// It does not; the message says what a person must do.
    Fail(String),
}
