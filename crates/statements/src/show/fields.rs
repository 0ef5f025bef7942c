//! SHOW FIELD KEYS: of one retention policy, that in FROM, or of the default one and those that measurements are at home in.

use std::collections::BTreeMap;

use influxql::ast::Scope;

use super::place_in;
use crate::failure::Failure;
use crate::measurements::{From, by_name};
use crate::rows::{Rows, page, text};
use crate::task::{Sink, Task};

pub(super) fn run(task: &Task<'_>, scope: &Scope, sink: Sink<'_>) -> Result<(), Failure> {
    let (database, policy) = place_in(&scope.sources);
    let database = task.database(database.or(scope.database.as_deref()))?;
    let buckets = task.buckets_of(database, policy)?;
    let from = From::read(&scope.sources)?;
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    {
        let names = task.parts.catalog.read();
        for (name, ids) in by_name(&names, &buckets, &from) {
            let fields = ids.iter().flat_map(|id| names.fields(*id)).filter(|f| !f.name.is_empty());
            found.insert(name, fields.map(|f| (f.name.clone(), f.kind.to_string())).collect());
        }
    }
    for (name, fields) in found {
        let mut rows = Rows::new(&name, &["fieldKey", "fieldType"]);
        page(fields, scope.offset, scope.limit).for_each(|(key, kind)| rows.push([text(key), text(kind)]));
        rows.send_unless_empty(sink)?;
    }
    Ok(())
}
