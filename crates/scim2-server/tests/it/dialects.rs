//! What real identity providers send, replayed over a socket.

use scim2_core::Compat;
use scim2_server::{BaseUrl, MemoryStore, ScimService, ServiceProvider};
use scim2_testkit::{dialects, http::Endpoint, replay};

use crate::harness::Tokens;

/// Serves until the process ends; returns the base URL.
fn serve(compat: Compat) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let base = format!("http://{}/scim/v2", listener.local_addr().expect("an address"));
    let provider = ServiceProvider::builder(MemoryStore::new())
        .options(|options| {
            options.compat = compat;
            options.base_url = BaseUrl::fixed(&base);
        })
        .password_hasher(crate::harness::Reversing)
        .build();
    let service: ScimService<MemoryStore, Tokens> = provider.service(Tokens);
    std::thread::spawn(move || {
        let app = axum::Router::new().fallback_service(service);
        runtime.block_on(async { axum::serve(listener, app).await })
    });
    base
}

#[test]
fn q_dialects_every_client_exchange_passes_in_default_mode() {
    let service = Endpoint::new(&serve(Compat::default()), "write").expect("an endpoint");
    // A raw quote in the request target is refused by hyper, before it is a request of ours.
    let mut exchanges = dialects::client_exchanges();
    exchanges.retain(|exchange| exchange.id != "entra-client-match-plus-encoded-raw-quotes");
    assert!(exchanges.len() > 100);
    let report = replay::run(&service, &exchanges);
    assert_eq!(report.failed().count(), 0, "{report}");
}
