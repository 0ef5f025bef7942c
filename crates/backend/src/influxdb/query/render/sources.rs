//! FROM.

use influxql::ast;
use query::plan::{MeasurementRef, NameOrPattern, Select, Source};

use super::{Around, Said, Speaker, checked, names};

/// Database and retention policy.
type Place = (String, Option<String>);

/// The place of all measurements of a plan; `None` when they have several.
pub(super) fn place(plan: &Select) -> Option<Place> {
    let mut places = Vec::new();
    add_places(plan, &mut places);
    let first = *places.first()?;
    let is_first = |place: &&MeasurementRef| place.database == first.database && place.policy == first.policy;
    places.iter().all(is_first).then(|| (first.database.clone(), first.policy.clone()))
}

/// For plans whose measurements all name their own.
pub(super) fn any_database(plan: &Select) -> Place {
    let mut places = Vec::new();
    add_places(plan, &mut places);
    (places.first().map(|place| place.database.clone()).unwrap_or_default(), None)
}

fn add_places<'p>(plan: &'p Select, places: &mut Vec<&'p MeasurementRef>) {
    for source in &plan.sources {
        match source {
            Source::Measurement(measurement) => places.push(measurement),
            Source::Subquery(inner) => add_places(inner, places),
        }
    }
}

/// True when more than one measurement may be read.
pub(in super::super) fn are_several(plan: &Select) -> bool {
    !matches!(plan.sources.as_slice(), [Source::Measurement(MeasurementRef { name: NameOrPattern::Name(_), .. })])
}

impl Speaker<'_> {
    pub(super) fn source(&self, source: &Source, around: &Around<'_>) -> Said<ast::Source> {
        Ok(match source {
            Source::Measurement(measurement) => ast::Source::Measurement(self.measurement(measurement)?),
            Source::Subquery(inner) => ast::Source::Subquery(Box::new(self.select(inner, Some(around))?)),
        })
    }

    fn measurement(&self, of: &MeasurementRef) -> Said<ast::Measurement> {
        let database = if self.qualified { Some(checked(&of.database)?) } else { None };
        let policy = if self.qualified { of.policy.as_deref().map(checked).transpose()? } else { None };
        Ok(ast::Measurement { database, policy, name: measurement_name(&of.name)? })
    }
}

/// The measurement's own name, or the pattern for several.
pub(in super::super) fn measurement_name(of: &NameOrPattern) -> Said<ast::MeasurementName> {
    Ok(match of {
        NameOrPattern::Name(name) => match checked(name) {
            Ok(name) => ast::MeasurementName::Name(name),
            // A pattern can say every character.
            Err(_) => pattern(names::any_of([name.as_str()])),
        },
        NameOrPattern::Pattern(of) => pattern(names::pattern(of)?),
    })
}

fn pattern(expr: ast::Expr) -> ast::MeasurementName {
    match expr {
        ast::Expr::Regex(text) => ast::MeasurementName::Pattern(text),
        other => ast::MeasurementName::Name(other.to_string()),
    }
}
