//! The binary over a PostgreSQL database: many nodes, one directory.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use scim2_testkit::http::{Answer, Endpoint, encode};
use scim2_testkit::postgres::{Database, OwnServer};
use scim2_testkit::process::Launch;
use serde_json::{Value, json};

use crate::crash;
use crate::harness::launch;

/// A database, and a launch of nodes over it; `None` where there is no PostgreSQL.
fn database(folder: &tempfile::TempDir) -> Option<(Database, Launch)> {
    let database = Database::create().expect("a database")?;
    let launch = launch(folder).store_at(database.url());
    Some((database, launch))
}

fn scim2(database: &Database, arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_scim2"))
        .args(arguments)
        .env("SCIM2_STORE", database.url())
        .output()
        .expect("the binary runs")
}

#[track_caller]
fn fsck(database: &Database) {
    let checked = scim2(database, &["fsck"]);
    let (out, error) = (String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(checked.status.success(), "{out}{error}");
}

#[test]
fn every_answered_write_survives_kill_9_on_postgres() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((database, launch)) = database(&folder) else { return };
    crash::every_answered_write_survives(&launch);
    fsck(&database);
}

#[test]
fn of_three_nodes_one_is_killed_and_no_answered_write_is_lost() {
    const CLIENTS: usize = 6;
    const WRITES: usize = 40;
    let folder = tempfile::tempdir().expect("a folder");
    let Some((database, launch)) = database(&folder) else { return };
    // All at once, over a database without tables.
    let nodes: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> =
            (0..3).map(|_| scope.spawn(|| launch.start().expect("a node starts"))).collect();
        starting.into_iter().map(|node| node.join().expect("no panic")).collect()
    });
    let endpoints: Vec<Endpoint> = nodes.iter().map(|node| node.endpoint().clone()).collect();
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "All"});
    let group =
        endpoints[0].call("POST", "/Groups", Some(&group)).expect("an answer").json().expect("a group");
    let group = format!("/Groups/{}", group["id"].as_str().expect("an id"));

    let half_done = Arc::new(AtomicBool::new(false));
    let mut nodes = nodes;
    let ids: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (endpoints, group, half_done) = (&endpoints, &group, &half_done);
                scope.spawn(move || {
                    (0..WRITES)
                        .map(|write| {
                            if write == WRITES / 2 {
                                half_done.store(true, Ordering::SeqCst);
                            }
                            write_one(endpoints, client, group, &format!("c{client}w{write}"))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        while !half_done.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        nodes[0].kill9().expect("killed");
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    assert_eq!(ids.len(), CLIENTS * WRITES);
    // Either of the others has it all.
    for endpoint in &endpoints[1..] {
        let read = endpoint.call("GET", &group, None).expect("an answer").json().expect("a group");
        let members = read["members"].as_array().expect("members");
        assert_eq!(members.len(), ids.len());
        for id in &ids {
            assert_eq!(endpoint.call("GET", &format!("/Users/{id}"), None).expect("an answer").status, 200);
            assert!(members.iter().any(|member| member["value"] == id.as_str()), "{id} is a member");
        }
    }
    fsck(&database);
}

#[test]
fn postgres_is_killed_under_three_nodes_and_no_answered_write_is_lost() {
    const CLIENTS: usize = 6;
    const WRITES: usize = 20;
    let folder = tempfile::tempdir().expect("a folder");
    if Database::create().expect("a database").is_none() {
        return;
    }
    let server = OwnServer::start().expect("starts").expect("there is a server");
    let store = server.database("scim2").expect("a database");
    let launch = launch(&folder).store_at(&store);
    let nodes: Vec<_> = (0..3).map(|_| launch.start().expect("a node starts")).collect();
    let endpoints: Vec<Endpoint> = nodes.iter().map(|node| node.endpoint().clone()).collect();
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "All"});
    let group =
        endpoints[0].call("POST", "/Groups", Some(&group)).expect("an answer").json().expect("a group");
    let group = format!("/Groups/{}", group["id"].as_str().expect("an id"));

    let written = AtomicUsize::new(0);
    let ids: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (endpoints, group, written) = (&endpoints, &group, &written);
                scope.spawn(move || {
                    let write = |number| {
                        let id = write_one(endpoints, client, group, &format!("c{client}w{number}"));
                        written.fetch_add(1, Ordering::SeqCst);
                        id
                    };
                    (0..WRITES).map(write).collect::<Vec<_>>()
                })
            })
            .collect();
        // At a third and at two thirds of the way.
        for third in 1..3 {
            while written.load(Ordering::SeqCst) < third * CLIENTS * WRITES / 3 {
                thread::yield_now();
            }
            server.kill9().expect("killed");
            server.start_again().expect("starts again");
        }
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    // The nodes are those that were there: they found the database again by themselves.
    for endpoint in &endpoints {
        let read = repeated(std::slice::from_ref(endpoint), 0, "GET", &group, None);
        let group = read.json().expect("a group");
        let members = group["members"].as_array().expect("members");
        assert_eq!(members.len(), CLIENTS * WRITES);
        for id in &ids {
            assert!(members.iter().any(|member| member["value"] == id.as_str()), "{id} is a member");
        }
    }
    let checked = Command::new(env!("CARGO_BIN_EXE_scim2"))
        .args(["fsck", "--store", &store])
        .output()
        .expect("the binary runs");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn a_standby_is_read_until_it_is_promoted() {
    let folder = tempfile::tempdir().expect("a folder");
    if Database::create().expect("a database").is_none() {
        return;
    }
    let server = OwnServer::start().expect("starts").expect("there is a server");
    let store = server.database("scim2").expect("a database");
    let launch = launch(&folder).store_at(&store);
    let node = launch.start().expect("a node starts");
    let nodes = std::slice::from_ref(node.endpoint());
    let post = |name: &str| repeated(nodes, 0, "POST", "/Users", Some(&json!({"userName": name})));
    let count =
        || repeated(nodes, 0, "GET", "/Users?count=0", None).json().expect("a list")["totalResults"].clone();
    assert_eq!(post("before").status, 201);
    server.kill9().expect("killed");
    std::fs::write(server.data().join("standby.signal"), "").expect("writes");
    server.start_again().expect("starts again");

    assert_eq!(count(), 1, "reads go on");
    let refused = json!({"userName": "refused"});
    let refused = node.endpoint().call("POST", "/Users", Some(&refused)).expect("an answer");
    let text = String::from_utf8_lossy(&refused.body).into_owned();
    assert_eq!(refused.status, 503, "{text}");
    assert!(text.contains("the database cannot be written"), "{text}");
    assert!(refused.header("retry-after").is_some(), "{text}");
    server.sql(&store, "SELECT pg_promote()").expect("is promoted");
    assert_eq!(post("behind").status, 201);
    assert_eq!(count(), 2);
    crash::fsck(&launch);
}

#[test]
fn a_page_of_postgres_that_was_written_over_costs_what_is_on_it_and_the_check_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    if Database::create().expect("a database").is_none() {
        return;
    }
    let server = OwnServer::start().expect("starts").expect("there is a server");
    let store = server.database("scim2").expect("a database");
    let node = launch(&folder).store_at(&store).start().expect("a node starts");
    let ids: Vec<String> = (0..40)
        .map(|number| {
            let user = json!({"userName": format!("user{number:02}"), "title": "x".repeat(400)});
            let created = node.endpoint().call("POST", "/Users", Some(&user)).expect("an answer");
            created.json().expect("a user")["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    let file = server.sql(&store, "CHECKPOINT; SELECT pg_relation_filepath('resource')").expect("asks");
    server.kill9().expect("killed");
    let file = server.data().join(file.trim());
    let mut bytes = std::fs::read(&file).expect("reads");
    bytes[8192..2 * 8192].fill(0xa5);
    std::fs::write(&file, bytes).expect("writes");
    server.start_again().expect("starts again");

    let nodes = std::slice::from_ref(node.endpoint());
    let statuses: Vec<u16> =
        ids.iter().map(|id| repeated(nodes, 0, "GET", &format!("/Users/{id}"), None).status).collect();
    let lost = statuses.iter().filter(|status| **status == 500).count();
    let there = statuses.iter().filter(|status| **status == 200).count();
    assert!(lost > 0 && there > 10 && lost + there == ids.len(), "{statuses:?}");
    let user = json!({"userName": "behind"});
    assert_eq!(repeated(nodes, 0, "POST", "/Users", Some(&user)).status, 201, "{}", node.said());
    let checked = Command::new(env!("CARGO_BIN_EXE_scim2"))
        .args(["fsck", "--store", &store])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("the database: invalid page in block 1 of relation"), "{said}");
}

/// What the first of the nodes says that answers and has a database, asked again and again as 503 tells it to.
fn repeated(
    endpoints: &[Endpoint],
    first: usize,
    method: &str,
    target: &str,
    body: Option<&Value>,
) -> Answer {
    let mut last = String::new();
    for endpoint in endpoints.iter().cycle().skip(first).take(1000 * endpoints.len()) {
        match endpoint.call(method, target, body) {
            Ok(answer) if answer.status != 503 => return answer,
            Ok(answer) => last = String::from_utf8_lossy(&answer.body).into_owned(),
            Err(error) => last = error.to_string(),
        }
        // A client comes again after a while; sooner than `Retry-After` asks for.
        thread::sleep(Duration::from_millis(20));
    }
    panic!("no node answers: {last}")
}

/// Creates a user and adds it to the group, at whichever node answers: as an identity provider does,
/// a client that heard nothing asks whether it was done, and does it again if not.
fn write_one(endpoints: &[Endpoint], client: usize, group: &str, name: &str) -> String {
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    let created = repeated(endpoints, client, "POST", "/Users", Some(&user));
    let answer = if created.status == 201 {
        created.json().map(|user| user["id"].clone())
    } else {
        assert_eq!(created.status, 409, "{}", String::from_utf8_lossy(&created.body));
        let filter = encode(&format!("userName eq \"{name}\""));
        let found = repeated(endpoints, client, "GET", &format!("/Users?filter={filter}"), None);
        found.json().map(|list| list["Resources"][0]["id"].clone())
    };
    let id = answer.as_ref().and_then(Value::as_str).expect("it is there").to_owned();
    let add = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": id}]}],
    });
    let added = repeated(endpoints, client, "PATCH", group, Some(&add));
    assert!(added.is_success(), "{}", String::from_utf8_lossy(&added.body));
    id
}

#[test]
fn the_commands_know_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((database, launch)) = database(&folder) else { return };
    let created = scim2(&database, &["token", "create", "--name", "okta"]);
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    let token = String::from_utf8(created.stdout).expect("text");
    let node = launch.start().expect("a node starts");
    let asked = Endpoint::new(&node.endpoint().base_url(), token.trim()).expect("an endpoint");
    assert_eq!(asked.call("GET", "/Users", None).expect("an answer").status, 200);
    let listed = scim2(&database, &["token", "list", "--json"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("\"okta\""));
    let log = scim2(&database, &["audit", "--json"]);
    assert!(String::from_utf8_lossy(&log.stdout).contains("token.create"));
    fsck(&database);
}

#[test]
fn a_database_that_is_served_is_loaded_checked_and_repaired() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((database, launch)) = database(&folder) else { return };
    let node = launch.start().expect("a node starts");
    let create = |name: &str| {
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
        node.endpoint().call("POST", "/Users", Some(&user)).expect("an answer").status
    };
    assert_eq!(create("before"), 201);
    let lines: String = (0..500)
        .map(|number| format!("{{\"id\":\"i{number}\",\"userName\":\"imported{number}\"}}\n"))
        .chain(["{\"id\":\"i500\",\"userName\":\"BEFORE\"}\n".to_owned()])
        .collect();
    let file = folder.path().join("users.jsonl");
    std::fs::write(&file, lines).expect("writes");
    let file = file.to_str().expect("text");
    let imported = thread::scope(|scope| {
        let import = scope.spawn(|| scim2(&database, &["import", "--json", "--type", "User", file]));
        for number in 0..20 {
            assert_eq!(create(&format!("meanwhile{number}")), 201);
        }
        import.join().expect("no panic")
    });
    assert_eq!(imported.status.code(), Some(3), "{}", String::from_utf8_lossy(&imported.stderr));
    let summary: Value = serde_json::from_slice(&imported.stdout).expect("a summary");
    assert_eq!((&summary["created"], &summary["refused"]), (&json!(500), &json!(1)));
    assert_eq!(create("IMPORTED7"), 409, "the node knows what was imported");
    let counted =
        database.sql("SELECT reltuples >= 500 FROM pg_class WHERE relname IN ('resource', 'attribute')");
    assert_eq!(counted.expect("answers").trim(), "t\nt", "look-ups are planned for what is there now");
    fsck(&database);

    // The node keeps running while its index is removed and rebuilt.
    database.sql("DELETE FROM attribute WHERE value > 'imported4'; UPDATE resource SET display = 'x' WHERE id = 'i1'; \
        INSERT INTO member SELECT tenant, 0, 0, pk FROM resource WHERE id = 'i2'").expect("harms");
    let checked = scim2(&database, &["fsck"]);
    assert_eq!(checked.status.code(), Some(1));
    let repaired = scim2(&database, &["fsck", "--repair"]);
    let said = String::from_utf8_lossy(&repaired.stdout);
    assert!(repaired.status.success(), "{said}");
    for part in ["1 display name ", "521 resources whose index rows", "1 membership that led nowhere"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(create("imported499"), 409);
    fsck(&database);

    // We do not copy the files of PostgreSQL.
    for command in [["backup", "b.db"], ["restore", "b.db"]] {
        let refused = scim2(&database, &command);
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("`pg_dump`"), "{refused:?}");
    }
}

#[test]
fn no_log_level_shows_what_is_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_database, launch)) = database(&folder) else { return };
    let node = launch.arg("--log").arg("trace,tokio_postgres=trace").start().expect("a node starts");
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada",
        "nickName": "logged-nowhere",
        "password": "correct horse battery staple",
    });
    assert_eq!(node.endpoint().call("POST", "/Users", Some(&user)).expect("an answer").status, 201);
    // What it said is read by a thread; the answer to a second request comes behind the lines of the first.
    assert_eq!(node.endpoint().call("GET", "/Users", None).expect("an answer").status, 200);
    let said = node.said();
    assert!(!said.is_empty(), "the log is followed");
    for secret in ["argon2", "logged-nowhere", "battery"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

#[test]
fn a_database_that_cannot_be_used_is_one_line_without_the_password() {
    for (url, said) in [
        ("postgres://u:hush-hush@127.0.0.1:1/scim2", "the database cannot be opened"),
        ("postgres://u:hush-hush@127.0.0.1/scim2?sslmode=always", "`sslmode=always`"),
        (
            "postgres://u:hush-hush@127.0.0.1/scim2?sslmode=verify-ca&sslrootcert=/no.pem",
            "`sslrootcert=/no.pem`",
        ),
        ("postgres://u:hush-hush@127.0.0.1/scim2?colour=blue", "colour"),
        ("postgres://u:hush-hush@127.0.0.1:port/scim2", "postgres://USER"),
    ] {
        for command in [["token", "list"].as_slice(), &["serve", "--listen", "127.0.0.1:0"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_scim2"))
                .args(command)
                .env("SCIM2_STORE", url)
                .output()
                .expect("the binary runs");
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{url}: {error}");
            assert!(error.contains(said) && !error.contains("hush-hush"), "{url}: {error}");
            assert_eq!(error.trim().lines().count(), 1, "{url}: {error}");
        }
    }
}
