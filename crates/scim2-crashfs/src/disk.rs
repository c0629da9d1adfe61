//! What is kept and what is not: a tree of files with a memory of what was synced.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use fuser::Errno;

mod chance;
mod file;

use chance::Chance;
pub(crate) use file::File;

/// The number of the folder at the top.
pub(crate) const ROOT: u64 = 1;

/// What was not synced when the power was cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Writes and changes of sizes that are gone, or of which a part is.
    pub lost: u64,
    /// Those that are there as if they had been synced.
    pub kept: u64,
    /// Names that were made, moved or removed for nothing.
    pub names: u64,
}

/// What is wrong with a disk that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No room: files cannot be made or grow but by holes, which is `ENOSPC`.
    Full,
    /// Writes and syncs are `EIO`.
    Broken,
    /// Syncs are `EIO`, and what they should have kept is lost in a cut.
    UnableToSync,
    /// Syncs succeed and keep nothing, and of what was not kept nothing outlives a cut.
    Lying,
    /// Nothing can be changed, which is `EROFS`: as a kernel does with a file system whose disk failed it.
    ReadOnly,
    /// Reads of any of these bytes are `EIO`, once the kernel has forgotten what it had read of them.
    Unreadable {
        /// The first byte.
        from: u64,
        /// The one behind the last.
        to: u64,
    },
}

/// The files, their names, and their memory.
#[derive(Debug)]
pub(crate) struct Disk {
    files: BTreeMap<u64, File>,
    names: Names,
    /// The names that outlive a cut, before those of the journal.
    kept_names: Names,
    /// What happened to names since the last sync of a folder.
    journal: Vec<NameChange>,
    next: u64,
    faults: Vec<(String, Fault)>,
    refused: u64,
    changes: u64,
    /// Files of such names have so many changes left before the power is cut.
    cut: Option<(String, u64)>,
    is_cut: bool,
    chance: Chance,
}

/// What is called so in which folder.
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

    /// What is left for those who still speak to a disk that was taken out.
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

    /// Decides by chance what of the unsynced is there, and forgets the rest.
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

    /// What is in a folder.
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
        // The file itself may be open, and stays.
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

    /// What is there of these bytes.
    pub(crate) fn read(&mut self, number: u64, at: usize, size: usize) -> Result<Vec<u8>, Errno> {
        if let (Some(Fault::Unreadable { from, to }), _) = self.fault(number)?
            && (at as u64) < to
            && at.saturating_add(size) as u64 > from
        {
            return Err(self.refuse(Errno::EIO));
        }
        Ok(self.file(number)?.read(at, size).to_vec())
    }

    /// The numbers of the files whose names end so.
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

    /// Changes what is no content; that is kept at once.
    pub(crate) fn set(&mut self, number: u64, set: impl FnOnce(&mut File)) -> Result<(), Errno> {
        self.changed(number, set)
    }

    /// Keeps a file, or the names in all folders.
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

    /// What is wrong with a file, and its name.
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

    /// A change that needs no room and that a broken disk does: of a name or a size.
    fn may_change(&mut self, number: u64) -> Result<(), Errno> {
        let (fault, name) = self.fault(number)?;
        self.may_write(fault.filter(|fault| *fault == Fault::ReadOnly), &name)
    }

    fn refuse(&mut self, error: Errno) -> Errno {
        self.refused += 1;
        error
    }

    /// Counts a change of a file of that name, and cuts the power before it if it is that one's turn.
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
    fn what_was_synced_is_kept_and_no_name_by_a_file() {
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
    fn of_what_was_not_synced_anything_may_be_there() {
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
    fn the_power_goes_at_the_change_it_was_said_to() {
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
    fn a_hole_takes_no_room_until_it_is_written_to() {
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
    fn a_disk_that_lies_keeps_nothing_and_a_broken_one_says_so() {
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
