use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, USER_AGENT};
use scim2_client::{ClientErrorKind, RetrieveOptions, Retrieved, ScimResource, WriteOptions, Written};
use scim2_core::{Object, Version};
use scim2_protocol::{BulkOperation, BulkRequest, Projection, QueryParameters, SearchRequest};
use serde::{Deserialize, Serialize};

use crate::script::{Script, answer, error_body, run, with_header};

const ADA: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7","userName":"ada","meta":{"version":"W/\"1\"","location":"https://example.com/scim/v2/Users/7"}}"#;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    user_name: String,
}

impl ScimResource for User {
    const ENDPOINT: &'static str = "/Users";
}

fn default<T: Default>() -> T {
    T::default()
}

#[test]
fn c_3_1_05_create_never_sends_an_id() {
    let script = Script::new([answer(201, ADA)]);
    let object: Object = serde_json::from_str(ADA).unwrap();
    let client = script.client();
    let stored = run(client.endpoint::<Object>("/Users").create(&object, &default())).unwrap();
    assert_eq!(stored.resource, object);
    assert_eq!(stored.version, Some(Version::from(1)));
    assert_eq!(stored.location.as_deref(), Some("https://example.com/scim/v2/Users/7"));

    let request = script.last();
    assert_eq!(script.lines(), ["POST https://example.com/scim/v2/Users"]);
    assert_eq!(
        request.body(),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}"#
    );
    assert_eq!(request.headers()[CONTENT_TYPE], "application/scim+json");
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer s3cret");
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    assert!(request.headers()[USER_AGENT].to_str().unwrap().starts_with("scim2-client/"));
}

#[test]
fn typed_resources_know_their_endpoint() {
    let script = Script::new([answer(200, ADA), answer(201, ADA)]);
    let client = script.client();
    let users = client.of::<User>();
    let found = run(users.retrieve("7", &default())).unwrap().found().unwrap().resource;
    assert_eq!(found, User { id: Some("7".to_owned()), user_name: "ada".to_owned() });
    run(users.create(&found, &default())).unwrap();
    assert_eq!(script.last().body(), r#"{"userName":"ada"}"#);
    assert_eq!(
        script.lines(),
        ["GET https://example.com/scim/v2/Users/7", "POST https://example.com/scim/v2/Users"]
    );
}

#[test]
fn s_3_14_04_a_resource_that_has_not_changed() {
    let script = Script::new([answer(304, ""), answer(304, "")]);
    let client = script.client();
    let users = client.endpoint::<Object>("/Users");
    let options = RetrieveOptions { if_none_match: Some(Version::from(1)), ..default() };
    assert_eq!(run(users.retrieve("7", &options)).unwrap(), Retrieved::NotModified);
    assert_eq!(script.last().headers()[IF_NONE_MATCH], "W/\"1\"");
    // Nobody asked.
    let error = run(users.retrieve("7", &default())).unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Status);
}

#[test]
fn s_3_14_05_a_resource_at_another_version() {
    let script = Script::new([
        answer(412, &error_body(412)),
        answer(412, ""),
        answer(412, &error_body(412)),
        answer(412, &error_body(412)),
    ]);
    let client = script.client();
    let users = client.endpoint::<Object>("/Users");
    let options = WriteOptions { if_match: Some(Version::from(1)), ..default() };
    assert_eq!(run(users.replace("7", &default(), &options)).unwrap(), Written::VersionMismatch);
    assert_eq!(script.last().headers()[IF_MATCH], "W/\"1\"");
    assert_eq!(run(users.patch("7", &Object::new(), &options)).unwrap(), Written::VersionMismatch);
    assert_eq!(run(users.delete("7", &options)).unwrap(), Written::VersionMismatch);
    assert!(run(users.delete("7", &default())).is_err());
}

#[test]
fn a_404_means_missing_only_with_a_scim_error() {
    let missing = || answer(404, &error_body(404));
    let script = Script::new([missing(), missing(), missing(), missing()]);
    let client = script.client();
    let users = client.endpoint::<Object>("/Users");
    assert_eq!(run(users.retrieve("7", &default())).unwrap(), Retrieved::Missing);
    assert_eq!(run(users.replace("7", &default(), &default())).unwrap(), Written::Missing);
    assert_eq!(run(users.patch("7", &Object::new(), &default())).unwrap(), Written::Missing);
    assert_eq!(run(users.delete("7", &default())).unwrap(), Written::Missing);

    let html = || answer(404, "<html>Not here</html>");
    let script = Script::new([html(), html(), html()]);
    let client = script.client();
    let users = client.endpoint::<Object>("/Users");
    let error = run(users.retrieve("7", &default())).unwrap_err();
    assert_eq!(error.to_string(), "the service provider answered 404 without a SCIM error");
    assert_eq!(error.body(), Some("<html>Not here</html>"));
    assert!(run(users.delete("7", &default())).is_err());
    assert!(run(users.query(&default())).is_err());
}

#[test]
fn s_3_5_2_15_patch_with_and_without_a_body() {
    let tagged = with_header(answer(200, ADA), "etag", "W/\"2\"");
    let script = Script::new([tagged, answer(204, ""), answer(200, "")]);
    let client = script.client();
    let users = client.endpoint::<Object>("/Users");
    let patch =
        Object::from_iter([("Operations", vec![Object::from_iter([("op", "remove"), ("path", "title")])])]);
    let options =
        WriteOptions { projection: Projection::Attributes(vec!["userName".parse().unwrap()]), ..default() };
    let stored = run(users.patch("7", &patch, &options)).unwrap().done().flatten().unwrap();
    assert_eq!(stored.version, Some(Version::from(2)), "the header counts more than the body");
    assert_eq!(script.lines(), ["PATCH https://example.com/scim/v2/Users/7?attributes=userName"]);
    assert_eq!(script.last().body(), r#"{"Operations":[{"op":"remove","path":"title"}]}"#);
    for _ in 0..2 {
        assert_eq!(run(users.patch("7", &patch, &default())).unwrap(), Written::Done(None));
    }
}

#[test]
fn s_1_2_01_ids_and_filters_are_encoded() {
    let script = Script::new([answer(204, ""), answer(200, r#"{"totalResults":0}"#)]);
    let client = script.client();
    let users = client.endpoint::<Object>("Users/");
    assert_eq!(run(users.delete("a/b?c=\u{e9}", &default())).unwrap(), Written::Done(()));
    let query = QueryParameters { filter: Some("userName eq \"a+b#c\"".to_owned()), ..default() };
    run(users.query(&query)).unwrap();
    assert_eq!(
        script.lines(),
        [
            "DELETE https://example.com/scim/v2/Users/a%2Fb%3Fc%3D%C3%A9",
            "GET https://example.com/scim/v2/Users?filter=userName%20eq%20%22a%2Bb%23c%22",
        ]
    );
    for id in ["", ".", ".."] {
        assert_eq!(run(users.delete(id, &default())).unwrap_err().kind(), ClientErrorKind::Request);
    }
    assert_eq!(script.lines().len(), 2, "nothing was sent");
}

#[test]
fn s_3_4_3_search_by_post() {
    let script = Script::new([answer(200, r#"{"totalResults":0}"#), answer(200, r#"{"totalResults":0}"#)]);
    let client = script.client();
    let query = QueryParameters { filter: Some("title pr".to_owned()), count: Some(5), ..default() };
    run(client.endpoint::<Object>("/Users").search(&query)).unwrap();
    run(client.root::<Object>().search(&query)).unwrap();
    assert_eq!(
        script.lines(),
        ["POST https://example.com/scim/v2/Users/.search", "POST https://example.com/scim/v2/.search"]
    );
    assert_eq!(serde_json::from_slice::<SearchRequest>(script.last().body()).unwrap().0, query);
}

#[test]
fn s_3_7_bulk() {
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":[
        {"method":"POST","bulkId":"a","status":{"code":"201"},"location":"https://example.com/scim/v2/Users/7"},
        {"method":"DELETE","status":404}]}"#;
    let script = Script::new([answer(200, body), answer(501, &error_body(501))]);
    let client = script.client();
    let request = BulkRequest::new(vec![
        BulkOperation::create("/Users", "a", Object::from_iter([("userName", "ada")])),
        BulkOperation::delete("/Users/8"),
    ]);
    let response = run(client.bulk(&request)).unwrap();
    assert_eq!(response.operations[0].status, 201);
    assert_eq!(response.operations[1].error().unwrap().status, 404);
    assert_eq!(script.lines(), ["POST https://example.com/scim/v2/Bulk"]);
    assert_eq!(run(client.bulk(&request)).unwrap_err().status().unwrap(), 501);
}

#[test]
fn s_3_11_02_me_follows_a_redirect_with_method_and_body() {
    let script = Script::new([
        with_header(answer(308, ""), "location", "/scim/v2/Users/7"),
        answer(204, ""),
        with_header(answer(307, ""), "location", "https://elsewhere.example.com/scim/v2/Users/7"),
        answer(308, ""),
    ]);
    let client = script.client();
    let me = client.me::<Object>();
    let patch = Object::from_iter([("Operations", "…")]);
    assert_eq!(run(me.patch(&patch, &default())).unwrap(), Written::Done(None));
    assert_eq!(
        script.lines(),
        ["PATCH https://example.com/scim/v2/Me", "PATCH https://example.com/scim/v2/Users/7"]
    );
    assert_eq!(script.last().body(), &patch.to_string());

    let error = run(me.retrieve(&default())).unwrap_err();
    assert_eq!(error.to_string(), "the service provider answered 307: it points to another server");
    let error = run(me.retrieve(&default())).unwrap_err();
    assert_eq!(error.to_string(), "the service provider answered 308: it names no location");
    assert_eq!(error.kind(), ClientErrorKind::Redirect);
}

#[test]
fn s_3_12_04_redirects_end() {
    let again = || with_header(answer(307, ""), "location", "https://example.com/scim/v2/Me");
    let script = Script::new([again(), again(), again(), again(), again()]);
    let error = run(script.client().me::<Object>().retrieve(&default())).unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Redirect);
    assert_eq!(script.lines().len(), 4);
}

/// serde knows doubles only; what is read and sent as an object keeps every digit.
#[test]
fn c_2_3_3_01_numbers_keep_their_digits_both_ways() {
    const NUMBERS: &str = r#"[0.12345678901234567890,1e400,-18446744073709551616]"#;
    let body = format!(r#"{{"id":"7","weights":{NUMBERS}}}"#);
    let list = format!(r#"{{"totalResults":1,"Resources":[{body}]}}"#);
    let script = Script::new(
        [answer(200, &body), answer(200, &list), answer(200, &list), answer(201, &body), answer(200, &body)]
            .into_iter()
            .chain([answer(200, &format!("[{body}]"))]),
    );
    let client = script.client();
    let users = client.endpoint::<Object>("/Users");
    let found = run(users.retrieve("7", &default())).unwrap().found().unwrap().resource;
    assert_eq!(found.to_string(), body);
    let page = run(users.query(&default())).unwrap();
    assert_eq!(page.resources[0].to_string(), body);
    let page = run(users.pages(default()).next_page()).unwrap().unwrap();
    assert_eq!(page.resources[0].to_string(), body);
    let stored = run(users.create(&found, &default())).unwrap();
    assert_eq!(script.last().body(), &format!(r#"{{"weights":{NUMBERS}}}"#));
    assert_eq!(stored.resource.to_string(), body);
    run(users.replace("7", &found, &default())).unwrap();
    assert_eq!(script.last().body(), &body);
    let schemas: Vec<scim2_core::Value> = run(client.schemas()).unwrap();
    assert_eq!(schemas[0].to_string(), body);
}
