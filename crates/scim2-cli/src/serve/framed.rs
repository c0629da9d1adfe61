//! The progress of a connection's requests at both of its ends: a framer below the HTTP library, the service above it.
//!
//! The framer (`scim2-http1`) sees each byte before the HTTP library does and knows where requests begin. It encodes
//! raw quotes in targets, which Entra ID's older jobs and OneLogin send (Q-QUERY-PLUS) and the library refuses. It
//! does so only if the library has read all requests before to their end: then the bytes are the start of a request
//! for the library too, whatever was wrong before. Conversely the service takes a request from the library only if the
//! framer saw it begin, and refuses what two parsers could read in different ways. So no body is ever changed, and no
//! part of a body is ever answered as a request (docs/decisions/0019-where-a-request-begins.md).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use http::StatusCode;
use scim2_core::ScimType;
use scim2_http1::{Ambiguity, RequestFramer};
use scim2_protocol::ErrorResponse;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::delegate::delegate;

/// The detail of the error for a target that is too long.
pub(super) const URI_TOO_LONG: &str = "the URI is too long; POST to /.search takes long filters";

/// How many requests of a connection have arrived, and how many the service has got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The number of requests whose head the framer has read.
    heads: AtomicU64,
    /// The number of the request that the framer could not follow, and why.
    ambiguous: OnceLock<(u64, Ambiguity)>,
    /// The number of requests that the HTTP library has delivered to the service.
    delivered: AtomicU64,
    /// The number of the last request whose target was encoded.
    encoded: AtomicU64,
    /// The number of delivered requests whose body the library has read to its end.
    ended: AtomicU64,
}

impl Progress {
    /// The HTTP library delivers the next request. It must be refused if the framer did not see it begin, or could
    /// not follow it. Returns whether its target was encoded.
    pub(super) fn deliver(&self) -> Result<bool, Ambiguity> {
        let number = self.delivered.fetch_add(1, Ordering::AcqRel) + 1;
        match self.ambiguous.get() {
            Some((from, ambiguity)) if number >= *from => Err(*ambiguity),
            _ if number > self.heads.load(Ordering::Acquire) => Err(Ambiguity::Syntax),
            _ => Ok(number == self.encoded.load(Ordering::Acquire)),
        }
    }

    /// The HTTP library has read the body of the delivered request to its end.
    pub(super) fn end(&self) {
        self.ended.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether the connection must be closed after the current answer.
    pub(super) fn must_close(&self) -> bool {
        self.ambiguous.get().is_some()
    }

    /// The reason why the HTTP library refused the next request, if the framer has a more precise one.
    pub(super) fn reason(&self) -> Option<ErrorResponse> {
        let (number, ambiguity) = *self.ambiguous.get()?;
        let is_next = number == self.delivered.load(Ordering::Acquire) + 1;
        let is_known = matches!(ambiguity, Ambiguity::LengthTooLarge | Ambiguity::TargetTooLong);
        (is_next && is_known).then(|| refusal(ambiguity))
    }

    /// Whether the HTTP library has read exactly this many requests to their end.
    fn is_between(&self, requests: u64) -> bool {
        let counts = [&self.delivered, &self.ended].map(|count| count.load(Ordering::Acquire));
        counts == [requests, requests]
    }
}

/// The error for a request whose framing is refused.
pub(super) fn refusal(ambiguity: Ambiguity) -> ErrorResponse {
    match ambiguity {
        // https://www.rfc-editor.org/rfc/rfc9112#section-6.1
        Ambiguity::Coding => ErrorResponse::new(StatusCode::NOT_IMPLEMENTED).with_detail(
            "expected `Transfer-Encoding: chunked` or none; other transfer codings are not supported",
        ),
        Ambiguity::Length => ErrorResponse::of_scim_type(
            ScimType::InvalidSyntax,
            "expected one `Content-Length`, and none beside `Transfer-Encoding`",
        ),
        Ambiguity::LengthTooLarge => ErrorResponse::payload_too_large(
            "the body is too large: expected a `Content-Length` of at most 15 digits",
        ),
        Ambiguity::TargetTooLong => ErrorResponse::new(StatusCode::URI_TOO_LONG).with_detail(URI_TOO_LONG),
        _ => ErrorResponse::of_scim_type(
            ScimType::InvalidSyntax,
            "expected HTTP/1.1 as RFC 9112 writes it: lines end in CR LF, no header field is folded, the target begins with `/` or `http` and has no `#`",
        ),
    }
}

/// A stream whose requests are followed.
#[derive(Debug)]
pub(super) struct Framed<S> {
    stream: S,
    framer: RequestFramer,
    progress: Arc<Progress>,
    /// Whether raw quotes in targets are encoded (Q-RAW-QUOTES).
    raw_quotes: bool,
    /// Encoded bytes that are not handed on yet, and how many of them are.
    encoded: Vec<u8>,
    handed_on: usize,
}

impl<S> Framed<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>, raw_quotes: bool) -> Self {
        let framer = RequestFramer::new();
        Self { stream, framer, progress, raw_quotes, encoded: Vec::new(), handed_on: 0 }
    }

    /// Follows bytes that were read. Returns the bytes to hand on instead, if a target was encoded.
    fn follow(&mut self, read: &[u8]) -> Option<Vec<u8>> {
        let (progress, raw_quotes) = (&self.progress, self.raw_quotes);
        let heads = self.framer.heads();
        let changed = self.framer.follow(read, |requests| raw_quotes && progress.is_between(requests));
        if changed.is_some() {
            // Nothing is encoded unless all requests that were delivered have ended.
            self.progress
                .encoded
                .store(self.progress.delivered.load(Ordering::Acquire) + 1, Ordering::Release);
        }
        if self.framer.heads() != heads {
            self.progress.heads.store(self.framer.heads(), Ordering::Release);
        }
        if let Some(ambiguous) = self.framer.ambiguous() {
            self.progress.ambiguous.get_or_init(|| ambiguous);
        }
        changed
    }

    /// Hands on as many encoded bytes as fit.
    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let rest = self.encoded.get(self.handed_on..).unwrap_or_default();
        let part = rest.get(..rest.len().min(buffer.remaining())).unwrap_or_default();
        buffer.put_slice(part);
        self.handed_on += part.len();
        if self.handed_on == self.encoded.len() {
            (self.encoded, self.handed_on) = (Vec::new(), 0);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.encoded.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
            let read = buffer.filled().get(before..).unwrap_or_default();
            let Some(changed) = this.follow(read) else { return Poll::Ready(Ok(())) };
            this.encoded = changed;
            buffer.set_filled(before);
        }
        this.hand_on(buffer);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    delegate!(poll_write, poll_write_vectored, is_write_vectored, poll_flush, poll_shutdown);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const SENT: &str = "GET /?\" HTTP/1.1\r\n\r\n";
    const ENCODED: &str = "GET /?%22 HTTP/1.1\r\n\r\n";

    /// The bytes that the HTTP library reads if `sent` arrives in pieces of at most `piece` bytes.
    async fn read(sent: &str, piece: usize, progress: &Arc<Progress>, raw_quotes: bool) -> String {
        let (mut client, server) = duplex(piece);
        let sent = sent.to_owned();
        let writer = tokio::spawn(async move { client.write_all(sent.as_bytes()).await.expect("written") });
        let mut text = String::new();
        let mut framed = Framed::new(server, Arc::clone(progress), raw_quotes);
        framed.read_to_string(&mut text).await.expect("read");
        writer.await.expect("the writer ends");
        text
    }

    #[tokio::test]
    async fn first_target_is_encoded_in_pieces_of_any_size() {
        for piece in [1, 2, 7, 1024] {
            let progress = Arc::default();
            assert_eq!(read(SENT, piece, &progress, true).await, ENCODED, "in pieces of {piece}");
            assert_eq!(progress.heads.load(Ordering::Acquire), 1);
        }
        assert_eq!(read(SENT, 7, &Arc::default(), false).await, SENT);
    }

    #[tokio::test]
    async fn later_targets_are_encoded_only_between_requests() {
        for (delivered, ended, encoded) in
            [(0, 0, false), (1, 0, false), (1, 1, true), (2, 1, false), (2, 2, false)]
        {
            let progress = Arc::new(Progress::default());
            let (mut client, server) = duplex(1024);
            let mut framed = Framed::new(server, Arc::clone(&progress), true);
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
            framed.read_exact(&mut [0; 18]).await.expect("the first request");
            for _ in 0..delivered {
                let _ = progress.deliver();
            }
            for _ in 0..ended {
                progress.end();
            }
            client.write_all(SENT.as_bytes()).await.expect("written");
            drop(client);
            let mut text = String::new();
            framed.read_to_string(&mut text).await.expect("read");
            assert_eq!(text, if encoded { ENCODED } else { SENT }, "{delivered} delivered, {ended} ended");
        }
    }

    #[tokio::test]
    async fn request_that_the_framer_did_not_see_is_refused() {
        let progress = Arc::default();
        read(SENT, 1024, &progress, true).await;
        assert_eq!(progress.deliver(), Ok(true));
        assert!(!progress.must_close());
        assert_eq!(progress.deliver(), Err(Ambiguity::Syntax));

        let progress = Arc::default();
        read(&format!("{SENT}POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), 1024, &progress, true)
            .await;
        assert_eq!(progress.deliver(), Ok(true));
        assert!(progress.must_close());
        assert_eq!(progress.deliver(), Err(Ambiguity::Coding));
        assert_eq!(progress.deliver(), Err(Ambiguity::Coding));
    }
}
