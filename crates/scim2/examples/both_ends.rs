//! A client and a service provider in one process, without a socket between them.
//!
//! `cargo run -p scim2 --example both_ends --features client,server`

use std::error::Error;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt, Full};
use scim2::Object;
use scim2::client::{BaseUrl, BearerToken, Client, FnTransport, TransportError};
use scim2::patch::PatchOp;
use scim2::protocol::QueryParameters;
use scim2::server::{
    self, Access, AuthError, Authenticator, MemoryStore, Principal, ServiceProvider, TenantId, bearer_token,
};

const BASE_URL: &str = "https://scim.example.com/v2";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // The service provider. An application with a user table of its own implements `ResourceStore`
    // in place of `MemoryStore`, and hands the service to its HTTP server.
    let service = ServiceProvider::builder(MemoryStore::new())
        .options(|options| options.base_url = server::BaseUrl::fixed(BASE_URL))
        .build()
        .service(OneToken);

    // The client. Over a network the transport is `ReqwestTransport`.
    let transport = FnTransport(move |request: http::Request<Bytes>| {
        let service = service.clone();
        async move {
            let response = service.handle(request.map(Full::new)).await;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_or(Bytes::new(), |body| body.to_bytes());
            Ok::<_, TransportError>(http::Response::from_parts(head, body))
        }
    });
    let client =
        Client::new(transport, BaseUrl::parse(BASE_URL)?).bearer_token(BearerToken::new("open-sesame")?);
    let users = client.endpoint::<Object>("/Users");

    let ada: Object = serde_json::from_str(
        r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "active": true}"#,
    )?;
    let stored = users.create(&ada, &Default::default()).await?;
    let id = stored.resource.get_str("id").ok_or("a resource without an id")?.to_owned();
    println!("created {}", stored.location.unwrap_or_default());

    let switch_off = PatchOp::new().replace("active", false)?;
    users.patch(&id, &switch_off, &Default::default()).await?;

    let inactive = QueryParameters { filter: Some("active eq false".into()), ..Default::default() };
    let mut pages = users.pages(inactive);
    while let Some(page) = pages.next_page().await? {
        for user in &page.resources {
            println!("switched off: {}", user.get_str("userName").unwrap_or("nobody"));
        }
    }

    let again = users.create(&ada, &Default::default()).await;
    println!("{}", again.err().ok_or("two users of one name")?);
    Ok(())
}

/// Knows one token. A real one looks the token's hash up and says whose it is.
struct OneToken;

impl Authenticator for OneToken {
    async fn authenticate(&self, head: &Parts) -> Result<Principal, AuthError> {
        if bearer_token(&head.headers, false)? != "open-sesame" {
            return Err(AuthError::Invalid);
        }
        let tenant = TenantId::parse(TenantId::DEFAULT).ok_or(AuthError::Unavailable)?;
        Ok(Principal { tenant, actor: "example".into(), access: Access::Write, resource: None })
    }
}
