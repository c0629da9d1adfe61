//! A file system that forgets what was not synced when its power is cut.
//!
//! Unpublished, and for Linux. The page cache outlives a process that is killed, so `kill -9` cannot show that
//! something was answered before it was on the disk. This can: a [`CrashFs`] is a FUSE file system in memory that
//! keeps what was synced and what was not apart. When its power is cut, at a moment of one's choice, each change
//! that was not synced is lost, kept or torn by chance, and whoever changes or syncs something gets `EIO`. After
//! [`power_on`](CrashFs::power_on) there is what a disk would hold.
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
//! What it promises is what POSIX does and not more: `fsync` of a file keeps its content and its size, not its name;
//! `fsync` of a folder keeps names. Names go into a journal: of those not synced the first few are kept, in order, and
//! a rename as a whole. Writes not synced are kept or lost in any order, by 512-byte sectors.
//!
//! - [`CrashFs`]: mounting, cutting, powering on, and [`Fault`]s of a disk that goes on
//! - `disk`: what is kept and what is not, without FUSE
//! - `driver`: the answers to the kernel

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

/// A mounted file system; unmounted and forgotten when this is dropped.
#[derive(Debug)]
pub struct CrashFs {
    at: PathBuf,
    powered: Arc<Powered>,
    session: Option<BackgroundSession>,
}

/// A disk between two cuts, and who waits for the next one.
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

    /// Does something with the disk, and tells who waits for a cut that this brought about.
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
    /// Mounts an empty disk at a folder that is there; chance is drawn from `seed`. `None` where nobody may mount
    /// one and whoever runs the tests accepts that.
    ///
    /// # Errors
    /// If the folder cannot be mounted upon for another reason.
    ///
    /// # Panics
    /// Where nobody may mount one and nobody said so: see [`scim2_testkit::needs`].
    pub fn mount(at: &Path, seed: u64) -> io::Result<Option<Self>> {
        if !needs::have(Need::Fuse) {
            return Ok(None);
        }
        let powered = Powered::new(Disk::new(seed));
        match mount(at, &powered) {
            Ok(session) => Ok(Some(Self { at: at.to_owned(), powered, session: Some(session) })),
            // A container may have the device and not the right to mount.
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

    /// Cuts the power at a change or sync of a file whose name ends so, when so many others of such files came before
    /// it, counted from now. Names that are made, moved or removed are changes of their files.
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

    /// How many changes and syncs there were since it was mounted.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.powered.disk().changes()
    }

    /// How many reads, changes and syncs failed of a [`Fault`] since it was mounted.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.powered.disk().refused()
    }

    /// Has all files whose names end so show a fault, from now on until [`mend`](Self::mend).
    pub fn strike(&self, suffix: &str, fault: Fault) {
        self.powered.disk().strike(suffix, fault);
        if let Fault::Unreadable { .. } = fault {
            self.forget(suffix);
        }
    }

    /// Has the kernel read such files anew, also where they are mapped into memory.
    fn forget(&self, suffix: &str) {
        let files = self.powered.disk().named(suffix);
        if let Some(session) = &self.session {
            let notifier = session.notifier();
            for file in files {
                // One that it has never read is none to be forgotten.
                let _ = notifier.inval_inode(INodeNo(file), 0, 0);
            }
        }
    }

    /// Ends all faults.
    pub fn mend(&self) {
        self.powered.disk().mend();
    }

    /// Cuts the power where it is not, and comes back with what a disk would hold. Nobody may have files open.
    ///
    /// # Errors
    /// If it cannot be unmounted or mounted again.
    pub fn power_on(&mut self) -> io::Result<Lost> {
        self.cut();
        self.unmount()?;
        // The kernel may speak to the old one for a while, from a copy of the mount in another namespace.
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
            // The last file of a process that was killed may be closed a moment later.
            let _ = Command::new("umount").arg(&self.at).stderr(Stdio::null()).status();
        }
        Err(io::Error::other(format!("{} is in use", self.at.display())))
    }
}

impl Drop for CrashFs {
    fn drop(&mut self) {
        // Nothing is to be done about it here.
        let _ = self.unmount();
    }
}

fn mount(at: &Path, powered: &Arc<Powered>) -> io::Result<BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![fuser::MountOption::FSName("crashfs".to_owned())];
    let root = std::fs::metadata("/proc/self")?.uid() == 0;
    // Others, such as the user of a database, are let in by root alone.
    config.acl = if root { SessionACL::All } else { SessionACL::Owner };
    fuser::spawn_mount(Driver::new(Arc::clone(powered)), at, &config)
}

/// Whether something is mounted there: it is on another device than the folder around it.
fn is_mounted(at: &Path) -> io::Result<bool> {
    let around = at.parent().unwrap_or(at);
    Ok(std::fs::metadata(at)?.dev() != std::fs::metadata(around)?.dev())
}
