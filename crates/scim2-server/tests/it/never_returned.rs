//! What no answer holds, and what answers hold on request alone, outlives changes of everything else.

use std::sync::Arc;

use futures_util::FutureExt;
use scim2_core::{Compat, Registry};
use scim2_server::store::Include;
use scim2_server::{Context, ResourceStore, TenantId};
use serde_json::{Value, json};

use crate::harness::{Server, registry_with};

const SAFE: &str = "urn:example:schemas:1.0:Safe";
const LOCK: &str = "urn:example:schemas:1.0:Lock";

/// A resource type that hides parts of singular and multi-valued attributes, in the core schema and
/// in an extension.
fn safes() -> Registry {
    let safe = json!({ "id": SAFE, "name": "Safe", "attributes": [
        { "name": "label" },
        { "name": "open", "type": "boolean" },
        { "name": "pin", "mutability": "writeOnly", "returned": "never" },
        { "name": "seal", "mutability": "immutable", "returned": "never" },
        { "name": "memo", "returned": "request" },
        { "name": "must", "returned": "request", "required": true },
        { "name": "box", "type": "complex", "subAttributes": [
            { "name": "code", "mutability": "writeOnly", "returned": "never", "required": true },
            { "name": "serial", "mutability": "immutable", "returned": "never" },
            { "name": "memo", "returned": "request" },
            { "name": "size" },
        ] },
        { "name": "shut", "type": "complex", "returned": "never", "subAttributes": [
            { "name": "a" }, { "name": "b" },
        ] },
        { "name": "keys", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value" }, { "name": "type" }, { "name": "size" },
            { "name": "secret", "mutability": "writeOnly", "returned": "never" },
            { "name": "memo", "returned": "request" },
        ] },
        { "name": "slots", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "place" }, { "name": "secret", "mutability": "writeOnly", "returned": "never" },
        ] },
    ] });
    let lock = json!({ "id": LOCK, "name": "Lock", "attributes": [
        { "name": "pin", "mutability": "writeOnly", "returned": "never" },
        { "name": "maker", "required": true },
        { "name": "bolt", "type": "complex", "subAttributes": [
            { "name": "code", "returned": "never" }, { "name": "size" },
        ] },
    ] });
    let type_ = json!({
        "name": "Safe", "endpoint": "/Safes", "schema": SAFE, "schemaExtensions": [{ "schema": LOCK }],
    });
    registry_with([safe, lock], [type_])
}

fn server() -> Server {
    Server::with(|builder| builder.registry(safes()))
}

fn safe() -> Value {
    json!({
        "schemas": [SAFE, LOCK], "label": "A", "open": true, "pin": "P", "seal": "S", "memo": "M", "must": "X",
        "box": { "code": "C", "serial": "7", "memo": "BM", "size": "L" },
        "shut": { "a": "1", "b": "2" },
        "keys": [
            { "value": "a", "type": "x", "secret": "KA", "memo": "MA" },
            { "value": "b", "type": "x", "secret": "KB" },
            { "value": "c", "size": "s" },
        ],
        "slots": [{ "place": "up", "secret": "SU" }, { "place": "up", "secret": "SV" }],
        LOCK: { "pin": "LP", "maker": "Q", "bolt": { "code": "LC", "size": "1" } },
    })
}

/// The whole resource as it is stored: the body with what is hidden of it.
fn stored(server: &Server, id: &str) -> Value {
    whole(server, "Safe", id)
}

/// A resource with what is hidden of it.
pub(crate) fn whole(server: &Server, name: &str, id: &str) -> Value {
    let cx = Context::new(
        server.provider.registry().clone(),
        TenantId::default(),
        "test",
        chrono::DateTime::UNIX_EPOCH,
    );
    let type_: &Arc<_> = cx.registry.resource_type(name).expect("of the registry");
    let include = Include { never_returned: true, ..Include::default() };
    let found = server.provider.store().retrieve(&cx, type_, id, include).now_or_never().expect("no waiting");
    let found = found.expect("no error").expect("a resource");
    let mut whole = found.attributes().expect("an object").into_owned();
    type_.restore_never_returned(&mut whole, &found.never_returned.expect("asked for"));
    whole.remove("id");
    serde_json::to_value(whole).expect("JSON")
}

#[track_caller]
fn expect(server: &Server, id: &str, change: impl FnOnce(&mut Value)) {
    let mut expected = safe();
    change(&mut expected);
    assert_eq!(stored(server, id), expected);
}

#[test]
fn c_7_08_a_patch_of_something_else_leaves_what_is_hidden() {
    for (operation, change) in [
        (json!({ "op": "replace", "path": "open", "value": false }), json!({ "/open": false })),
        (json!({ "op": "replace", "path": "box.size", "value": "M" }), json!({ "/box/size": "M" })),
        (json!({ "op": "replace", "path": "box", "value": { "size": "M" } }), json!({ "/box/size": "M" })),
        (
            json!({ "op": "replace", "path": "keys[value eq \"b\"].type", "value": "y" }),
            json!({ "/keys/1/type": "y" }),
        ),
        (json!({ "op": "replace", "path": "box.code", "value": "D" }), json!({ "/box/code": "D" })),
        (
            json!({ "op": "add", "path": "keys[value eq \"a\"].secret", "value": "K2" }),
            json!({ "/keys/0/secret": "K2" }),
        ),
        (
            json!({ "op": "replace", "path": format!("{LOCK}:maker"), "value": "R" }),
            json!({ format!("/{LOCK}/maker"): "R" }),
        ),
        (
            json!({ "op": "replace", "path": format!("{LOCK}:bolt.size"), "value": "2" }),
            json!({ format!("/{LOCK}/bolt/size"): "2" }),
        ),
        (json!({ "op": "add", "value": { "label": "B" } }), json!({ "/label": "B" })),
    ] {
        let server = server();
        let id = server.created("/Safes", safe());
        let path = format!("/Safes/{id}");
        let before = server.get(&path).header("etag").to_owned();
        let patched = server.operations(&path, json!([operation]));
        patched.ok();
        assert_ne!(patched.header("etag"), before, "{operation}");
        expect(&server, &id, |expected| {
            for (pointer, value) in change.as_object().expect("an object") {
                match expected.pointer_mut(pointer) {
                    Some(place) => *place = value.clone(),
                    None => panic!("nothing at {pointer}"),
                }
            }
        });
        // What a patch takes away goes, and nothing else.
        let gone = server.operations(&path, json!([{ "op": "remove", "path": "keys[value eq \"b\"]" }]));
        gone.ok();
        let keys = stored(&server, &id)["keys"].clone();
        assert_eq!(
            (keys[0]["memo"].as_str(), keys[1].clone()),
            (Some("MA"), json!({ "value": "c", "size": "s" }))
        );
    }
}

#[test]
fn c_7_08_a_patch_takes_hidden_parts_that_it_names() {
    let server = server();
    let id = server.created("/Safes", safe());
    let path = format!("/Safes/{id}");
    let remove = |path: &str| json!({ "op": "remove", "path": path });
    let bolt = format!("{LOCK}:bolt.code");
    server.operations(&path, json!([remove("pin"), remove("keys.secret"), remove(&bolt)])).ok();
    let found = stored(&server, &id);
    assert!(
        found["pin"].is_null()
            && found[LOCK]["bolt"]["code"].is_null()
            && found["keys"][0]["secret"].is_null()
    );
    assert_eq!((&found["slots"][1]["secret"], &found[LOCK]["pin"]), (&json!("SV"), &json!("LP")));
    server.operations(&path, json!([remove("box.code")])).refused(400, "mutability");
    server.operations(&path, json!([remove(LOCK)])).ok();
    assert!(stored(&server, &id)[LOCK].is_null());
}

#[test]
fn a_23_q_roundtrip_a_put_of_a_get_answer_keeps_what_it_does_not_show() {
    for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
        let server =
            Server::with(|builder| builder.registry(safes()).options(|options| options.compat = compat));
        let id = server.created("/Safes", safe());
        let path = format!("/Safes/{id}");
        let shown = server.get(&path);
        for never_returned in ["\"pin\"", "code", "secret", "seal", "shut", "memo", "must"] {
            assert!(!shown.json.to_string().contains(never_returned), "{never_returned}: {}", shown.json);
        }
        let put = server.put(&path, shown.json.clone());
        assert_eq!(put.ok(), &shown.json);
        expect(&server, &id, |_| {});

        // Elements are found again in any order, and what is new about one does not take its secret.
        let mut body = shown.json.clone();
        body["open"] = json!(false);
        body["keys"] = json!([{ "size": "s", "value": "c" }, { "type": "X", "value": "B", "size": "l" }, { "value": "n" }]);
        server.put(&path, body).ok();
        expect(&server, &id, |expected| {
            expected["open"] = json!(false);
            expected["keys"] = json!([
                { "size": "s", "value": "c" },
                { "type": "X", "value": "B", "size": "l", "secret": "KB" },
                { "value": "n" },
            ]);
        });
    }
}

#[test]
fn a_23_a_put_takes_what_it_unassigns_and_what_the_client_saw() {
    let server = server();
    let id = server.created("/Safes", safe());
    let path = format!("/Safes/{id}");
    let mut body = server.get(&path).json;
    body["pin"] = Value::Null;
    body["memo"] = Value::Null;
    body["shut"] = json!({ "a": "3" });
    body["keys"][0]["secret"] = Value::Null;
    body["keys"][1]["secret"] = json!("K3");
    body["slots"] = Value::Null;
    body[LOCK]["bolt"]["code"] = Value::Null;
    server.put(&path, body).ok();
    expect(&server, &id, |expected| {
        for gone in ["pin", "memo", "slots"] {
            expected.as_object_mut().expect("an object").remove(gone);
        }
        expected["shut"] = json!({ "a": "3" });
        expected["keys"][0].as_object_mut().expect("an object").remove("secret");
        expected["keys"][1]["secret"] = json!("K3");
        expected[LOCK]["bolt"] = json!({ "size": "1" });
    });
    server.put(&path, json!({ "schemas": [SAFE] })).ok();
    assert_eq!(
        stored(&server, &id),
        json!({
            "schemas": [SAFE, LOCK], "seal": "S", "must": "X", "shut": { "a": "3" },
            "box": { "code": "C", "serial": "7" }, LOCK: { "pin": "LP" },
        }),
        "of the box the immutable serial stays, with the code that its schema requires; what was not seen of the lock \
         stays"
    );
    let shown = server.get(&path);
    assert!(shown.json[LOCK].is_null(), "no empty object: {}", shown.json);
    assert_eq!(server.put(&path, shown.json.clone()).ok(), &shown.json);
}

#[test]
fn what_hides_everything_is_not_shown_as_an_empty_object() {
    let server = server();
    let body = json!({
        "schemas": [SAFE], "must": "X", "box": { "code": "C" }, "slots": [{ "secret": "S" }, { "secret": "T" }],
    });
    let id = server.created("/Safes", body.clone());
    let path = format!("/Safes/{id}");
    let shown = server.get(&path);
    assert!(shown.json["box"].is_null() && shown.json["slots"].is_null(), "{}", shown.json);
    server.put(&path, shown.json.clone()).ok();
    assert_eq!(stored(&server, &id), body);
    server.operations(&path, json!([{ "op": "add", "path": "box.size", "value": "L" }])).ok();
    assert_eq!(stored(&server, &id)["box"], json!({ "code": "C", "size": "L" }));
}

#[test]
fn c_7_07_s_3_5_1_06_what_is_immutable_and_hidden_does_not_change() {
    let server = server();
    let id = server.created("/Safes", safe());
    let path = format!("/Safes/{id}");
    for (target, value) in [("seal", "T"), ("box.serial", "8")] {
        let refused = server.operations(&path, json!([{ "op": "replace", "path": target, "value": value }]));
        refused.refused(400, "mutability");
        assert!(!refused.detail().contains('7') && !refused.detail().contains("`S`"), "{}", refused.detail());
        server.operations(&path, json!([{ "op": "remove", "path": target }])).refused(400, "mutability");
    }
    let shown = server.get(&path).json;
    let mut body = shown.clone();
    body["seal"] = json!("T");
    let refused = server.put(&path, body);
    refused.refused(400, "mutability");
    assert!(!refused.detail().contains("`S`") && !refused.detail().contains("`T`"), "{}", refused.detail());
    let mut body = shown.clone();
    body["box"]["serial"] = json!("8");
    server.put(&path, body).refused(400, "mutability");
    let mut body = shown;
    // The right value is refused as well: an answer of its own would tell it from wrong ones (A14).
    body["seal"] = json!("S");
    server.put(&path, body).refused(400, "mutability");
    expect(&server, &id, |_| {});
    // Unset, it takes what comes.
    let id = server.created("/Safes", json!({ "schemas": [SAFE], "must": "X" }));
    let path = format!("/Safes/{id}");
    server.operations(&path, json!([{ "op": "add", "path": "seal", "value": "N" }])).ok();
    server
        .operations(&path, json!([{ "op": "add", "path": "seal", "value": "O" }]))
        .refused(400, "mutability");
}
