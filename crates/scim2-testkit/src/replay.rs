//! Replays exchanges over a socket, with the request target byte for byte.
//!
//! ```no_run
//! use scim2_testkit::{dialects, http::Endpoint, replay};
//!
//! let service = Endpoint::new("http://127.0.0.1:8080/scim/v2", "a-bearer-token")?;
//! let report = replay::run(&service, &dialects::client_exchanges());
//! assert_eq!(report.failed().count(), 0, "{report}");
//! # Ok::<(), std::io::Error>(())
//! ```

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use scim2_client::{Transport, TransportError, TransportErrorKind};
use scim2_conformance::replay::{ExactTarget, Outcome, Report, Runner};

use crate::dialects::Exchange;
use crate::http::{Answer, Endpoint};

/// Replays exchanges: independent ones on a fresh state, conversations in their order.
pub fn run(service: &Endpoint, exchanges: &[Exchange]) -> Report {
    futures_executor::block_on(runner(service).run(exchanges))
}

/// Replays one exchange on a fresh state.
pub fn run_alone(service: &Endpoint, exchange: &Exchange) -> Outcome {
    futures_executor::block_on(runner(service).run_alone(exchange))
}

fn runner(service: &Endpoint) -> Runner<&Endpoint> {
    Runner::for_disposable_service(service, &service.base_url(), service.token())
}

impl Transport for Endpoint {
    /// Blocks until the response has arrived.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let broken = |error| TransportError::with_source(TransportErrorKind::Broken, error);
        let ExactTarget(target) =
            request.extensions().get().ok_or(TransportError::new(TransportErrorKind::Broken))?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = Some(&**request.body()).filter(|body| !body.is_empty());
        let answer =
            Endpoint::send(self, request.method().as_str(), target, &headers, body).map_err(broken)?;
        let Answer { status, headers, body } = answer;
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            status.try_into().map_err(|_| TransportError::new(TransportErrorKind::Broken))?;
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
                response.headers_mut().append(name, value);
            }
        }
        Ok(response)
    }
}
