//! The newest values.

use std::sync::Arc;

use model::FieldValue::{Float, Integer, String as Text};
use query::Cell;
use query::store::{SeriesQuery, TagCondition, TagMatch};

use crate::data::{HOSTILE, MINUTE, SECOND, START, key, plant, point};
use crate::subjects::Subject;
use crate::trial::Trial;

fn of(measurement: &str) -> SeriesQuery {
    SeriesQuery { measurement: measurement.to_owned(), ..SeriesQuery::default() }
}

fn where_tag(key: &str, matches: TagMatch) -> Vec<TagCondition> {
    vec![TagCondition { key: key.to_owned(), matches }]
}

pub(crate) fn the_latest_value_of_every_field(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    assert!(trial.same_latest(&of("m")).series.is_empty());
    trial.write_list(&plant(trial.place()));
    // One field is newer than the others; an old value that comes late is not the latest.
    trial.write(&[
        point("m,device=1,site=a", "power", Float(-7.0), START + 40 * MINUTE),
        point("m,device=1,site=a", "state", Integer(99), START - 40 * MINUTE),
        point("m,device=2,site=b", "note", Text("stop"), START + 50 * MINUTE),
    ]);
    let found = trial.same_latest(&of("m"));
    let power = found.series.iter().find(|s| s.tags[0].1 == "1" && s.columns[0].name == "power").unwrap();
    assert_eq!((power.times[0].0, &power.columns[0].cells[0]), (START + 40 * MINUTE, &Cell::Float(-7.0)));
    if subject.abilities().overwrites {
        trial.write(&[point("m,device=1,site=a", "power", Float(-8.0), START + 40 * MINUTE)]);
        trial.same_latest(&of("m"));
    }
    assert!(trial.same_latest(&of("nowhere")).series.is_empty());
}

pub(crate) fn the_latest_value_of_some_fields_and_series(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    let keys = HOSTILE.map(|hostile| key("m", &[("device", hostile)]));
    let points: Vec<_> = (0..).zip(&keys).map(|(n, key)| point(key, "state", Integer(n), START + n * SECOND)).collect();
    trial.write(&points);
    let fields = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    for names in [&["power"][..], &["state", "power"], &["nothing"], &["nothing", "state"]] {
        trial.same_latest(&SeriesQuery { fields: fields(names), ..of("m") });
    }
    let pattern = |text: &str| Arc::new(regex::Regex::new(text).unwrap());
    for matches in [
        TagMatch::In(fields(&["1", "3"])),
        TagMatch::NotIn(fields(&["1", "3"])),
        TagMatch::In(fields(&HOSTILE)),
        TagMatch::NotIn(fields(&HOSTILE)),
        TagMatch::Like(pattern("^[12]$")),
        TagMatch::NotLike(pattern("^[12]$")),
        TagMatch::In(Vec::new()),
    ] {
        trial.same_latest(&SeriesQuery { filter: where_tag("device", matches), ..of("m") });
    }
    for hostile in HOSTILE {
        let filter = where_tag("device", TagMatch::In(fields(&[hostile])));
        let found = trial.same_latest(&SeriesQuery { filter, ..of("m") });
        assert_eq!(found.series.len(), 1, "{hostile}");
    }
    trial.same_latest(&SeriesQuery { filter: where_tag("site", TagMatch::In(fields(&[""]))), ..of("m") });
}
