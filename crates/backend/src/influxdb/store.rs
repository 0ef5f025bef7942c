//! An InfluxDB as a store: written to, looked after, asked.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use ::query::execute::{Options, Sink};
use ::query::store::{Place, SeriesQuery};
use ::query::{Cancel, QueryError, QueryResult, Report, Select};

use super::client::{Client, PRODUCT};
use super::query::{self, Ask};
use super::{Generation, InfluxDb, encode, v1, v2, v3};
use crate::http::HttpError;
use crate::{
    Destination, Health, Manage, Points, Probe, Query, Session, Step, StorageBackend, Wanted, Write, WriteError,
    Written, lines,
};

/// What a session's buffer may keep between two batches.
const MAX_KEPT: usize = 8 << 20;

const LINES: &str = "text/plain; charset=utf-8";

impl Write for InfluxDb {
    fn session(&self) -> Box<dyn Session> {
        Box::new(InfluxSession { client: Arc::clone(&self.client), lines: Vec::new() })
    }
}

/// One thread's way in. All generations answer a write when it is in their log, synced.
struct InfluxSession {
    client: Arc<Client>,
    /// Memory of the last batch, used again.
    lines: Vec<u8>,
}

impl Session for InfluxSession {
    fn write(&mut self, points: &dyn Points, range: Range<usize>) -> Result<Written, WriteError> {
        let generation = self.generation_for(points.place())?;
        self.lines.clear();
        self.lines.shrink_to(MAX_KEPT);
        let written = lines::render(points, range, &mut self.lines, encode::rules(generation))?;
        if self.lines.is_empty() {
            return Ok(written);
        }
        self.post(generation, points.place(), &self.lines).map(|()| written)
    }

    fn write_lines(&mut self, place: &Destination, text: &[u8]) -> Option<Result<(), WriteError>> {
        Some(self.generation_for(place).and_then(|generation| self.post(generation, place, text)))
    }
}

impl InfluxSession {
    fn generation_for(&self, place: &Destination) -> Result<Generation, WriteError> {
        let generation = self.client.generation()?;
        if generation == Generation::V3 && place.is_default {
            self.client.learn_default(&place.database, &place.policy);
        }
        Ok(generation)
    }

    fn post(&self, generation: Generation, place: &Destination, lines: &[u8]) -> Result<(), WriteError> {
        let target = encode::write_target(generation, place, self.client.org());
        let sent = self.client.http(generation).post(&target, LINES, lines);
        sent.map(drop).map_err(|error| self.failed(generation, error))
    }

    fn failed(&self, generation: Generation, error: HttpError) -> WriteError {
        self.client.note(&error);
        match generation {
            Generation::V1 => v1::write_error(error),
            Generation::V2 => v2::write_error(error),
            Generation::V3 => v3::write_error(error),
        }
    }
}

impl Manage for InfluxDb {
    fn keep_in_step(&self, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
        for database in &wanted.databases {
            self.client.learn_default(&database.name, &database.default_policy);
        }
        let generation = self.client.generation()?;
        let http = self.client.http(generation);
        match generation {
            Generation::V1 => v1::keep_in_step(http, wanted),
            Generation::V2 => v2::keep_in_step(http, self.client.org(), wanted),
            Generation::V3 => v3::keep_in_step(http, wanted),
        }
    }
}

impl Health for InfluxDb {
    fn probe(&self) -> Result<Probe, WriteError> {
        let server = self.client.look()?;
        let http = self.client.http(server.generation);
        match server.generation {
            Generation::V1 => v1::probe(http, server),
            Generation::V2 => v2::probe(http, self.client.org(), server),
            Generation::V3 => v3::probe(http, server),
        }
    }
}

impl Ask for InfluxDb {
    fn ask(&self, database: &str, policy: Option<&str>, text: &str) -> Result<Box<dyn Read>, QueryError> {
        let generation = self.client.generation().map_err(|error| QueryError::Store(error.to_string()))?;
        match self.client.ask(generation, database, policy, text) {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(error.into_query_error(PRODUCT)),
        }
    }
}

impl Query for InfluxDb {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        query::run(self, &self.schemas, plan, options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        query::latest(self, &self.schemas, place, query, cancel)
    }
}

impl StorageBackend for InfluxDb {
    fn name(&self) -> &'static str {
        "influxdb"
    }
}
