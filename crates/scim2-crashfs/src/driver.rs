//! The FUSE driver: it answers the requests of the kernel from a disk.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::Powered;
use crate::disk::{File, ROOT};

/// How long the kernel may cache an answer. Only the kernel changes anything, so the answer stays true.
const FOREVER: Duration = Duration::from_secs(3600);

/// The kernel keeps the pages of open files in its page cache, as it does with other file systems.
const CACHED: FopenFlags = FopenFlags::FOPEN_KEEP_CACHE;

/// The number of blocks of 4096 bytes that `statfs` reports as the size of the disk and as free.
const BLOCKS: u64 = 1 << 28;

#[derive(Debug)]
pub(crate) struct Driver(Arc<Powered>);

impl Driver {
    pub(crate) fn new(powered: Arc<Powered>) -> Self {
        Self(powered)
    }

    fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
        self.0.with(|disk| disk.file(number).map(|file| attributes(number, file)))
    }

    fn create(&self, parent: INodeNo, name: &OsStr, new: File) -> Result<FileAttr, Errno> {
        let number = self.0.with(|disk| disk.create(parent.0, name, new))?;
        self.attributes(number)
    }

    fn remove(&self, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        finish(self.0.with(|disk| disk.remove(parent.0, name)), reply);
    }

    fn sync(&self, number: INodeNo, reply: ReplyEmpty) {
        finish(self.0.with(|disk| disk.sync(number.0)), reply);
    }
}

impl Filesystem for Driver {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        enter(
            self.0.with(|disk| disk.find(parent.0, name)).and_then(|number| self.attributes(number)),
            reply,
        );
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        describe(self.attributes(number.0), reply);
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        user: Option<u32>,
        group: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let done = self.0.with(|disk| {
            if let Some(size) = size {
                disk.resize(number.0, in_memory(size))?;
            }
            disk.set(number.0, |file| {
                file.mode = mode.map_or(file.mode, permissions);
                file.user = user.unwrap_or(file.user);
                file.group = group.unwrap_or(file.group);
            })
        });
        describe(done.and_then(|()| self.attributes(number.0)), reply);
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let new = File::new(permissions(mode & !umask), request.uid(), request.gid());
        enter(self.create(parent, name, new), reply);
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let new = File::folder(permissions(mode & !umask), request.uid(), request.gid());
        enter(self.create(parent, name, new), reply);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let new = File::new(permissions(mode & !umask), request.uid(), request.gid());
        match self.create(parent, name, new) {
            Ok(attributes) => reply.created(&FOREVER, &attributes, Generation(0), FileHandle(0), CACHED),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(parent, name, reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(parent, name, reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        finish(self.0.with(|disk| disk.rename((parent.0, name), (new_parent.0, new_name))), reply);
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), CACHED);
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let size = in_memory(u64::from(size));
        match self.0.with(|disk| disk.read(number.0, in_memory(offset), size)) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.0.with(|disk| disk.write(number.0, in_memory(offset), data)) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(number, reply);
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(number, reply);
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let listed = self.0.with(|disk| {
            let names = disk.list(number.0)?;
            names.into_iter().map(|(name, number)| Ok((name, number, kind(disk.file(number)?)))).collect()
        });
        let entries: Vec<_> = match listed {
            Ok(entries) => entries,
            Err(error) => return reply.error(error),
        };
        for (position, (name, number, kind)) in (1..).zip(entries).skip(in_memory(offset)) {
            if reply.add(INodeNo(number), position, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, 4096, 255, 4096);
    }
}

fn attributes(number: u64, file: &File) -> FileAttr {
    let size = file.content().len() as u64;
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        // The time is constant: a new one would make the kernel drop the file from its page cache.
        atime: SystemTime::UNIX_EPOCH,
        mtime: SystemTime::UNIX_EPOCH,
        ctime: SystemTime::UNIX_EPOCH,
        crtime: SystemTime::UNIX_EPOCH,
        kind: kind(file),
        perm: file.mode,
        nlink: if number == ROOT { 2 } else { 1 },
        uid: file.user,
        gid: file.group,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

fn kind(file: &File) -> FileType {
    if file.is_folder { FileType::Directory } else { FileType::RegularFile }
}

fn permissions(mode: u32) -> u16 {
    u16::try_from(mode & 0o7777).unwrap_or_default()
}

/// An offset or size as a `usize`; a value that does not fit becomes the largest one.
fn in_memory(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn finish(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn enter(found: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match found {
        Ok(attributes) => reply.entry(&FOREVER, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn describe(found: Result<FileAttr, Errno>, reply: ReplyAttr) {
    match found {
        Ok(attributes) => reply.attr(&FOREVER, &attributes),
        Err(error) => reply.error(error),
    }
}
