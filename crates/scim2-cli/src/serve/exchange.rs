//! The requests of one connection, from the HTTP library to the service provider and back.

use std::convert::Infallible;
use std::future::{Future, ready};
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

use super::connections::{Activity, Place, TrackedBody};
use super::deadline::{DeadlineBody, End};
use super::framed::{self, Progress};
use super::refusal::Refuse;

/// What the requests of one connection have in common.
pub(super) struct Exchanges<H> {
    pub(super) handler: Arc<H>,
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

impl<H> Exchanges<H> {
    /// Answers a request. The connection is closed after the answer if the body of the request was not read to its
    /// end, or if it is not certain where the next request begins.
    pub(super) fn answer<F, B>(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<TrackedBody<B>>, Infallible>> + Send + use<H, F, B>
    where
        H: Fn(Request<DeadlineBody<Incoming>>, Place) -> F,
        F: Future<Output = Response<B>> + Send,
        B: From<Full<Bytes>> + Send,
    {
        let under_way = Activity::begin_request(&self.activity);
        let (mut head, body) = request.into_parts();
        head.extensions.insert(ClientAddress::new(self.peer, &head.headers, self.trusted_proxies));
        // A client that asks before it sends gets the answer instead.
        let asks = head.headers.contains_key(EXPECT);
        let (body, rest) = DeadlineBody::new(body, self.request_timeout);
        let answer = match self.progress.deliver() {
            Ok(raw_quotes) => {
                if raw_quotes {
                    head.extensions.insert(ToleratedBelow(Quirk::RawQuotes));
                }
                Either::Left((self.handler)(Request::from_parts(head, body), self.place))
            }
            Err(ambiguity) => {
                drop(body);
                let refusal = (self.refuse)(&head.headers, self.peer.ip(), framed::refusal(ambiguity));
                Either::Right(ready(refusal.map(|body| B::from(Full::new(Bytes::from(body))))))
            }
        };
        let progress = Arc::clone(&self.progress);
        async move {
            let mut answer = match answer {
                Either::Left(answer) => answer.await,
                Either::Right(refusal) => refusal.await,
            };
            let end = match rest {
                None => End::Read,
                Some(rest) => rest.end(asks).await,
            };
            let mut must_close = progress.must_close();
            match end {
                End::Read => progress.end(),
                End::Unread(unread) => {
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
            Ok(answer.map(|body| TrackedBody::new(body, under_way)))
        }
    }
}
