//! Databases, policies, continuous queries, subscriptions and users.

use query::Cancel;
use statements::{Request, password};

use crate::support::{Plant, request};

const POLICY_COLUMNS: &str = " name duration shardGroupDuration replicaN default:";

#[test]
fn databases_are_made_and_dropped_with_their_values() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("CREATE DATABASE \"a b\"; CREATE DATABASE d"), "--");
    assert_eq!(plant.ask("SHOW DATABASES"), "databases name: d; a b");
    assert_eq!(plant.ask("DROP DATABASE d; DROP DATABASE nosuch"), "--");
    assert_eq!(plant.ask("SHOW DATABASES"), "databases name: a b");
    assert_eq!(plant.engine.stats().head_values, 0);
    assert_eq!(plant.ask("CREATE DATABASE \"a/b\""), "error: invalid name");
    assert_eq!(plant.ask("DROP DATABASE \"a b\"; SHOW DATABASES"), "--\ndatabases name: ");
}

#[test]
fn policies_have_the_settings_given_and_the_rest_by_default() {
    let plant = Plant::new();
    plant.ask("CREATE DATABASE d WITH DURATION 3d REPLICATION 1 SHARD DURATION 1h NAME myrp");
    assert_eq!(plant.ask("SHOW RETENTION POLICIES"), format!("{POLICY_COLUMNS} myrp 72h0m0s 1h0m0s 1 true"));
    plant.ask("CREATE RETENTION POLICY r ON d DURATION INF REPLICATION 2 DEFAULT");
    plant.ask("ALTER RETENTION POLICY myrp ON d DURATION 4d");
    let both = format!("{POLICY_COLUMNS} myrp 96h0m0s 1h0m0s 1 false; r 0s 168h0m0s 2 true");
    assert_eq!(plant.ask("SHOW RETENTION POLICIES"), both);
    assert_eq!(
        plant.ask("CREATE DATABASE d WITH DURATION 4d NAME myrp"),
        "error: retention policy conflicts with an existing policy"
    );
    assert_eq!(
        plant.ask("CREATE RETENTION POLICY x ON nodb DURATION 1d REPLICATION 1"),
        "error: database not found: nodb"
    );
    assert_eq!(plant.ask("DROP RETENTION POLICY nosuch ON nodb"), "");
}

#[test]
fn continuous_queries_are_kept_with_full_names() {
    let plant = Plant::with_values();
    let inner = "SELECT mean(v) INTO mm FROM (SELECT max(v) AS v FROM r2.m GROUP BY time(1m)) GROUP BY time(5m), ch";
    let create = format!("CREATE CONTINUOUS QUERY c1 ON d RESAMPLE EVERY 10m FOR 1h BEGIN {inner} END");
    assert_eq!(plant.ask(&create), "");
    assert_eq!(
        plant.ask("SHOW CONTINUOUS QUERIES"),
        "d name query: c1 CREATE CONTINUOUS QUERY c1 ON d RESAMPLE EVERY 10m FOR 1h BEGIN SELECT mean(v) INTO d.autogen.mm \
         FROM (SELECT max(v) AS v FROM d.r2.m GROUP BY time(1m)) GROUP BY time(5m), ch END"
    );
    assert_eq!(plant.ask(&create), "", "the same once more");
    assert_eq!(plant.ask(&create.replace("mean", "max")), "error: continuous query already exists");
    assert_eq!(plant.ask(&create.replace("INTO mm", "INTO nodb..mm")), "error: database not found: nodb");
    assert_eq!(plant.ask(&create.replace("INTO mm", "INTO norp.mm")), "error: retention policy not found: norp");
    plant.ask("DROP CONTINUOUS QUERY c1 ON d; DROP CONTINUOUS QUERY c1 ON nodb");
    assert_eq!(plant.ask("SHOW CONTINUOUS QUERIES"), "d name query: ");
}

#[test]
fn subscriptions_are_kept_and_shown() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SHOW SUBSCRIPTIONS"), "");
    plant.ask("CREATE SUBSCRIPTION s ON d.autogen DESTINATIONS ANY 'http://x:1', 'udp://y:2'");
    let shown = "d retention_policy name mode destinations: autogen s ANY http://x:1,udp://y:2";
    assert_eq!(plant.ask("SHOW SUBSCRIPTIONS"), shown);
    plant.ask("DROP SUBSCRIPTION s ON d.autogen");
    assert_eq!(plant.ask("SHOW SUBSCRIPTIONS"), "");
}

#[test]
fn users_have_privileges() {
    let plant = Plant::with_values();
    assert_eq!(plant.ask("SHOW USERS"), " user admin: ");
    plant.ask("CREATE USER bob WITH PASSWORD 'x'; GRANT READ ON d TO bob");
    assert_eq!(plant.ask("SHOW USERS; SHOW GRANTS FOR bob"), " user admin: bob false\n--\n database privilege: d READ");
    plant.ask("GRANT ALL ON d TO bob; REVOKE WRITE ON d FROM bob; GRANT ALL TO bob");
    assert_eq!(plant.ask("SHOW USERS; SHOW GRANTS FOR bob"), " user admin: bob true\n--\n database privilege: d READ");
    assert_eq!(plant.ask("GRANT READ ON nodb TO bob"), "error: database not found: nodb");
    assert_eq!(plant.ask("SHOW GRANTS FOR nobody"), "error: user not found");
    assert_eq!(plant.ask("DROP USER bob; DROP USER bob"), "--\nerror: user not found");
}

#[test]
fn passwords_are_kept_as_hashes_and_never_shown() {
    let plant = Plant::with_values();
    plant.ask("CREATE USER bob WITH PASSWORD 'geheim'");
    let hash = || plant.catalog.meta().user("bob").unwrap().password_hash.clone();
    assert!(password::matches("geheim", &hash()) && !hash().contains("geheim"));
    assert_eq!(plant.ask("CREATE USER bob WITH PASSWORD 'geheim'"), "");
    assert_eq!(plant.ask("CREATE USER bob WITH PASSWORD 'y'"), "error: user already exists");
    plant.ask("SET PASSWORD FOR bob = 'neu'");
    assert!(password::matches("neu", &hash()));
}

#[test]
fn a_change_asked_for_in_a_reading_way_is_made_with_a_warning() {
    let plant = Plant::with_values();
    let cancel = Cancel::new();
    let asked = |text| plant.run(&Request { modifying_is_deprecated: true, ..request(text, &cancel) }).unwrap();
    let warning =
        "warning: deprecated use of 'DROP MEASUREMENT n' in a read only context, please use a POST request instead";
    assert_eq!(asked("DROP MEASUREMENT n"), warning);
    assert_eq!(asked("SHOW MEASUREMENTS"), "measurements name: e x; m; m2; only2");
}
