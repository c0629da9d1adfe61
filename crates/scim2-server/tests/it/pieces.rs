//! Groups whose members come in pieces: the same bytes as at once, and nothing that nobody reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use scim2_core::{CompiledType, ResourceId, Version};
use scim2_server::store::{
    Include, MemberStream, MemberTarget, Outcome, Query, QueryPage, StreamedResource, Write,
};
use scim2_server::{
    BaseUrl, Context, MemoryStore, ResourceStore, ResponseBody, ScimService, ServiceProvider, StoreError,
    StoredResource,
};
use serde_json::json;

use crate::harness::{BASE, GROUP, Tokens, USER, request, turns, with_body};

/// A store that hands out the members of groups one by one, and counts them.
#[derive(Clone, Default)]
struct OneByOne {
    store: Arc<MemoryStore>,
    /// Whether members come at once after all.
    at_once: bool,
    read: Arc<AtomicUsize>,
    /// How many members are read before reading fails.
    good: Option<usize>,
    /// How many ids were looked up.
    resolved: Arc<AtomicUsize>,
    /// A user to be deleted when the next write comes.
    deletes: Arc<Mutex<Option<ResourceId>>>,
}

impl OneByOne {
    /// What a write answers: the members of a group are left to be read.
    fn written(&self, mut stored: StoredResource) -> StoredResource {
        if !self.at_once {
            stored.members = None;
        }
        stored
    }

    async fn delete_first(&self, cx: &Context) -> Result<(), StoreError> {
        let id = self.deletes.lock().expect("no panic").take();
        if let Some(id) = id {
            let type_ = cx.registry.resource_type("User").expect("a standard type");
            self.store.delete(cx, type_, id.as_str(), None).await?;
        }
        Ok(())
    }

    fn pieces(&self, members: Vec<scim2_server::store::Member>) -> MemberStream {
        let (mut members, read, good) = (members.into_iter(), Arc::clone(&self.read), self.good);
        MemberStream::new(move |_| {
            let next = members.next().map(|member| match read.fetch_add(1, Ordering::Relaxed) {
                at if good == Some(at) => Err(StoreError::internal("the disk is gone")),
                _ => Ok(vec![member]),
            });
            Poll::Ready(next)
        })
    }
}

impl ResourceStore for OneByOne {
    async fn create(&self, cx: &Context, write: Write) -> Result<StoredResource, StoreError> {
        self.delete_first(cx).await?;
        Ok(self.written(self.store.create(cx, write).await?))
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

    async fn retrieve_streamed(
        &self,
        cx: &Context,
        resource_type: &Arc<CompiledType>,
        id: &str,
        include: Include,
    ) -> Result<Option<StreamedResource>, StoreError> {
        let Some(mut resource) = self.store.retrieve(cx, resource_type, id, include).await? else {
            return Ok(None);
        };
        if self.at_once {
            return Ok(Some(resource.into()));
        }
        let members = resource.members.take().map(|members| self.pieces(members));
        Ok(Some(StreamedResource { resource, members }))
    }

    async fn replace(
        &self,
        cx: &Context,
        expected: &Version,
        write: Write,
    ) -> Result<Outcome<StoredResource>, StoreError> {
        self.delete_first(cx).await?;
        Ok(match self.store.replace(cx, expected, write).await? {
            Outcome::Done(stored) => Outcome::Done(self.written(stored)),
            outcome => outcome,
        })
    }

    async fn resolve_members(
        &self,
        cx: &Context,
        ids: &[ResourceId],
    ) -> Result<Vec<Option<MemberTarget>>, StoreError> {
        self.resolved.fetch_add(ids.len(), Ordering::Relaxed);
        self.store.resolve_members(cx, ids).await
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

    async fn query(&self, cx: &Context, query: &Query) -> Result<QueryPage, StoreError> {
        let mut page = self.store.query(cx, query).await?;
        if !self.at_once {
            page.resources.iter_mut().for_each(|resource| resource.members = None);
        }
        Ok(page)
    }
}

struct Servers {
    pieced: OneByOne,
    service: ScimService<OneByOne, Tokens>,
    whole: ScimService<OneByOne, Tokens>,
}

/// Two service providers over one store: one has the members in pieces, the other at once.
fn servers(good: Option<usize>) -> Servers {
    let pieced = OneByOne { good, ..OneByOne::default() };
    fn service(store: OneByOne) -> ScimService<OneByOne, Tokens> {
        let builder = ServiceProvider::builder(store);
        builder.options(|options| options.base_url = BaseUrl::fixed(BASE)).build().service(Tokens)
    }
    let (service, whole) = (service(pieced.clone()), service(OneByOne { at_once: true, ..pieced.clone() }));
    let servers = Servers { pieced, service, whole };
    let created = |path: &str, body: serde_json::Value| -> String {
        let response = answer(&servers.whole, with_body(Method::POST, path, body));
        let json: serde_json::Value =
            serde_json::from_slice(&bytes_of(response).expect("whole")).expect("JSON");
        json["id"].as_str().expect("an id").to_owned()
    };
    let users: Vec<String> = (0..3)
        .map(|n| {
            let name = if n == 1 { json!(null) } else { json!(format!("Name {n}")) };
            created("/Users", json!({ "schemas": [USER], "userName": format!("u{n}"), "displayName": name }))
        })
        .collect();
    for members in [&users[..0], &users[..1], &users[..]] {
        let name = format!("of {}", members.len());
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        created(
            "/Groups",
            json!({ "schemas": [GROUP], "displayName": name, "externalId": "x", "members": members }),
        );
    }
    servers
}

fn answer(service: &ScimService<OneByOne, Tokens>, request: Request<Full<Bytes>>) -> Response<ResponseBody> {
    turns(service.handle(request)).1
}

fn bytes_of(response: Response<ResponseBody>) -> Result<Bytes, StoreError> {
    Ok(response.into_body().collect().now_or_never().expect("without waiting")?.to_bytes())
}

/// The URI of the group of that name.
fn group(servers: &Servers, name: &str) -> String {
    let path = format!("/Groups?attributes=id&filter=displayName%20eq%20%22{}%22", name.replace(' ', "%20"));
    let list = bytes_of(answer(&servers.whole, request(Method::GET, &path))).expect("a list");
    let list: serde_json::Value = serde_json::from_slice(&list).expect("JSON");
    format!("/Groups/{}", list["Resources"][0]["id"].as_str().expect("an id"))
}

#[test]
fn members_in_pieces_are_the_same_answer() {
    let servers = servers(None);
    let mut paths: Vec<String> = Vec::new();
    for projection in [
        "",
        "?attributes=members",
        "?attributes=members.value",
        "?attributes=members.display,displayName",
        "?attributes=displayName",
        "?attributes=members,meta",
        "?excludedAttributes=members",
        "?excludedAttributes=members.$ref,members.type",
        "?excludedAttributes=meta,externalId",
        "?excludedAttributes=meta.location",
    ] {
        paths.extend(["of 1", "of 3"].map(|name| format!("{}{projection}", group(&servers, name))));
        paths.push(format!("/Groups{projection}"));
        paths.push(projection.to_owned());
    }
    paths.push("/Groups?count=1&startIndex=2".to_owned());
    paths.push("/Groups?filter=displayName%20eq%20%22of%203%22".to_owned());
    for path in paths {
        let pieced = answer(&servers.service, request(Method::GET, &path));
        let at_once = answer(&servers.whole, request(Method::GET, &path));
        assert_eq!((pieced.status(), pieced.headers()), (at_once.status(), at_once.headers()), "{path}");
        let (pieced, at_once) = (bytes_of(pieced).expect("whole"), bytes_of(at_once).expect("whole"));
        let (pieced, at_once) = (String::from_utf8_lossy(&pieced), String::from_utf8_lossy(&at_once));
        // An empty list and none are the same state.
        assert_eq!(pieced.replace(",\"members\":[]", ""), at_once, "{path}");
    }
}

#[test]
fn what_is_not_asked_for_is_not_read() {
    let servers = servers(None);
    let path = group(&servers, "of 3");
    let response = answer(&servers.service, request(Method::HEAD, &path));
    assert_eq!(response.status(), 200);
    assert!(response.headers().get("content-length").is_none(), "nobody has counted");
    assert!(bytes_of(response).expect("whole").is_empty());
    for path in [format!("{path}?excludedAttributes=members"), "/Groups?attributes=displayName".to_owned()] {
        let response = answer(&servers.service, request(Method::GET, &path));
        let length = response.headers().get("content-length").is_some()
            || http_body::Body::size_hint(response.body()).exact().is_some();
        assert!(length, "{path} is whole");
        bytes_of(response).expect("whole");
    }
    // Names of members may be new, so only an answer without them is 304.
    let mut unchanged = request(Method::GET, &format!("{path}?attributes=members.value"));
    let response = answer(&servers.service, request(Method::GET, &path));
    let tag = response.headers()["etag"].clone();
    unchanged.headers_mut().insert("if-none-match", tag);
    assert_eq!(answer(&servers.service, unchanged).status(), 304);
    assert_eq!(servers.pieced.read.load(Ordering::Relaxed), 0);
    // If the client disconnects in the middle, nothing more is read.
    let mut body = response.into_body();
    for _ in 0..2 {
        body.frame().now_or_never().expect("without waiting").expect("more").expect("no error");
    }
    drop(body);
    assert_eq!(servers.pieced.read.load(Ordering::Relaxed), 1);
}

#[test]
fn an_answer_that_cannot_be_read_to_its_end_is_cut_off() {
    for path in ["", "list"] {
        let servers = servers(Some(1));
        let path = if path.is_empty() { group(&servers, "of 3") } else { "/Groups".to_owned() };
        let response = answer(&servers.service, request(Method::GET, &path));
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        let mut failed = false;
        while let Some(frame) = body.frame().now_or_never().expect("without waiting") {
            assert!(!failed, "nothing follows an error");
            failed = frame.is_err();
        }
        assert!(failed, "{path}");
    }
}

#[test]
fn a_group_of_a_list_that_is_deleted_meanwhile_has_no_members_any_more() {
    let servers = servers(None);
    let response = answer(&servers.service, request(Method::GET, "/Groups"));
    assert_eq!(answer(&servers.whole, request(Method::DELETE, &group(&servers, "of 3"))).status(), 204);
    let list: serde_json::Value =
        serde_json::from_slice(&bytes_of(response).expect("whole")).expect("JSON as a whole");
    let groups = list["Resources"].as_array().expect("groups");
    assert_eq!(groups.len(), 3);
    let gone = groups.iter().find(|group| group["displayName"] == "of 3").expect("as it was found");
    assert!(gone.get("members").is_none());
}

fn ids(servers: &Servers, count: usize) -> Vec<String> {
    let id = |n| {
        let user =
            json!({ "schemas": [USER], "userName": format!("member-{n}"), "displayName": format!("M {n}") });
        let answer =
            bytes_of(answer(&servers.whole, with_body(Method::POST, "/Users", user))).expect("whole");
        let user: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
        user["id"].as_str().expect("an id").to_owned()
    };
    (0..count).map(id).collect()
}

fn group_of(name: &str, members: &[String]) -> serde_json::Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({ "schemas": [GROUP], "displayName": name, "members": members })
}

fn replace_members(members: &[String]) -> serde_json::Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    let op = json!({ "op": "replace", "path": "members", "value": members });
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [op] })
}

/// What a write answers, which is what a read of it then answers.
#[track_caller]
fn written(servers: &Servers, write: Request<Full<Bytes>>) -> serde_json::Value {
    let response = answer(&servers.service, write);
    assert!(response.status().is_success(), "{}", response.status());
    let tag = response.headers()["etag"].clone();
    let body = bytes_of(response).expect("whole");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let path = format!("/Groups/{}", body["id"].as_str().expect("an id"));
    let read = answer(&servers.whole, request(Method::GET, &path));
    assert_eq!(read.headers()["etag"], tag);
    let read: serde_json::Value = serde_json::from_slice(&bytes_of(read).expect("whole")).expect("JSON");
    assert_eq!(body["members"], read["members"]);
    body
}

#[test]
fn only_members_that_come_are_looked_up() {
    const SIZE: usize = 1500;
    let servers = servers(None);
    let users = ids(&servers, SIZE + 2);
    let looked_up = || servers.pieced.resolved.swap(0, Ordering::Relaxed);
    looked_up();
    let group = written(&servers, with_body(Method::POST, "/Groups", group_of("large", &users[..SIZE])));
    assert_eq!((group["members"].as_array().map(Vec::len), looked_up()), (Some(SIZE), SIZE));
    let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));

    // One goes and one comes; that one is looked up before the write, and behind it.
    let group = written(&servers, with_body(Method::PUT, &path, group_of("large", &users[1..=SIZE])));
    assert_eq!((group["members"].as_array().map(Vec::len), looked_up()), (Some(SIZE), 2));
    assert_eq!(group["members"][SIZE - 1]["value"], json!(users[SIZE]));
    assert_eq!(group["members"][SIZE - 1]["display"], json!(format!("M {SIZE}")));

    // In another order, and with what the answer showed of them, they are the same.
    let mut same = group.clone();
    same["members"].as_array_mut().expect("members").reverse();
    let again = written(&servers, with_body(Method::PUT, &path, same));
    assert_eq!((&again["meta"]["version"], looked_up()), (&group["meta"]["version"], 0));

    let path = format!("{path}?attributes=members,meta");
    let patch = with_body(Method::PATCH, &path, replace_members(&users[2..]));
    let group = written(&servers, patch);
    assert_eq!((group["members"].as_array().map(Vec::len), looked_up()), (Some(SIZE), 2));
    let op = json!([{ "op": "add", "path": "members", "value": [{ "value": users[0] }] },
        { "op": "replace", "path": "displayName", "value": "renamed" }]);
    let patch = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": op });
    let group = written(&servers, with_body(Method::PATCH, &path, patch));
    assert_eq!((group["members"].as_array().map(Vec::len), looked_up()), (Some(SIZE + 1), 1));
}

#[test]
fn a_member_that_is_deleted_while_it_comes_is_in_no_answer() {
    let servers = servers(None);
    let users = ids(&servers, 6);
    for (users, method) in users.chunks(2).zip([Method::POST, Method::PUT, Method::PATCH]) {
        let group = written(&servers, with_body(Method::POST, "/Groups", group_of("busy", &users[..1])));
        let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
        let write = match method {
            Method::POST => with_body(method, "/Groups", group_of("other", users)),
            Method::PUT => with_body(method, &path, group_of("busy", users)),
            _ => with_body(method, &format!("{path}?attributes=members,meta"), replace_members(users)),
        };
        *servers.pieced.deletes.lock().expect("no panic") = ResourceId::parse(&users[1]).ok();
        let group = written(&servers, write);
        assert_eq!(group["members"].as_array().map(Vec::len), Some(1), "{group}");
        assert_eq!(answer(&servers.whole, request(Method::DELETE, &path)).status(), 204);
        let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
        answer(&servers.whole, request(Method::DELETE, &path));
    }
}
