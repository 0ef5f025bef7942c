//! The plan, by the command line.

use generate::{AnomalyOptions, EmsOptions, NodeOptions, Options, Plan, Subject};
use model::{HumanDuration, TimeRange, TimestampNs, WindowNs};
use query::RequestContext;
use query::request::TimeReader;

use crate::cli::{Failure, PlanArgs, SubjectName};

const DAY_NS: i64 = 86_400_000_000_000;
/// Days unless it is said.
const NODE_DAYS: u32 = 30;
const EMS_DAYS: u32 = 1;

/// The plan that is asked for. One that is `live` begins now and has no end, unless either is said.
pub(super) fn plan(args: &PlanArgs, live: bool, now: TimestampNs) -> Result<Plan, Failure> {
    // The range is found out once the step is known.
    let mut options = Options::new(subject(args)?, TimeRange::new(now, now));
    options.step = args.step.unwrap_or(options.step);
    options.range = range(args, live, now, options.step)?;
    options.seed = args.seed;
    options.anomalies = AnomalyOptions { probability: args.anomalies, level_shifts: args.level_shifts };
    options.jitter = args.jitter.unwrap_or(options.jitter);
    options.utc_offset = args.utc_offset;
    Plan::new(options).map_err(|e| Failure::Usage(e.to_string()))
}

fn subject(args: &PlanArgs) -> Result<Subject, Failure> {
    let counts = [args.vm, args.host, args.ne, args.tru, args.hostgroup];
    let of_nodes = args.nodes.is_some() || counts.iter().any(Option::is_some);
    let of_ems = args.channels.is_some() || args.points.is_some() || !args.types.is_empty();
    match args.subject {
        SubjectName::Nodes if of_ems => Err(usage("--channels, --points and --types are those of a plant: name `ems`")),
        SubjectName::Ems if of_nodes => Err(usage("counts of nodes are there for nodes only: name `nodes`")),
        SubjectName::Nodes => Ok(Subject::Nodes(nodes(args, counts))),
        SubjectName::Ems => Ok(Subject::Ems(ems(args))),
    }
}

fn nodes(args: &PlanArgs, counts: [Option<u32>; 5]) -> NodeOptions {
    if let Some(total) = args.nodes {
        return NodeOptions::share_out(total);
    }
    if counts.iter().all(Option::is_none) {
        return NodeOptions::default();
    }
    let [vm, host, ne, tru, hostgroup] = counts.map(Option::unwrap_or_default);
    NodeOptions { vm, host, ne, tru, hostgroup }
}

fn ems(args: &PlanArgs) -> EmsOptions {
    let defaults = EmsOptions::default();
    EmsOptions {
        channels: args.channels.unwrap_or(defaults.channels),
        data_points: args.points.unwrap_or(defaults.data_points),
        types: if args.types.is_empty() { defaults.types } else { args.types.clone() },
    }
}

fn range(args: &PlanArgs, live: bool, now: TimestampNs, step: HumanDuration) -> Result<TimeRange, Failure> {
    let reader = TimeReader::new(&RequestContext { database: String::new(), now, epoch: None });
    let time = |name: &str, text: &Option<String>| {
        let read = text.as_deref().map(|text| reader.text(name, text)).transpose();
        read.map_err(|e| Failure::Usage(e.to_string()))
    };
    let (start, end) = (time("--start", &args.start)?, time("--end", &args.end)?);
    let days = match args.subject {
        SubjectName::Nodes => NODE_DAYS,
        SubjectName::Ems => EMS_DAYS,
    };
    let length = i64::from(args.days.unwrap_or(days)).saturating_mul(DAY_NS);
    let from = |start: TimestampNs| match live && args.days.is_none() {
        true => TimeRange::new(start, TimestampNs::MAX),
        false => TimeRange::new(start, start.saturating_add(length)),
    };
    let begin = floor(now, i64::try_from(step.0.as_nanos()).unwrap_or(i64::MAX));
    Ok(match (start, end) {
        (Some(_), Some(_)) if args.days.is_some() => {
            return Err(usage("--start, --end and --days: two of them say it all"));
        }
        (Some(start), Some(end)) => TimeRange::new(start, end),
        (Some(start), None) => from(start),
        (None, Some(end)) if live && args.days.is_none() => TimeRange::new(begin, end),
        (None, Some(end)) => TimeRange::new(end.saturating_add(-length), end),
        (None, None) if live => from(begin),
        (None, None) => {
            let midnight = floor(now, DAY_NS);
            TimeRange::new(midnight.saturating_add(-length), midnight)
        }
    })
}

fn floor(time: TimestampNs, width: i64) -> TimestampNs {
    // A step of no length is refused with the plan.
    WindowNs::new(width).map_or(time, |width| time.window_start(width))
}

fn usage(message: &str) -> Failure {
    Failure::Usage(message.to_owned())
}
