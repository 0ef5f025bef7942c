//! A remote store as the one that answers queries: names are made those that it knows.

use std::sync::Arc;

use backend::{Query, RemoteStore, StorageBackend};
use catalog::Catalog;
use query::execute::{Options, Sink};
use query::plan::{MeasurementRef, NameOrPattern, Source};
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Report, Select};

/// Stores know a database's default retention policy as the one that goes without saying, whatever its name; of measurements that are
/// at home in another they know nothing.
pub(crate) struct Answering {
    pub(super) catalog: Arc<Catalog>,
    pub(super) store: Arc<dyn RemoteStore>,
}

/// What the store calls a policy.
fn in_store(catalog: &Catalog, database: &str, policy: Option<String>) -> Option<String> {
    let meta = catalog.meta();
    let default = meta.database(database).map(|d| d.default_policy.as_str());
    policy.filter(|name| Some(name.as_str()) != default)
}

fn home(catalog: &Catalog, database: &str, measurement: &str) -> Option<String> {
    catalog.home(database, measurement).map(str::to_owned)
}

fn adapt(catalog: &Catalog, plan: &mut Select) {
    for source in std::mem::take(&mut plan.sources) {
        match source {
            Source::Measurement(wanted) => plan.sources.extend(found(catalog, wanted).map(Source::Measurement)),
            Source::Subquery(mut inner) => {
                adapt(catalog, &mut inner);
                plan.sources.push(Source::Subquery(inner));
            }
        }
    }
}

/// Where the store has what is wanted. A pattern without a policy may mean measurements that are at home in several: these are named
/// then.
fn found(catalog: &Catalog, wanted: MeasurementRef) -> impl Iterator<Item = MeasurementRef> {
    let database = &wanted.database;
    let is_plain = wanted.policy.is_none() && !catalog.homes(database).is_empty();
    let names = match &wanted.name {
        NameOrPattern::Name(name) if is_plain => vec![name.clone()],
        NameOrPattern::Pattern(pattern) if is_plain => {
            let known = catalog.measurements_of(database, None).unwrap_or_default();
            known.into_iter().filter(|name| pattern.is_match(name)).collect()
        }
        _ => Vec::new(),
    };
    let at_home = |name: String| MeasurementRef {
        policy: in_store(catalog, database, home(catalog, database, &name)),
        name: NameOrPattern::Name(name),
        ..wanted.clone()
    };
    let found = match names.is_empty() {
        true => vec![MeasurementRef { policy: in_store(catalog, database, wanted.policy.clone()), ..wanted.clone() }],
        false => names.into_iter().map(at_home).collect(),
    };
    found.into_iter()
}

impl StorageBackend for Answering {
    fn name(&self) -> &'static str {
        self.store.name()
    }
}

impl Query for Answering {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        let mut plan = plan.clone();
        adapt(&self.catalog, &mut plan);
        self.store.query(&plan, options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        let own = place.policy.clone().or_else(|| home(&self.catalog, &place.database, &query.measurement));
        let policy = in_store(&self.catalog, &place.database, own);
        self.store.latest(&Place { database: place.database.clone(), policy }, query, cancel)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use catalog::{Homes, Pattern, PolicySpec, Wanted};
    use model::FieldType;
    use query::{RequestContext, SeriesRequest};
    use vfs::FaultFs;

    use super::*;

    /// A database with the policies `autogen`, the default one, and `long`, the home of `signal`.
    fn plant() -> Catalog {
        let catalog = Catalog::open(Arc::new(FaultFs::default()), Path::new("catalog")).unwrap().0;
        catalog.create_database("d", None).unwrap();
        catalog.create_policy("d", "long", &PolicySpec::default(), false).unwrap();
        for (policy, name) in [("autogen", "alarm"), ("long", "signal"), ("long", "other")] {
            let wanted = Wanted { key: name.as_bytes(), field: "v", kind: FieldType::Float };
            catalog.define(catalog.bucket_of("d", Some(policy)).unwrap(), &[wanted]).unwrap();
        }
        catalog
    }

    /// Policy and name of every source.
    fn sources(catalog: &Catalog, policy: Option<&str>, name: NameOrPattern) -> Vec<String> {
        let body = br#"{"measurement":"m","start":0}"#;
        let context = RequestContext { database: "d".to_owned(), now: model::TimestampNs(0), epoch: None };
        let mut plan = SeriesRequest::parse(body).unwrap().into_plan(&context).unwrap();
        let wanted = MeasurementRef { database: "d".to_owned(), policy: policy.map(str::to_owned), name };
        plan.sources = vec![Source::Measurement(wanted)];
        adapt(catalog, &mut plan);
        let shown = plan.sources.iter().map(|source| match source {
            Source::Measurement(MeasurementRef { policy, name: NameOrPattern::Name(name), .. }) => {
                format!("{}.{name}", policy.as_deref().unwrap_or_default())
            }
            Source::Measurement(MeasurementRef { policy, name: NameOrPattern::Pattern(p), .. }) => {
                format!("{}./{p}/", policy.as_deref().unwrap_or_default())
            }
            Source::Subquery(_) => "subquery".to_owned(),
        });
        shown.collect()
    }

    fn named(name: &str) -> NameOrPattern {
        NameOrPattern::Name(name.to_owned())
    }

    fn pattern(catalog: &Catalog, text: &str) -> Vec<String> {
        let regex =
            serde_json::json!({ "aggregate_type": "custom", "custom_query": format!("SELECT v FROM /{text}/") });
        let request = query::AggregateRequest::parse(regex.to_string().as_bytes()).unwrap();
        let context = RequestContext { database: "d".to_owned(), now: model::TimestampNs(0), epoch: None };
        let plan = request.into_plan(&context).unwrap();
        let Some(Source::Measurement(wanted)) = plan.sources.into_iter().next() else { panic!("no source") };
        sources(catalog, None, wanted.name)
    }

    #[test]
    fn the_default_policy_goes_without_saying_and_measurements_are_asked_for_at_home() {
        let catalog = plant();
        assert_eq!(sources(&catalog, None, named("signal")), [".signal"]);
        assert_eq!(pattern(&catalog, "a"), ["./a/"]);
        catalog.settle(Homes::new("d", vec![(Pattern::Name("signal".to_owned()), "long".to_owned())]));
        assert_eq!(sources(&catalog, None, named("signal")), ["long.signal"]);
        assert_eq!(sources(&catalog, None, named("alarm")), [".alarm"]);
        assert_eq!(sources(&catalog, Some("autogen"), named("signal")), [".signal"]);
        assert_eq!(sources(&catalog, Some("long"), named("other")), ["long.other"]);
        assert_eq!(pattern(&catalog, "a"), [".alarm", "long.signal"]);
        assert_eq!(pattern(&catalog, "nothing"), ["./nothing/"]);
    }
}
