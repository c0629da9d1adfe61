use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use scim2_client::{
    BaseUrl, BearerToken, Client, ClientErrorKind, ReqwestTransport, TransportError, TransportErrorKind,
    Written,
};
use scim2_core::Object;
use tokio::net::TcpListener;

/// A service provider on a socket: keeps one user, redirects `/Me`, and has one large answer.
async fn serve(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(head.headers["authorization"], "Bearer s3cret");
    let (status, answer) = match (head.method, head.uri.path()) {
        (Method::POST, "/scim/Users") => {
            let mut user: Object = serde_json::from_slice(&body).unwrap();
            assert!(!user.contains("id"));
            user.insert("id", "7");
            (201, user.to_string().into())
        }
        (Method::DELETE, "/scim/Users/a%2Fb") => (204, Bytes::new()),
        (Method::GET, "/scim/Me") => (308, Bytes::new()),
        (Method::GET, "/scim/Users/7") => (200, r#"{"id":"7"}"#.into()),
        _ => (200, format!("{{\"large\":\"{}\"}}", "x".repeat(100_000)).into()),
    };
    let response = Response::builder().status(status).header("location", "/scim/Users/7");
    Ok(response.body(Full::new(answer)).unwrap())
}

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let service = hyper::service::service_fn(serve);
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                // A client that goes away is not a failure of the test.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn client(address: SocketAddr, transport: ReqwestTransport) -> Client<ReqwestTransport> {
    Client::new(transport, BaseUrl::parse(&format!("http://{address}/scim")).unwrap())
        .bearer_token(BearerToken::new("s3cret").unwrap())
}

#[tokio::test]
async fn over_a_socket() {
    let client = client(start().await, ReqwestTransport::new().unwrap());
    let users = client.endpoint::<Object>("/Users");
    let ada = Object::from_iter([("userName", "ada"), ("id", "mine")]);
    let stored = users.create(&ada, &Default::default()).await.unwrap();
    assert_eq!(stored.resource.get_str("id"), Some("7"));
    assert_eq!(users.delete("a/b", &Default::default()).await.unwrap(), Written::Done(()));
    let me = client.me::<Object>().retrieve(&Default::default()).await.unwrap();
    assert_eq!(me.found().unwrap().resource.get_str("id"), Some("7"));
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let transport = ReqwestTransport::new().unwrap().max_body(1_000);
    let error = client(start().await, transport).schemas::<Object>().await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Transport);
    assert_eq!(error.to_string(), "the response is larger than the limit");
}

#[tokio::test]
async fn closed_port_is_a_connect_error() {
    // Bound and dropped, so the port is free.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = client(address, ReqwestTransport::new().unwrap());
    let error = client.service_provider_config::<Object>().await.unwrap_err();
    assert_eq!(error.to_string(), TransportError::new(TransportErrorKind::Connect).to_string());
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(!cause.contains("ServiceProviderConfig"), "{cause}");
}
