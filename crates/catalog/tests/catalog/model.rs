//! Databases and users against a simple model, reopened now and then.

use std::collections::BTreeMap;

use ::model::BucketId;
use catalog::{Catalog, MetaError, PolicySpec, Privilege};
use proptest::prelude::*;
use vfs::FaultFs;

use crate::meta::HOUR;
use crate::support::open;

#[derive(Debug, Clone)]
enum Step {
    CreateDatabase(&'static str),
    DropDatabase(&'static str),
    CreatePolicy(&'static str, &'static str, i64, bool),
    AlterPolicy(&'static str, &'static str, i64, bool),
    DropPolicy(&'static str, &'static str),
    EnsureBucket(&'static str, &'static str),
    CreateUser(&'static str, bool),
    DropUser(&'static str),
    Grant(&'static str, &'static str, Privilege),
    Reopen,
}

/// Duration in hours of each policy, and the name of the default one.
type Database = (String, BTreeMap<String, i64>);

#[derive(Debug, Default, PartialEq)]
struct Model {
    databases: BTreeMap<String, Database>,
    users: BTreeMap<String, (bool, BTreeMap<String, Privilege>)>,
}

fn any_step() -> impl Strategy<Value = Step> {
    let database = || prop::sample::select(vec!["a", "b"]);
    let policy = || prop::sample::select(vec!["autogen", "p", "q"]);
    // Each is its own length of shard or more, so any may follow any.
    let hours = || prop::sample::select(vec![0i64, 200, 400]);
    let privilege = prop::sample::select(vec![Privilege::Read, Privilege::Write, Privilege::All]);
    prop_oneof![
        3 => database().prop_map(Step::CreateDatabase),
        1 => database().prop_map(Step::DropDatabase),
        3 => (database(), policy(), hours(), any::<bool>()).prop_map(|(d, p, h, m)| Step::CreatePolicy(d, p, h, m)),
        2 => (database(), policy(), hours(), any::<bool>()).prop_map(|(d, p, h, m)| Step::AlterPolicy(d, p, h, m)),
        1 => (database(), policy()).prop_map(|(d, p)| Step::DropPolicy(d, p)),
        1 => (database(), policy()).prop_map(|(d, p)| Step::EnsureBucket(d, p)),
        1 => (database(), any::<bool>()).prop_map(|(u, admin)| Step::CreateUser(u, admin)),
        1 => database().prop_map(Step::DropUser),
        2 => (database(), database(), privilege).prop_map(|(u, d, p)| Step::Grant(u, d, p)),
        2 => Just(Step::Reopen),
    ]
}

fn spec(hours: i64) -> PolicySpec {
    PolicySpec { duration_ns: Some(hours * HOUR), shard_duration_ns: Some(168 * HOUR), replication: None }
}

impl Model {
    fn add_database(&mut self, name: &str) -> &mut Database {
        let fresh = || ("autogen".to_owned(), BTreeMap::from([("autogen".to_owned(), 0)]));
        self.databases.entry(name.to_owned()).or_insert_with(fresh)
    }

    /// Does a step; false when it is to be refused.
    fn apply(&mut self, step: &Step) -> bool {
        match step {
            Step::CreateDatabase(name) => {
                self.add_database(name);
            }
            Step::DropDatabase(name) => {
                self.databases.remove(*name);
                self.users.values_mut().for_each(|(_, granted)| _ = granted.remove(*name));
            }
            Step::CreatePolicy(database, name, hours, make_default) => {
                let Some((default, policies)) = self.databases.get_mut(*database) else { return false };
                if let Some(stands) = policies.get(*name) {
                    return stands == hours && (!make_default || default == name);
                }
                policies.insert((*name).to_owned(), *hours);
                if *make_default {
                    *default = (*name).to_owned();
                }
            }
            Step::AlterPolicy(database, name, hours, make_default) => {
                let Some((default, policies)) = self.databases.get_mut(*database) else { return false };
                let Some(stands) = policies.get_mut(*name) else { return false };
                *stands = *hours;
                if *make_default {
                    *default = (*name).to_owned();
                }
            }
            Step::DropPolicy(database, name) => {
                if let Some((_, policies)) = self.databases.get_mut(*database) {
                    policies.remove(*name);
                }
            }
            Step::EnsureBucket(database, name) => {
                self.add_database(database).1.entry((*name).to_owned()).or_insert(0);
            }
            Step::CreateUser(name, admin) => {
                return self.users.entry((*name).to_owned()).or_insert_with(|| (*admin, BTreeMap::new())).0 == *admin;
            }
            Step::DropUser(name) => return self.users.remove(*name).is_some(),
            Step::Grant(user, database, privilege) => {
                let Some((_, granted)) = self.users.get_mut(*user) else { return false };
                if !self.databases.contains_key(*database) {
                    return false;
                }
                granted.insert((*database).to_owned(), *privilege);
            }
            Step::Reopen => {}
        }
        true
    }
}

fn apply(catalog: &Catalog, step: &Step) -> Result<(), MetaError> {
    match step {
        Step::CreateDatabase(name) => catalog.create_database(name, None),
        Step::DropDatabase(name) => catalog.drop_database(name).map(|_| ()),
        Step::CreatePolicy(d, p, hours, default) => catalog.create_policy(d, p, &spec(*hours), *default),
        Step::AlterPolicy(d, p, hours, default) => catalog.alter_policy(d, p, &spec(*hours), *default),
        Step::DropPolicy(d, p) => catalog.drop_policy(d, p).map(|_| ()),
        Step::EnsureBucket(d, p) => Ok(catalog.ensure_bucket(d, p).map(|_| ())?),
        Step::CreateUser(name, admin) => catalog.create_user(name, *admin, String::new(), &|_| true),
        Step::DropUser(name) => catalog.drop_user(name),
        Step::Grant(u, d, privilege) => catalog.grant(u, d, *privilege),
        Step::Reopen => Ok(()),
    }
}

fn seen(catalog: &Catalog) -> Model {
    let meta = catalog.meta();
    let databases = meta.databases().iter().map(|d| {
        let policies = d.policies.iter().map(|p| (p.name.clone(), p.duration_ns / HOUR)).collect();
        (d.name.clone(), (d.default_policy.clone(), policies))
    });
    let users = meta.users().iter().map(|u| (u.name.clone(), (u.admin, u.privileges.clone())));
    Model { databases: databases.collect(), users: users.collect() }
}

/// Buckets with the names they stand for.
fn buckets(catalog: &Catalog) -> BTreeMap<BucketId, (String, String)> {
    catalog.read().buckets().map(|(id, d, p)| (id, (d.to_owned(), p.to_owned()))).collect()
}

fn run(steps: &[Step]) {
    let fs = FaultFs::new();
    let (mut catalog, _) = open(&fs);
    let (mut model, mut ever) = (Model::default(), BTreeMap::new());
    for step in steps {
        if matches!(step, Step::Reopen) {
            drop(catalog);
            let report;
            (catalog, report) = open(&fs);
            assert_eq!(report.findings, Vec::<String>::new());
            let policies: usize = model.databases.values().map(|(_, policies)| policies.len()).sum();
            assert_eq!(buckets(&catalog).len(), policies, "a policy without its bucket");
        }
        assert_eq!(apply(&catalog, step).is_ok(), model.apply(step), "{step:?}");
        assert_eq!(seen(&catalog), model, "{step:?}");
        let live = buckets(&catalog);
        let is_policy = |(d, p): &(String, String)| model.databases.get(d).is_some_and(|d| d.1.contains_key(p));
        assert!(live.values().all(is_policy), "{step:?}: a bucket without its policy");
        for (id, names) in live {
            assert!(!catalog.read().dropped().has_bucket(id), "{step:?}: {id:?} was dropped");
            assert_eq!(ever.entry(id).or_insert(names.clone()), &names, "{step:?}: {id:?} was used again");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_made_and_dropped_is_what_the_model_says(steps in prop::collection::vec(any_step(), 1..40)) {
        run(&steps);
    }
}
