//! Against a real PostgreSQL.

mod asking;
mod encrypted;
mod trouble;
mod upkeep;
mod writing;

use std::sync::OnceLock;
use std::time::Duration;

use ::postgres::{Client, NoTls};
use model::{FieldValue, HumanDuration, TimestampNs};
use rig::Server;

use super::{Postgres, PostgresConfig};
use crate::{Destination, Point, PointList, Points, Session, Write, WriteError};

/// One server for all tests that leave it running; each has a database (a schema) of its own.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(rig::postgres)
}

fn config(server: &Server) -> PostgresConfig {
    PostgresConfig {
        url: format!("{}?sslmode=disable", server.url()).as_str().into(),
        timeout: HumanDuration(Duration::from_secs(8)),
        ..PostgresConfig::default()
    }
}

fn store() -> Postgres {
    Postgres::new(&config(server())).unwrap()
}

/// The way of any other program.
fn client(server: &Server) -> Client {
    Client::connect(&format!("{}?sslmode=disable", server.url()), NoTls).unwrap()
}

fn to(database: &str) -> Destination {
    Destination { database: database.to_owned(), policy: "autogen".to_owned(), is_default: true }
}

fn point<'a>(series: &'a str, field: &'a str, value: FieldValue<'a>, time: i64) -> Point<'a> {
    Point { series: series.as_bytes(), field, value, time: TimestampNs(time) }
}

fn points(place: &Destination, of: &[Point<'_>]) -> PointList {
    let mut list = PointList::new(place.clone());
    of.iter().for_each(|point| list.push(*point));
    list
}

fn write(session: &mut dyn Session, place: &Destination, of: &[Point<'_>]) -> Result<(), WriteError> {
    let list = points(place, of);
    session.write(&list, 0..list.len()).map(|_| ())
}

/// All rows of a query, each as one text.
fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    let answer = client.query(&format!("SELECT ROW(q.*)::text FROM ({sql}) AS q"), &[]).unwrap();
    answer.iter().map(|row| row.get(0)).collect()
}
