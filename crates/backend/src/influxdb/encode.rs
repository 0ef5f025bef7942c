//! Where points go in each generation, and as what.

use model::FieldValue;
use model::key::SeriesKey;

use super::Generation;
use crate::Destination;
use crate::http::form;
use crate::lines::{ALL_AS_IT_IS, Rules};

/// Path and query of a write.
pub(super) fn write_target(generation: Generation, place: &Destination, org: Option<&str>) -> String {
    match generation {
        Generation::V1 => {
            let pairs = [("db", place.database.as_str()), ("rp", &place.policy), ("precision", "ns")];
            format!("/write?{}", form(&pairs))
        }
        Generation::V2 => {
            let bucket = bucket(place);
            let pairs = [("org", org.unwrap_or_default()), ("bucket", &bucket), ("precision", "ns")];
            format!("/api/v2/write?{}", form(&pairs))
        }
        Generation::V3 => format!("/api/v3/write_lp?{}", form(&[("db", &bucket(place)), ("precision", "nanosecond")])),
    }
}

/// What it makes of points.
pub(super) fn rules(generation: Generation) -> Rules {
    match generation {
        Generation::V1 => Rules { convert: without_unsigned, misread },
        Generation::V2 | Generation::V3 => ALL_AS_IT_IS,
    }
}

/// Bucket of 2.x, database of 3.x.
pub(crate) fn bucket(place: &Destination) -> String {
    bucket_name(&place.database, (!place.is_default).then_some(&place.policy))
}

/// `database`, or `database/policy` for a policy that is not the default one.
pub(crate) fn bucket_name(database: &str, policy: Option<&String>) -> String {
    policy.map_or_else(|| database.to_owned(), |policy| format!("{database}/{policy}"))
}

/// InfluxDB 1.x has no unsigned integers: those that fit become integers, the others are left out.
fn without_unsigned(value: FieldValue<'_>) -> Option<FieldValue<'_>> {
    match value {
        FieldValue::Unsigned(v) => i64::try_from(v).ok().map(FieldValue::Integer),
        other => Some(other),
    }
}

/// NOTE: in measurements InfluxDB 1.x takes one backslash too many away: `a\,b`, spelled `a\\,b`, would become `a,b`, which may be
/// another one. In tags it reads them right, and in field keys it refuses them itself.
fn misread(series: &[u8]) -> Option<String> {
    if !series.contains(&b'\\') {
        return None;
    }
    let name = SeriesKey::parse(series).ok()?.measurement();
    let is_misread = ["\\,", "\\ ", "\\="].iter().any(|pair| name.contains(pair));
    is_misread.then(|| format!("InfluxDB 1.x would store the measurement {name:?} under another name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(is_default: bool) -> Destination {
        Destination { database: "plant 7".to_owned(), policy: "hour&ly".to_owned(), is_default }
    }

    #[test]
    fn each_generation_has_its_own_address_for_a_policy() {
        let target = |generation, is_default| write_target(generation, &place(is_default), Some("o/x"));
        assert_eq!(target(Generation::V1, true), "/write?db=plant%207&rp=hour%26ly&precision=ns");
        assert_eq!(target(Generation::V2, true), "/api/v2/write?org=o%2Fx&bucket=plant%207&precision=ns");
        let v2 = "/api/v2/write?org=o%2Fx&bucket=plant%207%2Fhour%26ly&precision=ns";
        assert_eq!(target(Generation::V2, false), v2);
        let v3 = "/api/v3/write_lp?db=plant%207%2Fhour%26ly&precision=nanosecond";
        assert_eq!(target(Generation::V3, false), v3);
    }

    #[test]
    fn only_the_first_generation_has_no_unsigned_integers() {
        let v1 = rules(Generation::V1).convert;
        assert_eq!(v1(FieldValue::Unsigned(7)), Some(FieldValue::Integer(7)));
        assert_eq!(v1(FieldValue::Unsigned(u64::MAX)), None);
        assert_eq!(v1(FieldValue::String("x")), Some(FieldValue::String("x")));
        assert_eq!((rules(Generation::V2).convert)(FieldValue::Unsigned(7)), Some(FieldValue::Unsigned(7)));
    }

    #[test]
    fn a_measurement_that_would_become_another_one_is_refused() {
        let refused = |measurement: &str| {
            let mut key = model::key::SeriesKeyBuf::default();
            key.start(measurement);
            key.tag("t", "a\\,b");
            (rules(Generation::V1).misread)(key.as_bytes()).is_some()
        };
        assert!(["a\\,b", "a\\ b", "\\=", "a\\\\,"].iter().all(|name| refused(name)));
        assert!(!["a", "a\\b", "a,b", "a b", "a=b", "a\\\\b"].iter().any(|name| refused(name)));
    }
}
