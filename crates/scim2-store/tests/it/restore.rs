//! Tokens through a restore: what was revoked stays revoked.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use scim2_core::Registry;
use scim2_server::{Access, TenantId};
use scim2_store::{Admin, AuditRecord, CopyErrorKind, NewToken, RestoreOptions, Restored, TokenFate};
use tempfile::TempDir;

use crate::common::{Wait as _, time};

fn create(path: &Path, id: &str, expires: Option<i64>) {
    let token = NewToken {
        id: id.to_owned(),
        hash: std::array::from_fn(|at| id.as_bytes().get(at).copied().unwrap_or_default()),
        tenant: TenantId::default(),
        name: format!("name of {id}"),
        access: Access::Write,
        expires: expires.map(time),
    };
    let admin = Admin::create(path).expect("opens");
    admin.create_token(&token, "operator", time(0)).wait().expect("creates");
}

fn revoke(path: &Path, id: &str) {
    let admin = Admin::open(path).expect("opens");
    assert!(admin.revoke_token(&TenantId::default(), id, "operator", time(50)).wait().expect("revokes"));
}

/// A store and its backup. After the backup `revoked` was revoked, `deleted` taken away behind the log, and `later`
/// made.
fn stores() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, backup) = (folder.path().join("store.db"), folder.path().join("backup.db"));
    for id in ["valid", "revoked", "deleted", "before"] {
        create(&store, id, None);
    }
    create(&store, "expired", Some(60));
    revoke(&store, "before");
    Admin::backup(&store, &backup, |_, _| {}).expect("copies");
    revoke(&store, "revoked");
    revoke(&store, "expired");
    create(&store, "later", None);
    Connection::open(&store)
        .and_then(|connection| connection.execute_batch("DELETE FROM token WHERE id = 'deleted'"))
        .expect("deletes");
    (folder, store, backup)
}

fn restore(store: &Path, backup: &Path, revive: bool) -> Restored {
    let mut options = RestoreOptions::new("operator", "restore-1", time(100));
    options.revive_tokens = revive;
    Admin::restore(backup, store, &options, |_, _| {}).expect("restores")
}

fn fates(restored: &Restored) -> Vec<(&str, TokenFate)> {
    let mut fates: Vec<_> =
        restored.tokens.iter().map(|token| (token.token.id.as_str(), token.fate)).collect();
    fates.sort_by_key(|(id, _)| *id);
    fates
}

fn valid(store: &Path) -> Vec<String> {
    let tokens = Admin::open(store).expect("opens").tokens(None).wait().expect("lists");
    let mut ids: Vec<_> =
        tokens.into_iter().filter(|token| token.is_valid(time(100))).map(|token| token.id).collect();
    ids.sort();
    ids
}

fn log(store: &Path) -> Vec<AuditRecord> {
    let mut records = Vec::new();
    let admin = Admin::open(store).expect("opens");
    admin
        .audit(&TenantId::default(), 0, |record| {
            records.push(record);
            true
        })
        .wait()
        .expect("reads");
    let report = admin.fsck(&Registry::standard()).wait().expect("checks");
    assert!(report.is_clean(), "{report}");
    records
}

#[test]
fn tokens_that_were_revoked_after_the_backup_stay_revoked() {
    let (_folder, store, backup) = stores();
    let head = Admin::open(&backup).expect("opens").audit_heads().wait().expect("answers").remove(0);
    let restored = restore(&store, &backup, false);
    assert_eq!(
        fates(&restored),
        [
            ("deleted", TokenFate::StaysRevoked),
            ("later", TokenFate::Lost),
            ("revoked", TokenFate::StaysRevoked)
        ]
    );
    assert_eq!(valid(&store), ["valid"]);
    let tokens = Admin::open(&store).expect("opens").tokens(None).wait().expect("lists");
    let revoked = |id: &str| tokens.iter().find(|token| token.id == id).and_then(|token| token.revoked);
    assert_eq!((revoked("revoked"), revoked("deleted")), (Some(time(50)), Some(time(100))));

    let records = log(&store);
    let added = &records[6..];
    let actions: Vec<_> =
        added.iter().map(|record| (record.action.as_str(), record.resource_id.as_str())).collect();
    assert_eq!(actions[0], ("store.restore", ""));
    assert_eq!(actions[1..].len(), 3, "{actions:?}");
    assert!(actions[1..].iter().all(|(action, _)| *action == "token.revoke"), "{actions:?}");
    assert!(added[0].changed.contains(&"tokens=carried over".to_owned()));
    assert!(added[0].changed.contains(&format!("backup={head}")), "{:?}", added[0]);
    assert_eq!((added[0].actor.as_str(), added[0].request_id.as_str()), ("operator", "restore-1"));
}

#[test]
fn tokens_are_revived_where_that_is_asked_for_and_told() {
    let (_folder, store, backup) = stores();
    let restored = restore(&store, &backup, true);
    assert_eq!(
        fates(&restored),
        [("deleted", TokenFate::Revived), ("later", TokenFate::Lost), ("revoked", TokenFate::Revived)]
    );
    assert_eq!(valid(&store), ["deleted", "revoked", "valid"]);
    assert!(log(&store).iter().any(|record| record.changed.contains(&"tokens=revived".to_owned())));
}

#[test]
fn tokens_of_a_backup_are_valid_where_the_replaced_store_never_knew_them() {
    let (folder, _store, backup) = stores();
    let fresh = folder.path().join("fresh.db");
    create(&fresh, "first", None);
    for path in [fresh, folder.path().join("none.db")] {
        let restored = restore(&path, &backup, false);
        let new = fates(&restored).into_iter().filter(|(_, fate)| *fate == TokenFate::New);
        assert_eq!(new.map(|(id, _)| id).collect::<Vec<_>>(), ["deleted", "revoked", "valid"]);
        assert_eq!(valid(&path), ["deleted", "revoked", "valid"]);
        log(&path);
    }
}

#[test]
fn a_store_whose_tokens_cannot_be_read_is_replaced_only_if_they_may_be_revived() {
    let (_folder, store, backup) = stores();
    std::fs::write(&store, [0xa5; 8192]).expect("writes");
    let mut options = RestoreOptions::new("operator", "restore-1", time(100));
    let error = Admin::restore(&backup, &store, &options, |_, _| {}).expect_err("nobody knows");
    assert_eq!(error.kind(), CopyErrorKind::Tokens);
    assert_eq!(std::fs::read(&store).expect("reads"), [0xa5; 8192]);
    assert!(!store.with_file_name("store.db.part").exists());
    options.revive_tokens = true;
    Admin::restore(&backup, &store, &options, |_, _| {}).expect("restores");
    assert_eq!(valid(&store), ["deleted", "revoked", "valid"]);
}

/// A token stays revoked even if the backup does not know it.
#[test]
fn what_was_revoked_stays_so_through_a_backup_that_does_not_know_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let store = at("store.db");
    create(&store, "valid", None);
    let backup = |name: &str| {
        Admin::backup(&store, &at(name), |_, _| {}).expect("copies");
        at(name)
    };
    let first = backup("first.db");
    create(&store, "revoked", None);
    create(&store, "deleted", None);
    let second = backup("second.db");
    revoke(&store, "revoked");
    Connection::open(&store)
        .and_then(|connection| connection.execute_batch("DELETE FROM token WHERE id = 'deleted'"))
        .expect("deletes");
    // However often, and whether or not tokens may be revived that the backup has.
    restore(&store, &first, false);
    restore(&store, &first, true);
    assert_eq!(valid(&store), ["valid"]);
    log(&store);
    let restored = restore(&store, &second, false);
    assert_eq!(
        fates(&restored),
        [("deleted", TokenFate::StaysRevoked), ("revoked", TokenFate::StaysRevoked)]
    );
    assert_eq!(valid(&store), ["valid"]);
    let tokens = Admin::open(&store).expect("opens").tokens(None).wait().expect("lists");
    let revoked = tokens.iter().find(|token| token.id == "revoked").and_then(|token| token.revoked);
    assert_eq!(revoked, Some(time(50)), "when it was");
    log(&store);
    // Revived on demand, and then valid.
    restore(&store, &second, true);
    assert_eq!(valid(&store), ["deleted", "revoked", "valid"]);
    restore(&store, &second, false);
    assert_eq!(valid(&store), ["deleted", "revoked", "valid"]);
    log(&store);
}

/// An empty file tells nothing of the tokens it had.
#[test]
fn an_empty_store_is_replaced_only_if_tokens_may_be_revived_and_the_log_says_what_was_there() {
    let (folder, store, backup) = stores();
    std::fs::write(&store, []).expect("writes");
    let mut options = RestoreOptions::new("operator", "restore-1", time(100));
    let error = Admin::restore(&backup, &store, &options, |_, _| {}).expect_err("nobody knows");
    assert_eq!(error.kind(), CopyErrorKind::Tokens);
    options.revive_tokens = true;
    Admin::restore(&backup, &store, &options, |_, _| {}).expect("restores");
    let none = folder.path().join("none.db");
    restore(&none, &backup, false);
    for (path, told) in [
        (store, "tokens=as in the backup: the store before could not be read"),
        (none, "tokens=as in the backup: there was no store before"),
    ] {
        assert!(log(&path).iter().any(|record| record.changed.contains(&told.to_owned())), "{told}");
    }
}
