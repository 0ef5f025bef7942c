//! Arguments of `alerts`.

use std::path::PathBuf;

use ::alerts::Moment;
use clap::{Args, Subcommand};
use model::HumanDuration;

use super::{AskedArgs, parse_tag};

/// Arguments of `alerts`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hissrv alerts list\n  \
    hissrv alerts test ops --config hissrv.yaml\n  \
    hissrv alerts silence --match rule=hot --match 'host=a*' --for 2h --comment 'works on the cooling'\n  \
    hissrv alerts unsilence c034dd37bbb41e45")]
pub(crate) struct AlertsArgs {
    #[command(subcommand)]
    pub(crate) command: AlertsCommand,
}

/// What `alerts` does.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Show the alerts of a running service, its silences, and how rules and channels fare.
    List {
        #[command(flatten)]
        service: AskedArgs,
        /// Print the service's JSON instead of tables.
        #[arg(long)]
        json: bool,
    },
    /// Send a test notification over a channel, once, and say what became of it. No service is needed.
    Test {
        /// Name of the channel below alerts.channels.
        channel: String,
        /// Configuration file; default: the one in force.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Have a running service tell nobody of certain alerts for a while. They fire silently.
    Silence(SilenceArgs),
    /// Have a running service take a silence back.
    Unsilence {
        /// Its id, as `list` shows it.
        id: String,
        #[command(flatten)]
        service: AskedArgs,
    },
}

/// Arguments of `alerts silence`.
#[derive(Debug, Args)]
pub(crate) struct SilenceArgs {
    /// A label and a pattern (`*`, `?`) that it must match; `rule` and `severity` are labels, too. May be repeated: all must match.
    #[arg(long = "match", value_name = "LABEL=PATTERN", required = true, value_parser = parse_tag)]
    pub(crate) matches: Vec<(String, String)>,
    /// How long, from --from on: 30m, 2h, 7d.
    #[arg(long = "for", value_name = "DURATION", required_unless_present = "until", conflicts_with = "until")]
    pub(crate) length: Option<HumanDuration>,
    /// End, with an offset: 2026-01-31T22:00:00+08:00.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Moment>,
    /// Begin; default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Moment>,
    /// Why, for people.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,
    #[command(flatten)]
    pub(crate) service: AskedArgs,
}
