//! One file: its content now, its content when it was last synced, and the changes since then.

use super::Lost;
use super::chance::Chance;

/// The sector size in bytes: a disk writes a sector whole or not at all.
const SECTOR: usize = 512;

/// A file or a folder. The disk knows the entries of folders.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) is_folder: bool,
    /// The last name it had, without the folder.
    pub(crate) name: String,
    pub(crate) mode: u16,
    pub(crate) user: u32,
    pub(crate) group: u32,
    content: Vec<u8>,
    /// The content after this offset is a hole, which takes no room.
    written: usize,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

/// What a power cut does to the changes of one file. It is drawn once for each file and cut, so that keeping none and
/// keeping all are likely too.
#[derive(Debug, Clone, Copy)]
enum Fate {
    None,
    All,
    /// The first changes are kept, up to this number.
    First(usize),
    /// Each change is kept or lost independently.
    Some,
    /// Each sector of each change is kept or lost independently.
    Sectors,
}

impl File {
    pub(crate) fn new(mode: u16, user: u32, group: u32) -> Self {
        Self {
            is_folder: false,
            name: String::new(),
            mode,
            user,
            group,
            content: Vec::new(),
            written: 0,
            synced: Vec::new(),
            unsynced: Vec::new(),
        }
    }

    pub(crate) fn folder(mode: u16, user: u32, group: u32) -> Self {
        Self { is_folder: true, ..Self::new(mode, user, group) }
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// The bytes of this range that exist.
    pub(crate) fn read(&self, at: usize, size: usize) -> &[u8] {
        let end = at.saturating_add(size).min(self.content.len());
        self.content.get(at..end).unwrap_or_default()
    }

    /// Whether a write up to this offset needs more room than the file has.
    pub(crate) fn grows(&self, end: usize) -> bool {
        end > self.written
    }

    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.written = self.written.max(at.saturating_add(bytes.len()));
        overwrite(&mut self.content, at, bytes);
        self.unsynced.push(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn resize(&mut self, size: usize) {
        self.written = self.written.min(size);
        self.content.resize(size, 0);
        self.unsynced.push(Change::Resize(size));
    }

    pub(crate) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    /// Restores the content that a disk would hold after a power cut.
    pub(crate) fn lose(&mut self, chance: &mut Chance, merciless: bool, lost: &mut Lost) {
        let fate = if merciless { Fate::None } else { Fate::drawn(chance, self.unsynced.len()) };
        for (index, change) in self.unsynced.drain(..).enumerate() {
            let is_whole = match fate {
                Fate::None => false,
                Fate::All => change.apply(&mut self.synced),
                Fate::First(count) => index < count && change.apply(&mut self.synced),
                Fate::Some => chance.coin() && change.apply(&mut self.synced),
                Fate::Sectors => change.apply_torn(&mut self.synced, chance),
            };
            lost.kept += u64::from(is_whole);
            lost.lost += u64::from(!is_whole);
        }
        self.content.clone_from(&self.synced);
        self.written = self.content.len();
    }
}

impl Fate {
    fn drawn(chance: &mut Chance, changes: usize) -> Self {
        match chance.below(5) {
            0 => Self::None,
            1 => Self::All,
            2 => Self::First(usize::try_from(chance.below(changes as u64 + 1)).unwrap_or_default()),
            3 => Self::Some,
            _ => Self::Sectors,
        }
    }
}

impl Change {
    /// Applies the whole change. Returns `true`.
    fn apply(self, content: &mut Vec<u8>) -> bool {
        match self {
            Self::Write { at, bytes } => overwrite(content, at, &bytes),
            Self::Resize(size) => content.resize(size, 0),
        }
        true
    }

    /// Applies a part of the change. Returns whether the part was the whole.
    fn apply_torn(self, content: &mut Vec<u8>, chance: &mut Chance) -> bool {
        match self {
            Self::Resize(size) => {
                let kept = chance.coin();
                if kept {
                    content.resize(size, 0);
                }
                kept
            }
            Self::Write { mut at, bytes } => {
                let (mut rest, mut all) = (bytes.as_slice(), true);
                while !rest.is_empty() {
                    let (sector, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                    if chance.coin() {
                        overwrite(content, at, sector);
                    } else {
                        all = false;
                    }
                    (at, rest) = (at + sector.len(), behind);
                }
                all
            }
        }
    }
}

/// Writes bytes at an offset. A write beyond the end fills the gap with zeros.
fn overwrite(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at.saturating_add(bytes.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}
