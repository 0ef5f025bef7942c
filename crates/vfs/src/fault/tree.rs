//! One file and one folder: what is durable, what is seen now, and the changes between the two.

use std::collections::BTreeMap;

use super::random::{Fate, Random};

/// Sectors are written whole or not at all.
const SECTOR: usize = 512;

/// A file, whatever its names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(pub(super) usize);

/// Content of a file, durable and seen.
#[derive(Default, Clone)]
pub(super) struct Content {
    synced: Vec<u8>,
    pub(super) now: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { data: Vec<u8>, offset: usize },
    SetLen(usize),
}

impl Content {
    pub(super) fn write(&mut self, data: &[u8], offset: usize) {
        self.record(Change::Write { data: data.to_vec(), offset });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.record(Change::SetLen(len));
    }

    fn record(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    /// NOTE: changes are applied one by one instead of copying `now`, since some may have been lost by a failed sync.
    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    /// The failed sync marked everything clean without writing it.
    pub(super) fn lose_unsynced(&mut self) {
        self.unsynced.clear();
    }

    pub(super) fn crash(&self, random: &mut Random) -> Self {
        let mut content = self.synced.clone();
        for change in &self.unsynced {
            change.apply_torn(&mut content, random);
        }
        Self { synced: content.clone(), now: content, unsynced: Vec::new() }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { data, offset } => put(content, data, *offset),
            Self::SetLen(len) => content.resize(*len, 0),
        }
    }

    fn apply_torn(&self, content: &mut Vec<u8>, random: &mut Random) {
        match self {
            Self::Write { data, offset } => put_torn(content, data, *offset, random),
            Self::SetLen(_) if random.survives() => self.apply(content),
            Self::SetLen(_) => {}
        }
    }
}

fn put(content: &mut Vec<u8>, data: &[u8], offset: usize) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(target) = content.get_mut(offset..end) {
        target.copy_from_slice(data);
    }
}

fn put_torn(content: &mut Vec<u8>, data: &[u8], offset: usize, random: &mut Random) {
    match random.fate(data.len()) {
        Fate::Lost => {}
        Fate::Kept => put(content, data, offset),
        Fate::Prefix(len) => put(content, data.get(..len).unwrap_or(data), offset),
        Fate::Sectors => put_sectors(content, data, offset, random),
    }
}

fn put_sectors(content: &mut Vec<u8>, data: &[u8], offset: usize, random: &mut Random) {
    if content.len() < offset + data.len() {
        content.resize(offset + data.len(), 0);
    }
    let (mut at, mut rest) = (offset, data);
    while !rest.is_empty() {
        let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        if random.survives() {
            put(content, sector, at);
        }
        at += sector.len();
        rest = after;
    }
}

/// Names of a folder, durable and seen.
#[derive(Default, Clone)]
pub(super) struct Folder {
    synced: BTreeMap<String, FileId>,
    pub(super) now: BTreeMap<String, FileId>,
    unsynced: Vec<NameChange>,
}

/// A change of one folder; it survives a crash whole or not at all.
#[derive(Clone)]
pub(super) enum NameChange {
    Link { name: String, id: FileId },
    Unlink { name: String },
    Rename { from: String, to: String, id: FileId },
}

impl Folder {
    pub(super) fn record(&mut self, change: NameChange) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    pub(super) fn crash(&self, random: &mut Random) -> Self {
        let mut names = self.synced.clone();
        for change in &self.unsynced {
            if random.survives() {
                change.apply(&mut names);
            }
        }
        Self { synced: names.clone(), now: names, unsynced: Vec::new() }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, FileId>) {
        match self {
            Self::Link { name, id } => {
                names.insert(name.clone(), *id);
            }
            Self::Unlink { name } => {
                names.remove(name);
            }
            Self::Rename { from, to, id } => {
                names.remove(from);
                names.insert(to.clone(), *id);
            }
        }
    }
}
