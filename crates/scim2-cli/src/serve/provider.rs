//! The service provider behind the socket: options from the configuration, and the way of a request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::header::{ALLOW, RETRY_AFTER};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use scim2_auth::{Argon2id, BearerTokens, TokenSource};
use scim2_core::{Quirk, Registry};
use scim2_server::{BaseUrl, Options, ResourceStore, ResponseBody, ScimService, ServiceProvider};
use tokio::net::TcpListener;

use super::connections::{ConnectionLimits, Place};
use super::deadline::DeadlineBody;
use super::greeting::greet;
use super::health::{self, Probe};
use super::host;
use super::listener::{self, Rules};
use super::local;
use super::long_work::BlockInPlace;
use super::overload;
use super::refusal::Refuse;
use super::stop::Stop;
use super::totals;
use crate::config::{self, Config};
use crate::failure::Failure;

/// Answers requests until the program is asked to stop, then finishes those that were accepted.
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
        .with_advice("`scim2 token create` makes a new token and `scim2 token list` shows those there are");
    let gate = Arc::new(Gate {
        service: provider.service(tokens),
        paths: Paths::new(&config.base_path, provider.options().base_url.path()),
        provider,
    });
    greet(config, &gate.provider, &gate.probe_context(), address).await;
    let reporting = tokio::spawn(totals::report(gate.provider.clone()));

    let handler = {
        let gate = Arc::clone(&gate);
        move |request, place| {
            let gate = Arc::clone(&gate);
            async move { gate.answer(request, place).await }
        }
    };
    let refuse: Refuse = {
        let service = gate.service.clone();
        Arc::new(move |headers, peer, error| service.refuse_unparsed(headers, peer, error))
    };
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
    let finished = listener::serve(listener, Arc::new(handler), refuse, rules, stop.requested()).await;
    reporting.abort();
    totals::log(&gate.provider.counts());
    if !finished {
        tracing::warn!("some requests did not finish within the shutdown timeout and were given up");
    }
    Ok(())
}

/// What a request passes before the service provider proper.
struct Gate<S, A> {
    service: ScimService<S, A>,
    provider: ServiceProvider<S>,
    paths: Paths,
}

impl<S: ResourceStore, T: TokenSource> Gate<S, BearerTokens<T>> {
    async fn answer(
        &self,
        mut request: Request<DeadlineBody<Incoming>>,
        place: Place,
    ) -> Response<ResponseBody> {
        if let Some(error) = host::refuse(request.version(), request.headers()) {
            return self.service.refuse(&request, error);
        }
        if let Some(probe) = Probe::of(request.uri().path()) {
            if let Some(error) = health::refuse(request.method()) {
                let mut refused = self.service.refuse(&request, error);
                refused.headers_mut().insert(ALLOW, health::ALLOW);
                return refused;
            }
            let well = probe == Probe::Health || self.is_ready().await;
            return health::answer(well).map(ResponseBody::from);
        }
        if let Some(limit) = place.limit() {
            let mut refused = self.service.refuse(&request, overload::refuse(limit));
            refused.headers_mut().insert(RETRY_AFTER, overload::RETRY_AFTER);
            return refused;
        }
        if let Some(uri) = self.paths.rewrite(request.uri()) {
            *request.uri_mut() = uri;
        }
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return self.service.handle(request).await;
        }
        // The query stays out: filters hold names and addresses of people.
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let start = Instant::now();
        let response = self.service.handle(request).await;
        let (status, elapsed) = (response.status().as_u16(), start.elapsed());
        tracing::debug!(%method, path, status, ?elapsed, "request");
        response
    }

    /// The context of a question that no request asks.
    fn probe_context(&self) -> scim2_server::Context {
        scim2_server::Context::new(
            Arc::clone(self.provider.registry()),
            scim2_server::TenantId::default(),
            "readyz",
            chrono::Utc::now(),
        )
    }

    /// Whether the store answers a question that it can always answer.
    async fn is_ready(&self) -> bool {
        let registry = self.provider.registry();
        let Some(resource_type) = registry.resource_types().next() else { return true };
        let cx = self.probe_context();
        let include = scim2_server::store::Include::default();
        match self.provider.store().retrieve(&cx, resource_type, "readyz", include).await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(%error, "not ready");
                false
            }
        }
    }
}

/// The path requests arrive under and the path of the base URL, where they differ: a proxy maps one
/// to the other, and the service provider knows only its base URL.
struct Paths {
    arriving: String,
    base: String,
}

impl Paths {
    fn new(arriving: &str, base: &str) -> Self {
        Self { arriving: arriving.to_owned(), base: base.to_owned() }
    }

    /// The URI as the service provider knows it, if it differs. A path that is not below the one requests arrive under
    /// leads nowhere: the path of the base URL would be a second way to everything.
    fn rewrite(&self, uri: &Uri) -> Option<Uri> {
        if self.arriving == self.base {
            return None;
        }
        let path = uri.path();
        let below = path.strip_prefix(&self.arriving).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        // No endpoint begins with two slashes.
        let outside = || format!("/{path}");
        let rest = below.map_or_else(outside, str::to_owned);
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let slash = if self.base.is_empty() && rest.is_empty() { "/" } else { "" };
        let path = format!("{}{rest}{slash}{query}", self.base);
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(parts).ok()
    }
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
    // A page without `count` is no larger than the largest page.
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

    #[track_caller]
    fn rewritten(arriving: &str, base: &str, uri: &str) -> Option<String> {
        Paths::new(arriving, base).rewrite(&uri.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn the_path_that_arrives_becomes_the_path_of_the_base_url() {
        assert_eq!(rewritten("/scim/v2", "/scim/v2", "/scim/v2/Users"), None);
        assert_eq!(rewritten("/scim/v2", "/id", "/scim/v2/Users?a=b").as_deref(), Some("/id/Users?a=b"));
        assert_eq!(rewritten("/scim/v2", "", "/scim/v2").as_deref(), Some("/"));
        assert_eq!(rewritten("/scim/v2", "", "/scim/v2/Users/1").as_deref(), Some("/Users/1"));
        assert_eq!(rewritten("/scim/v2", "/id", "/scim/v20/Users").as_deref(), Some("/id//scim/v20/Users"));
        assert_eq!(rewritten("/scim/v2", "/id", "/id/Users").as_deref(), Some("/id//id/Users"));
        assert_eq!(rewritten("/scim/v2", "", "/Users").as_deref(), Some("//Users"));
        assert_eq!(rewritten("", "/id", "/Users").as_deref(), Some("/id/Users"));
    }

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
