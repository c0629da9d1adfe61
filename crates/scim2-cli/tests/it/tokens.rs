//! `scim2 token` beside a running server.

use serde_json::{Value, json};

use crate::binary::{Server, done, expect, run};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn listed(folder: &std::path::Path) -> Vec<Value> {
    done(folder, &["token", "list", "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn tokens_are_created_listed_and_revoked_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[], &[]);
    let token = done(folder.path(), &["token", "create", "--name", "okta", "--expires", "90d"]);
    let token = token.trim();
    assert!(token.starts_with("scim2_") && token.len() == 55, "{token}");
    let endpoint = server.endpoint(token);
    expect(&endpoint, 201, "POST", "/Users", Some(json!({"schemas": [USER], "userName": "a"})));

    let tokens = listed(folder.path());
    let names: Vec<_> = tokens.iter().map(|token| token["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "okta"]);
    assert_eq!((&tokens[1]["state"], &tokens[1]["access"]), (&json!("valid"), &json!("read-write")));
    assert!(tokens[1]["expires"].is_string() && tokens[0]["expires"].is_null());
    let table = done(folder.path(), &["token", "list"]);
    assert!(table.starts_with("ID ") && table.lines().count() == 3 && !table.contains(token), "{table}");

    assert_eq!(done(folder.path(), &["token", "revoke", "okta"]), "");
    // The server remembers a token for one second.
    while endpoint.call("GET", "/Users", None).unwrap().status == 200 {
        std::thread::yield_now();
    }
    expect(&endpoint, 401, "GET", "/Users", None);
    assert_eq!(listed(folder.path())[1]["state"], "revoked");

    let again = run(folder.path(), &["token", "revoke", "okta"]);
    assert_eq!((again.code, again.err.as_str()), (Some(1), "scim2: token `okta` is revoked already\n"));
    let id = tokens[1]["id"].as_str().unwrap();
    let again = run(folder.path(), &["token", "revoke", id]);
    assert_eq!(again.code, Some(1));
    assert_eq!(again.err, format!("scim2: token {id} is revoked already\n"));
}

/// In the wrong folder, `token create` makes a new store that no server uses.
#[test]
fn token_for_a_new_store_names_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["token", "create"]);
    let store = std::fs::canonicalize(folder.path()).unwrap().join("scim2-data/scim2.db");
    let warning = format!("the store sqlite:{} is new; a server refuses the token unless", store.display());
    assert!(ran.err.starts_with(&warning), "{}", ran.err);
    let again = run(folder.path(), &["token", "create"]);
    assert!(!again.err.contains("is new"), "{}", again.err);
}

#[test]
fn read_only_token_may_only_read_and_search() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[], &[]);
    let token = done(folder.path(), &["token", "create", "--name", "report", "--read-only"]);
    let endpoint = server.endpoint(token.trim());
    expect(&endpoint, 200, "GET", "/Users", None);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]});
    expect(&endpoint, 200, "POST", "/Users/.search", Some(search));
    expect(&endpoint, 403, "POST", "/Users", Some(json!({"schemas": [USER], "userName": "a"})));
    expect(&endpoint, 403, "DELETE", "/Users/1", None);
}

#[test]
fn bootstrap_token_is_not_added_if_all_tokens_are_revoked() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["token", "create", "--name", "only"]);
    done(folder.path(), &["token", "revoke", "only"]);
    let server = Server::start(folder.path(), &[], &[("SCIM2_BOOTSTRAP_TOKEN", "bootstrap-token-0001")]);
    assert!(!server.greeting.contains("bootstrap-token-0001"), "{}", server.greeting);
    expect(&server.endpoint("bootstrap-token-0001"), 401, "GET", "/Users", None);
}

#[test]
fn revoking_an_ambiguous_token_name_revokes_none() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["token", "create", "--name", "twin"]);
    done(folder.path(), &["token", "create", "--name", "twin"]);
    let ran = run(folder.path(), &["token", "revoke", "twin"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.err, "scim2: more than one token is called `twin`; give its id\n");
    assert!(listed(folder.path()).iter().all(|token| token["state"] == "valid"));
}

#[test]
fn expired_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[], &[]);
    let token = done(folder.path(), &["token", "create", "--name", "short", "--expires", "1s"]);
    let endpoint = server.endpoint(token.trim());
    while endpoint.call("GET", "/Users", None).unwrap().status == 200 {
        std::thread::yield_now();
    }
    expect(&endpoint, 401, "GET", "/Users", None);
    assert_eq!(listed(folder.path())[1]["state"], "expired");
}

#[test]
fn revoked_token_and_ignored_bootstrap_token_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["token", "create", "--name", "okta"]);
    done(folder, &["token", "revoke", "okta"]);
    let ran = run(folder, &["token", "revoke", "okta"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), "scim2: token `okta` is revoked already\n"));
    let ran = run(folder, &["token", "revoke", "entra"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), "scim2: there is no token `entra`\n"));

    let secret = "a-token-of-ones-own";
    let server = Server::start(folder, &[], &[("SCIM2_BOOTSTRAP_TOKEN", secret)]);
    let said = "the store has tokens: `SCIM2_BOOTSTRAP_TOKEN` is not added to them\n";
    assert!(server.greeting.starts_with(said) && !server.greeting.contains(secret), "{}", server.greeting);
    expect(&server.endpoint(secret), 401, "GET", "/Users", None);
}
