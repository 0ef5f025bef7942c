//! Alerts and their notifications as Prometheus text; labels are names of the configuration.

use super::{Kind, Text};
use crate::node::Node;

impl Node {
    pub(super) fn alert_metrics(&self, text: &mut Text) {
        let all = self.alerting.alerts().list();
        type Count = fn(&alerts::RuleStatus) -> usize;
        let states: [(&str, &str, Count); 2] = [
            ("alerts_firing", "Alerts that fire.", |rule| rule.firing),
            ("alerts_pending", "Alerts whose condition does not hold for long enough yet.", |rule| rule.pending),
        ];
        for (name, help, count) in states {
            text.head(Kind::Gauge, name, help);
            for rule in &all.rules {
                let (label, severity, count) = (escaped(&rule.name), rule.severity, count(rule));
                text.line(format_args!("hissrv_{name}{{rule=\"{label}\",severity=\"{severity}\"}} {count}"));
            }
        }
        text.head(Kind::Gauge, "alert_rules_failing", "1 for a rule that could not be looked at the last time.");
        for rule in &all.rules {
            let (label, is_failing) = (escaped(&rule.name), u8::from(rule.error.is_some()));
            text.line(format_args!("hissrv_alert_rules_failing{{rule=\"{label}\"}} {is_failing}"));
        }
        notifications(text, &all.channels);
        let help = "1 while the file of alerts can be written.";
        text.one(Kind::Gauge, "alerts_durable", help, u8::from(all.totals.is_durable));
    }
}

fn notifications(text: &mut Text, channels: &[alerts::ChannelStatus]) {
    text.head(Kind::Counter, "alert_notifications_total", "Notifications by channel and by what became of them.");
    for channel in channels {
        let name = escaped(&channel.name);
        for (result, count) in [("delivered", channel.delivered), ("given_up", channel.given_up)] {
            text.line(format_args!(
                "hissrv_alert_notifications_total{{channel=\"{name}\",result=\"{result}\"}} {count}"
            ));
        }
    }
    text.head(Kind::Counter, "alert_failed_attempts_total", "Attempts to deliver a notification that failed.");
    for channel in channels {
        let (name, count) = (escaped(&channel.name), channel.failed_attempts);
        text.line(format_args!("hissrv_alert_failed_attempts_total{{channel=\"{name}\"}} {count}"));
    }
    text.head(Kind::Gauge, "alert_notifications_waiting", "Notifications that wait for a channel.");
    for channel in channels {
        let (name, count) = (escaped(&channel.name), channel.waiting);
        text.line(format_args!("hissrv_alert_notifications_waiting{{channel=\"{name}\"}} {count}"));
    }
}

/// A name of the configuration as the value of a label.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_quotes_stay_within_their_label() {
        assert_eq!(escaped("a \"b\" \\c"), "a \\\"b\\\" \\\\c");
    }
}
