//! Recorded responses of real service providers, read by the client.

use bytes::Bytes;
use http::Response;
use percent_encoding::percent_decode_str;
use scim2_client::{Client, ClientError, RetrieveOptions, Retrieved, Written};
use scim2_core::{Compat, Object};
use scim2_protocol::{BulkRequest, QueryParameters};
use scim2_testkit::dialects::{Exchange, server_exchanges};

use serde_json::json;

use crate::script::{Script, answer, error_body, run};

/// The recorded answer. If the body was not recorded, it is the smallest that the call can read.
fn recorded(exchange: &Exchange) -> Response<Bytes> {
    let (status, path) = (exchange.expect.status[0], exchange.request.path.as_str());
    let mut body = exchange.expect.response_body.clone();
    if (200..204).contains(&status) {
        let members = body.get_or_insert_with(|| json!({})).as_object_mut().unwrap();
        if path == "/Bulk" {
            members.entry("Operations").or_insert(json!([]));
        } else if exchange.request.method == "GET" && ["/Users", "/Groups"].contains(&path) {
            members.entry("totalResults").or_insert(json!(0));
        }
    }
    let mut response = answer(status, &body.map_or(String::new(), |body| body.to_string()));
    for (name, value) in exchange.expect.response_headers.iter().flatten() {
        let name: http::HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn query(exchange: &Exchange) -> QueryParameters {
    let pairs: Vec<String> = exchange
        .request
        .query
        .iter()
        .flatten()
        .map(|(name, value)| {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            format!("{name}={value}")
        })
        .collect();
    QueryParameters::from_query_str(&pairs.join("&"), &Compat::default()).unwrap()
}

/// Makes the call that sends the recorded request, and says in a few words what came of it.
fn perform(client: &Client<Script>, exchange: &Exchange) -> String {
    fn say<T>(result: Result<T, ClientError>, success: impl FnOnce(T) -> String) -> String {
        result.map_or_else(|error| error.to_string(), success)
    }
    fn written<W>(written: Written<W>) -> String {
        match written {
            Written::Done(_) => "done".to_owned(),
            Written::Missing => "missing".to_owned(),
            Written::VersionMismatch => "version mismatch".to_owned(),
            _ => unreachable!("no other outcome"),
        }
    }
    let request = &exchange.request;
    let body: Object =
        request.body.clone().and_then(|body| serde_json::from_value(body).ok()).unwrap_or_default();
    if request.path.starts_with("/ServiceProviderConfig") {
        return say(run(client.service_provider_config::<Object>()), |config| {
            format!("{} members", config.len())
        });
    }
    if request.path == "/Bulk" {
        let bulk = BulkRequest::from_object(body, &Compat::default()).unwrap();
        return say(run(client.bulk(&bulk)), |response| format!("{} results", response.operations.len()));
    }
    let (endpoint, id) = match request.path.rsplit_once('/').unwrap() {
        ("", _) => (request.path.as_str(), ""),
        (endpoint, id) => (endpoint, id),
    };
    let endpoint = client.endpoint::<Object>(endpoint);
    let options = RetrieveOptions { projection: query(exchange).projection, if_none_match: None };
    match (request.method.as_str(), id) {
        ("GET", "") => say(run(endpoint.query(&query(exchange))), |list| {
            format!("{} of {:?}", list.resources.len(), list.total_results)
        }),
        ("GET", id) => say(run(endpoint.retrieve(id, &options)), |retrieved| match retrieved {
            Retrieved::Found(stored) => format!("{} attributes", stored.resource.len()),
            _ => "none".to_owned(),
        }),
        ("POST", _) => say(run(endpoint.create(&body, &Default::default())), |_| "created".to_owned()),
        ("PUT", id) => say(run(endpoint.replace(id, &body, &Default::default())), written),
        ("PATCH", id) => say(run(endpoint.patch(id, &body, &Default::default())), written),
        (_, id) => say(run(endpoint.delete(id, &Default::default())), written),
    }
}

#[test]
fn every_recorded_answer_of_a_service_provider() {
    let mut lines = String::new();
    for exchange in server_exchanges() {
        let plural = exchange.request.path == "/ServiceProviderConfigs";
        let singular = plural.then(|| answer(404, &error_body(404)));
        let script = Script::new(singular.into_iter().chain([recorded(&exchange)]));
        let outcome = perform(&script.client(), &exchange);
        lines.push_str(&format!("{}: {outcome}\n", exchange.id));

        // The request is the recorded one, as far as it is the client's to choose.
        let sent = script.last();
        assert_eq!(sent.method().as_str(), exchange.request.method, "{}", exchange.id);
        assert_eq!(sent.uri().path(), format!("/scim/v2{}", exchange.request.path), "{}", exchange.id);
        let sent: Vec<(String, String)> = sent
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                Some((name.to_owned(), percent_decode_str(value).decode_utf8().unwrap().into_owned()))
            })
            .collect();
        for (name, value) in exchange.request.query.iter().flatten() {
            assert!(
                sent.contains(&(name.clone(), value.clone())),
                "{}: {name}={value} in {sent:?}",
                exchange.id
            );
        }
    }
    insta::assert_snapshot!(lines);
}
