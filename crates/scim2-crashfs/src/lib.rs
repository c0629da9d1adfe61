//! A file system that loses unsynced data when its power is cut.
//!
//! This crate is unpublished and for Linux. The page cache survives a process that is killed, so `kill -9` cannot show
//! that a server answered before its data were on the disk. A [`CrashFs`] can: it is a FUSE file system in memory that
//! keeps synced and unsynced data apart. A test cuts its power at a chosen change. Each unsynced change is then lost,
//! kept or torn by chance, and every later change or sync fails with `EIO`. After [`power_on`](CrashFs::power_on) the
//! file system holds what a disk would hold.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! # #[cfg(target_os = "linux")] {
//! use scim2_crashfs::CrashFs;
//!
//! let folder = std::env::temp_dir().join("crash");
//! std::fs::create_dir_all(&folder)?;
//! let Some(mut disk) = CrashFs::mount(&folder, 42)? else { return Ok(()) };
//! let name = folder.join("name");
//! disk.cut_after("", 2); // the file is made and written, and not synced
//! std::fs::write(&name, "text")?;
//! disk.cut();
//! let lost = disk.power_on()?;
//! assert!(!name.exists() || lost.kept > 0);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! It promises what POSIX promises and nothing more. `fsync` of a file keeps its content and its size, not its name;
//! `fsync` of a folder keeps names. Changes of names go into a journal: a power cut keeps the first few of the unsynced
//! ones in their order, and a rename whole or not at all. Unsynced writes are kept or lost in any order, by sectors of
//! 512 bytes.
//!
//! - [`CrashFs`]: mounting, cutting the power, powering on, and [`Fault`]s of a disk that still has power
//! - `disk`: the files and what a power cut leaves of them, without FUSE
//! - `driver`: the FUSE driver that answers the kernel

#![cfg(target_os = "linux")]

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, INodeNo, SessionACL};
use scim2_testkit::needs::{self, Need};

mod disk;
mod driver;

use disk::Disk;
pub use disk::{Fault, Lost};
use driver::Driver;

/// A mounted file system. Dropping it unmounts it and discards its files.
#[derive(Debug)]
pub struct CrashFs {
    at: PathBuf,
    powered: Arc<Powered>,
    session: Option<BackgroundSession>,
}

/// A disk between two power cuts, and the threads that wait for the next cut.
#[derive(Debug)]
pub(crate) struct Powered {
    disk: Mutex<Disk>,
    is_cut: Condvar,
}

impl Powered {
    fn new(disk: Disk) -> Arc<Self> {
        Arc::new(Self { disk: Mutex::new(disk), is_cut: Condvar::new() })
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses the disk, and wakes the threads that wait for a cut if this use cut the power.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Disk) -> T) -> T {
        let mut disk = self.disk();
        let done = act(&mut disk);
        if disk.is_cut() {
            self.is_cut.notify_all();
        }
        done
    }
}

impl CrashFs {
    /// Mounts an empty disk at an existing folder; chance is drawn from `seed`. Returns `None` if this process may not
    /// mount file systems and the person who runs the tests has accepted that.
    ///
    /// # Errors
    /// If the file system cannot be mounted for another reason.
    ///
    /// # Panics
    /// If this process may not mount file systems and nobody has accepted that: see [`scim2_testkit::needs`].
    pub fn mount(at: &Path, seed: u64) -> io::Result<Option<Self>> {
        if !needs::have(Need::Fuse) {
            return Ok(None);
        }
        let powered = Powered::new(Disk::new(seed));
        match mount(at, &powered) {
            Ok(session) => Ok(Some(Self { at: at.to_owned(), powered, session: Some(session) })),
            // A container may have the FUSE device without the right to mount.
            Err(error) => {
                let reason = format!("a FUSE file system cannot be mounted: {error}");
                if needs::accept_missing(Need::Fuse, &reason) { Ok(None) } else { Err(error) }
            }
        }
    }

    /// Cuts the power now.
    pub fn cut(&self) {
        self.powered.with(Disk::cut);
    }

    /// Cuts the power after `changes` more changes and syncs of files whose names have this end, just before the next
    /// one. Creating, moving or removing a name is a change of its file.
    pub fn cut_after(&self, suffix: &str, changes: u64) {
        self.powered.disk().cut_after(suffix, changes);
    }

    /// Waits until the power is cut.
    pub fn wait_until_cut(&self) {
        let mut disk = self.powered.disk();
        while !disk.is_cut() {
            disk = self.powered.is_cut.wait(disk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the power is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.powered.disk().is_cut()
    }

    /// The number of changes and syncs since it was mounted.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.powered.disk().changes()
    }

    /// The number of reads, changes and syncs that a [`Fault`] made fail since it was mounted.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.powered.disk().refused()
    }

    /// Gives all files whose names have this end a fault, until [`mend`](Self::mend).
    pub fn strike(&self, suffix: &str, fault: Fault) {
        self.powered.disk().strike(suffix, fault);
        if let Fault::Unreadable { .. } = fault {
            self.forget(suffix);
        }
    }

    /// Makes the kernel read such files from the disk again, even where they are memory-mapped.
    fn forget(&self, suffix: &str) {
        let files = self.powered.disk().named(suffix);
        if let Some(session) = &self.session {
            let notifier = session.notifier();
            for file in files {
                // It fails for a file that the kernel has never read, which needs no invalidation.
                let _ = notifier.inval_inode(INodeNo(file), 0, 0);
            }
        }
    }

    /// Ends all faults.
    pub fn mend(&self) {
        self.powered.disk().mend();
    }

    /// Cuts the power unless it is cut already, and mounts what a disk would hold. No file may be open.
    ///
    /// # Errors
    /// If it cannot be unmounted or mounted again.
    pub fn power_on(&mut self) -> io::Result<Lost> {
        self.cut();
        self.unmount()?;
        // The kernel may still send requests to the old driver, from a copy of the mount in another namespace.
        let mut disk = std::mem::replace(&mut *self.powered.disk(), Disk::gone());
        let lost = disk.power_on();
        self.powered = Powered::new(disk);
        self.session = Some(mount(&self.at, &self.powered)?);
        Ok(lost)
    }

    fn unmount(&mut self) -> io::Result<()> {
        // Its thread ends by itself.
        drop(self.session.take());
        for _ in 0..1000 {
            if !is_mounted(&self.at)? {
                return Ok(());
            }
            // The kernel may close the last file of a killed process only after the process has ended.
            let _ = Command::new("umount").arg(&self.at).stderr(Stdio::null()).status();
        }
        Err(io::Error::other(format!("{} is in use", self.at.display())))
    }
}

impl Drop for CrashFs {
    fn drop(&mut self) {
        // An error here cannot be handled, and the next mount reports it.
        let _ = self.unmount();
    }
}

fn mount(at: &Path, powered: &Arc<Powered>) -> io::Result<BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![fuser::MountOption::FSName("crashfs".to_owned())];
    let root = std::fs::metadata("/proc/self")?.uid() == 0;
    // Only root can give other users access, for example the user that a database runs as.
    config.acl = if root { SessionACL::All } else { SessionACL::Owner };
    fuser::spawn_mount(Driver::new(Arc::clone(powered)), at, &config)
}

/// Whether something is mounted at a folder: then its device differs from that of its parent.
fn is_mounted(at: &Path) -> io::Result<bool> {
    let around = at.parent().unwrap_or(at);
    Ok(std::fs::metadata(at)?.dev() != std::fs::metadata(around)?.dev())
}
