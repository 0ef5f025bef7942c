//! SHOW USERS and SHOW GRANTS.

use catalog::Privilege;
use query::Cell;

use crate::failure::Failure;
use crate::rows::{Rows, text};
use crate::task::{Sink, Task};

pub(super) fn users(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    let mut rows = Rows::new("", &["user", "admin"]);
    task.meta().users().iter().for_each(|user| rows.push([text(&user.name), Cell::Boolean(user.admin)]));
    Ok(rows.send(sink)?)
}

pub(super) fn grants(task: &Task<'_>, name: &str, sink: Sink<'_>) -> Result<(), Failure> {
    let meta = task.meta();
    let user = meta.user(name).ok_or(catalog::MetaError::UserNotFound)?;
    let mut rows = Rows::new("", &["database", "privilege"]);
    for (database, privilege) in &user.privileges {
        rows.push([text(database), text(words(*privilege))]);
    }
    Ok(rows.send(sink)?)
}

fn words(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::None => "NO PRIVILEGES",
        Privilege::Read => "READ",
        Privilege::Write => "WRITE",
        Privilege::All => "ALL PRIVILEGES",
    }
}
