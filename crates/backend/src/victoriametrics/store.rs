//! One VictoriaMetrics as a store, and how it is written to.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use model::line::Run;

use crate::http::{HttpError, SetupError, form};
use crate::{Destination, Points, Session, Write, WriteError, Written};

use super::VictoriaMetricsConfig;
use super::address::Addresses;
use super::client::{Client, probe_error};
use super::encode::render;
use super::facts::Facts;
use super::manage::WantedPolicy;
use super::names::POLICY;
use super::plain::PlainLines;
use super::rules::Rules;

/// Version 1.79 was seen to lose by `kill -9` what it had taken up to 10 s before; newer ones write their memory every 5 s. The rest
/// is for slow disks.
const DURABLE_AFTER: Duration = Duration::from_secs(30);

/// A VictoriaMetrics.
#[derive(Debug, Clone)]
pub struct VictoriaMetrics {
    pub(super) shared: Arc<Shared>,
}

/// What all threads know of it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) is_cluster: bool,
    known: RwLock<Known>,
    /// Default retention policy of each database.
    defaults: Mutex<BTreeMap<String, String>>,
    /// What was wished last.
    pub(super) wanted: Mutex<Vec<WantedPolicy>>,
}

/// What the process that takes points and the one that answers told last; the same one for a single node.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) writer: Option<Arc<Facts>>,
    pub(super) reader: Option<Arc<Facts>>,
    /// It was asked and did not want to tell.
    is_refused: bool,
}

impl VictoriaMetrics {
    /// Checks the settings; does not talk to the store yet.
    ///
    /// # Errors
    /// [`SetupError`]: the settings cannot work.
    pub fn new(config: &VictoriaMetricsConfig) -> Result<Self, SetupError> {
        let addresses = Addresses::new(config);
        let shared = Shared {
            client: Client::new(config, &addresses)?,
            is_cluster: addresses.is_cluster,
            known: RwLock::default(),
            defaults: Mutex::default(),
            wanted: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Shared {
    /// Asks for what it tells of itself.
    ///
    /// # Errors
    /// Why nothing was told; what was known before still is.
    pub(super) fn learn(&self) -> Result<Known, HttpError> {
        let read = |text: String| Arc::new(Facts::parse(&text, Instant::now()));
        let writer = read(self.client.metrics()?);
        let reader = match self.client.query_metrics() {
            None => Arc::clone(&writer),
            Some(told) => read(told?),
        };
        let known = Known { writer: Some(writer), reader: Some(reader), is_refused: false };
        self.set_known(&known);
        Ok(known)
    }

    fn set_known(&self, known: &Known) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clone_from(known);
    }

    /// What it told last.
    pub(super) fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it told last; what it tells now if it was never asked.
    ///
    /// # Errors
    /// It could not be asked. When it only does not want to tell, nothing is known.
    pub(super) fn known_or_learnt(&self) -> Result<Known, HttpError> {
        let known = self.known();
        if known.writer.is_some() || known.is_refused {
            return Ok(known);
        }
        match self.learn() {
            Err(error) if error.status().is_some() => {
                tracing::debug!(%error, "VictoriaMetrics does not tell how it was started");
                let refused = Known { is_refused: true, ..known };
                self.set_known(&refused);
                Ok(refused)
            }
            learnt => learnt,
        }
    }

    /// Remembers that points which name no policy go to this one.
    pub(super) fn set_default(&self, database: &str, policy: &str) {
        let mut defaults = self.defaults.lock().unwrap_or_else(PoisonError::into_inner);
        if defaults.get(database).is_none_or(|known| known != policy) {
            defaults.insert(database.to_owned(), policy.to_owned());
        }
    }

    /// True for the policy that points go to which name none.
    pub(super) fn is_default(&self, database: &str, policy: &str) -> bool {
        let defaults = self.defaults.lock().unwrap_or_else(PoisonError::into_inner);
        defaults.get(database).is_some_and(|known| known == policy)
    }
}

impl Write for VictoriaMetrics {
    fn session(&self) -> Box<dyn Session> {
        Box::new(Writing { shared: Arc::clone(&self.shared), lines: Vec::new(), plain: PlainLines::default() })
    }

    fn durable_after(&self) -> Duration {
        DURABLE_AFTER
    }

    /// Of a cluster it does not matter: the processes that keep points are not seen, so nobody could tell that one of them ended.
    fn answers_from_memory(&self) -> bool {
        !self.shared.is_cluster
    }

    fn make_durable(&self) -> bool {
        !self.shared.is_cluster && self.shared.client.write_to_disk()
    }
}

/// One thread's way into it.
struct Writing {
    shared: Arc<Shared>,
    /// Memory of the last batch, used again.
    lines: Vec<u8>,
    plain: PlainLines,
}

impl Writing {
    /// What can be stored in a place right now.
    fn rules(&self, place: &Destination) -> Result<Rules, WriteError> {
        if place.is_default {
            self.shared.set_default(&place.database, &place.policy);
        }
        let known = self.shared.known_or_learnt().map_err(probe_error)?;
        Ok(Rules::new(known.writer.as_deref(), place))
    }
}

impl Session for Writing {
    fn write(&mut self, points: &dyn Points, range: Range<usize>) -> Result<Written, WriteError> {
        let place = points.place();
        let rules = self.rules(place)?;
        self.lines.clear();
        let written = render(points, range, &rules, &mut self.lines)?;
        if !self.lines.is_empty() {
            self.shared.client.write(&target(place, "ms"), &self.lines)?;
        }
        Ok(written)
    }

    fn write_lines(&mut self, place: &Destination, text: &[u8]) -> Option<Result<(), WriteError>> {
        Some(self.write_first_lines(place, text, usize::MAX)?.map(drop))
    }

    fn write_first_lines(&mut self, place: &Destination, text: &[u8], most: usize) -> Option<Result<Run, WriteError>> {
        let rules = match self.rules(place) {
            Ok(rules) => rules,
            Err(error) => return Some(Err(error)),
        };
        let run = self.plain.pass(text, most, &rules)?;
        Some(self.shared.client.write(&target(place, "ns"), text.get(..run.bytes)?).map(|()| run))
    }
}

fn target(place: &Destination, precision: &str) -> String {
    let policy = format!("{POLICY}={}", place.policy);
    let mut parameters = vec![("db", place.database.as_str()), ("precision", precision)];
    if !place.is_default {
        parameters.push(("extra_label", &policy));
    }
    format!("/write?{}", form(&parameters))
}
