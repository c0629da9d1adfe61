//! A tree of files that remembers what was synced, and so what a power cut leaves.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use fuser::Errno;

mod chance;
mod file;

use chance::Chance;
pub(crate) use file::File;

/// The inode number of the root folder.
pub(crate) const ROOT: u64 = 1;

/// The unsynced changes at a power cut, counted by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Writes and changes of sizes that were lost, wholly or in part.
    pub lost: u64,
    /// Writes and changes of sizes that were kept as if they had been synced.
    pub kept: u64,
    /// Changes of names (created, moved, removed) that were lost.
    pub names: u64,
}

/// A fault of a disk that still has power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full (`ENOSPC`): no file can be created, and files grow by holes only.
    Full,
    /// Writes and syncs fail with `EIO`.
    Broken,
    /// Syncs fail with `EIO`, and a power cut loses what they should have kept.
    UnableToSync,
    /// Syncs succeed and keep nothing: a power cut loses all unsynced changes.
    Lying,
    /// Nothing can be changed (`EROFS`), as when a kernel remounts a file system read-only after disk errors.
    ReadOnly,
    /// Reads of any of these bytes fail with `EIO`, once the kernel has dropped them from its page cache.
    Unreadable {
        /// The first byte.
        from: u64,
        /// The byte after the last.
        to: u64,
    },
}

/// The files, their names, and what of both was synced.
#[derive(Debug)]
pub(crate) struct Disk {
    files: BTreeMap<u64, File>,
    names: Names,
    /// The names that survive a power cut, without those in the journal.
    kept_names: Names,
    /// The changes of names since the last sync of a folder.
    journal: Vec<NameChange>,
    next: u64,
    faults: Vec<(String, Fault)>,
    refused: u64,
    changes: u64,
    /// The end of a file name, and how many changes of such files are left before the power is cut.
    cut: Option<(String, u64)>,
    is_cut: bool,
    chance: Chance,
}

/// A name in a folder.
type Names = BTreeMap<(u64, OsString), u64>;

#[derive(Debug)]
enum NameChange {
    Put((u64, OsString), u64),
    Removed((u64, OsString)),
    Moved((u64, OsString), (u64, OsString)),
}

impl NameChange {
    fn apply(self, names: &mut Names) {
        match self {
            Self::Put(name, number) => {
                names.insert(name, number);
            }
            Self::Removed(name) => {
                names.remove(&name);
            }
            Self::Moved(from, to) => {
                if let Some(number) = names.remove(&from) {
                    names.insert(to, number);
                }
            }
        }
    }
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            files: BTreeMap::from([(ROOT, File::folder(0o755, 0, 0))]),
            names: Names::new(),
            kept_names: Names::new(),
            journal: Vec::new(),
            next: ROOT + 1,
            faults: Vec::new(),
            refused: 0,
            changes: 0,
            cut: None,
            is_cut: false,
            chance: Chance(seed),
        }
    }

    /// The disk as seen by a driver whose disk was taken out.
    pub(crate) fn gone() -> Self {
        Self { is_cut: true, ..Self::new(0) }
    }

    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
    }

    pub(crate) fn cut_after(&mut self, suffix: &str, changes: u64) {
        self.cut = Some((suffix.to_owned(), changes));
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn strike(&mut self, suffix: &str, fault: Fault) {
        self.faults.push((suffix.to_owned(), fault));
    }

    pub(crate) fn mend(&mut self) {
        self.faults.clear();
    }

    /// Decides by chance which unsynced changes are kept, and loses the others.
    pub(crate) fn power_on(&mut self) -> Lost {
        let mut lost = Lost::default();
        let lied = |file: &File, faults: &[(String, Fault)]| fault_of(file, faults) == Some(Fault::Lying);
        let merciless = self.faults.iter().any(|(_, fault)| *fault == Fault::Lying);
        let kept = if merciless { 0 } else { self.chance.below(self.journal.len() as u64 + 1) };
        let kept = usize::try_from(kept).unwrap_or_default();
        lost.names = (self.journal.len() - kept) as u64;
        for change in self.journal.drain(..).take(kept) {
            change.apply(&mut self.kept_names);
        }
        self.names.clone_from(&self.kept_names);
        let named: std::collections::BTreeSet<u64> = self.names.values().copied().collect();
        self.files.retain(|number, _| *number == ROOT || named.contains(number));
        for file in self.files.values_mut() {
            let merciless = lied(file, &self.faults);
            file.lose(&mut self.chance, merciless, &mut lost);
        }
        self.faults.clear();
        self.cut = None;
        self.is_cut = false;
        lost
    }

    pub(crate) fn file(&self, number: u64) -> Result<&File, Errno> {
        self.files.get(&number).ok_or(Errno::ENOENT)
    }

    pub(crate) fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Errno> {
        self.file(folder)?;
        self.names.get(&(folder, name.to_owned())).copied().ok_or(Errno::ENOENT)
    }

    /// The entries of a folder.
    pub(crate) fn list(&self, folder: u64) -> Result<Vec<(OsString, u64)>, Errno> {
        self.file(folder)?;
        let from = (folder, OsString::new());
        let names = self.names.range(from..).take_while(|((of, _), _)| *of == folder);
        Ok(names.map(|((_, name), number)| (name.clone(), *number)).collect())
    }

    pub(crate) fn create(&mut self, folder: u64, name: &OsStr, mut new: File) -> Result<u64, Errno> {
        if self.find(folder, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        new.name = name.to_string_lossy().into_owned();
        self.may_write(fault_of(&new, &self.faults), &new.name)?;
        let number = self.next;
        self.next += 1;
        self.files.insert(number, new);
        self.rename_in_journal(NameChange::Put((folder, name.to_owned()), number), |names| {
            names.insert((folder, name.to_owned()), number);
        });
        Ok(number)
    }

    pub(crate) fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Errno> {
        let number = self.find(folder, name)?;
        if !self.list(number)?.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.may_change(number)?;
        // The file itself stays, because it may be open.
        let name = (folder, name.to_owned());
        self.rename_in_journal(NameChange::Removed(name.clone()), |names| {
            names.remove(&name);
        });
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Result<(), Errno> {
        let number = self.find(from.0, from.1)?;
        self.may_change(number)?;
        if let Some(file) = self.files.get_mut(&number) {
            file.name = to.1.to_string_lossy().into_owned();
        }
        let (from, to) = ((from.0, from.1.to_owned()), (to.0, to.1.to_owned()));
        self.rename_in_journal(NameChange::Moved(from.clone(), to.clone()), |names| {
            names.remove(&from);
            names.insert(to, number);
        });
        Ok(())
    }

    /// The bytes of this range that exist.
    pub(crate) fn read(&mut self, number: u64, at: usize, size: usize) -> Result<Vec<u8>, Errno> {
        if let (Some(Fault::Unreadable { from, to }), _) = self.fault(number)?
            && (at as u64) < to
            && at.saturating_add(size) as u64 > from
        {
            return Err(self.refuse(Errno::EIO));
        }
        Ok(self.file(number)?.read(at, size).to_vec())
    }

    /// The inode numbers of the files whose names have this end.
    pub(crate) fn named(&self, suffix: &str) -> Vec<u64> {
        let named = self.files.iter().filter(|(_, file)| file.name.ends_with(suffix));
        named.map(|(number, _)| *number).collect()
    }

    pub(crate) fn write(&mut self, number: u64, at: usize, bytes: &[u8]) -> Result<(), Errno> {
        let (fault, name) = self.fault(number)?;
        let grows = self.file(number)?.grows(at.saturating_add(bytes.len()));
        self.may_write(fault.filter(|fault| grows || *fault != Fault::Full), &name)?;
        self.changed(number, |file| file.write(at, bytes))
    }

    pub(crate) fn resize(&mut self, number: u64, size: usize) -> Result<(), Errno> {
        self.may_change(number)?;
        self.changed(number, |file| file.resize(size))
    }

    /// Changes metadata, which is kept at once.
    pub(crate) fn set(&mut self, number: u64, set: impl FnOnce(&mut File)) -> Result<(), Errno> {
        self.changed(number, set)
    }

    /// Syncs a file, or the names in all folders.
    pub(crate) fn sync(&mut self, number: u64) -> Result<(), Errno> {
        let (fault, name) = self.fault(number)?;
        match fault {
            Some(Fault::Broken | Fault::UnableToSync) => return Err(self.refuse(Errno::EIO)),
            Some(Fault::Lying) => return self.change(&name),
            Some(Fault::Full | Fault::ReadOnly | Fault::Unreadable { .. }) | None => self.change(&name)?,
        }
        if self.file(number)?.is_folder {
            for change in self.journal.drain(..) {
                change.apply(&mut self.kept_names);
            }
        }
        self.changed(number, File::sync)
    }

    fn changed(&mut self, number: u64, change: impl FnOnce(&mut File)) -> Result<(), Errno> {
        let file = self.files.get_mut(&number).ok_or(Errno::ENOENT)?;
        change(file);
        Ok(())
    }

    fn rename_in_journal(&mut self, change: NameChange, now: impl FnOnce(&mut Names)) {
        now(&mut self.names);
        self.journal.push(change);
    }

    /// The fault of a file, and its name.
    fn fault(&self, number: u64) -> Result<(Option<Fault>, String), Errno> {
        let file = self.file(number)?;
        Ok((fault_of(file, &self.faults), file.name.clone()))
    }

    fn may_write(&mut self, fault: Option<Fault>, name: &str) -> Result<(), Errno> {
        match fault {
            Some(Fault::Full) => Err(self.refuse(Errno::ENOSPC)),
            Some(Fault::Broken) => Err(self.refuse(Errno::EIO)),
            Some(Fault::ReadOnly) => Err(self.refuse(Errno::EROFS)),
            Some(Fault::UnableToSync | Fault::Lying | Fault::Unreadable { .. }) | None => self.change(name),
        }
    }

    /// Makes a change that needs no room: of a name or a size. A full or broken disk still makes it.
    fn may_change(&mut self, number: u64) -> Result<(), Errno> {
        let (fault, name) = self.fault(number)?;
        self.may_write(fault.filter(|fault| *fault == Fault::ReadOnly), &name)
    }

    fn refuse(&mut self, error: Errno) -> Errno {
        self.refused += 1;
        error
    }

    /// Counts a change of a file with this name. The power is cut before the change if the count has run out.
    fn change(&mut self, name: &str) -> Result<(), Errno> {
        if let Some((suffix, left)) = &mut self.cut
            && name.ends_with(suffix.as_str())
        {
            self.is_cut |= *left == 0;
            *left = left.saturating_sub(1);
        }
        if self.is_cut {
            return Err(Errno::EIO);
        }
        self.changes += 1;
        Ok(())
    }
}

fn fault_of(file: &File, faults: &[(String, Fault)]) -> Option<Fault> {
    faults.iter().find(|(suffix, _)| file.name.ends_with(suffix.as_str())).map(|(_, fault)| *fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> (Disk, u64) {
        let mut disk = Disk::new(7);
        let number = disk.create(ROOT, OsStr::new("a"), File::new(0o600, 0, 0)).unwrap();
        (disk, number)
    }

    #[test]
    fn synced_content_is_kept_and_syncing_a_file_keeps_no_name() {
        let (mut disk, number) = disk();
        disk.write(number, 0, b"one").unwrap();
        disk.sync(number).unwrap();
        disk.sync(ROOT).unwrap();
        disk.rename((ROOT, OsStr::new("a")), (ROOT, OsStr::new("b"))).unwrap();
        disk.sync(ROOT).unwrap();
        disk.cut();
        assert_eq!(disk.sync(ROOT), Err(Errno::EIO));
        assert_eq!(disk.power_on(), Lost::default());
        assert_eq!(disk.find(ROOT, OsStr::new("b")), Ok(number));
        assert_eq!(disk.file(number).unwrap().content(), b"one");
        assert_eq!(disk.list(ROOT).unwrap().len(), 1);
    }

    #[test]
    fn unsynced_changes_are_kept_lost_or_torn() {
        let (mut contents, mut names) = (std::collections::BTreeSet::new(), 0);
        for seed in 0..200 {
            let (mut disk, number) = disk();
            disk.chance = Chance(seed);
            disk.write(number, 0, &[1; 1024]).unwrap();
            disk.sync(number).unwrap();
            disk.write(number, 0, &[2; 1024]).unwrap();
            disk.power_on();
            let Ok(number) = disk.find(ROOT, OsStr::new("a")) else { continue };
            names += 1;
            let content = disk.file(number).unwrap().content();
            contents.insert((content.len(), content[0], content[1023]));
        }
        assert!((50..150).contains(&names), "{names}");
        let all = [(1024, 1, 1), (1024, 1, 2), (1024, 2, 1), (1024, 2, 2)];
        assert_eq!(contents.into_iter().collect::<Vec<_>>(), all, "none, both, and either sector");
    }

    #[test]
    fn power_is_cut_at_the_given_change() {
        let (mut disk, number) = disk();
        disk.cut_after("b", 0);
        disk.cut_after("a", 2);
        disk.write(number, 0, b"one").unwrap();
        disk.sync(number).unwrap();
        disk.sync(ROOT).unwrap();
        assert!(!disk.is_cut());
        assert_eq!(disk.write(number, 0, b"two"), Err(Errno::EIO));
        assert!(disk.is_cut());
        assert_eq!(disk.sync(ROOT), Err(Errno::EIO));
    }

    #[test]
    fn hole_takes_no_room_until_it_is_written() {
        let (mut disk, number) = disk();
        disk.write(number, 0, b"one").unwrap();
        disk.strike("a", Fault::Full);
        disk.resize(number, 100).unwrap();
        disk.write(number, 0, b"two").unwrap();
        assert_eq!(disk.write(number, 2, b"oo"), Err(Errno::ENOSPC));
        disk.mend();
        disk.write(number, 90, b"end").unwrap();
        disk.strike("a", Fault::Full);
        disk.write(number, 50, b"middle").unwrap();
        assert_eq!((disk.refused(), disk.file(number).unwrap().content().len()), (1, 100));
    }

    #[test]
    fn lying_disk_keeps_nothing_and_broken_disk_fails() {
        let (mut disk, number) = disk();
        disk.sync(ROOT).unwrap();
        disk.strike("a", Fault::Lying);
        disk.write(number, 0, b"one").unwrap();
        disk.sync(number).unwrap();
        assert_eq!(disk.power_on().lost, 1);
        assert_eq!(disk.file(number).unwrap().content(), b"");
        for (fault, write, sync) in [
            (Fault::Full, Err(Errno::ENOSPC), Ok(())),
            (Fault::Broken, Err(Errno::EIO), Err(Errno::EIO)),
            (Fault::UnableToSync, Ok(()), Err(Errno::EIO)),
            (Fault::ReadOnly, Err(Errno::EROFS), Ok(())),
        ] {
            let refused = disk.refused();
            disk.strike("a", fault);
            assert_eq!((disk.write(number, 0, b"two"), disk.sync(number)), (write, sync), "{fault:?}");
            let errors = u64::from(write.is_err()) + u64::from(sync.is_err());
            assert_eq!(disk.refused() - refused, errors, "{fault:?}");
            disk.mend();
            assert_eq!((disk.write(number, 0, b"two"), disk.sync(number)), (Ok(()), Ok(())));
        }
    }
}
