//! What goes wrong around a running server.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use scim2_testkit::http::Endpoint;
use scim2_testkit::needs::{self, Need};
use scim2_testkit::process::TOKEN;
use serde_json::json;

use crate::binary::{Server, command, done, expect, run};

/// A shell in which a file system of its own can be mounted.
fn mounting(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]).stdin(Stdio::null());
    command
}

#[test]
fn a_full_disk_is_503_until_there_is_room_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    if !needs::have(Need::Mount) {
        return;
    }
    // 3 MB, one of them taken by a file that is removed later.
    let mut shell = mounting(
        "mount -t tmpfs -o size=3m none \"$0\" && cd \"$0\" && head -c 1000000 /dev/zero > filler && \
         exec \"$1\" serve --listen 127.0.0.1:0 --store sqlite:scim2.db",
    );
    shell.arg(folder.path()).arg(env!("CARGO_BIN_EXE_scim2")).env("SCIM2_BOOTSTRAP_TOKEN", TOKEN);
    let server = Server::spawn(shell);
    let endpoint = server.endpoint(TOKEN);
    let user = |number: usize| json!({"userName": format!("u{number}"), "title": "x".repeat(4000)});
    let mut answered = Vec::new();
    let refused = (0..2000).find_map(|number| {
        let answer = endpoint.call("POST", "/Users", Some(&user(number))).expect("an answer");
        match answer.status {
            201 => {
                let id = answer.json().expect("JSON")["id"].as_str().expect("an id").to_owned();
                answered.push(id);
                None
            }
            _ => Some((number, answer)),
        }
    });
    let (number, answer) = refused.expect("3 MB are full some time");
    assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.header("retry-after").is_some());
    let there =
        |id: &str| endpoint.call("GET", &format!("/Users/{id}"), None).expect("an answer").status == 200;
    assert!(!answered.is_empty() && answered.iter().all(|id| there(id)), "reads go on");

    // The file system as the server sees it.
    let filler = format!("/proc/{}/root{}/filler", server.child.id(), folder.path().display());
    std::fs::remove_file(filler).expect("it is there");
    expect(&endpoint, 201, "POST", "/Users", Some(user(number)));
    assert!(answered.iter().all(|id| there(id)), "nothing was lost");
}

#[test]
fn a_store_that_cannot_be_written_is_named_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    if !needs::have(Need::Mount) {
        return;
    }
    let mut shell = mounting(
        "mount -t tmpfs -o size=16m none \"$0\" && cd \"$0\" && \
         \"$1\" token create --store sqlite:scim2.db > /dev/null 2>&1 && \
         mount -o remount,ro none \"$0\" && cd \"$0\" && \
         \"$1\" serve --listen 127.0.0.1:0 --store sqlite:scim2.db; code=$?; \
         mount -o remount,rw none \"$0\" && cd \"$0\" && \"$1\" fsck --store sqlite:scim2.db && exit $code",
    );
    shell.arg(folder.path()).arg(env!("CARGO_BIN_EXE_scim2"));
    let ran = shell.output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(2), "{said}{error}");
    assert!(said.contains("all agree"), "{said}");
    assert_eq!(
        error,
        "scim2: the store `scim2.db`: the database cannot be opened: the lock file `scim2.db.lock`: \
         Read-only file system (os error 30)\n"
    );
}

#[test]
fn a_store_where_nothing_can_be_written_is_checked_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    if !needs::have(Need::Mount) {
        return;
    }
    let file = folder.path().with_extension("jsonl");
    std::fs::write(&file, "{\"userName\":\"ada\"}\n").unwrap();
    // One that was served, a copy of it, and one with a log that is left over.
    let mut shell = mounting(
        "mount -t tmpfs -o size=16m none \"$0\" && cd \"$0\" && mkdir 'a folder' && cd 'a folder' && \
         \"$1\" import --quiet --type User --store sqlite:a.db \"$2\" 2> /dev/null && \
         \"$1\" backup --quiet --store sqlite:a.db b.db > /dev/null 2>&1 && \
         cp a.db c.db && head -c 100 /dev/zero > c.db-wal && \
         mount -o remount,ro none \"$0\" && cd \"$0/a folder\" && \
         for store in a.db b.db c.db; do \
           \"$1\" fsck --store sqlite:$store; echo \"$store $?\"; \
           \"$1\" export --quiet --store sqlite:$store - | grep -c ada; \
         done",
    );
    shell.arg(folder.path()).arg(env!("CARGO_BIN_EXE_scim2")).arg(&file);
    let ran = shell.output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let (said, error) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let lines: Vec<&str> = said.lines().map(|line| line.rsplit(": ").next().unwrap_or(line)).collect();
    assert_eq!(lines, ["all agree", "a.db 0", "1", "all agree", "b.db 0", "1", "c.db 2", "0"], "{error}");
    let told = "scim2: the store `c.db`: the database cannot be opened: its write-ahead log cannot be read where \
                nothing can be written; copy it with its `-wal` to a folder that can";
    assert_eq!(error.lines().collect::<Vec<_>>(), [told, told], "{said}");
}

#[test]
fn a_second_server_on_the_same_file_says_so_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = ["--store", "sqlite:a.db"];
    let first = Server::start(folder.path(), &store, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let second = command(folder.path(), &["serve", "--listen", "127.0.0.1:0"]).args(store).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&second.stderr),
        "scim2: the store `a.db`: another server has the database open\n"
    );
    expect(&first.endpoint(TOKEN), 201, "POST", "/Users", Some(json!({"userName": "ada"})));
    assert!(done(folder.path(), &["fsck", "--store", "sqlite:a.db"]).contains("all agree"));
}

#[test]
fn a_store_that_is_taken_away_is_not_written_to_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, away) = (folder.path().join("data"), folder.path().join("away"));
    std::fs::create_dir(&data).unwrap();
    let store = ["--store", "sqlite:data/a.db"];
    let server = Server::start(folder.path(), &store, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let endpoint = server.endpoint(TOKEN);
    let user = |name: &str| Some(json!({"userName": name}));
    let count = |endpoint: &Endpoint| expect(endpoint, 200, "GET", "/Users", None)["totalResults"].clone();
    expect(&endpoint, 201, "POST", "/Users", user("before"));
    // The folder, the database, and its log: what was written now would be gone with the server.
    for name in ["", "a.db", "a.db-wal"] {
        let (here, there) = (data.join(name), away.join(name));
        if !name.is_empty() {
            std::fs::create_dir_all(&away).unwrap();
        }
        let (here, there) = if name.is_empty() { (data.clone(), away.clone()) } else { (here, there) };
        std::fs::rename(&here, &there).unwrap();
        let refused = expect(&endpoint, 503, "POST", "/Users", user("refused"));
        assert_eq!(
            refused["detail"],
            "the database file was moved, replaced or deleted while the server was running",
            "{name}"
        );
        assert_eq!(count(&endpoint), 1, "reads go on");
        std::fs::rename(&there, &here).unwrap();
        expect(&endpoint, 409, "POST", "/Users", user("before"));
    }
    // Another file in its place is another store.
    std::fs::copy(data.join("a.db"), folder.path().join("copy")).unwrap();
    std::fs::rename(folder.path().join("copy"), data.join("a.db")).unwrap();
    expect(&endpoint, 503, "POST", "/Users", user("refused"));
}

#[test]
fn a_log_that_is_removed_under_a_server_is_moved_when_that_stops() {
    let folder = tempfile::tempdir().unwrap();
    let store = ["--store", "sqlite:a.db"];
    let server = Server::start(folder.path(), &store, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let endpoint = server.endpoint(TOKEN);
    for number in 0..20 {
        expect(&endpoint, 201, "POST", "/Users", Some(json!({"userName": format!("u{number}")})));
    }
    std::fs::remove_file(folder.path().join("a.db-wal")).unwrap();
    expect(&endpoint, 503, "POST", "/Users", Some(json!({"userName": "refused"})));
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0), "{said}");
    let server = Server::start(folder.path(), &store, &[]);
    let listed = expect(&server.endpoint(TOKEN), 200, "GET", "/Users?count=0", None);
    assert_eq!(listed["totalResults"], 20, "{said}");
    assert!(done(folder.path(), &["fsck", "--store", "sqlite:a.db"]).contains("all agree"));
}

#[test]
fn a_file_that_is_no_store_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    std::fs::write(&file, "mine".repeat(2000)).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for arguments in [&serve[..], &["fsck"], &["fsck", "--repair"], &["export"], &["backup", "b.db"]] {
        let ran = run(folder.path(), &[arguments, &["--store", "sqlite:a.db"]].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("the file is not a database of this program"), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine".repeat(2000));
}

#[test]
fn a_page_that_was_written_over_costs_what_is_on_it_and_the_check_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let store = ["--store", "sqlite:a.db"];
    let server = Server::start(folder.path(), &store, &[("SCIM2_BOOTSTRAP_TOKEN", TOKEN)]);
    let create = |server: &Server, name: &str| {
        let user = json!({"userName": name, "title": "x".repeat(400)});
        expect(&server.endpoint(TOKEN), 201, "POST", "/Users", Some(user))["id"].as_str().unwrap().to_owned()
    };
    let ids: Vec<String> = (0..60).map(|number| create(&server, &format!("user{number:02}"))).collect();
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    let file = folder.path().join("a.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let text = b"\"userName\":\"user30\"";
    let holds = |page: &[u8]| page.windows(text.len()).any(|window| window == text);
    let page = bytes.chunks_exact(4096).position(holds).expect("its page");
    bytes[page * 4096..][..4096].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();

    let server = Server::start(folder.path(), &store, &[]);
    let endpoint = server.endpoint(TOKEN);
    let (mut lost, mut there) = (Vec::new(), 0);
    for id in &ids {
        let answer = endpoint.call("GET", &format!("/Users/{id}"), None).unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        match answer.status {
            200 => there += 1,
            status => {
                assert_eq!(status, 500, "{text}");
                lost.push(id.clone());
            }
        }
    }
    assert!(lost.contains(&ids[30]) && lost.len() < 10 && there > 50, "{lost:?}");
    let is_lost = |target: &str| expect(&endpoint, 500, "GET", target, None);
    is_lost("/Users?filter=userName%20eq%20%22user30%22");
    is_lost("/Users");
    expect(&endpoint, 200, "GET", "/Users?count=10", None);
    expect(&endpoint, 200, "GET", "/Users?filter=userName%20eq%20%22user00%22", None);
    expect(&endpoint, 500, "DELETE", &format!("/Users/{}", ids[30]), None);
    create(&server, "behind");
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("malformed"), "the log says why: {said}");

    for command in [&["fsck"][..], &["fsck", "--repair"]] {
        let checked = run(folder.path(), &[command, &store].concat());
        assert_eq!(checked.code, Some(1), "{}", checked.err);
        assert!(checked.out.contains(&format!(" page {}", page + 1)), "{}", checked.out);
        assert!(checked.out.contains("(`resource`)"), "{}", checked.out);
        let told: BTreeSet<&str> =
            checked.out.lines().filter(|line| line.ends_with("cannot be read")).collect();
        let lines: Vec<String> =
            lost.iter().map(|id| format!("tenant default: User {id} cannot be read")).collect();
        assert_eq!(told, lines.iter().map(String::as_str).collect());
    }
    assert_eq!(run(folder.path(), &["backup", "--store", "sqlite:a.db", "b.db"]).code, Some(1));
}
