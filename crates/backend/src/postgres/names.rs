//! Names of InfluxDB as names of PostgreSQL, which has at most 63 bytes for one. A name that is free stands as it is; one that is
//! too long or taken by something else is cut and gets a hash: `long name~0123456789abcdef`. The rule never changes: what is
//! stored under a name must be found under it by every later version. All SQL text gets names through [`Ident`]'s `Display`,
//! which quotes them.

use std::fmt;

/// Longest name, in bytes (`NAMEDATALEN` - 1).
const NAME_MAX: usize = 63;
/// `~` and 16 digits.
const HASH_LEN: usize = 17;

/// Schema that holds the partitions of all tables.
pub(super) const PARTITIONS: &str = "hissrv_partitions";
/// Table of the series of a schema.
pub(super) const SERIES: &str = "series";
/// Table of the names of a schema: which measurement, field and tag is what table and column.
pub(super) const NAMES: &str = "hissrv_names";
/// Column of the time.
pub(super) const TIME: &str = "time";

/// How names of tables and indexes begin that belong to no measurement.
const OURS: &str = "hissrv_";
const VIEW_END: &str = "_view";
const KEY_END: &str = "_pkey";
const ROLLUP_END: &str = "_rollup";
/// Columns that every table has, and those that ours have.
const TAKEN_COLUMNS: [&str; 9] = [TIME, SERIES, "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "oid"];

/// A name as PostgreSQL has it. Displayed quoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ident(String);

impl Ident {
    /// A name that is one of PostgreSQL's already.
    pub(super) fn known(name: String) -> Self {
        Self(name)
    }

    /// Schema of a database's default policy, or of one of its other policies.
    pub(super) fn schema(database: &str, policy: Option<&str>) -> Self {
        let name = policy.map_or_else(|| database.to_owned(), |policy| format!("{database}/{policy}"));
        let is_taken = name.starts_with("pg_")
            || name.starts_with("_timescaledb")
            || name.starts_with("timescaledb_")
            || matches!(name.as_str(), "public" | "information_schema" | PARTITIONS);
        // PostgreSQL takes no schema that starts with `pg_`.
        if is_taken { Self(derived(&format!("~{name}"), "")) } else { Self(fitting(&name)) }
    }

    /// Table of a measurement.
    pub(super) fn table(measurement: &str) -> Self {
        let is_taken = measurement == SERIES
            || measurement.starts_with(OURS)
            || [VIEW_END, KEY_END, ROLLUP_END].iter().any(|end| measurement.ends_with(end));
        if is_taken { Self(derived(measurement, "")) } else { Self(fitting(measurement)) }
    }

    /// View of a measurement.
    pub(super) fn view(measurement: &str) -> Self {
        Self(ending(measurement, VIEW_END))
    }

    /// Continuous aggregate of a measurement.
    pub(super) fn rollup(measurement: &str, rollup: &str) -> Self {
        Self(ending(&format!("{measurement}_{rollup}"), ROLLUP_END))
    }

    /// Primary key of a measurement's table.
    pub(super) fn primary_key(measurement: &str) -> Self {
        Self(ending(measurement, KEY_END))
    }

    /// Column of a field.
    pub(super) fn column(field: &str) -> Self {
        if TAKEN_COLUMNS.contains(&field) { Self(derived(field, "")) } else { Self(fitting(field)) }
    }

    /// Column of a view for a field or tag: the first of `name`, `name_1`, .. that is not taken.
    pub(super) fn shown(name: &str, is_taken: &dyn Fn(&str) -> bool) -> Self {
        let free = |candidate: &String| candidate != TIME && !is_taken(candidate);
        let numbered = (1..).map(|number| fitting(&format!("{name}_{number}")));
        let found = std::iter::once(fitting(name)).chain(numbered).find(free);
        Self(found.unwrap_or_else(|| derived(name, "")))
    }

    /// The bare name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A table, view or index with its schema. Displayed quoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Relation {
    pub(super) schema: Ident,
    pub(super) name: Ident,
}

impl Relation {
    pub(super) fn new(schema: &Ident, name: Ident) -> Self {
        Self { schema: schema.clone(), name }
    }

    /// The table of the series of a schema.
    pub(super) fn series(schema: &Ident) -> Self {
        Self::new(schema, Ident::known(SERIES.to_owned()))
    }

    /// The table of the names of a schema.
    pub(super) fn names(schema: &Ident) -> Self {
        Self::new(schema, Ident::known(NAMES.to_owned()))
    }

    /// A partition of this table, from a time on; `start` has at most 22 characters.
    pub(super) fn partition(&self, start: &str) -> Self {
        let parent = cut(self.name.as_str(), NAME_MAX - HASH_LEN - 1 - start.len());
        let name = format!("{parent}{}~{start}", hash_of(&self.to_string()));
        Self::new(&Ident::known(PARTITIONS.to_owned()), Ident(name))
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// The name itself where it fits and does not look like one that was cut.
fn fitting(name: &str) -> String {
    let fits = !name.is_empty() && name.len() <= NAME_MAX && !looks_derived(name);
    if fits { name.to_owned() } else { derived(name, "") }
}

fn ending(name: &str, end: &str) -> String {
    let fits =
        !name.is_empty() && !name.starts_with(OURS) && name.len() + end.len() <= NAME_MAX && !looks_derived(name);
    if fits { format!("{name}{end}") } else { derived(name, end) }
}

fn derived(name: &str, end: &str) -> String {
    format!("{}{}{end}", cut(name, NAME_MAX - HASH_LEN - end.len()), hash_of(name))
}

fn looks_derived(name: &str) -> bool {
    let Some((_, digits)) = name.rsplit_once('~') else { return false };
    digits.len() == HASH_LEN - 1 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The first bytes of a name, whole characters only.
fn cut(name: &str, bytes: usize) -> &str {
    name.get(..name.floor_char_boundary(bytes)).unwrap_or_default()
}

/// FNV-1a of 64 bits. Names whose hashes collide are refused by the table of names.
fn hash_of(name: &str) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("~{:016x}", name.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_name_stands_as_it_is() {
        assert_eq!(Ident::schema("telemetry", None).as_str(), "telemetry");
        assert_eq!(Ident::schema("telemetry", Some("hourly")).as_str(), "telemetry/hourly");
        assert_eq!(Ident::table("measurement").as_str(), "measurement");
        assert_eq!(Ident::view("measurement").as_str(), "measurement_view");
        assert_eq!(Ident::column("Leistung [kW]").as_str(), "Leistung [kW]");
        assert_eq!(Ident::table("遥测").as_str(), "遥测");
    }

    #[test]
    fn a_taken_or_long_name_gets_a_hash_and_fits() {
        let long = "é".repeat(40);
        for name in [
            Ident::schema("pg_catalog", None),
            Ident::schema("public", None),
            Ident::schema(&long, Some(&long)),
            Ident::table("series"),
            Ident::table("hissrv_names"),
            Ident::table("x_view"),
            Ident::table("x_pkey"),
            Ident::table("x_hourly_rollup"),
            Ident::table(""),
            Ident::table(&long),
            Ident::column("time"),
            Ident::column("ctid"),
            Ident::view(&long),
            Ident::primary_key(&long),
        ] {
            let text = name.as_str();
            let bare = text.strip_suffix(VIEW_END).or(text.strip_suffix(KEY_END)).unwrap_or(text);
            assert!(looks_derived(bare) && text.len() <= NAME_MAX, "{name}");
            assert!(!text.starts_with("pg_"));
        }
    }

    #[test]
    fn no_two_names_become_one() {
        let long = "x".repeat(100);
        let cut = Ident::table(&long);
        assert_ne!(Ident::table(cut.as_str()), cut, "a name that looks like a cut one is cut, too");
        assert_ne!(Ident::table(&format!("{long}_view")), Ident::view(&long));
        assert_ne!(Ident::table(&format!("{long}y")), cut);
        assert_ne!(Ident::table("m_view"), Ident::view("m"));
    }

    #[test]
    fn the_hash_stays_what_it_is() {
        assert_eq!(hash_of(""), "~cbf29ce484222325");
        assert_eq!(hash_of("foobar"), "~85944171f73967e8");
    }

    #[test]
    fn a_name_is_quoted_whatever_it_holds() {
        let hostile = Ident::table("a\"; DROP TABLE b; --");
        assert_eq!(hostile.to_string(), "\"a\"\"; DROP TABLE b; --\"");
        let relation = Relation::new(&Ident::schema("a.b", None), Ident::table("c.d"));
        assert_eq!(relation.to_string(), "\"a.b\".\"c.d\"");
    }

    #[test]
    fn a_partition_is_named_after_its_table_and_start() {
        let table = |name: &str| Relation::new(&Ident::schema("db", None), Ident::table(name));
        let partition = table("measurement").partition("20261122");
        let shown = partition.to_string();
        assert!(shown.starts_with("\"hissrv_partitions\".\"measurement~") && shown.ends_with("~20261122\""), "{shown}");
        let long = table(&"é".repeat(60)).partition("20261122T120000.000001");
        assert!(long.name.as_str().len() <= NAME_MAX);
        assert_ne!(
            table("a").partition("1"),
            Relation::new(&Ident::schema("e", None), Ident::table("a")).partition("1")
        );
    }

    #[test]
    fn a_view_numbers_columns_of_the_same_name() {
        let taken = ["value".to_owned(), "value_1".to_owned()];
        let is_taken = |name: &str| taken.iter().any(|t| t == name);
        assert_eq!(Ident::shown("value", &is_taken).as_str(), "value_2");
        assert_eq!(Ident::shown("time", &is_taken).as_str(), "time_1");
        assert_eq!(Ident::shown("other", &is_taken).as_str(), "other");
    }
}
