//! `hissrv events`: stored events as a table; those of a part of history made anew.

mod generate;
mod list;
mod report;

pub(super) use report::{lines, together};

use crate::cli::{EventsArgs, EventsCommand, Failure};

pub(crate) fn run(args: &EventsArgs) -> Result<(), Failure> {
    match &args.command {
        EventsCommand::List(args) => list::run(args),
        EventsCommand::Generate(args) => generate::run(args),
    }
}

/// A path with its query; parameters without a value are left out.
pub(super) fn path_of(path: &str, parameters: &[(String, String)]) -> String {
    let encoded = super::query::encoded;
    let pairs: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    format!("{path}?{}", pairs.join("&"))
}
