//! Answers by tags.

use crate::data::plant;
use crate::subjects::Subject;
use crate::trial::Trial;

pub(crate) fn series_are_grouped_by_tags(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    for tags in ["device", "site", "site, device", "*", "/^s/", "nowhere", "device, nowhere"] {
        trial.same(&format!("SELECT state FROM m GROUP BY {tags}"));
        trial.alike(&format!("SELECT mean(power), count(state), max(state) FROM m GROUP BY {tags}"));
        trial.same(&format!("SELECT state FROM m GROUP BY {tags} ORDER BY time DESC"));
    }
    assert_eq!(trial.ask("SELECT mean(power) FROM m GROUP BY device").series.len(), 3);
}

pub(crate) fn groups_are_limited(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    for slice in ["SLIMIT 1", "SLIMIT 1 SOFFSET 1", "LIMIT 2 SLIMIT 2", "SLIMIT 5 SOFFSET 2", "SOFFSET 9"] {
        trial.same(&format!("SELECT state FROM m GROUP BY device {slice}"));
        trial.alike(&format!("SELECT mean(power) FROM m GROUP BY device {slice}"));
    }
}
