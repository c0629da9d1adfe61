//! Many nodes over one PostgreSQL database.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use scim2_core::Registry;
use scim2_core::schema::Uniqueness;
use scim2_server::store::{Include, MembersWrite, Outcome};
use scim2_server::{Access, Context, ResourceStore, StoreErrorKind, TenantId, contract};
use scim2_store::{Admin, AuditKeys, FsckOptions, NewToken, OpenErrorKind, PostgresOptions, PostgresStore};
use scim2_testkit::postgres::Database;
use scim2_testkit::postgres::pooler::Pooler;

use crate::common::postgres::{fixture, options};
use crate::common::{block_on, context, group, member, type_of, user};
use crate::settings::changed;

/// A database without tables; `None` where there is no PostgreSQL.
fn database() -> Option<Database> {
    Database::create().expect("a database")
}

async fn open(options: &PostgresOptions) -> PostgresStore {
    PostgresStore::open(options).await.expect("opens")
}

#[test]
fn ten_nodes_that_start_at_once_make_the_tables_once() {
    let Some(database) = database() else { return };
    let options = options(&database);
    let cx = context();
    block_on(async {
        let nodes = join_all((0..10).map(|_| open(&options))).await;
        // They name the tenant and the type for the first time together, too.
        let created = join_all(nodes.iter().zip(0..).map(|(node, n)| {
            let write = user(&cx, &format!("u{n}"), &format!("user{n}"));
            node.create(&cx, write)
        }));
        assert!(created.await.iter().all(Result::is_ok));
        let listed = nodes[0].list(&cx, &type_of(&cx, "User"), None, 100, Include::default()).await;
        assert_eq!(listed.expect("lists").len(), 10);
    });
    assert_eq!(
        database.sql("SELECT count(*), max(version) FROM schema_version").expect("asks").trim(),
        "5|5"
    );
    assert_eq!(database.sql("SELECT count(*) FROM tenant").expect("asks").trim(), "1");
}

#[test]
fn what_requests_fill_is_analysed_without_autovacuum() {
    let Some(database) = database() else { return };
    let cx = context();
    let options = options(&database);
    let store = block_on(open(&options));
    database.sql("ALTER TABLE attribute SET (autovacuum_enabled = false)").expect("alters");
    block_on(async {
        let users = (0..300).map(|n| store.create(&cx, user(&cx, &format!("u{n}"), &format!("user{n}"))));
        assert!(join_all(users).await.iter().all(Result::is_ok));
    });
    // That types are few is known at once.
    let types = database.sql("SELECT reltuples BETWEEN 1 AND 10 FROM pg_class WHERE relname = 'type'");
    assert_eq!(types.expect("asks").trim(), "t");
    // Each node that starts checks the tables. PostgreSQL reports changes of its statistics late.
    let analysed = || database.sql("SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'attribute'");
    let mut node = store;
    while analysed().expect("asks").trim() != "t" {
        node = block_on(open(&options));
    }
    drop(node);
    let counted = database.sql("SELECT reltuples > 1000 FROM pg_class WHERE relname = 'attribute'");
    assert_eq!(counted.expect("asks").trim(), "t");
}

#[test]
fn other_databases_and_newer_ones_are_refused_untouched() {
    let Some(other) = database() else { return };
    other.sql("CREATE TABLE resource (n integer)").expect("a table");
    let error = block_on(PostgresStore::open(&options(&other))).expect_err("not ours");
    assert_eq!(error.kind(), OpenErrorKind::NotOurs);
    assert_eq!(other.sql("SELECT to_regclass('attribute')").expect("asks").trim(), "");

    let newer = fixture().expect("there is a server");
    newer.database.sql("INSERT INTO schema_version VALUES (99, 0)").expect("a row");
    let error = block_on(Admin::connect(&options(&newer.database))).expect_err("newer");
    assert_eq!(error.kind(), OpenErrorKind::Newer);
    newer.database.sql("DELETE FROM schema_version WHERE version = 99").expect("no row");

    let nowhere = PostgresOptions::new("postgres://nobody:secret@127.0.0.1:1/nothing").expect("an address");
    let error = block_on(PostgresStore::open(&nowhere)).expect_err("nobody listens");
    assert_eq!(error.kind(), OpenErrorKind::Io);
    assert!(!format!("{error} {error:?} {nowhere:?}").contains("secret"));
}

#[test]
fn what_one_node_writes_the_others_see() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    block_on(async {
        let other = open(&options(&fixture.database)).await;
        let created = store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        let error = other.create(&cx, user(&cx, "u2", "ADA")).await.expect_err("taken");
        assert_eq!(*error.kind(), StoreErrorKind::Uniqueness("userName".into()));
        let replaced = other.replace(&cx, &created.version, user(&cx, "u1", "bob")).await.expect("answers");
        assert!(matches!(replaced, Outcome::Done(_)));
        let late = store.replace(&cx, &created.version, user(&cx, "u1", "eve")).await.expect("answers");
        assert!(matches!(late, Outcome::Conflict(_)));
    });
}

#[test]
fn groups_lose_members_that_are_deleted_while_they_are_added() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    let (users, groups) = (type_of(&cx, "User"), type_of(&cx, "Group"));
    block_on(async {
        for name in ["g1", "g2"] {
            store.create(&cx, group(&cx, name, &[])).await.expect("creates");
        }
        for n in 0..20 {
            let name = format!("u{n}");
            store.create(&cx, user(&cx, &name, &name)).await.expect("creates");
            let add = |group: &'static str| {
                let members = MembersWrite::Change { remove: Vec::new(), add: vec![member("User", &name)] };
                store.write_members(&cx, &groups, group, None, members, Include::default())
            };
            let set = MembersWrite::Set(vec![member("User", &name)]);
            let (first, second, set, deleted) = tokio::join!(
                add("g1"),
                add("g2"),
                store.write_members(&cx, &groups, "g2", None, set, Include::default()),
                store.delete(&cx, &users, &name, None)
            );
            assert!(matches!(first.expect("answers"), Outcome::Done(_)));
            assert!(matches!(second.expect("answers"), Outcome::Done(_)));
            assert!(matches!(set.expect("answers"), Outcome::Done(_)));
            assert!(matches!(deleted.expect("answers"), Outcome::Done(())));
        }
        let include = Include { members: true, ..Include::default() };
        for name in ["g1", "g2"] {
            let group = store.retrieve(&cx, &groups, name, include).await.expect("reads").expect("there");
            assert_eq!(group.members, Some(Vec::new()), "{name}");
        }
    });
}

#[test]
fn groups_in_a_circle_are_deleted_together() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    let groups = type_of(&cx, "Group");
    block_on(async {
        for round in 0..10 {
            let names = [format!("a{round}"), format!("b{round}")];
            for name in &names {
                store.create(&cx, group(&cx, name, &[])).await.expect("creates");
            }
            for (outer, inner) in [(0, 1), (1, 0)] {
                let add = vec![member("Group", &names[inner])];
                let members = MembersWrite::Change { remove: Vec::new(), add };
                let added =
                    store.write_members(&cx, &groups, &names[outer], None, members, Include::default()).await;
                assert!(matches!(added.expect("answers"), Outcome::Done(_)));
            }
            let deleted = join_all(names.iter().map(|name| store.delete(&cx, &groups, name, None))).await;
            for outcome in deleted {
                assert!(matches!(outcome.expect("answers"), Outcome::Done(())));
            }
        }
    });
}

#[test]
fn a_node_with_older_schemas_writes_no_more() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    block_on(async {
        store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        let registry = changed("nickName", |nick| nick.uniqueness = Uniqueness::Server);
        let newer = Context { registry: Arc::new(registry), ..cx.clone() };
        let other = open(&options(&fixture.database)).await;
        other.create(&newer, user(&newer, "u2", "bob")).await.expect("creates");

        let error = store.create(&cx, user(&cx, "u3", "eve")).await.expect_err("older");
        assert_eq!(*error.kind(), StoreErrorKind::Unavailable);
        store.create(&newer, user(&newer, "u3", "eve")).await.expect("with the same schemas");
        let report = store.admin().fsck(&newer.registry).await.expect("checks");
        assert!(report.is_clean(), "{report}");
        // And back, for the check at the end of the test.
        other.create(&cx, user(&cx, "u4", "joe")).await.expect("the index is made again");
    });
}

#[test]
fn the_contract_is_kept_without_prepared_statements() {
    let Some(_) = database() else { return };
    let databases = std::cell::RefCell::new(Vec::new());
    let failures = block_on(contract::run(|| {
        let database = database().expect("there is a server");
        let mut options = options(&database);
        options.prepared_statements = false;
        databases.borrow_mut().push(database);
        async move { open(&options).await }
    }));
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn the_contract_is_kept_behind_a_pooler_of_transactions() {
    let Some(first) = database() else { return };
    let Some(pooler) = Pooler::start(&first).expect("starts") else { return };
    let databases = std::cell::RefCell::new(vec![first]);
    let failures = block_on(contract::run(|| {
        let database = database().expect("there is a server");
        let mut options = PostgresOptions::new(&pooler.url(&database)).expect("an address");
        options.prepared_statements = false;
        databases.borrow_mut().push(database);
        async move { open(&options).await }
    }));
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_database_that_takes_too_long_is_unavailable() {
    let Some(fixture) = fixture() else { return };
    let cx = context();
    let mut options = options(&fixture.database);
    options.statement_timeout = Duration::from_secs(3);
    options.pool_timeout = Duration::from_secs(2);
    options.connections = 1;
    block_on(async {
        let store = open(&options).await;
        let created = store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        // Somebody else holds the row.
        let (client, connection) =
            tokio_postgres::connect(&fixture.database.url(), tokio_postgres::NoTls).await.expect("connects");
        tokio::spawn(connection);
        client.batch_execute("BEGIN; SELECT 1 FROM resource FOR UPDATE").await.expect("locks");
        let late = store.replace(&cx, &created.version, user(&cx, "u1", "bob"));
        // The only connection is taken meanwhile.
        let (late, busy) = tokio::join!(late, store.create(&cx, user(&cx, "u2", "eve")));
        assert_eq!(*late.expect_err("it waits for the row").kind(), StoreErrorKind::Unavailable);
        if let Err(error) = busy {
            assert_eq!(*error.kind(), StoreErrorKind::Unavailable);
        }
        client.batch_execute("ROLLBACK").await.expect("lets go");
        // A canceled request holds nothing, and the store continues.
        let done = store.replace(&cx, &created.version, user(&cx, "u1", "bob")).await.expect("answers");
        assert!(matches!(done, Outcome::Done(_)));
    });
}

#[test]
fn more_requests_than_may_wait_for_a_connection_are_refused_at_once() {
    let Some(fixture) = fixture() else { return };
    let cx = context();
    let mut options = options(&fixture.database);
    (options.connections, options.waiting) = (1, 2);
    block_on(async {
        let store = open(&options).await;
        store.create(&cx, user(&cx, "u", "ada")).await.expect("creates");
        // Somebody else keeps the one that has the connection from going on.
        let (client, connection) =
            tokio_postgres::connect(&fixture.database.url(), tokio_postgres::NoTls).await.expect("connects");
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE resource IN EXCLUSIVE MODE").await.expect("locks");
        // Each has a credential of its own: of one credential fewer may wait.
        let contexts: Vec<Context> =
            (0..8).map(|n| Context { actor: format!("actor{n}").into(), ..cx.clone() }).collect();
        let create = |n: usize| store.create(&contexts[n], user(&cx, &format!("u{n}"), &format!("user{n}")));
        let mut answers: FuturesUnordered<_> = (0..8).map(create).collect();
        // One has it and two wait.
        for _ in 0..5 {
            let refused = answers.next().await.expect("eight answers").expect_err("nobody can be created");
            assert_eq!(*refused.kind(), StoreErrorKind::Unavailable);
        }
        client.batch_execute("ROLLBACK").await.expect("lets go");
        let created = answers.filter(|answer| std::future::ready(answer.is_ok())).count().await;
        // A background task of the store may have used the connection.
        assert!(created >= 2, "{created}");
    });
}

#[test]
fn requests_of_one_credential_leave_connections_to_another() {
    let Some(fixture) = fixture() else { return };
    let mut options = options(&fixture.database);
    (options.connections, options.share, options.waiting) = (3, Some(2), 12);
    options.pool_timeout = Duration::from_secs(60);
    let a = Context { actor: "a".into(), ..context() };
    let b = Context { actor: "b".into(), ..a.clone() };
    block_on(async {
        let store = open(&options).await;
        store.create(&b, user(&b, "u", "ada")).await.expect("creates");
        // Somebody else keeps those that write from going on.
        let (client, connection) =
            tokio_postgres::connect(&fixture.database.url(), tokio_postgres::NoTls).await.expect("connects");
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE resource IN EXCLUSIVE MODE").await.expect("locks");
        let create = |n: usize| store.create(&a, user(&a, &format!("u{n}"), &format!("user{n}")));
        let mut answers: FuturesUnordered<_> = (0..20).map(create).collect();
        // Two have connections, nine wait, and the others are refused.
        for _ in 0..9 {
            let refused = answers.next().await.expect("twenty answers").expect_err("nobody can be created");
            assert_eq!(*refused.kind(), StoreErrorKind::Throttled, "{refused}");
        }
        assert!(answers.next().now_or_never().is_none());
        for _ in 0..5 {
            let read = store.retrieve(&b, &type_of(&b, "User"), "u", Include::default()).await;
            assert!(read.expect("a connection is left").is_some());
        }
        client.batch_execute("ROLLBACK").await.expect("lets go");
        let created = answers.filter(|answer| std::future::ready(answer.is_ok())).count().await;
        assert_eq!(created, 11);
    });
}

#[test]
fn a_request_that_is_given_up_leaves_no_transaction() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    block_on(async {
        for n in 0..40_usize {
            let write = user(&cx, &format!("u{n}"), &format!("user{n}"));
            let create = store.create(&cx, write);
            // Given up at another place each time: after so many times of being polled.
            let mut create = Box::pin(create);
            for _ in 0..n {
                if futures_util::poll!(&mut create).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let name = TenantId::default();
        let mut rows = 0_usize;
        store
            .admin()
            .audit(&name, 0, |_| {
                rows += 1;
                true
            })
            .await
            .expect("reads");
        let listed =
            store.list(&cx, &type_of(&cx, "User"), None, 100, Include::default()).await.expect("lists");
        assert_eq!(listed.len(), rows, "each is there with its audit row, or not at all");
    });
}

#[test]
fn a_query_that_nobody_waits_for_is_stopped() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    block_on(store.create(&cx, user(&cx, "u1", "ada"))).expect("creates");
    let sql = |statements: &str| fixture.database.sql(statements).expect("asks");
    let under_way = || {
        sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'scim2' AND state = 'active'")
        .trim()
        .to_owned()
    };
    std::thread::scope(|scope| {
        // Meanwhile nobody can read a resource.
        let locked = scope.spawn(|| {
            fixture
                .database
                .sql("BEGIN; LOCK TABLE resource; SELECT pg_sleep(3600)")
                .expect_err("ended below")
        });
        let holder = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                      AND query LIKE 'BEGIN; LOCK TABLE%' AND wait_event = 'PgSleep'";
        while sql(holder).trim().is_empty() {}
        let users = type_of(&cx, "User");
        let read = store.list(&cx, &users, None, 10, Include::default());
        block_on(async {
            let mut read = Box::pin(read);
            loop {
                let began = futures_util::poll!(&mut read);
                assert!(began.is_pending(), "nobody can read");
                if under_way() == "1" {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(read);
            // The database works on nothing, though nothing has become readable.
            while under_way() != "0" {
                tokio::task::yield_now().await;
            }
        });
        assert!(!sql(holder).trim().is_empty(), "it ended by itself");
        sql(&format!("SELECT pg_terminate_backend(pid) FROM ({holder}) AS holder"));
        locked.join().expect("no panic");
    });
    let there = block_on(store.retrieve(&cx, &type_of(&cx, "User"), "u1", Include::default()));
    assert!(there.expect("reads").is_some());
}

#[test]
fn tokens_and_the_audit_log_are_kept() {
    let Some(fixture) = fixture() else { return };
    let (cx, store, admin) = (context(), &fixture.store, fixture.store.admin());
    let new = NewToken {
        id: "t1".to_owned(),
        hash: [7; 32],
        tenant: TenantId::default(),
        name: "okta".to_owned(),
        access: Access::Write,
        expires: None,
    };
    block_on(async {
        admin.create_token(&new, "operator", cx.now).await.expect("stores");
        let error = admin.create_token(&new, "operator", cx.now).await.expect_err("there already");
        assert!(matches!(error.kind(), StoreErrorKind::Uniqueness(_)));
        let found = store.token(&[7; 32], cx.now).await.expect("asks").expect("there");
        assert_eq!((found.id.as_str(), &*found.name, found.access), ("t1", "okta", Access::Write));
        assert!(store.token(&[8; 32], cx.now).await.expect("asks").is_none());
        store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        assert!(admin.revoke_token(&TenantId::default(), "t1", "operator", cx.now).await.expect("revokes"));
        assert!(!admin.revoke_token(&TenantId::default(), "t1", "operator", cx.now).await.expect("revoked"));
        let later = cx.now + chrono::TimeDelta::seconds(2);
        assert!(store.token(&[7; 32], later).await.expect("asks").is_none());
        assert_eq!(admin.tokens(None).await.expect("lists").len(), 1);
        assert_eq!(admin.tenants().await.expect("lists"), [TenantId::default()]);
        let mut actions = Vec::new();
        let each = |record: scim2_store::AuditRecord| {
            actions.push(record.action);
            true
        };
        admin.audit(&TenantId::default(), 0, each).await.expect("reads");
        assert_eq!(actions, ["token.create", "create", "token.revoke"]);
    });
    let error = fixture.database.sql("UPDATE audit SET actor = 'nobody'").expect_err("append-only");
    assert!(error.to_string().contains("append-only"), "{error}");
}

#[test]
fn what_a_killed_node_left_waiting_is_moved_behind_the_log_by_others() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    let count = |table: &str| {
        let counted = fixture.database.sql(&format!("SELECT count(*) FROM {table}")).expect("counts");
        counted.trim().parse::<usize>().expect("a number")
    };
    block_on(async {
        store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        store.admin().audit(&TenantId::default(), 0, |_| false).await.expect("reads");
    });
    assert_eq!((count("audit"), count("audit_waiting")), (1, 0));
    fixture
        .database
        .sql(
            "INSERT INTO audit_waiting (tenant, type, resources, at, actor, request, action, resource_type, \
              resource_id, version, changed) SELECT number, NULL, 0, 0, 'killed', '', 'modify', 'User', 'u1', '', '' \
             FROM tenant",
        )
        .expect("a row");
    let report = block_on(store.admin().fsck(&Registry::standard())).expect("checks");
    assert!(report.is_clean() && report.audit_rows == 2, "{report}");
    // Nobody writes: the node looks by itself.
    while count("audit_waiting") > 0 {}
    assert_eq!(count("audit"), 2);
    let error = fixture.database.sql("UPDATE audit_waiting SET actor = 'nobody'").expect_err("append-only");
    assert!(error.to_string().contains("append-only"), "{error}");
}

#[test]
fn a_database_of_the_first_layout_is_counted_and_older_nodes_write_no_more() {
    let Some(database) = database() else { return };
    let (cx, options) = (context(), options(&database));
    database
        .sql(&format!(
            "CREATE TABLE schema_version (version bigint PRIMARY KEY, applied bigint NOT NULL); {}; \
             INSERT INTO schema_version VALUES (1, 0); INSERT INTO type (name) VALUES ('User'); \
             INSERT INTO tenant (name) VALUES ('default'); \
             INSERT INTO audit_head VALUES (1, 0, decode(repeat('00', 32), 'hex')); \
             INSERT INTO resource (tenant, type, id, version, created, modified, body) \
              VALUES (1, 1, 'u1', 1, 0, 0, '{{\"id\":\"u1\"}}')",
            include_str!("../../src/postgres/layout/1.sql"),
        ))
        .expect("the first layout");
    block_on(async {
        let nodes = join_all((0..3).map(|_| open(&options))).await;
        nodes[1].create(&cx, user(&cx, "u2", "ada")).await.expect("creates");
        nodes[2].admin().audit(&TenantId::default(), 0, |_| true).await.expect("reads");
        nodes.iter().for_each(PostgresStore::close);
    });
    let counted = "SELECT (SELECT resources FROM resource_count), (SELECT seq FROM audit_last), to_regclass('audit_head')";
    assert_eq!(database.sql(counted).expect("asks").trim(), "2|1|");
}

#[test]
fn the_check_finds_what_does_not_agree() {
    let Some(fixture) = fixture() else { return };
    let (cx, store) = (context(), &fixture.store);
    let registry = Registry::standard();
    block_on(async {
        store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        store.create(&cx, group(&cx, "g1", &["u1"])).await.expect("creates");
        let token = NewToken {
            id: "t1".to_owned(),
            hash: [7; 32],
            tenant: TenantId::default(),
            name: "okta".to_owned(),
            access: Access::Read,
            expires: Some(cx.now),
        };
        store.admin().create_token(&token, "operator", cx.now).await.expect("stores");
        store.admin().revoke_token(&TenantId::default(), "t1", "operator", cx.now).await.expect("revokes");
        // Every row has its place in the log.
        store.admin().audit(&TenantId::default(), 0, |_| false).await.expect("reads");
    });
    let heads = block_on(store.admin().audit_heads()).expect("answers");
    assert_eq!(heads.first().map(scim2_store::AuditHead::rows), Some(4));
    for (harm, said) in [
        ("DELETE FROM attribute WHERE uniq", "no index row for `userName`"),
        ("INSERT INTO member VALUES (1, 98, 0, 99)", "1 membership points to no resource"),
        (
            "UPDATE resource_count SET resources = 7 WHERE resources = 1",
            "the database has 1 of type User, and counted 7",
        ),
        ("UPDATE resource SET display = 'other' WHERE id = 'u1'", "the display name is not the body's"),
        (
            "ALTER TABLE audit DISABLE TRIGGER USER; DELETE FROM audit WHERE seq = 2",
            "row 2 was changed, removed or put in",
        ),
        ("UPDATE resource SET body = 'x' WHERE id = 'u1'", "the body is not a JSON object"),
        (
            "UPDATE resource SET version = 9 WHERE id = 'u1'",
            "User u1 has version 9, and 1 according to the audit log",
        ),
        ("UPDATE token SET revoked = NULL", "token t1 is not revoked, and was revoked"),
        ("UPDATE token SET access = 'write', expires = NULL", "token t1 is not the one that was created"),
        ("DELETE FROM token", "token t1 is in the audit log and not there"),
        (
            "ALTER TABLE audit DISABLE TRIGGER USER",
            "the trigger `audit_keeps_rows` was changed or switched off",
        ),
        ("DROP TRIGGER audit_keeps_rows ON audit", "the trigger `audit_keeps_rows` is missing"),
        (
            "CREATE TRIGGER other AFTER UPDATE ON token FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows()",
            "the trigger `other` on `token` is not one of this program",
        ),
        ("DROP TRIGGER other ON token; DELETE FROM audit", "row 1 was changed, removed or put in"),
        (
            "UPDATE audit_last SET seq = 0, hash = decode(repeat('00', 32), 'hex')",
            "User u1 is not in the audit log",
        ),
    ] {
        fixture.database.sql(harm).expect("harms");
        let report = block_on(store.admin().fsck(&registry)).expect("checks");
        assert!(report.to_string().contains(said), "{harm}: {report}");
    }
    // Rows that are removed together with the note of the last one are missed by a head from before.
    let mut options = FsckOptions::default();
    options.heads = heads;
    let report = block_on(store.admin().fsck_with(&registry, &options)).expect("checks");
    assert!(report.to_string().contains("rows were removed"), "{report}");

    // Harmed for good: nothing to check at the end, except what a repair makes again.
    let empty = "ALTER TABLE audit_waiting DISABLE TRIGGER USER; TRUNCATE resource, attribute, member, resource_count, audit, audit_last, audit_waiting, token";
    fixture.database.sql(empty).expect("empties");
    let repair = block_on(store.admin().repair(&cx)).expect("repairs");
    assert!(repair.after.is_clean() && !repair.done.is_empty(), "{repair}");
}

#[test]
fn layout_without_an_index_or_a_step_is_found() {
    let Some(fixture) = fixture() else { return };
    for (harm, said, mend) in [
        (
            "DROP INDEX member_of",
            "the index `member_of` is missing: make it again as UNIQUE INDEX USING btree",
            "CREATE UNIQUE INDEX member_of ON member (tenant, member_pk, group_pk)",
        ),
        (
            "DROP INDEX token_by_hash; CREATE INDEX token_by_hash ON token (name)",
            "the index `token_by_hash` was changed",
            "DROP INDEX token_by_hash; CREATE INDEX token_by_hash ON token (hash)",
        ),
        (
            "DELETE FROM schema_version WHERE version = 2",
            "`schema_version` does not have the steps",
            "INSERT INTO schema_version VALUES (2, 0)",
        ),
    ] {
        fixture.database.sql(harm).expect("harms");
        let report = block_on(fixture.store.admin().fsck(&Registry::standard())).expect("checks");
        assert!(report.to_string().contains(said), "{harm}: {report}");
        fixture.database.sql(mend).expect("mends");
    }
}

#[test]
fn log_hashed_with_the_own_key_goes_on_with_a_key_file_only_when_it_is_adopted() {
    let Some(fixture) = fixture() else { return };
    let cx = context();
    let mut keyed = options(&fixture.database);
    keyed.audit_keys = AuditKeys::parse(&"k".repeat(64)).expect("a key");
    block_on(async {
        fixture.store.create(&cx, user(&cx, "u1", "ada")).await.expect("creates");
        // Every row has its place in the log.
        fixture.store.admin().audit(&TenantId::default(), 0, |_| true).await.expect("reads");
        let before = fixture.store.admin().audit_heads().await.expect("answers");
        let error = PostgresStore::open(&keyed).await.expect_err("not adopted");
        assert_eq!(error.kind(), OpenErrorKind::AuditKeyNotAdopted);
        let admin = Admin::connect(&keyed).await.expect("opens");
        let report = admin.fsck(&cx.registry).await.expect("checks");
        assert!(report.to_string().contains("run `scim2 audit --adopt-key`"), "{report}");

        let adopted = admin.adopt_audit_key("operator", "adoption", cx.now).await.expect("adopts");
        assert_eq!(adopted, before);
        assert_eq!(admin.adopt_audit_key("operator", "again", cx.now).await.expect("answers"), []);
        let report = admin.fsck(&cx.registry).await.expect("checks");
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.audit_rows, report.database_key_rows), (2, Some(1)));
        let node = PostgresStore::open(&keyed).await.expect("opens");
        node.create(&cx, user(&cx, "u2", "bob")).await.expect("creates");
        let mut actions = Vec::new();
        let read = |record: scim2_store::AuditRecord| {
            actions.push((record.action, record.changed));
            true
        };
        node.admin().audit(&TenantId::default(), 0, read).await.expect("reads");
        let change = ["from=database".to_owned(), format!("before={}", before[0])];
        assert_eq!(
            actions.iter().map(|(action, _)| action.as_str()).collect::<Vec<_>>(),
            ["create", "audit.key", "create"]
        );
        assert_eq!(actions[1].1, change);
        // A newer key of the file is used from the next write on, and says so.
        keyed.audit_keys =
            AuditKeys::parse(&format!("{}\n{}", "k".repeat(64), "n".repeat(64))).expect("keys");
        node.close();
        let node = PostgresStore::open(&keyed).await.expect("opens");
        node.create(&cx, user(&cx, "u3", "eve")).await.expect("creates");
        node.admin().audit(&TenantId::default(), 0, |_| true).await.expect("reads");
        let report = node.admin().fsck(&cx.registry).await.expect("checks");
        assert!(report.is_clean() && report.audit_rows == 5, "{report}");
        node.close();
    });
    // The check at the end has no key.
    let forget = "ALTER TABLE audit DISABLE TRIGGER USER; TRUNCATE resource, attribute, resource_count, audit, audit_last, audit_key; \
                  ALTER TABLE audit ENABLE TRIGGER USER";
    fixture.database.sql(forget).expect("empties");
}
