//! The operator's side: tokens, the audit log and the check, beside a running server.

use futures_executor::block_on;
use rusqlite::Connection;
use scim2_core::Registry;
use scim2_server::store::{Include, MembersWrite};
use scim2_server::{Access, ResourceStore, StoreErrorKind, TenantId};
use scim2_store::{Admin, DumpOptions, NewToken, OpenErrorKind};

use crate::common::{Wait as _, context, fixture, group, member, time, type_of, user};

fn token(id: &str, hash: u8) -> NewToken {
    NewToken {
        id: id.to_owned(),
        hash: [hash; 32],
        tenant: TenantId::default(),
        name: "okta".to_owned(),
        access: Access::Write,
        expires: Some(time(3600)),
    }
}

#[test]
fn a_token_is_found_by_its_hash_until_it_expires_or_is_revoked() {
    let fixture = fixture();
    let admin = Admin::open(&fixture.path).expect("opens beside the server");
    let find = |hash, now| fixture.store.token(&[hash; 32], now).expect("answers");
    assert!(find(1, time(0)).is_none());
    admin.create_token(&token("t1", 1), "operator", time(0)).wait().expect("creates");
    admin.create_token(&token("t2", 2), "operator", time(1)).wait().expect("creates");
    for again in [token("t1", 3), token("t3", 1)] {
        let error =
            admin.create_token(&again, "operator", time(0)).wait().expect_err("the id or the token is taken");
        assert_eq!(*error.kind(), StoreErrorKind::Uniqueness("id".into()));
    }
    let found = find(1, time(2)).expect("valid");
    assert_eq!((found.id.as_str(), &*found.name, found.access), ("t1", "okta", Access::Write));
    assert!(find(1, time(3599)).is_some());
    assert!(find(1, time(3600)).is_none(), "expired");

    assert!(admin.revoke_token(&TenantId::default(), "t2", "operator", time(10)).wait().expect("answers"));
    assert!(find(2, time(12)).is_none(), "revoked");
    assert!(!admin.revoke_token(&TenantId::default(), "t9", "operator", time(10)).wait().expect("answers"));

    let tokens = admin.tokens(Some(&TenantId::default())).wait().expect("lists");
    assert_eq!(tokens.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["t1", "t2"]);
    assert_eq!(tokens[1].revoked, Some(time(10)));
}

#[test]
fn the_use_of_a_token_is_written_down_once_an_hour() {
    let fixture = fixture();
    let admin = Admin::open(&fixture.path).expect("opens");
    let forever = NewToken { expires: None, ..token("t1", 1) };
    admin.create_token(&forever, "operator", time(0)).wait().expect("creates");
    for seconds in [10, 20, 3609] {
        fixture.store.token(&[1; 32], time(seconds)).expect("answers").expect("valid");
    }
    // Whatever was queued is done when this is.
    block_on(fixture.store.create(&context(), user(&context(), "u1", "ada"))).expect("creates");
    assert_eq!(admin.tokens(None).wait().expect("lists")[0].last_used, Some(time(10)));
    fixture.store.token(&[1; 32], time(3610)).expect("answers").expect("valid");
    block_on(fixture.store.create(&context(), user(&context(), "u2", "bob"))).expect("creates");
    assert_eq!(admin.tokens(None).wait().expect("lists")[0].last_used, Some(time(3610)));
}

#[test]
fn every_write_is_in_the_audit_log_and_reads_are_not() {
    let fixture = fixture();
    let cx = context();
    let (store, users) = (&fixture.store, type_of(&cx, "User"));
    block_on(async {
        let created = store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        store.create(&cx, user(&cx, "u2", "ADA")).await.expect_err("refused");
        let mut write = user(&cx, "u1", "ada2");
        write.changed = vec!["userName".into(), "emails".into()];
        store.replace(&cx, &created.version, write).await.expect("replaces");
        store.create(&cx, group(&cx, "g1", &[])).await.expect("creates");
        let add = MembersWrite::Change { remove: Vec::new(), add: vec![member("User", "u1")] };
        for _ in 0..2 {
            let groups = type_of(&cx, "Group");
            store
                .write_members(&cx, &groups, "g1", None, add.clone(), Include::default())
                .await
                .expect("adds");
        }
        store.retrieve(&cx, &users, "u1", Include::default()).await.expect("reads");
        store.delete(&cx, &users, "u1", None).await.expect("deletes");
    });
    let mut lines = Vec::new();
    let admin = Admin::open(&fixture.path).expect("opens");
    admin
        .audit(&TenantId::default(), 0, |record| {
            assert_eq!((record.actor.as_str(), record.request_id.as_str()), ("test", "request"));
            lines.push(format!(
                "{} {} {} {} {} {:?}",
                record.seq,
                record.action,
                record.resource_type,
                record.resource_id,
                record.version,
                record.changed
            ));
            true
        })
        .wait()
        .expect("reads");
    assert_eq!(
        lines,
        [
            r#"1 create User u1 1 []"#,
            r#"2 modify User u1 2 ["userName", "emails"]"#,
            r#"3 create Group g1 1 []"#,
            r#"4 modify Group g1 2 ["members"]"#,
            r#"5 delete User u1  []"#,
        ]
    );
    let mut rest = 0;
    admin
        .audit(&TenantId::default(), 3, |_| {
            rest += 1;
            false
        })
        .wait()
        .expect("reads");
    assert_eq!(rest, 1, "it stops on request");
}

#[test]
fn the_check_finds_what_does_not_agree() {
    let breaks = [
        (
            "DELETE FROM attribute WHERE path = (SELECT number FROM path WHERE path = 'userName')",
            "`userName`",
        ),
        ("INSERT INTO attribute VALUES (1, 1, x'00', 1, 0, NULL)", "1 index row belongs to no value"),
        ("UPDATE resource SET body = '[]' WHERE id = 'u1'", "not a JSON object"),
        ("UPDATE resource SET display = 'x' WHERE id = 'u1'", "display name"),
        (
            "UPDATE resource_count SET resources = 7 WHERE type = 1",
            "the database has 1 of type User, and counted 7",
        ),
        ("INSERT INTO member VALUES (1, 2, 0, 99, NULL)", "1 membership points to no resource"),
        ("DROP TRIGGER audit_keeps_rows; UPDATE audit SET actor = 'x' WHERE seq = 2", "row 2"),
        ("DROP TRIGGER audit_loses_no_rows; DELETE FROM audit WHERE seq = 1", "row 1"),
    ];
    for (sql, fault) in breaks {
        let fixture = fixture();
        let (path, cx) = (fixture.path.clone(), context());
        block_on(fixture.store.create(&cx, user(&cx, "u1", "ada"))).expect("creates");
        block_on(fixture.store.create(&cx, group(&cx, "g1", &["u1"]))).expect("creates");
        let clean = Admin::open(&path).expect("opens").fsck(&Registry::standard()).wait().expect("checks");
        assert!(
            clean.is_clean() && clean.resources == 2 && clean.members == 1 && clean.audit_rows == 2,
            "{clean}"
        );
        let _folder = fixture.close();
        Connection::open(&path).and_then(|connection| connection.execute_batch(sql)).expect(sql);
        let report = Admin::open(&path).expect("opens").fsck(&Registry::standard()).wait().expect("checks");
        assert!(report.faults.iter().any(|line| line.contains(fault)), "{sql}: {report}");
    }
}

#[test]
fn a_database_that_is_not_there_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Admin::open(&folder.path().join("none.db")).expect_err("missing");
    assert_eq!(error.kind(), OpenErrorKind::Missing);
}

#[test]
fn every_method_of_admin_can_be_awaited_in_a_request_handler() {
    let fixture = fixture();
    let admin = fixture.store.admin();
    // Spawning asks for futures that are `Send`, as handlers do.
    let handler = async move {
        let (cx, tenant) = (context(), TenantId::default());
        let registry = Registry::standard();
        admin.create_token(&token("t1", 1), "operator", time(0)).await.expect("creates");
        assert!(admin.revoke_token(&tenant, "t1", "operator", time(1)).await.expect("revokes"));
        assert_eq!(admin.tokens(None).await.expect("lists").len(), 1);
        assert_eq!(admin.tenants().await.expect("lists"), [TenantId::default()]);
        admin.audit(&tenant, 0, |_| true).await.expect("reads");
        assert_eq!(admin.audit_heads().await.expect("answers")[0].rows(), 2);
        assert!(admin.fsck(&registry).await.expect("checks").is_clean());
        let error = admin.repair(&cx).await.expect_err("it is served");
        assert_eq!(error.kind(), OpenErrorKind::InUse);
        let error = admin.adopt_audit_key("operator", "r", time(2)).await.expect_err("it is served");
        assert_eq!(error.kind(), OpenErrorKind::InUse);
        let options = DumpOptions::default();
        assert_eq!(admin.count(&registry, &options).await.expect("counts"), 0);
        assert!(admin.unknown_types(&registry, None).await.expect("counts").is_empty());
        let size = admin.dump(&registry, &options, |_| std::ops::ControlFlow::Continue(()));
        assert_eq!(size.await.expect("dumps").resources, 0);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    runtime.block_on(runtime.spawn(handler)).expect("no panic");
}
