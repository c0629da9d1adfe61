//! RFC 9967: asynchronous requests, which this service answers at once. It sends no events, so that
//! the bodies of events have no test here.

use serde_json::json;

use super::*;

#[test]
fn rfc9967_2_5_1_1_a_put_that_may_be_answered_later_is_answered_now() {
    let service = Service::start();
    let id = service.user("ada@example.com");
    let body = json!({
        "schemas": [USER], "id": id, "userName": "ada@example.com", "externalId": "4711",
        "name": {"formatted": "Ada King"}, "roles": [], "emails": [{"value": "ada@example.com"}],
    });
    has_shape_of("9967-2.5.1.1-async-put-request", &body);
    let prefer = [("Prefer", "respond-async")];
    let answer = service.send_with("PUT", &format!("/Users/{id}"), &prefer, Some(&body));
    assert_eq!(answer.status, 200, "the preference is one, and not 202 without a result to wait for");
    assert!(answer.header("preference-applied").is_none());
    assert_eq!(answer.json().expect("a body")["name"], body["name"]);
    assert!(service.get("/ServiceProviderConfig").get("securityEvents").is_none());
}
