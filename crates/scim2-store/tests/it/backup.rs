//! Copies of a store that is being written to, and what can go wrong with them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use futures_executor::block_on;
use scim2_core::Registry;
use scim2_server::ResourceStore as _;
use scim2_server::store::Include;
use scim2_store::{Admin, CopyErrorKind, RestoreOptions, SqliteOptions, SqliteStore};

use crate::common::{Wait as _, context, fixture, time, type_of, user};

fn restoring() -> RestoreOptions {
    RestoreOptions::new("operator", "restore", time(100))
}

#[test]
fn a_backup_of_a_store_that_is_written_to_is_of_one_moment() {
    let fixture = fixture();
    let cx = context();
    let stop = AtomicBool::new(false);
    let to = fixture.path.with_file_name("copy.db");
    std::thread::scope(|scope| {
        let (begun, has_begun) = channel();
        let (store, cx, stop) = (&fixture.store, &cx, &stop);
        scope.spawn(move || {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let (id, name) = (format!("u{number}"), format!("n{number}"));
                block_on(store.create(cx, user(cx, &id, &name))).expect("creates");
                number += 1;
                let _ = begun.send(());
            }
        });
        for _ in 0..5 {
            has_begun.recv().expect("it writes");
            let mut last = (0, 1);
            let copied = Admin::backup(&fixture.path, &to, |done, all| last = (done, all));
            let size = copied.expect("copies");
            assert_eq!(last.0, last.1, "all pages are reported");
            assert_eq!(size, std::fs::metadata(&to).expect("there").len());
            let report = Admin::open(&to).expect("opens").fsck(&Registry::standard()).wait().expect("checks");
            assert!(report.is_clean() && report.resources > 0, "{report}");
            // The check made companions beside it.
            for suffix in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", to.display()));
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let names: Vec<_> = std::fs::read_dir(to.parent().expect("a folder"))
        .expect("reads")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    assert!(!names.iter().any(|name| name.ends_with(".part")), "{names:?}");
}

#[test]
fn a_restored_store_is_the_one_that_was_copied() {
    let closing = fixture();
    let cx = context();
    let there = |store: &SqliteStore, id: &str| {
        block_on(store.retrieve(&cx, &type_of(&cx, "User"), id, Include::default()))
            .expect("answers")
            .is_some()
    };
    block_on(closing.store.create(&cx, user(&cx, "u1", "ada"))).expect("creates");
    let path = closing.path.clone();
    let copy = path.with_file_name("copy.db");
    Admin::backup(&path, &copy, |_, _| {}).expect("copies");
    let bytes = std::fs::read(&copy).expect("reads");
    block_on(closing.store.create(&cx, user(&cx, "u2", "bob"))).expect("creates");

    let error = Admin::restore(&copy, &path, &restoring(), |_, _| {}).expect_err("it is served");
    assert_eq!(error.kind(), CopyErrorKind::Open);
    assert!(there(&closing.store, "u2"));
    // A crash leaves a write-ahead log behind, which must not be taken for the restored store's.
    let wal = std::fs::read(format!("{}-wal", path.display())).expect("a log");
    let _folder = {
        closing.store.close().expect("closes");
        closing.close()
    };
    std::fs::write(format!("{}-wal", path.display()), wal).expect("writes");

    Admin::restore(&copy, &path, &restoring(), |_, _| {}).expect("restores");
    assert_eq!(std::fs::read(&copy).expect("reads"), bytes, "the backup stays as it is");
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    assert!(there(&store, "u1") && !there(&store, "u2"));
    block_on(store.create(&cx, user(&cx, "u3", "eve"))).expect("creates");
    store.close().expect("closes");
}

#[test]
fn what_is_no_sound_store_is_neither_copied_nor_restored() {
    let fixture = fixture();
    let cx = context();
    for number in 0..200 {
        let (id, name) = (format!("u{number}"), format!("n{number}"));
        block_on(fixture.store.create(&cx, user(&cx, &id, &name))).expect("creates");
    }
    fixture.store.close().expect("closes");
    let path = fixture.path.clone();
    let folder = fixture.close();
    let (copy, text) = (folder.path().join("copy.db"), folder.path().join("text"));
    std::fs::write(&text, "no database").expect("writes");
    let error = Admin::restore(&text, &folder.path().join("new.db"), &restoring(), |_, _| {})
        .expect_err("no database");
    assert_eq!(error.kind(), CopyErrorKind::Open);
    assert!(!folder.path().join("new.db").exists());
    let error = Admin::backup(&path, &folder.path().join("none/x.db"), |_, _| {}).expect_err("no folder");
    assert_eq!(error.kind(), CopyErrorKind::Io);

    // A page in the middle is written over.
    let mut bytes = std::fs::read(&path).expect("reads");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, &bytes).expect("writes");
    std::fs::write(&copy, "what was there").expect("writes");
    let error = Admin::backup(&path, &copy, |_, _| {}).expect_err("damaged");
    assert_eq!(error.kind(), CopyErrorKind::Damaged);
    assert_eq!(std::fs::read_to_string(&copy).expect("reads"), "what was there");
    let names =
        std::fs::read_dir(folder.path()).expect("reads").map(|entry| entry.expect("an entry").file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().contains(".part")));
    let report = Admin::open(&path).expect("opens").fsck(&Registry::standard()).wait();
    assert!(report.map_or(true, |report| !report.is_clean()), "the check sees it too");
}
