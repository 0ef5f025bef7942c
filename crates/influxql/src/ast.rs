//! The syntax tree. One type a statement family; everything that can be asked for is public data.

/// One statement of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `SELECT ...`
    Select(Box<Select>),
    /// `EXPLAIN [ANALYZE] SELECT ...`
    Explain {
        /// The query is run, too.
        analyze: bool,
        /// What is explained.
        select: Box<Select>,
    },
    /// `SHOW ...`
    Show(Show),
    /// `DELETE [FROM ...] [WHERE ...]`
    Delete(Removal),
    /// `DROP SERIES [FROM ...] [WHERE ...]`
    DropSeries(Removal),
    /// `DROP MEASUREMENT name`
    DropMeasurement {
        /// Its name.
        name: String,
    },
    /// `DROP SHARD id`
    DropShard {
        /// Its number.
        id: u64,
    },
    /// `CREATE DATABASE name [WITH ...]`
    CreateDatabase {
        /// Its name.
        name: String,
        /// The retention policy that it gets, where one is described.
        policy: Option<PolicyOptions>,
    },
    /// `DROP DATABASE name`
    DropDatabase {
        /// Its name.
        name: String,
    },
    /// `CREATE RETENTION POLICY name ON database DURATION d REPLICATION n [SHARD DURATION s] [DEFAULT]`
    CreateRetentionPolicy {
        /// Name of the policy.
        name: String,
        /// Database it belongs to.
        database: String,
        /// Its settings; `duration` and `replication` are always there, `name` never.
        options: PolicyOptions,
    },
    /// `ALTER RETENTION POLICY name ON database ...`
    AlterRetentionPolicy {
        /// Name of the policy.
        name: String,
        /// Database it belongs to.
        database: String,
        /// What changes; at least one setting.
        options: PolicyOptions,
    },
    /// `DROP RETENTION POLICY name ON database`
    DropRetentionPolicy {
        /// Name of the policy.
        name: String,
        /// Database it belongs to.
        database: String,
    },
    /// `CREATE CONTINUOUS QUERY name ON database [RESAMPLE [EVERY d] [FOR d]] BEGIN select END`
    CreateContinuousQuery(Box<ContinuousQuery>),
    /// `DROP CONTINUOUS QUERY name ON database`
    DropContinuousQuery {
        /// Its name.
        name: String,
        /// Database it belongs to.
        database: String,
    },
    /// `CREATE SUBSCRIPTION name ON database.policy DESTINATIONS ALL|ANY 'url', ...`
    CreateSubscription {
        /// Its name.
        name: String,
        /// Database.
        database: String,
        /// Retention policy.
        policy: String,
        /// `ALL` or `ANY`.
        mode: String,
        /// URLs.
        destinations: Vec<String>,
    },
    /// `DROP SUBSCRIPTION name ON database.policy`
    DropSubscription {
        /// Its name.
        name: String,
        /// Database.
        database: String,
        /// Retention policy.
        policy: String,
    },
    /// `CREATE USER name WITH PASSWORD 'x' [WITH ALL PRIVILEGES]`
    CreateUser {
        /// Name.
        name: String,
        /// Password in the clear; never printed.
        password: String,
        /// May do everything.
        admin: bool,
    },
    /// `DROP USER name`
    DropUser {
        /// Name.
        name: String,
    },
    /// `SET PASSWORD FOR name = 'x'`
    SetPassword {
        /// Name.
        name: String,
        /// Password in the clear; never printed.
        password: String,
    },
    /// `GRANT privilege ON database TO user`, or `GRANT ALL [PRIVILEGES] TO user` without a database.
    Grant {
        /// What is granted.
        privilege: Privilege,
        /// `None`: the user becomes an administrator.
        database: Option<String>,
        /// To whom.
        user: String,
    },
    /// `REVOKE privilege ON database FROM user`, or `REVOKE ALL [PRIVILEGES] FROM user` without a database.
    Revoke {
        /// What is taken away.
        privilege: Privilege,
        /// `None`: the user is no administrator any more.
        database: Option<String>,
        /// From whom.
        user: String,
    },
    /// `KILL QUERY id [ON 'host']`
    KillQuery {
        /// Number of the query.
        id: u64,
        /// Host it runs on.
        host: Option<String>,
    },
}

/// What a user may do with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// `READ`
    Read,
    /// `WRITE`
    Write,
    /// `ALL [PRIVILEGES]`
    All,
}

/// `SELECT ...`
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Select {
    /// What is selected, at least one.
    pub fields: Vec<Field>,
    /// `INTO ...`
    pub into: Option<Measurement>,
    /// `FROM ...`, at least one.
    pub sources: Vec<Source>,
    /// `WHERE ...`
    pub condition: Option<Expr>,
    /// `GROUP BY ...`
    pub dimensions: Vec<Expr>,
    /// `fill(...)`
    pub fill: Fill,
    /// `ORDER BY ...`; empty where there is none.
    pub order: Vec<SortField>,
    /// `LIMIT n`; 0 where there is none, which means the same.
    pub limit: u64,
    /// `OFFSET n`
    pub offset: u64,
    /// `SLIMIT n`; 0: none.
    pub series_limit: u64,
    /// `SOFFSET n`
    pub series_offset: u64,
    /// `tz('name')`
    pub time_zone: Option<String>,
}

/// One of the things selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What is computed.
    pub expr: Expr,
    /// `AS name`
    pub alias: Option<String>,
}

/// Where points come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A measurement, or those that fit a pattern.
    Measurement(Measurement),
    /// A query in parentheses.
    Subquery(Box<Select>),
}

/// `database.policy.name`, each part but the last optional. As the target of INTO, `name` may be [`MeasurementName::FromSource`].
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Database.
    pub database: Option<String>,
    /// Retention policy.
    pub policy: Option<String>,
    /// The measurement's own name.
    pub name: MeasurementName,
}

/// Which measurement.
#[derive(Debug, Clone, PartialEq)]
pub enum MeasurementName {
    /// The one with this name.
    Name(String),
    /// Those whose names the regular expression finds.
    Pattern(String),
    /// `:MEASUREMENT`: that which the points came from.
    FromSource,
}

/// `ORDER BY name ASC|DESC`
#[derive(Debug, Clone, PartialEq)]
pub struct SortField {
    /// Column; empty where only the direction is given.
    pub name: String,
    /// `ASC`, or nothing.
    pub ascending: bool,
}

/// `fill(...)`
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Fill {
    /// `fill(null)`, and where there is no `fill`.
    #[default]
    Null,
    /// `fill(none)`
    None,
    /// `fill(previous)`
    Previous,
    /// `fill(linear)`
    Linear,
    /// `fill(3)`: whole numbers are kept as such.
    Integer(i64),
    /// `fill(3.5)`
    Float(f64),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A name of a field or tag, or `time`.
    Reference {
        /// The name, unquoted.
        name: String,
        /// `::type`
        cast: Option<Cast>,
    },
    /// Digits without a point that fit 64 bits with sign.
    Integer(i64),
    /// Digits without a point that fit 64 bits only without sign.
    Unsigned(u64),
    /// A number with a point, or digits that fit no integer.
    Float(f64),
    /// `'text'`
    String(String),
    /// `true` or `false`
    Boolean(bool),
    /// `1h30m`, in nanoseconds.
    Duration(i64),
    /// `/text/`, without the slashes, `\/` already made a slash.
    Regex(String),
    /// `*`, `*::field` or `*::tag`
    Wildcard(Option<WildcardKind>),
    /// `name(a, b)`; the name in lower case.
    Call {
        /// Function.
        name: String,
        /// Arguments.
        args: Vec<Expr>,
    },
    /// `DISTINCT name`, without parentheses.
    Distinct(String),
    /// `left op right`
    Binary {
        /// Operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `(inner)`
    Paren(Box<Expr>),
}

/// Kinds that `*` can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WildcardKind {
    /// `*::field`
    Field,
    /// `*::tag`
    Tag,
}

/// `::type` behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// `::float`
    Float,
    /// `::integer`
    Integer,
    /// `::unsigned`
    Unsigned,
    /// `::string`
    String,
    /// `::boolean`
    Boolean,
    /// `::field`
    Field,
    /// `::tag`
    Tag,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `=`
    Eq,
    /// `!=` or `<>`
    NotEq,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
    /// `<`
    Less,
    /// `<=`
    LessEq,
    /// `>`
    Greater,
    /// `>=`
    GreaterEq,
}

/// What DELETE and DROP SERIES remove.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Removal {
    /// `FROM ...`; empty: all measurements.
    pub sources: Vec<Measurement>,
    /// `WHERE ...`
    pub condition: Option<Expr>,
}

/// Settings of a retention policy, as far as they are given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyOptions {
    /// `NAME n`; only in CREATE DATABASE.
    pub name: Option<String>,
    /// `DURATION d`, in nanoseconds; 0 is `INF`.
    pub duration: Option<i64>,
    /// `REPLICATION n`
    pub replication: Option<i64>,
    /// `SHARD DURATION d`, in nanoseconds; 0 is `INF`.
    pub shard_duration: Option<i64>,
    /// `DEFAULT`
    pub default: bool,
}

/// `CREATE CONTINUOUS QUERY ...`
#[derive(Debug, Clone, PartialEq)]
pub struct ContinuousQuery {
    /// Its name.
    pub name: String,
    /// Database it belongs to.
    pub database: String,
    /// `RESAMPLE EVERY d`, in nanoseconds.
    pub every: Option<i64>,
    /// `RESAMPLE FOR d`, in nanoseconds.
    pub resample_for: Option<i64>,
    /// What is run; has a target.
    pub select: Select,
}

/// `SHOW ...`
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// `SHOW DATABASES`
    Databases,
    /// `SHOW MEASUREMENTS [ON db] [WITH MEASUREMENT op name] [WHERE ...] [LIMIT ...]`
    Measurements {
        /// `WITH MEASUREMENT = name` or `=~ /pattern/`.
        with: Option<MeasurementName>,
        /// The rest.
        scope: Scope,
    },
    /// `SHOW SERIES [ON db] [FROM ...] [WHERE ...] [LIMIT ...]`
    Series(Scope),
    /// `SHOW TAG KEYS ...`
    TagKeys {
        /// `WITH KEY ...`
        with: Option<KeyCondition>,
        /// The rest.
        scope: Scope,
    },
    /// `SHOW TAG VALUES ... WITH KEY ...`
    TagValues {
        /// `WITH KEY ...`
        with: KeyCondition,
        /// The rest.
        scope: Scope,
    },
    /// `SHOW FIELD KEYS ...`
    FieldKeys(Scope),
    /// `SHOW ... [EXACT] CARDINALITY ...`
    Cardinality {
        /// Of what.
        of: Countable,
        /// `EXACT`
        exact: bool,
        /// `WITH KEY ...`, of tag values.
        with: Option<KeyCondition>,
        /// `GROUP BY ...`
        dimensions: Vec<Expr>,
        /// The rest.
        scope: Scope,
    },
    /// `SHOW RETENTION POLICIES [ON db]`
    RetentionPolicies {
        /// Database.
        database: Option<String>,
    },
    /// `SHOW CONTINUOUS QUERIES`
    ContinuousQueries,
    /// `SHOW SUBSCRIPTIONS`
    Subscriptions,
    /// `SHOW USERS`
    Users,
    /// `SHOW GRANTS FOR name`
    Grants {
        /// User.
        user: String,
    },
    /// `SHOW QUERIES`
    Queries,
    /// `SHOW STATS [FOR 'module']`
    Stats {
        /// Only this module.
        module: Option<String>,
    },
    /// `SHOW DIAGNOSTICS [FOR 'module']`
    Diagnostics {
        /// Only this module.
        module: Option<String>,
    },
    /// `SHOW SHARDS`
    Shards,
    /// `SHOW SHARD GROUPS`
    ShardGroups,
}

/// What SHOW ... CARDINALITY counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Countable {
    /// `SERIES`
    Series,
    /// `MEASUREMENT`
    Measurements,
    /// `TAG KEY`
    TagKeys,
    /// `TAG VALUES`
    TagValues,
    /// `FIELD KEY`
    FieldKeys,
}

/// Clauses that most SHOW statements have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// `ON db`
    pub database: Option<String>,
    /// `FROM ...`
    pub sources: Vec<Measurement>,
    /// `WHERE ...`
    pub condition: Option<Expr>,
    /// `ORDER BY ...`
    pub order: Vec<SortField>,
    /// `LIMIT n`; 0: none.
    pub limit: u64,
    /// `OFFSET n`
    pub offset: u64,
    /// `SLIMIT n`; 0: none.
    pub series_limit: u64,
    /// `SOFFSET n`
    pub series_offset: u64,
}

/// `WITH KEY ...`
#[derive(Debug, Clone, PartialEq)]
pub enum KeyCondition {
    /// `= name`
    Is(String),
    /// `!= name`
    IsNot(String),
    /// `=~ /pattern/`
    Matches(String),
    /// `!~ /pattern/`
    NotMatches(String),
    /// `IN (a, b)`
    In(Vec<String>),
}
