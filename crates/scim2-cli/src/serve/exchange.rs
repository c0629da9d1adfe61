//! The requests of one connection, from the HTTP library to the service and back.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT, HeaderValue};
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use scim2_core::Quirk;
use scim2_server::{ClientAddress, ToleratedBelow};
use tower_service::Service;

use super::connections::{Activity, Place, TrackedRequestBody, TrackedResponseBody};
use super::deadline::DeadlineBody;
use super::framed::{self, Progress};
use super::refusal::Refuse;
use super::unread::BodyEnd;

/// The body of a request as the service gets it.
pub(super) type RequestBody = DeadlineBody<TrackedRequestBody<Incoming>>;

/// The body of an answer: of the service, or of a refusal below it.
pub(super) type AnswerBody<B> = TrackedResponseBody<Either<B, Full<Bytes>>>;

/// What the requests of one connection have in common.
pub(super) struct Exchanges<S> {
    pub(super) service: S,
    pub(super) place: Place,
    pub(super) activity: Arc<Activity>,
    pub(super) peer: SocketAddr,
    /// How many proxies are trusted to name the client's address.
    pub(super) trusted_proxies: usize,
    /// How long the body of a request may take to arrive.
    pub(super) request_timeout: Duration,
    pub(super) progress: Arc<Progress>,
    pub(super) refuse: Refuse,
}

impl<S> Exchanges<S> {
    /// Answers a request. The connection is closed after the answer if the body of the request was not read to its
    /// end, or if it is not certain where the next request begins.
    pub(super) fn answer<B>(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<AnswerBody<B>>, Infallible>> + Send + use<S, B>
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible, Future: Send>
            + Clone
            + Send,
        B: Send,
    {
        let request_under_way = Activity::begin_request(&self.activity);
        let (mut head, body) = request.into_parts();
        head.extensions.insert(ClientAddress::new(self.peer, &head.headers, self.trusted_proxies));
        let expects = head.headers.contains_key(EXPECT);
        let (body, rest) =
            DeadlineBody::new(TrackedRequestBody::new(body, &self.activity), self.request_timeout);
        let delivered = match self.progress.deliver() {
            Ok(raw_quotes) => {
                if raw_quotes {
                    head.extensions.insert(ToleratedBelow(Quirk::RawQuotes));
                }
                if self.place != Place::Served {
                    head.extensions.insert(self.place);
                }
                Ok((self.service.clone(), Request::from_parts(head, body)))
            }
            Err(ambiguity) => Err((self.refuse)(&head.headers, self.peer.ip(), framed::refusal(ambiguity))),
        };
        let progress = Arc::clone(&self.progress);
        async move {
            let mut answer = match delivered {
                Ok((mut service, request)) => {
                    let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
                    let Ok(answer) = service.call(request).await;
                    answer.map(Either::Left)
                }
                Err(refusal) => refusal.map(|body| Either::Right(Full::from(body))),
            };
            let end = match rest {
                None => BodyEnd::Read,
                Some(rest) => rest.end(expects).await,
            };
            let mut must_close = progress.must_close();
            match end {
                BodyEnd::Read => progress.end(),
                BodyEnd::Unread(unread) => {
                    must_close = true;
                    if let Some(unread) = unread {
                        // The client gets the answer meanwhile.
                        tokio::spawn(unread.discard());
                    }
                }
            }
            if must_close {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer.map(|body| TrackedResponseBody::new(body, request_under_way)))
        }
    }
}
