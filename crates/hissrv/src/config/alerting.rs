//! What the section `alerts` must be besides what the crate itself asks for: facts that there are, and questions that only read.

use ::alerts::{Config, Expression};
use influxql::ast::Statement;
use influxql::{Limits, Params};

use crate::node::fact_names;

/// Looks for what cannot work.
pub(super) fn check(config: &Config) -> Result<(), String> {
    config.check(&fact_names()).map_err(|e| e.to_string())?;
    for rule in config.rules().map_err(|e| e.to_string())? {
        let text = match &rule.expression {
            Expression::Query { text, .. } => text,
            Expression::Absence(absence) => &absence.text,
            Expression::Event(_) | Expression::Health { .. } => continue,
        };
        check_question(text).map_err(|reason| format!("alerts: rule `{}`: {reason}", rule.name))?;
    }
    Ok(())
}

/// One SELECT that writes nothing: rules are looked at again and again.
fn check_question(text: &str) -> Result<(), String> {
    let limits = Limits { time_zone_exists: query::compile::time_zone_exists, ..Limits::default() };
    let statements = influxql::parse(text, &Params::new(), &limits).map_err(|e| format!("`{text}`: {e}"))?;
    match statements.as_slice() {
        [Statement::Select(select)] if select.into.is_none() => Ok(()),
        _ => Err(format!("`{text}`: expected one SELECT without INTO")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(rule: serde_json::Value) -> Result<(), String> {
        check(&serde_json::from_value(json!({ "rules": [rule] })).unwrap())
    }

    #[test]
    fn a_question_is_one_select_that_only_reads() {
        let asked = |text: &str| checked(json!({"name": "r", "query": {"database": "d", "text": text, "above": 1}}));
        asked("SELECT mean(v) FROM m WHERE time > now() - 5m GROUP BY host").unwrap();
        for wrong in ["DROP DATABASE d", "SELECT v FROM m; SELECT v FROM n", "SELECT v INTO n FROM m", "SHOW DATABASES"]
        {
            let message = asked(wrong).unwrap_err();
            assert!(message.contains("rule `r`") && message.contains("one SELECT without INTO"), "{message}");
        }
        let message = asked("SELECT v FORM m").unwrap_err();
        assert!(message.contains("error parsing query"), "{message}");
        let absence =
            json!({"name": "r", "absence": {"database": "d", "measurement": "m", "after": "1m", "where": "a ="}});
        assert!(checked(absence).unwrap_err().contains("rule `r`"));
    }

    #[test]
    fn facts_must_be_known() {
        checked(json!({"name": "r", "health": {"fact": "journal_used", "above": 0.8}})).unwrap();
        let message = checked(json!({"name": "r", "health": {"fact": "journal"}})).unwrap_err();
        assert!(message.contains("alerts.rules[0].health.fact") && message.contains("journal_full"), "{message}");
    }
}
