//! How PostgreSQL is, and what a person should know about its settings.

use postgres::Client;

use super::Postgres;
use super::client::Conversation;
use super::error::Failure;
use crate::{Health, Probe, WriteError};

/// Before this one, partitions of a table could not be attached while it is in use, and other things were missing.
const OLDEST: i32 = 120_000;

impl Health for Postgres {
    fn probe(&self) -> Result<Probe, WriteError> {
        let synchronous = self.shared.synchronous;
        let outcome = self.link().run(move |conversation| probe(conversation, synchronous));
        outcome.map_err(|failure| failure.into_write_error(self.shared.connector.at()))
    }
}

fn probe(conversation: &mut Conversation, synchronous: bool) -> Result<Probe, Failure> {
    let open = conversation.open()?;
    let row = open.client.query_one("SELECT current_setting('server_version')", &[])?;
    let product: String = row.try_get(0)?;
    let mut version = format!("PostgreSQL {}", product.split(' ').next().unwrap_or_default());
    if let Some(extension) = &open.peer.timescale {
        version = format!("{version}, TimescaleDB {}", extension.version);
    }
    let mut advice = advice(&mut open.client, synchronous)?;
    if open.peer.version < OLDEST {
        advice.push("this PostgreSQL is older than 12, which hissrv needs".to_owned());
    }
    Ok(Probe { version, incarnation: Some(open.peer.incarnation.clone()), advice })
}

/// A sentence for each setting under which less is kept than was acknowledged.
fn advice(client: &mut Client, synchronous: bool) -> Result<Vec<String>, Failure> {
    let row = client.query_one(
        "SELECT current_setting('fsync') = 'off', current_setting('full_page_writes') = 'off',
             current_setting('server_encoding') <> 'UTF8', pg_is_in_recovery()",
        &[],
    )?;
    let known = [
        (row.try_get(0)?, "fsync is off: a power cut may destroy the whole database, what was acknowledged included"),
        (row.try_get(1)?, "full_page_writes is off: a power cut may damage tables, what was acknowledged included"),
        (row.try_get(2)?, "the database's encoding is not UTF8: texts that it does not have are refused"),
        (row.try_get(3)?, "it is a standby, which takes no writes: name the primary"),
        (!synchronous, "synchronous is off: a crash of PostgreSQL may lose what was acknowledged in its last seconds"),
    ];
    Ok(known.into_iter().filter(|(is_so, _)| *is_so).map(|(_, sentence)| sentence.to_owned()).collect())
}
