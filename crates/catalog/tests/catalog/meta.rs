//! Databases, policies, continuous queries and users: InfluxDB's rules and words.

use catalog::{Catalog, Homes, MetaError, Pattern, PolicySpec, Privilege, Subscription, SubscriptionMode, Wanted};
use model::{FieldType, TimestampNs};
use vfs::FaultFs;

use crate::support::open;

pub(crate) const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

fn catalog() -> Catalog {
    open(&FaultFs::new()).0
}

pub(crate) fn kept(duration_ns: i64) -> PolicySpec {
    PolicySpec { duration_ns: Some(duration_ns), ..PolicySpec::default() }
}

fn sharded(duration_ns: i64, shard_duration_ns: i64) -> PolicySpec {
    PolicySpec { shard_duration_ns: Some(shard_duration_ns), ..kept(duration_ns) }
}

fn refused(outcome: Result<(), MetaError>) -> String {
    outcome.unwrap_err().to_string()
}

/// Name, duration, length of a shard, copies, and whether it is the default one.
fn policies(catalog: &Catalog, database: &str) -> Vec<(String, i64, i64, u32, bool)> {
    let meta = catalog.meta();
    let database = meta.database(database).unwrap();
    let described = database.policies.iter().map(|p| {
        let is_default = p.name == database.default_policy;
        (p.name.clone(), p.duration_ns / HOUR, p.shard_duration_ns / HOUR, p.replication, is_default)
    });
    described.collect()
}

fn policy(name: &str, hours: i64, shard_hours: i64, is_default: bool) -> (String, i64, i64, u32, bool) {
    (name.to_owned(), hours, shard_hours, 1, is_default)
}

#[test]
fn a_database_has_a_default_policy_from_the_start() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_database("st", None).unwrap();
    catalog.create_database("st", Some((None, &kept(0)))).unwrap();
    assert_eq!(policies(&catalog, "st"), [policy("autogen", 0, 168, true)]);
    assert_eq!(catalog.read().buckets().count(), 1);
    for name in ["", ".", "..", "a/b", "a\\b", "a\nb"] {
        assert_eq!(refused(catalog.create_database(name, None)), "invalid name");
    }
    catalog.create_database("st-2 x", None).unwrap();
}

#[test]
fn a_database_made_again_with_other_settings_is_refused() {
    let catalog = catalog();
    let spec = sharded(3 * DAY, HOUR);
    catalog.create_database("st", Some((Some("myrp"), &spec))).unwrap();
    catalog.create_database("st", Some((Some("myrp"), &spec))).unwrap();
    assert_eq!(policies(&catalog, "st"), [policy("myrp", 72, 1, true)]);
    let conflict = "retention policy conflicts with an existing policy";
    assert_eq!(refused(catalog.create_database("st", Some((Some("myrp"), &kept(4 * DAY))))), conflict);
    assert_eq!(refused(catalog.create_database("st", Some((None, &PolicySpec::default())))), conflict);
    catalog.create_policy("st", "other", &kept(DAY), false).unwrap();
    assert_eq!(refused(catalog.create_database("st", Some((Some("other"), &kept(DAY))))), conflict);
    let low = "retention policy duration must be at least 1h0m0s";
    assert_eq!(refused(catalog.create_database("new", Some((None, &kept(HOUR / 2))))), low);
    assert!(catalog.meta().database("new").is_none());
}

#[test]
fn the_length_of_a_shard_follows_the_duration() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    let cases = [(1, 1), (2, 1), (24, 1), (47, 1), (48, 24), (72, 24), (4319, 24), (4320, 168), (8760, 168), (0, 168)];
    for (hours, shard_hours) in cases {
        let name = format!("r{hours}");
        catalog.create_policy("st", &name, &kept(hours * HOUR), false).unwrap();
        assert_eq!(policies(&catalog, "st").last(), Some(&policy(&name, hours, shard_hours, false)));
    }
    catalog.create_policy("st", "short", &sharded(2 * HOUR, HOUR / 6), false).unwrap();
    assert_eq!(policies(&catalog, "st").last(), Some(&policy("short", 2, 1, false)));
}

#[test]
fn a_policy_made_again_must_be_the_same() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_policy("st", "a", &kept(2 * HOUR), false).unwrap();
    catalog.create_policy("st", "a", &kept(2 * HOUR), false).unwrap();
    let create = |name: &str, spec: &PolicySpec, default| refused(catalog.create_policy("st", name, spec, default));
    assert_eq!(create("a", &kept(3 * HOUR), false), "retention policy already exists");
    assert_eq!(create("a", &kept(2 * HOUR), true), "retention policy conflicts with an existing policy");
    assert_eq!(create("b", &kept(HOUR / 2), false), "retention policy duration must be at least 1h0m0s");
    let order = "retention policy duration must be greater than the shard duration";
    assert_eq!(create("b", &sharded(HOUR, 2 * HOUR), false), order);
    let none = PolicySpec { replication: Some(0), ..kept(0) };
    assert_eq!(create("b", &none, false), "replication factor must be greater than 0");
    assert_eq!(create("a/b", &kept(0), false), "invalid name");
    assert_eq!(refused(catalog.create_policy("nodb", "a", &kept(0), false)), "database not found: nodb");
}

#[test]
fn a_policy_is_altered_within_the_same_bounds() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_policy("st", "a", &kept(2 * HOUR), false).unwrap();
    let alter = |name: &str, spec: &PolicySpec| refused(catalog.alter_policy("st", name, spec, false));
    assert_eq!(alter("a", &kept(HOUR / 2)), "retention policy duration must be at least 1h0m0s");
    let order = "retention policy duration must be greater than the shard duration";
    assert_eq!(alter("autogen", &kept(2 * HOUR)), order);
    let shard = |ns| PolicySpec { shard_duration_ns: Some(ns), ..PolicySpec::default() };
    assert_eq!(alter("a", &shard(3 * HOUR)), order);
    assert_eq!(alter("zz", &kept(DAY)), "retention policy not found: zz");
    assert_eq!(refused(catalog.alter_policy("nodb", "zz", &kept(DAY), false)), "database not found: nodb");
    catalog.alter_policy("st", "a", &kept(400 * DAY), false).unwrap();
    catalog.alter_policy("st", "a", &shard(HOUR / 6), true).unwrap();
    assert_eq!(policies(&catalog, "st"), [policy("autogen", 0, 168, false), policy("a", 9600, 1, true)]);
    assert_eq!(catalog.meta().policy("st", None).unwrap().name, "a");
}

#[test]
fn a_database_whose_default_policy_was_dropped_has_none_until_one_of_that_name_is_made() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_policy("st", "a", &kept(0), true).unwrap();
    catalog.drop_policy("st", "a").unwrap();
    catalog.drop_policy("st", "a").unwrap();
    catalog.drop_policy("nodb", "a").unwrap();
    assert_eq!(catalog.bucket_of("st", None).unwrap_err().to_string(), "retention policy not found: a");
    assert!(catalog.bucket_of("st", Some("autogen")).is_ok());
    assert_eq!(catalog.bucket_of("nodb", None).unwrap_err().to_string(), "database not found: nodb");
    catalog.create_policy("st", "a", &kept(DAY), false).unwrap();
    assert!(catalog.bucket_of("st", None).is_ok());
}

#[test]
fn continuous_queries_are_made_once_and_go_with_their_database() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_continuous_query("st", "c", "CREATE a").unwrap();
    catalog.create_continuous_query("st", "c", "create A").unwrap();
    assert_eq!(refused(catalog.create_continuous_query("st", "c", "CREATE b")), "continuous query already exists");
    assert_eq!(refused(catalog.create_continuous_query("nodb", "c", "x")), "database not found: nodb");
    assert_eq!(catalog.meta().database("st").unwrap().continuous_queries[0].text, "CREATE a");
    for (database, name) in [("st", "other"), ("nodb", "c"), ("st", "c")] {
        catalog.drop_continuous_query(database, name).unwrap();
    }
    assert!(catalog.meta().database("st").unwrap().continuous_queries.is_empty());
}

#[test]
fn users_are_named_once_and_changed_by_name() {
    let catalog = catalog();
    let create = |name: &str, admin, hash: &str| {
        let same = hash.to_owned();
        catalog.create_user(name, admin, hash.to_owned(), &|stands| stands == same)
    };
    create("u", false, "p").unwrap();
    create("u", false, "p").unwrap();
    assert_eq!(refused(create("u", false, "q")), "user already exists");
    assert_eq!(refused(create("u", true, "p")), "user already exists");
    assert_eq!(refused(create("", false, "p")), "username required");
    catalog.set_password_hash("u", "q".to_owned()).unwrap();
    catalog.set_admin("u", true).unwrap();
    assert!(catalog.meta().has_admin());
    let user = catalog.meta().user("u").cloned().unwrap();
    assert_eq!((user.password_hash.as_str(), user.privilege("any")), ("q", Privilege::All));
    for outcome in [
        catalog.drop_user("nn"),
        catalog.set_admin("nn", true),
        catalog.set_password_hash("nn", String::new()),
        catalog.grant("nn", "st", Privilege::Read),
        catalog.revoke("nn", "st", Privilege::Read),
    ] {
        assert_eq!(refused(outcome), "user not found");
    }
    catalog.drop_user("u").unwrap();
    assert!(catalog.meta().users().is_empty());
}

#[test]
fn a_grant_replaces_the_one_before_and_a_revoke_takes_its_part_away() {
    let catalog = catalog();
    catalog.create_database("d", None).unwrap();
    catalog.create_user("u", false, String::new(), &|_| true).unwrap();
    assert_eq!(refused(catalog.grant("u", "nodb", Privilege::Read)), "database not found: nodb");
    assert_eq!(refused(catalog.revoke("u", "nodb", Privilege::All)), "database not found: nodb");
    let privilege = || catalog.meta().user("u").unwrap().privileges.get("d").copied();
    use Privilege::{All, Read, Write};
    catalog.grant("u", "d", Read).unwrap();
    catalog.grant("u", "d", Write).unwrap();
    assert_eq!(privilege(), Some(Write));
    catalog.revoke("u", "d", Read).unwrap();
    assert_eq!(privilege(), Some(Write));
    catalog.grant("u", "d", All).unwrap();
    catalog.revoke("u", "d", Read).unwrap();
    assert_eq!(privilege(), Some(Write));
    catalog.revoke("u", "d", All).unwrap();
    assert_eq!(privilege(), Some(Privilege::None));
    catalog.drop_database("d").unwrap();
    assert_eq!(privilege(), None);
}

#[test]
fn subscriptions_belong_to_a_policy_and_need_a_host_and_a_port() {
    let catalog = catalog();
    catalog.create_database("d", None).unwrap();
    let create = |database: &str, policy: &str, name: &str, url: &str| {
        let destinations = vec![url.to_owned()];
        let subscription = Subscription { name: name.to_owned(), mode: SubscriptionMode::All, destinations };
        catalog.create_subscription(database, policy, subscription)
    };
    create("d", "autogen", "s", "udp://127.0.0.1:9").unwrap();
    assert_eq!(refused(create("d", "autogen", "s", "http://h:1/x")), "subscription already exists");
    assert_eq!(refused(create("d", "nope", "s", "https://h:1")), "retention policy not found: nope");
    assert_eq!(refused(create("nodb", "nope", "s", "udp://h:1")), "database not found: nodb");
    for url in ["foo", "ftp://a:1", "http://a"] {
        assert_eq!(refused(create("d", "autogen", "t", url)), format!("invalid subscription URL: {url}"));
    }
    assert_eq!(refused(catalog.drop_subscription("d", "autogen", "x")), "subscription not found");
    catalog.drop_subscription("d", "autogen", "s").unwrap();
    assert!(catalog.meta().policy("d", None).unwrap().subscriptions.is_empty());
}

#[test]
fn cutoffs_are_told_of_policies_with_a_duration() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_policy("st", "day", &kept(DAY), false).unwrap();
    catalog.ensure_hidden_bucket("st", "rollup").unwrap();
    let day = catalog.bucket_of("st", Some("day")).unwrap();
    assert_eq!(catalog.cutoffs(TimestampNs(3 * DAY)), [(day, TimestampNs(2 * DAY))]);
    catalog.alter_policy("st", "day", &kept(2 * DAY), false).unwrap();
    assert_eq!(catalog.cutoffs(TimestampNs(3 * DAY)), [(day, TimestampNs(DAY))]);
    assert_eq!(catalog.cutoffs(TimestampNs::MIN), [(day, TimestampNs::MIN)]);
}

#[test]
fn measurements_with_a_home_are_found_there_where_no_policy_is_named() {
    let catalog = catalog();
    catalog.create_database("st", None).unwrap();
    catalog.create_policy("st", "long", &kept(0), false).unwrap();
    let rules = vec![
        (Pattern::Prefix("sig".to_owned()), "long".to_owned()),
        (Pattern::Name("x".to_owned()), "gone".to_owned()),
    ];
    catalog.settle(Homes::new("st", rules));
    let bucket = |policy| catalog.bucket_of("st", Some(policy)).unwrap();
    for (policy, name) in [("autogen", "signal"), ("autogen", "alarm"), ("long", "signal"), ("long", "other")] {
        let wanted = Wanted { key: name.as_bytes(), field: "v", kind: FieldType::Float };
        catalog.define(bucket(policy), &[wanted]).unwrap();
    }
    let found = |policy| catalog.measurements_of("st", policy).unwrap();
    assert_eq!(found(None), ["alarm", "signal"]);
    assert_eq!(found(Some("long")), ["other", "signal"]);
    let of = |policy, name| catalog.bucket_for("st", policy, name).unwrap();
    assert_eq!((of(None, "signal"), of(Some("autogen"), "signal")), (bucket("long"), bucket("autogen")));
    // A home that does not exist is none, and so is one of another database.
    assert_eq!(of(None, "x"), bucket("autogen"));
    catalog.create_database("other", None).unwrap();
    catalog.create_policy("other", "long", &kept(0), false).unwrap();
    assert_eq!(catalog.home("other", "signal"), None);
}
