//! Files of a mounted disk, and what is there of them after a cut.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};

use scim2_crashfs::{CrashFs, Fault};

#[test]
fn what_was_synced_outlives_a_cut_and_what_was_not_may_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    fs::create_dir(&at).unwrap();
    let Some(mut disk) = CrashFs::mount(&at, 1).unwrap() else { return };
    let mut file = File::create(at.join("part")).unwrap();
    file.write_all(&[1; 10_000]).unwrap();
    file.sync_data().unwrap();
    fs::rename(at.join("part"), at.join("whole")).unwrap();
    fs::create_dir(at.join("sub")).unwrap();
    File::open(&at).unwrap().sync_all().unwrap();
    drop(file);
    disk.power_on().unwrap();
    assert_eq!(fs::read(at.join("whole")).unwrap(), [1; 10_000]);
    assert!(at.join("sub").is_dir() && !at.join("part").exists());

    disk.strike("whole", Fault::Lying);
    let mut file = File::options().write(true).open(at.join("whole")).unwrap();
    file.seek(SeekFrom::Start(5000)).unwrap();
    file.write_all(&[2; 6000]).unwrap();
    file.sync_all().unwrap();
    assert_eq!(fs::metadata(at.join("whole")).unwrap().len(), 11_000);
    drop(file);
    let lost = disk.power_on().unwrap();
    assert_eq!((lost.lost > 0, lost.kept), (true, 0));
    assert_eq!(fs::read(at.join("whole")).unwrap(), [1; 10_000], "also in the kernel's memory");
}

#[test]
fn a_cut_is_an_error_to_whoever_writes_and_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    fs::create_dir(&at).unwrap();
    let Some(mut disk) = CrashFs::mount(&at, 1).unwrap() else { return };
    disk.cut_after("", 100);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::create(at.join("a")).unwrap();
            let refused = (0..200).find_map(|_| file.write_all(b"x").err()).unwrap();
            assert_eq!(refused.raw_os_error(), Some(5), "EIO: {refused}");
        });
        disk.wait_until_cut();
    });
    assert!(disk.is_cut());
    disk.power_on().unwrap();
    assert_eq!(disk.changes(), 100);
    disk.strike("", Fault::Full);
    assert_eq!(fs::write(at.join("b"), "x").unwrap_err().kind(), ErrorKind::StorageFull);
    disk.mend();
    fs::write(at.join("b"), "x").unwrap();
}

#[test]
fn what_cannot_be_read_is_an_error_though_it_was_read_before() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    fs::create_dir(&at).unwrap();
    let Some(disk) = CrashFs::mount(&at, 1).unwrap() else { return };
    let name = at.join("a");
    fs::write(&name, [1; 20_000]).unwrap();
    assert_eq!(fs::read(&name).unwrap(), [1; 20_000]);
    disk.strike("a", Fault::Unreadable { from: 8192, to: 8193 });
    let page = |number: u64| {
        let mut bytes = [0; 4096];
        let mut file = File::open(&name).unwrap();
        file.seek(SeekFrom::Start(number * 4096)).unwrap();
        file.read_exact(&mut bytes).map(|()| bytes)
    };
    assert_eq!(page(2).unwrap_err().raw_os_error(), Some(5), "EIO");
    assert_eq!((page(1).unwrap(), page(3).unwrap()), ([1; 4096], [1; 4096]), "beside it");
    assert!(disk.refused() > 0);
    disk.mend();
    assert_eq!(page(2).unwrap(), [1; 4096]);
}
