//! The service provider behind the socket, and its options from the configuration.

use std::net::SocketAddr;
use std::sync::Arc;

use scim2_auth::{Argon2id, BearerTokens, TokenSource};
use scim2_core::{Quirk, Registry};
use scim2_server::{BaseUrl, Options, ResourceStore, ServiceProvider};
use tokio::net::TcpListener;

use super::base_path::BasePath;
use super::connections::ConnectionLimits;
use super::gate::Gate;
use super::greeting::greet;
use super::health::probe_context;
use super::listener::{self, Rules};
use super::local;
use super::long_work::BlockInPlace;
use super::refusal::Refuse;
use super::stop::Stop;
use super::totals;
use crate::config::{self, Config};
use crate::failure::Failure;

/// Answers requests until the program is asked to stop, then finishes the accepted requests.
pub(super) async fn run<S: ResourceStore, T: TokenSource>(
    config: &Config,
    registry: Registry,
    store: S,
    tokens: T,
    (listener, address): (TcpListener, SocketAddr),
    mut stop: Stop,
) -> Result<(), Failure> {
    let compat = config.compat();
    let provider = ServiceProvider::builder(store)
        .registry(registry)
        .options(|options| configure(options, config, address))
        .password_hasher(Argon2id::new(config.worker_threads))
        .long_work(BlockInPlace)
        .build();
    let tokens = BearerTokens::new(tokens)
        .without_scheme(compat.allows(Quirk::AuthNoScheme))
        .with_advice("`scim2 token create` makes a new token and `scim2 token list` shows the existing ones");
    let service = provider.service(tokens);
    greet(config, &provider, &probe_context(&provider), address).await;
    let reporting = tokio::spawn(totals::report(provider.clone()));
    let refuse: Refuse = {
        let service = service.clone();
        Arc::new(move |headers, peer, error| service.refuse_unparsed(headers, peer, error))
    };
    let base_path = BasePath::new(&config.base_path, provider.options().base_url.path());
    // Layers of tower, for example with limits, metrics or traces, belong around the gate.
    let gate = Gate::new(service, provider.clone(), base_path);
    let rules = Rules {
        trusted_proxies: config.trusted_proxies(),
        connections: ConnectionLimits {
            served: config.max_connections,
            per_source: config.connections_per_address(),
            send_timeout: config.send_timeout,
        },
        raw_quotes: compat.allows(Quirk::RawQuotes),
        request_timeout: config.request_timeout,
        shutdown_timeout: config.shutdown_timeout,
    };
    let finished = listener::serve(listener, gate, refuse, rules, stop.requested()).await;
    reporting.abort();
    totals::log(&provider.counts());
    if !finished {
        tracing::warn!("some requests did not finish within the shutdown timeout and were given up");
    }
    Ok(())
}

fn configure(options: &mut Options, config: &Config, address: SocketAddr) {
    options.compat = config.compat();
    options.base_url = if config.base_url.is_none() && (config.trust_host || config.trust_forwarded) {
        BaseUrl::FromRequest {
            path: config.base_path.as_str().into(),
            trusted_proxies: config.trusted_proxies(),
        }
    } else {
        BaseUrl::fixed(&base_url(config, address))
    };
    options.patch_response = match config.patch_response {
        config::PatchResponse::Auto => scim2_server::PatchResponse::Auto,
        config::PatchResponse::Body => scim2_server::PatchResponse::Body,
        config::PatchResponse::NoContent => scim2_server::PatchResponse::NoContent,
    };
    options.unknown_member = match config.unknown_member {
        config::UnknownMember::Refuse => scim2_server::UnknownMember::Refuse,
        config::UnknownMember::Drop => scim2_server::UnknownMember::Drop,
    };
    options.default_pagination = config.default_pagination;
    options.anonymous_discovery = config.anonymous_discovery;
    options.sensitive_attributes.clone_from(&config.sensitive_attributes);
    options.documentation_uri = config.documentation_uri.as_ref().map(ToString::to_string);
    let (limits, given) = (&mut options.limits, &config.limits);
    limits.max_body = given.max_body;
    limits.strings = given.strings();
    limits.json_depth = given.max_depth;
    limits.filter_length = given.max_filter_length;
    limits.search_filter_length = given.max_search_filter_length;
    limits.filter_depth = given.max_filter_depth;
    limits.filter_terms = given.max_filter_terms;
    limits.patch_operations = given.max_patch_operations;
    limits.bulk_operations = given.bulk_max_operations;
    limits.bulk_payload = given.bulk_max_payload;
    limits.bulk_concurrent = given.bulk_concurrent;
    limits.bulk_timeout = u32::try_from(given.bulk_timeout.as_secs()).unwrap_or(u32::MAX);
    limits.max_work = given.max_work as u64;
    limits.page_bytes = given.max_page_bytes as u64;
    limits.query_timeout = u32::try_from(given.query_timeout.as_secs()).unwrap_or(u32::MAX);
    limits.bytes_in_flight = given.max_bytes_in_flight as u64;
    limits.bytes_in_flight_per_credential = given.max_bytes_in_flight_per_credential as u64;
    limits.max_results = config.max_results as u64;
    // A page without `count` is not larger than the largest page.
    limits.default_page_size = config.default_page_size.min(config.max_results) as u64;
    limits.cursor_timeout = u32::try_from(config.cursor_timeout).unwrap_or(u32::MAX);
    limits.scan_limit = config.scan_limit.map(|limit| limit as u64);
}

/// The base URL: the configured one, or where this machine reaches the listener.
pub(super) fn base_url(config: &Config, address: SocketAddr) -> String {
    match &config.base_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => local_url(config, address),
    }
}

/// Where this machine reaches the service provider without any proxy.
pub(super) fn local_url(config: &Config, address: SocketAddr) -> String {
    format!("http://{}{}", local(address), config.base_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_is_the_configured_one_or_where_the_listener_is_reached() {
        let mut config = Config::default();
        assert_eq!(base_url(&config, ([127, 0, 0, 1], 81).into()), "http://127.0.0.1:81/scim/v2");
        assert_eq!(base_url(&config, ([0, 0, 0, 0], 81).into()), "http://127.0.0.1:81/scim/v2");
        assert_eq!(base_url(&config, "[::]:81".parse().unwrap()), "http://[::1]:81/scim/v2");
        config.base_url = Some("https://scim.example.com/v2/".parse().unwrap());
        assert_eq!(base_url(&config, ([127, 0, 0, 1], 81).into()), "https://scim.example.com/v2");
        assert_eq!(local_url(&config, ([127, 0, 0, 1], 81).into()), "http://127.0.0.1:81/scim/v2");
    }
}
