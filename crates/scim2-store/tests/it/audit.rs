//! The check finds changes of the database that bypass the audit log.

use std::path::PathBuf;

use futures_executor::block_on;
use rusqlite::{Connection, params};
use scim2_core::Registry;
use scim2_server::{Access, ResourceStore as _, TenantId};
use scim2_store::{
    Admin, AuditHead, AuditKeys, FsckOptions, NewToken, OpenErrorKind, Report, SqliteOptions, SqliteStore,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::common::{Wait as _, context, fixture, group, time, type_of, user};

/// Lets audit rows be changed, then puts the triggers back.
const OPEN: &str = "DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_loses_no_rows;";
const CLOSE: &str = "\
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_loses_no_rows BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;";

fn new_token(id: &str, hash: u8, access: Access) -> NewToken {
    NewToken {
        id: id.to_owned(),
        hash: [hash; 32],
        tenant: TenantId::default(),
        name: "okta".to_owned(),
        access,
        expires: Some(time(3600)),
    }
}

/// A store with a valid read-only token `t1`, a revoked token `t2`, and users `u1` (version 2) and `u2` (deleted).
fn store(keys: &AuditKeys) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scim2.db");
    let cx = context();
    let mut options = SqliteOptions::default();
    options.audit_keys = keys.clone();
    let store = SqliteStore::open(&path, options).expect("opens");
    let admin = Admin::open(&path).expect("opens").with_audit_keys(keys.clone());
    admin.create_token(&new_token("t1", 1, Access::Read), "operator", time(0)).wait().expect("creates");
    admin.create_token(&new_token("t2", 2, Access::Write), "operator", time(0)).wait().expect("creates");
    admin.revoke_token(&TenantId::default(), "t2", "operator", time(1)).wait().expect("revokes");
    block_on(async {
        let users = type_of(&cx, "User");
        let created = store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        store.replace(&cx, &created.version, user(&cx, "u1", "ada2")).await.expect("replaces");
        store.create(&cx, user(&cx, "u2", "bob")).await.expect("creates");
        // A group whose version is ahead of its last row in the log.
        store.create(&cx, group(&cx, "g1", &["u1", "u2"])).await.expect("creates");
        store.delete(&cx, &users, "u2", None).await.expect("deletes");
    });
    store.close().expect("closes");
    (folder, path)
}

fn check(path: &std::path::Path, keys: &AuditKeys, heads: Vec<AuditHead>) -> Report {
    let mut options = FsckOptions::default();
    options.heads = heads;
    let admin = Admin::open(path).expect("opens").with_audit_keys(keys.clone());
    admin.fsck_with(&Registry::standard(), &options).wait().expect("checks")
}

fn harm(path: &std::path::Path, sql: &str) {
    Connection::open(path).and_then(|connection| connection.execute_batch(sql)).expect(sql);
}

#[test]
fn what_is_changed_behind_the_audit_log_is_found() {
    let none = AuditKeys::default();
    for (sql, fault) in [
        ("UPDATE token SET access = 'write' WHERE id = 't1'", "token t1 is not the one that was created"),
        ("UPDATE token SET expires = NULL WHERE id = 't1'", "token t1 is not the one that was created"),
        ("UPDATE token SET hash = zeroblob(32) WHERE id = 't1'", "token t1 is not the one that was created"),
        ("UPDATE token SET revoked = NULL WHERE id = 't2'", "token t2 is not revoked, and was revoked"),
        ("UPDATE token SET revoked = revoked + 1 WHERE id = 't2'", "token t2 was revoked at another time"),
        ("UPDATE token SET revoked = 1 WHERE id = 't1'", "token t1 is revoked, and was not revoked"),
        ("DELETE FROM token WHERE id = 't2'", "token t2 is in the audit log and not there"),
        (
            "INSERT INTO token SELECT zeroblob(32), 't3', tenant, name, 'write', created, expires, NULL, NULL \
             FROM token WHERE id = 't1'",
            "token t3 is not in the audit log",
        ),
        (
            "UPDATE resource SET version = 7 WHERE id = 'u1'",
            "User u1 has version 7, and 2 according to the audit log",
        ),
        ("UPDATE resource SET version = 0 WHERE id = 'g1'", "Group g1 has version 0, and 1 according to"),
        (
            "DELETE FROM attribute; DELETE FROM member; DELETE FROM resource WHERE id = 'u1'",
            "User u1 is in the audit log and not there",
        ),
        ("DROP TRIGGER audit_keeps_rows", "the trigger `audit_keeps_rows` is missing"),
        (OPEN, "the trigger `audit_loses_no_rows` is missing"),
        (
            "DROP TRIGGER audit_keeps_rows; CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit BEGIN SELECT 1; END",
            "the trigger `audit_keeps_rows` was changed",
        ),
        (
            "CREATE TRIGGER revive AFTER UPDATE OF revoked ON token BEGIN UPDATE token SET revoked = NULL; END",
            "the trigger `revive` is not one of this program",
        ),
    ] {
        let (_folder, path) = store(&none);
        assert!(check(&path, &none, Vec::new()).is_clean(), "{}", check(&path, &none, Vec::new()));
        harm(&path, sql);
        let report = check(&path, &none, Vec::new());
        assert!(report.faults.iter().any(|line| line.contains(fault)), "{sql}: {report}");
    }
}

#[test]
fn rows_that_are_removed_from_the_end_of_the_log_are_missed() {
    let none = AuditKeys::default();
    for rows in 1..=8 {
        let (_folder, path) = store(&none);
        let heads = Admin::open(&path).expect("opens").audit_heads().wait().expect("answers");
        assert_eq!(heads.len(), 1);
        assert_eq!(heads[0].rows(), 8);
        assert!(check(&path, &none, heads.clone()).is_clean());
        harm(&path, &format!("{OPEN} DELETE FROM audit WHERE seq > 8 - {rows}; {CLOSE}"));
        let report = check(&path, &none, Vec::new());
        assert!(!report.is_clean(), "{rows}: {report}");
        let report = check(&path, &none, heads);
        assert!(report.to_string().contains("rows were removed"), "{rows}: {report}");
    }
}

/// Recomputes the chain over the rows as they are, with the key in the database or without one.
fn write_anew(path: &std::path::Path, key: Option<&[u8]>) {
    use hmac::Mac as _;
    harm(path, OPEN);
    let connection = Connection::open(path).expect("opens");
    let mut rows = connection
        .prepare(
            "SELECT seq, at, actor, request, action, resource_type, resource_id, version, changed FROM audit ORDER BY seq",
        )
        .expect("prepares");
    let rows: Vec<(i64, i64, Vec<String>)> = rows
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, (2..9).map(|at| row.get(at)).collect::<Result<_, _>>()?))
        })
        .and_then(Iterator::collect)
        .expect("reads");
    let mut before = vec![0; 32];
    for (seq, at, texts) in rows {
        let mut bytes = before.clone();
        bytes.extend(seq.to_be_bytes());
        bytes.extend(at.to_be_bytes());
        for text in texts {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        before = match key {
            None => Sha256::digest(&bytes).to_vec(),
            Some(key) => {
                let mut mac = hmac::Hmac::<Sha256>::new_from_slice(key).expect("any length");
                mac.update(&bytes);
                mac.finalize().into_bytes().to_vec()
            }
        };
        connection
            .execute("UPDATE audit SET hash = ?2 WHERE seq = ?1", params![seq, before])
            .expect("writes");
    }
    harm(path, CLOSE);
}

#[test]
fn a_chain_that_is_computed_anew_is_found() {
    let keys = AuditKeys::parse(&"k".repeat(64)).expect("a key");
    let none = AuditKeys::default();
    let forge = |path: &std::path::Path| {
        harm(path, &format!("{OPEN} UPDATE audit SET actor = 'nobody' WHERE seq = 4; {CLOSE}"));
    };
    // Without a key: the hashes are those of nobody's key.
    let (_folder, path) = store(&none);
    forge(&path);
    write_anew(&path, None);
    let report = check(&path, &none, Vec::new());
    assert!(report.to_string().contains("row 1 was changed, removed or put in"), "{report}");

    // With the key that lies in the database nothing but a head tells.
    let (_folder, path) = store(&none);
    let heads = Admin::open(&path).expect("opens").audit_heads().wait().expect("answers");
    let own: Vec<u8> = Connection::open(&path)
        .and_then(|connection| {
            connection.query_row("SELECT value FROM secret WHERE name = 'audit'", [], |row| row.get(0))
        })
        .expect("a key");
    forge(&path);
    write_anew(&path, Some(&own));
    assert!(check(&path, &none, Vec::new()).is_clean());
    let report = check(&path, &none, heads);
    assert!(report.to_string().contains("the log was rewritten"), "{report}");

    // With a key that lies elsewhere it is found.
    let (_folder, path) = store(&keys);
    assert!(check(&path, &keys, Vec::new()).is_clean(), "{}", check(&path, &keys, Vec::new()));
    let report = check(&path, &none, Vec::new());
    assert!(report.to_string().contains("with a key that was not given"), "{report}");
    let own: Vec<u8> = Connection::open(&path)
        .and_then(|connection| {
            connection.query_row("SELECT value FROM secret WHERE name = 'audit'", [], |row| row.get(0))
        })
        .expect("a key");
    forge(&path);
    write_anew(&path, Some(&own));
    let report = check(&path, &keys, Vec::new());
    assert!(report.to_string().contains("row 1 was changed, removed or put in"), "{report}");
    harm(&path, "DELETE FROM audit_key");
    let report = check(&path, &keys, Vec::new());
    assert!(report.to_string().contains("its last row is hashed with the database's own key"), "{report}");
}

#[test]
fn a_log_goes_on_with_a_new_key_and_not_without_the_last_one() {
    let first = "first-key-of-forty-characters-or-so-0001";
    let old = AuditKeys::parse(first).expect("a key");
    let new =
        AuditKeys::parse(&format!("{first}\nsecond-key-of-forty-characters-or-so-002\n")).expect("keys");
    let (_folder, path) = store(&AuditKeys::default());
    let cx = context();
    adopt(&path, &old);
    for (number, keys) in [&old, &new].into_iter().enumerate() {
        let mut options = SqliteOptions::default();
        options.audit_keys = keys.clone();
        let store = SqliteStore::open(&path, options).expect("opens");
        block_on(store.create(&cx, user(&cx, &format!("n{number}"), &format!("n{number}"))))
            .expect("creates");
        let admin = Admin::open(&path).expect("opens").with_audit_keys(keys.clone());
        let token = new_token(&format!("n{number}"), 10 + number as u8, Access::Read);
        admin.create_token(&token, "operator", time(0)).wait().expect("creates");
        // A process without the key cannot write.
        let admin = Admin::open(&path).expect("opens");
        let error = admin
            .create_token(&new_token("x", 9, Access::Read), "operator", time(0))
            .wait()
            .expect_err("no key");
        assert!(error.to_string().contains("does not have"), "{error}");
        store.close().expect("closes");
        drop(store);
        let report = check(&path, keys, Vec::new());
        assert!(report.is_clean(), "{report}");
    }
    for keys in [AuditKeys::default(), old] {
        let mut options = SqliteOptions::default();
        options.audit_keys = keys;
        let error = SqliteStore::open(&path, options).expect_err("the key is missing");
        assert_eq!(error.kind(), OpenErrorKind::AuditKey);
    }
}

fn adopt(path: &std::path::Path, keys: &AuditKeys) -> Vec<AuditHead> {
    let admin = Admin::open(path).expect("opens").with_audit_keys(keys.clone());
    admin.adopt_audit_key("operator", "adoption", time(9)).wait().expect("adopts")
}

fn open_with(path: &std::path::Path, keys: &AuditKeys) -> Result<SqliteStore, OpenErrorKind> {
    let mut options = SqliteOptions::default();
    options.audit_keys = keys.clone();
    SqliteStore::open(path, options).map_err(|error| error.kind())
}

#[test]
fn log_hashed_with_the_own_key_goes_on_with_a_key_file_only_when_it_is_adopted() {
    let keys = AuditKeys::parse(&"k".repeat(64)).expect("a key");
    let (_folder, path) = store(&AuditKeys::default());
    let before = Admin::open(&path).expect("opens").audit_heads().wait().expect("answers");
    let admin = Admin::open(&path).expect("opens").with_audit_keys(keys.clone());
    let token = new_token("t9", 9, Access::Read);
    // Neither a server nor a command writes a row with either key.
    assert_eq!(open_with(&path, &keys).expect_err("not adopted"), OpenErrorKind::AuditKeyNotAdopted);
    let error = admin.create_token(&token, "operator", time(0)).wait().expect_err("not adopted");
    assert!(error.to_string().contains("not hashed with the key of this process"), "{error}");
    let report = check(&path, &keys, Vec::new());
    assert!(report.to_string().contains("run `scim2 audit --adopt-key`"), "{report}");
    let error = Admin::open(&path).expect("opens").adopt_audit_key("operator", "r", time(9)).wait();
    assert_eq!(error.expect_err("no key").kind(), OpenErrorKind::AuditKey);

    // An idle server is enough from here on: the row that adopts the key is the first one with it.
    assert_eq!(adopt(&path, &keys), before);
    assert_eq!(adopt(&path, &keys), [], "once is enough");
    drop(open_with(&path, &keys).expect("opens"));
    let report = check(&path, &keys, before.clone());
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.audit_rows, report.database_key_rows), (9, Some(8)));
    assert!(report.to_string().contains("9 audit rows (8 hashed with the database's own key)"), "{report}");
    let mut last = None;
    let read = |record| {
        last = Some(record);
        true
    };
    admin.audit(&TenantId::default(), 8, read).wait().expect("reads");
    let last = last.expect("a row");
    assert_eq!((last.action.as_str(), last.actor.as_str()), ("audit.key", "operator"));
    assert_eq!(last.changed, ["from=database".to_owned(), format!("before={}", before[0])]);

    admin.create_token(&token, "operator", time(10)).wait().expect("creates");
    assert!(check(&path, &keys, before).is_clean());
}

#[test]
fn chain_written_anew_before_a_newer_key_is_found() {
    let (first, second) = ("a".repeat(40), "b".repeat(40));
    let old = AuditKeys::parse(&first).expect("a key");
    let both = AuditKeys::parse(&format!("{first}\n{second}")).expect("keys");
    for keys in [&old, &both] {
        let (_folder, path) = store(&old);
        let connection = Connection::open(&path).expect("opens");
        let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)).expect(sql);
        let (own, id) =
            (read("SELECT value FROM secret WHERE name = 'audit'"), read("SELECT id FROM audit_key"));
        drop(connection);
        // Everything is rewritten with the key that lies in the database, but the next row has the key of before.
        harm(&path, &format!("{OPEN} UPDATE audit SET actor = 'nobody' WHERE seq = 4; {CLOSE}"));
        write_anew(&path, Some(&own));
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        harm(&path, &format!("DELETE FROM audit_key; INSERT INTO audit_key VALUES (1, 9, x'{id}')"));
        let store = open_with(&path, keys).expect("opens");
        block_on(store.create(&context(), user(&context(), "n1", "n1"))).expect("creates");
        store.close().expect("closes");
        drop(store);
        let report = check(&path, keys, Vec::new());
        assert!(report.to_string().contains("row 9 is the first one with another key"), "{report}");
    }
}

#[test]
fn a_layout_without_an_index_or_a_step_is_found_and_the_index_made_again() {
    let none = AuditKeys::default();
    for (sql, fault) in [
        ("DROP INDEX member_of", "the index `member_of` is missing"),
        ("DROP INDEX member_of; CREATE INDEX member_of ON member (member_pk)", "`member_of` was changed"),
        ("CREATE INDEX other ON token (name)", "the index `other` is not one of this program"),
    ] {
        let (_folder, path) = store(&none);
        harm(&path, sql);
        let report = check(&path, &none, Vec::new());
        assert!(report.faults.iter().any(|line| line.contains(fault)), "{sql}: {report}");
        let repair = Admin::open(&path).expect("opens").repair(&context()).wait().expect("repairs");
        assert!(repair.after.is_clean(), "{sql}: {repair}");
    }
    let (_folder, path) = store(&none);
    harm(&path, "DELETE FROM schema_version WHERE version = 2");
    let report = check(&path, &none, Vec::new());
    assert!(report.to_string().contains("`schema_version` does not have the steps"), "{report}");
}

#[test]
fn a_store_of_an_older_layout_goes_on_with_a_key() {
    let fixture = fixture();
    let cx = context();
    block_on(fixture.store.create(&cx, user(&cx, "u1", "ada"))).expect("creates");
    fixture.store.close().expect("closes");
    let path = fixture.path.clone();
    let _folder = fixture.close();
    write_anew(&path, None);
    harm(
        &path,
        "CREATE UNIQUE INDEX attribute_unique ON attribute (tenant, path, value) WHERE uniq = 1; \
         DROP TRIGGER resource_count_up; DROP TRIGGER resource_count_down; \
         ALTER TABLE resource_count RENAME TO tally; ALTER TABLE pending_deletion RENAME TO gone; \
         CREATE TRIGGER tally_counts_up AFTER INSERT ON resource BEGIN SELECT 1; END; \
         CREATE TRIGGER tally_counts_down AFTER DELETE ON resource BEGIN SELECT 1; END; \
         DROP TABLE audit_key; DELETE FROM secret WHERE name = 'audit'; DELETE FROM schema_version WHERE version > 2; \
         PRAGMA user_version = 2",
    );
    let store = SqliteStore::open(&path, SqliteOptions::default()).expect("opens");
    block_on(store.create(&cx, user(&cx, "u2", "bob"))).expect("creates");
    store.close().expect("closes");
    let report = check(&path, &AuditKeys::default(), Vec::new());
    assert!(report.is_clean() && report.audit_rows == 2, "{report}");
}
