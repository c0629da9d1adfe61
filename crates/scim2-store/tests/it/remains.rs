//! Nothing remains of what was deleted: not in the file, not in its log once that is moved, not in copies.

use std::path::Path;

use futures_executor::block_on;
use scim2_server::ResourceStore as _;
use scim2_server::store::Outcome;
use scim2_store::Admin;

use crate::common::{context, fixture, object, type_of, user};

/// Values that are each found once a body, a key or a never-returned attribute remains.
const SECRETS: &[&str] = &["zqdeleteduser", "zqformertitle", "zqpasswordhash", "zqlongbody", "zqadded"];

fn found(path: &Path) -> Vec<&'static str> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    SECRETS.iter().copied().filter(|secret| text.contains(secret)).collect()
}

#[test]
fn deleted_values_are_in_no_file() {
    let fixture = fixture();
    let (cx, store) = (context(), &fixture.store);
    let users = type_of(&cx, "User");
    let wal = format!("{}-wal", fixture.path.display());
    block_on(async {
        for number in 0..200 {
            let (id, name) = (format!("u{number}"), format!("zqdeleteduser{number}"));
            let mut write = user(&cx, &id, &name);
            write.body.insert("title", "zqformertitle");
            // Some bodies have pages of their own, which are given back when they go.
            let about = if number % 10 == 0 { "zqlongbody ".repeat(2000) } else { "short".to_owned() };
            write.body.insert("locale", about.as_str());
            write.never_returned = object(r#"{"password":"$argon2id$zqpasswordhash"}"#);
            let created = store.create(&cx, write).await.expect("creates");
            let mut write = user(&cx, &id, &format!("zqadded{number}"));
            write.never_returned = object(r#"{"password":"$argon2id$other"}"#);
            let replaced = store.replace(&cx, &created.version, write).await.expect("replaces");
            let Outcome::Done(replaced) = replaced else { panic!("nobody else writes") };
            if number % 2 == 0 {
                store.delete(&cx, &users, &id, None).await.expect("deletes");
            } else {
                let write = user(&cx, &id, &format!("kept{number}"));
                store.replace(&cx, &replaced.version, write).await.expect("replaces");
            }
        }
    });
    assert!(!found(Path::new(&wal)).is_empty(), "the log has them until it is moved");
    let copy = fixture.path.with_file_name("copy.db");
    Admin::backup(&fixture.path, &copy, |_, _| {}).expect("copies");
    assert_eq!(found(&copy), [""; 0], "the copy");
    store.close().expect("closes");
    assert_eq!(found(Path::new(&wal)), [""; 0], "the log");
    assert_eq!(found(&fixture.path), [""; 0], "the database");
}

#[test]
fn a_backup_of_a_file_that_was_written_without_care_is_clean() {
    let fixture = fixture();
    let cx = context();
    let path = fixture.path.clone();
    block_on(fixture.store.create(&cx, user(&cx, "u1", "kept"))).expect("creates");
    fixture.store.close().expect("closes");
    let folder = fixture.close();
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection
        .execute_batch(
            "PRAGMA secure_delete = OFF; CREATE TABLE old (text TEXT); \
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000) \
             INSERT INTO old SELECT 'zqdeleteduser' || n FROM n; DROP TABLE old; PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .expect("writes");
    drop(connection);
    assert_eq!(found(&path), ["zqdeleteduser"], "the test means something");
    let copy = folder.path().join("copy.db");
    Admin::backup(&path, &copy, |_, _| {}).expect("copies");
    assert_eq!(found(&copy), [""; 0]);
}
