//! SHOW SHARDS and SHOW SHARD GROUPS; a group is one shard here.

use crate::failure::Failure;
use crate::rows::{Rows, number, text};
use crate::shards;
use crate::task::{Sink, Task};

/// One table a database, also where it has none.
pub(super) fn shards(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    const COLUMNS: [&str; 8] =
        ["id", "database", "retention_policy", "shard_group", "start_time", "end_time", "expiry_time", "owners"];
    let all = shards::all(task);
    for database in task.meta().databases() {
        let mut rows = Rows::new(&database.name, &COLUMNS);
        for shard in all.iter().filter(|shard| shard.database == database.name) {
            rows.push([
                number(shard.id),
                text(&shard.database),
                text(&shard.policy),
                number(shard.id),
                text(shard.start_text()),
                text(shard.end_text()),
                text(shard.expiry_text()),
                text(""),
            ]);
        }
        rows.send(sink)?;
    }
    Ok(())
}

pub(super) fn groups(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    const COLUMNS: [&str; 6] = ["id", "database", "retention_policy", "start_time", "end_time", "expiry_time"];
    let mut rows = Rows::new("shard groups", &COLUMNS);
    for shard in shards::all(task) {
        rows.push([
            number(shard.id),
            text(&shard.database),
            text(&shard.policy),
            text(shard.start_text()),
            text(shard.end_text()),
            text(shard.expiry_text()),
        ]);
    }
    Ok(rows.send(sink)?)
}
