//! A service provider that answers from a script and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use scim2_client::{BaseUrl, BearerToken, Client, Transport, TransportError, TransportErrorKind};

#[derive(Clone, Default)]
pub(crate) struct Script {
    answers: Arc<Mutex<VecDeque<Response<Bytes>>>>,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Response<Bytes>>) -> Self {
        let script = Self::default();
        script.answers.lock().unwrap().extend(answers);
        script
    }

    /// A client of this provider with the token `s3cret`.
    pub(crate) fn client(&self) -> Client<Self> {
        Client::new(self.clone(), BaseUrl::parse("https://example.com/scim/v2").unwrap())
            .bearer_token(BearerToken::new("s3cret").unwrap())
    }

    /// `METHOD url` of every request so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| format!("{} {}", request.method(), request.uri())).collect()
    }

    pub(crate) fn last(&self) -> Request<Bytes> {
        self.requests.lock().unwrap().last().cloned().unwrap()
    }
}

impl Transport for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or(TransportError::new(TransportErrorKind::Connect))
    }
}

pub(crate) fn answer(status: u16, body: &str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

pub(crate) fn with_header(mut response: Response<Bytes>, name: &'static str, value: &str) -> Response<Bytes> {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// A SCIM error as a body.
pub(crate) fn error_body(status: u16) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"{status}","detail":"no"}}"#
    )
}

/// Runs what never waits.
#[track_caller]
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    futures_util::FutureExt::now_or_never(future).unwrap()
}
