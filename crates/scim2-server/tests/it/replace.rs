//! RFC 7644 §3.5.1: replacing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use http::Method;
use scim2_core::{Compat, CompiledType, Quirk, ResourceId, Version};
use scim2_server::store::{Include, Outcome, Write};
use scim2_server::{
    Context, HashError, MemoryStore, PasswordHasher, ResourceStore, ServiceProvider, StoreError,
    StoredResource,
};
use serde_json::{Value, json};

use crate::harness::{BASE, ENTERPRISE, GROUP, Reversing, Server, Tokens, USER, raw};

#[test]
fn s_3_2_03_s_3_5_1_01_put_does_not_create() {
    let server = Server::new();
    server.put("/Users/none", json!({ "schemas": [USER], "userName": "ada" })).refused(404, "");
    assert_eq!(server.get("/Users").json["totalResults"], 0);
}

#[test]
fn s_3_5_1_02_03_10_a_put_replaces_what_it_gives_and_clears_what_it_omits() {
    let server = Server::new();
    let id = server.created(
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada", "title": "Dr",
            "emails": [{ "value": "a@example.com" }, { "value": "b@example.com" }],
            ENTERPRISE: { "department": "Engines" },
        }),
    );
    server.sleep(60);
    let replaced = server.put(
        &format!("/Users/{id}"),
        json!({ "schemas": [USER], "userName": "ada", "emails": [{ "value": "b@example.com" }] }),
    );
    let json = replaced.ok();
    assert_eq!(json["emails"], json!([{ "value": "b@example.com" }]));
    assert!(json["title"].is_null() && json[ENTERPRISE].is_null() && json["active"].is_null());
    assert_eq!(json["schemas"], json!([USER]));
    assert_eq!(json["meta"]["created"], "2026-01-02T03:04:05.678Z");
    assert_eq!(json["meta"]["lastModified"], "2026-01-02T03:05:05.678Z");
    assert_eq!(replaced.header("location"), json["meta"]["location"]);
    assert_eq!(replaced.header("etag"), json["meta"]["version"]);
    assert_eq!(server.get(&format!("/Users/{id}")).bytes, replaced.bytes);
}

#[test]
fn s_3_5_1_05_null_and_an_empty_list_clear() {
    let server = Server::new();
    let body = json!({
        "schemas": [USER, ENTERPRISE], "userName": "ada", "title": "Dr", "active": true,
        "roles": [{ "value": "admin" }], "name": { "givenName": "Ada", "familyName": "King" },
        ENTERPRISE: { "department": "Engines" },
    });
    let id = server.created("/Users", body);
    let replaced = server.put(
        &format!("/Users/{id}"),
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada", "title": null, "active": null, "roles": [],
            "name": { "givenName": null, "familyName": "King" }, ENTERPRISE: { "department": null },
        }),
    );
    let mut found = replaced.ok().clone();
    found.as_object_mut().expect("an object").remove("meta");
    assert_eq!(
        found,
        json!({ "schemas": [USER], "id": id, "userName": "ada", "name": { "familyName": "King" } })
    );
    // S-3.4.2.2-17: nobody was given a value that could be found.
    assert_eq!(server.get("/Users?filter=active%20pr").ok()["totalResults"], 0);
    assert_eq!(server.get("/Users?filter=active%20eq%20true").ok()["totalResults"], 0);
}

#[test]
fn s_3_5_1_08_q_roundtrip_a_put_of_a_get_answer_changes_nothing() {
    let server = Server::new();
    let id = server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "title": "Dr" }));
    server.group("Tour", &[&id]);
    let before = server.get(&format!("/Users/{id}"));
    server.sleep(60);
    let mut body = before.json.clone();
    body["groups"] = json!([{ "value": "stale" }]);
    body["meta"]["created"] = json!("1999-01-01T00:00:00Z");
    body["id"] = json!("another");
    let replaced = server.put(&format!("/Users/{id}"), body);
    assert_eq!(replaced.ok(), &before.json, "A-22, A-66");
    assert_eq!(server.get(&format!("/Users/{id}")).bytes, before.bytes);
}

#[test]
fn a_66_q_roundtrip_a_put_of_a_group_answer_changes_nothing() {
    let server = Server::new();
    let user =
        server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "displayName": "Ada" }));
    let group = server.group("Tour", &[&user]);
    let before = server.get(&format!("/Groups/{group}"));
    server.sleep(60);
    assert_eq!(server.put(&format!("/Groups/{group}"), before.json.clone()).ok(), &before.json);
    // The display was the member's own: it still follows the member.
    server.operations(
        &format!("/Users/{user}"),
        json!([{ "op": "replace", "path": "displayName", "value": "Augusta" }]),
    );
    assert_eq!(server.get(&format!("/Groups/{group}")).json["members"][0]["display"], "Augusta");
    assert_eq!(server.get(&format!("/Groups/{group}")).header("etag"), before.header("etag"));
}

#[test]
fn s_3_5_1_09_required_attributes_are_required() {
    let server = Server::new();
    let id = server.user("ada");
    let before = server.get(&format!("/Users/{id}")).bytes;
    server
        .put(&format!("/Users/{id}"), json!({ "schemas": [USER], "title": "Dr" }))
        .refused(400, "invalidValue");
    assert_eq!(server.get(&format!("/Users/{id}")).bytes, before);
}

#[test]
fn s_3_5_1_06_07_immutable_attributes() {
    let server = Server::with(|builder| builder.registry(crate::harness::badges()));
    let badge = "urn:example:schemas:1.0:Badge";
    let id = server.created("/Badges", json!({ "schemas": [badge], "number": "7" }));
    let path = format!("/Badges/{id}");
    let with = |serial: &str| json!({ "schemas": [badge], "number": "7", "serial": serial });
    assert_eq!(server.put(&path, with("s-1")).ok()["serial"], "s-1", "an unset one takes the value");
    server.put(&path, with("s-2")).refused(400, "mutability");
    assert_eq!(server.put(&path, with("s-1")).ok()["serial"], "s-1");
    server
        .operations(&path, json!([{ "op": "replace", "path": "serial", "value": "s-3" }]))
        .refused(400, "mutability");
    assert_eq!(server.get(&path).json["serial"], "s-1");
}

#[test]
fn s_3_12_15_a_put_to_a_taken_name_is_409_and_to_its_own_is_not() {
    let server = Server::new();
    let ada = server.user("ada");
    server.user("bob");
    let put =
        |name: &str| server.put(&format!("/Users/{ada}"), json!({ "schemas": [USER], "userName": name }));
    put("BOB").refused(409, "uniqueness");
    assert_eq!(put("ADA").ok()["userName"], "ADA");
}

#[test]
fn a_23_a_put_keeps_the_password_it_does_not_mention() {
    use futures_util::FutureExt;
    use scim2_server::{Context, ResourceStore, store::Include};

    let server = Server::new();
    let id = server.created("/Users", json!({ "schemas": [USER], "userName": "ada", "password": "secret" }));
    let path = format!("/Users/{id}");
    let hash = || {
        let cx = Context::new(
            server.provider.registry().clone(),
            scim2_server::TenantId::default(),
            "test",
            chrono::DateTime::UNIX_EPOCH,
        );
        let user = cx.registry.resource_type("User").expect("a standard type");
        let include = Include { never_returned: true, ..Include::default() };
        let stored =
            server.provider.store().retrieve(&cx, user, &id, include).now_or_never().expect("no waiting");
        stored
            .expect("no error")
            .expect("a user")
            .never_returned
            .and_then(|never_returned| never_returned.get_str("password").map(str::to_owned))
    };
    server.put(&path, json!({ "schemas": [USER], "userName": "ada", "title": "Dr" })).ok();
    assert_eq!(hash().as_deref(), Some("$reversed$terces"));
    server.operations(&path, json!([{ "op": "replace", "path": "title", "value": "Sir" }])).ok();
    assert_eq!(hash().as_deref(), Some("$reversed$terces"));
    let version = server.get(&path).header("etag").to_owned();
    server.operations(&path, json!([{ "op": "replace", "path": "password", "value": "other" }])).ok();
    assert_eq!(hash().as_deref(), Some("$reversed$rehto"));
    assert_ne!(server.get(&path).header("etag"), version, "a new password is a change");
    let without = json!({ "schemas": [USER], "userName": "ada", "password": null });
    let cleared = server.put(&path, without.clone());
    cleared.ok();
    assert_eq!(hash(), None);
    assert_eq!(server.put(&path, without).header("etag"), cleared.header("etag"), "there was none to take");
}

#[test]
fn a_put_of_a_group_replaces_its_members() {
    let server = Server::new();
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada]);
    let path = format!("/Groups/{group}");
    let replaced = server
        .put(&path, json!({ "schemas": [GROUP], "displayName": "Tour", "members": [{ "value": bob }] }));
    assert_eq!(replaced.ok()["members"][0]["value"], json!(bob));
    assert_eq!(
        server.put(&path, json!({ "schemas": [GROUP], "displayName": "Tour" })).ok()["members"],
        json!(null)
    );
}

#[test]
fn q_put_omits_members_are_kept_where_a_put_keeps_what_it_does_not_mention() {
    let preserving = Compat::default().with(Quirk::PutPreservesAbsent, true);
    let server = Server::with(|builder| builder.options(|options| options.compat = preserving));
    let (ada, bob) = (server.user("ada"), server.user("bob"));
    let group = server.group("Tour", &[&ada]);
    let path = format!("/Groups/{group}");
    let put = |more: Value| {
        let mut body = json!({ "schemas": [GROUP], "displayName": "Tour" });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let answer = server.put(&path, body);
        let shown = answer.ok()["members"].clone();
        assert_eq!(server.get(&path).json["members"], shown);
        shown.as_array().map_or(Vec::new(), |members| {
            members.iter().map(|member| member["value"].as_str().expect("an id").to_owned()).collect()
        })
    };
    let before = server.get(&path).bytes;
    assert_eq!(put(json!({})), [ada.as_str()]);
    assert_eq!(server.get(&path).bytes, before, "nothing changed");
    assert_eq!(put(json!({ "externalId": "x" })), [ada.as_str()]);
    assert_eq!(put(json!({ "members": [{ "value": bob }] })), [bob.as_str()]);
    assert!(put(json!({ "members": null })).is_empty());
    server.operations(&path, json!([{ "op": "add", "path": "members", "value": [{ "value": ada }] }]));
    assert!(put(json!({ "MEMBERS": [] })).is_empty());
    assert_eq!(server.get(&path).json["externalId"], "x");
}

#[test]
fn a_06_a_put_that_names_nobody_does_not_empty_a_group() {
    for compat in [Compat::default(), Compat::strict(), Compat::profile()] {
        let server = Server::with(|builder| builder.options(|options| options.compat = compat));
        let ada = server.user("ada");
        let path = format!("/Groups/{}", server.group("Tour", &[&ada]));
        let before = server.get(&path).bytes;
        for members in [json!(""), json!({}), json!([""]), json!([{}]), json!([{ "value": "" }])] {
            let body = json!({ "schemas": [GROUP], "displayName": "Tour", "members": members });
            server.put(&path, body).refused(400, "invalidValue");
            let replace = json!([{ "op": "replace", "path": "members", "value": members }]);
            server.operations(&path, replace).refused(400, "invalidValue");
        }
        let remove = json!([{ "op": "remove", "path": "members", "value": null }]);
        server.operations(&path, remove).refused(400, "invalidValue");
        assert_eq!(server.get(&path).bytes, before);
    }
}

#[test]
fn a_22_strict_refuses_a_body_with_another_id_than_the_uri() {
    for (compat, status) in [(Compat::default(), 200), (Compat::profile(), 200), (Compat::strict(), 400)] {
        let server = Server::with(|builder| builder.options(|options| options.compat = compat));
        let path = format!("/Users/{}", server.user("ada"));
        let body = |id: Value| json!({ "schemas": [USER], "userName": "ada", "id": id });
        for same in [json!("r-00001"), Value::Null] {
            assert_eq!(server.put(&path, body(same)).ok()["id"], "r-00001");
        }
        for other in [json!("r-00002"), json!(1)] {
            let answer = server.put(&path, body(other));
            if status == 200 {
                assert_eq!(answer.ok()["id"], "r-00001", "ignored");
            } else {
                answer.refused(status, "mutability");
            }
        }
    }
}

/// Other writes come between the reading and the writing of the first.
#[test]
fn a_password_is_hashed_once_however_often_the_write_is_tried() {
    let hashed = Arc::new(AtomicU64::new(0));
    let provider = ServiceProvider::builder(Busy::default())
        .options(|options| options.base_url = scim2_server::BaseUrl::fixed(BASE))
        .password_hasher(Counting(Arc::clone(&hashed)))
        .build();
    let service = provider.service(Tokens);
    let send = |method: Method, path: &str, body: Value| {
        let response = service.handle(raw(method, path, body.to_string())).now_or_never();
        let response = response.expect("an answer without waiting");
        let location = response.headers().get("location").map(|uri| uri.to_str().expect("text").to_owned());
        (response.status(), location)
    };
    let user = json!({ "schemas": [USER], "userName": "ada", "password": "correct horse" });
    let (status, location) = send(Method::POST, "/Users", user.clone());
    assert_eq!(status, 201);
    let path = location.expect("a location").replace(BASE, "");
    for (method, body) in [
        (Method::PUT, user),
        (
            Method::PATCH,
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "password", "value": "battery staple" }],
            }),
        ),
    ] {
        hashed.store(0, Ordering::Relaxed);
        provider.store().conflicts.store(3, Ordering::Relaxed);
        assert_eq!(send(method.clone(), &path, body).0, 200, "{method}");
        assert_eq!(provider.store().conflicts.load(Ordering::Relaxed), 0, "{method} was tried again");
        assert_eq!(hashed.load(Ordering::Relaxed), 1, "{method}");
    }
}

struct Counting(Arc<AtomicU64>);

impl PasswordHasher for Counting {
    async fn hash(&self, password: String) -> Result<String, HashError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Reversing.hash(password).await
    }
}

/// A store in which so many replaces come too late.
#[derive(Default)]
struct Busy {
    store: MemoryStore,
    conflicts: AtomicU64,
}

impl ResourceStore for Busy {
    async fn create(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        self.store.create(cx, write).await
    }

    async fn retrieve(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> Result<Option<StoredResource>, StoreError> {
        self.store.retrieve(cx, resource_type, id, include).await
    }

    async fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        let late =
            self.conflicts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match late {
            Ok(_) => Ok(Outcome::Conflict(expected.clone())),
            Err(_) => self.store.replace(cx, expected, write).await,
        }
    }

    async fn delete(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        expected: Option<&Version>,
    ) -> Result<Outcome<()>, StoreError> {
        self.store.delete(cx, resource_type, id, expected).await
    }

    async fn list(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        after: Option<&ResourceId>,
        limit: usize,
        include: Include,
    ) -> Result<Vec<StoredResource>, StoreError> {
        self.store.list(cx, resource_type, after, limit, include).await
    }
}
