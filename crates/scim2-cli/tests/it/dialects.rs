//! What identity providers really send, replayed against the running server.

use scim2_testkit::dialects::{self, Exchange};
use scim2_testkit::replay;
use serde_json::{Value, json};

use crate::harness::serve;

#[test]
fn vendor_exchanges_pass_in_default_mode() {
    let (server, _folder) = serve(&[]);
    let mut exchanges = dialects::client_exchanges();
    exchanges.retain(|exchange| exchange.evidence.is_first_hand());
    let report = replay::run(server.endpoint(), &exchanges);
    assert_eq!(report.failed().count(), 0, "{report}\n{}", server.said());
}

#[test]
fn reported_and_inferred_exchanges_pass_in_default_mode() {
    let (server, _folder) = serve(&[]);
    let mut exchanges = dialects::client_exchanges();
    exchanges.retain(|exchange| !exchange.evidence.is_first_hand());
    let report = replay::run(server.endpoint(), &exchanges);
    assert_eq!(report.failed().count(), 0, "{report}\n{}", server.said());
}

/// The same exchanges one by one, each on a fresh state: conversations must not lean on their order.
#[test]
fn steps_of_conversations_pass_alone() {
    let (server, _folder) = serve(&[]);
    for exchange in dialects::client_exchanges() {
        if exchange.evidence.is_first_hand() && exchange.sequence.is_some() {
            let outcome = replay::run_alone(server.endpoint(), &exchange);
            assert!(outcome.passed(), "{outcome}");
        }
    }
}

/// What `strict` makes of the exchanges that live by a `compat on` switch.
#[test]
fn strict_mode_refuses_the_tolerated_exchanges() {
    let refused: &[(&str, Option<&str>)] = &[
        ("authentik-client-group-remove-value-array", Some("invalidSyntax")),
        ("entra-client-create-group-ms-schema", Some("invalidSyntax")),
        ("entra-client-create-user-active-string", Some("invalidValue")),
        ("entra-client-create-user-roles-string-primary", Some("invalidValue")),
        ("entra-client-flag-dotted-keys-name-only", None),
        ("entra-client-flag-multi-replace-dotted", None),
        ("entra-client-patch-disable-legacy-string", Some("invalidValue")),
        ("entra-client-patch-disable-lowercase-string", Some("invalidValue")),
        ("entra-client-patch-enable-legacy-string", Some("invalidValue")),
        ("entra-client-patch-group-add-extra-keys", None),
        ("entra-client-patch-group-remove-member-value", Some("invalidSyntax")),
        ("entra-client-patch-group-remove-member-value-min", Some("invalidSyntax")),
        ("entra-client-patch-manager-bare-string", Some("invalidValue")),
    ];
    let (server, _folder) = serve(&["--compat", "strict"]);
    let mut wrong = Vec::new();
    for (id, scim_type) in refused {
        let outcome = {
            let exchange = refusal(dialects::get(id).expect("an exchange"), *scim_type);
            replay::run_alone(server.endpoint(), &exchange)
        };
        if !outcome.passed() {
            wrong.push(outcome.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An exchange that is to be refused with 400 and leave everything as it was.
fn refusal(mut exchange: Exchange, scim_type: Option<&str>) -> Exchange {
    exchange.expect.status = vec![400];
    exchange.expect.resulting_state = None;
    exchange.expect.response_headers = None;
    exchange.expect.response_body = scim_type.map(|scim_type| json!({ "scimType": scim_type }));
    exchange
}

/// A request that `default` understands and `strict` refuses, for the rows of the table no exchange shows.
struct Tolerated {
    quirk: &'static str,
    method: &'static str,
    target: &'static str,
    body: Value,
    status: u16,
    scim_type: &'static str,
}

#[test]
fn every_named_leniency_is_off_in_strict_mode() {
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let user = |more: Value| {
        let mut body = json!({"schemas": [USER], "userName": "new@example.com"});
        merge(&mut body, more);
        body
    };
    let patch = |operation: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let query = |quirk, target| Tolerated {
        quirk,
        method: "GET",
        target,
        body: Value::Null,
        status: 400,
        scim_type: "invalidFilter",
    };
    let create = |quirk, body, scim_type| Tolerated {
        quirk,
        method: "POST",
        target: "/Users",
        body,
        status: 400,
        scim_type,
    };
    let modify = |quirk, body, scim_type| Tolerated {
        quirk,
        method: "PATCH",
        target: "/Users/{id}",
        body,
        status: 400,
        scim_type,
    };
    let cases = [
        Tolerated { status: 404, scim_type: "", ..query("Q-TRAILING-SLASH", "/Users/") },
        query(
            "Q-FILTER-SUBATTR-OUTSIDE",
            "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22a%22",
        ),
        query("Q-FILTER-UNQUOTED", "/Users?filter=userName%20eq%20ada"),
        query("Q-STRING-BOOL-FILTER", "/Users?filter=active%20eq%20%22True%22"),
        create("Q-STRING-BOOL", user(json!({"active": "False"})), "invalidValue"),
        create("Q-SCHEMAS-INCOMPLETE", user(json!({ENTERPRISE: {"department": "R"}})), "invalidSyntax"),
        create("Q-SCHEMAS-INCOMPLETE", json!({"userName": "new@example.com"}), "invalidSyntax"),
        create(
            "Q-UNKNOWN-EXT",
            user(json!({"schemas": [USER, "urn:example:no"], "urn:example:no": {"a": 1}})),
            "invalidSyntax",
        ),
        create("Q-URN-WRONG", user(json!({"schemas": ["urn:scim:schemas:core:1.0"]})), "invalidSyntax"),
        create(
            "Q-MANAGER-STRING",
            user(json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": "7"}})),
            "invalidValue",
        ),
        create("Q-SINGLE-AS-ARRAY", user(json!({"title": ["Dr"]})), "invalidValue"),
        create(
            "Q-PRIMARY",
            user(
                json!({"emails": [{"value": "a@example.com", "primary": true}, {"value": "b@example.com", "primary": true}]}),
            ),
            "invalidValue",
        ),
        modify(
            "Q-PATCH-NO-SCHEMAS",
            json!({"Operations": [{"op": "replace", "path": "title", "value": "Dr"}]}),
            "invalidSyntax",
        ),
        modify(
            "Q-EXT-SHORT-NAME",
            patch(json!({"op": "replace", "path": "department", "value": "R"})),
            "invalidPath",
        ),
        modify("Q-DOTTED-KEYS", patch(json!({"op": "replace", "value": {"name.givenName": "Ada"}})), ""),
        modify(
            "Q-VALUEPATH-CREATE",
            patch(
                json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@example.com"}),
            ),
            "noTarget",
        ),
        modify(
            "Q-EMPTY-STRING-REMOVE",
            patch(json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": ""})),
            "invalidValue",
        ),
        modify(
            "Q-READONLY-SENT",
            patch(json!({"op": "replace", "value": {"meta": {"version": "W/\"9\""}, "title": "Dr"}})),
            "mutability",
        ),
        modify(
            "Q-UNKNOWN-KEYS",
            patch(json!({"op": "replace", "name": "n", "path": "title", "value": "Dr"})),
            "",
        ),
    ];
    let (strict, _strict_folder) = serve(&["--compat", "strict"]);
    let (default, _default_folder) = serve(&[]);
    let mut wrong = Vec::new();
    for case in cases {
        for (mode, server) in [("strict", &strict), ("default", &default)] {
            let endpoint = server.endpoint();
            let stored = json!({"schemas": [USER], "userName": "ada@example.com"});
            let created = endpoint.call("POST", "/Users", Some(&stored)).expect("an answer");
            let created = created.json().expect("the created user");
            let id = created["id"].as_str().expect("an id");
            let target = case.target.replace("{id}", id);
            let body = Some(&case.body).filter(|body| !body.is_null());
            let answer = endpoint.call(case.method, &target, body).expect("an answer");
            let said = answer.json().unwrap_or_default();
            let as_expected = match mode {
                "strict" => {
                    answer.status == case.status
                        && (case.scim_type.is_empty() || said["scimType"] == case.scim_type)
                }
                _ => answer.is_success(),
            };
            if !as_expected {
                wrong.push(format!("{} in {mode}: {} {said}", case.quirk, answer.status));
            }
            for user in [Some(id), said["id"].as_str()].into_iter().flatten() {
                endpoint.call("DELETE", &format!("/Users/{user}"), None).expect("an answer");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn merge(body: &mut Value, more: Value) {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
}
