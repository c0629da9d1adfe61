//! SCIM errors for bytes that never become a request.
//!
//! The HTTP library answers a head that is not HTTP, too long, or has too many fields with a status and no body. RFC 7644
//! §3.12 requires a body on every error, and clients parse it. So this layer recognizes such an answer when it is written
//! and replaces it by one that is logged and has the security header fields of every other refusal.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use scim2_protocol::ErrorResponse;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::delegate::delegate;
use super::framed::{Progress, URI_TOO_LONG};

/// How many bytes of a refused peer are read and discarded after the answer.
const MAX_DISCARDED: usize = 1 << 20;

/// How long the bytes of a refused peer are read and discarded.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Logs a refusal of bytes that never became a request, and makes the answer. The arguments are the header fields, which
/// say what the client accepts, the address of the peer, and the error.
pub(super) type Refuse = Arc<dyn Fn(&HeaderMap, IpAddr, ErrorResponse) -> Response<Vec<u8>> + Send + Sync>;

/// A stream that replaces the bare refusals of the HTTP library by SCIM errors.
pub(super) struct Refusal<S> {
    stream: S,
    refuse: Refuse,
    peer: IpAddr,
    progress: Arc<Progress>,
    /// Our answer, which is written instead of the library's.
    answer: Option<Answer>,
    /// Set by a refusal. If the connection were closed while the peer still sends, the peer could lose the answer.
    lingering: Option<Lingering>,
}

struct Lingering {
    patience: Pin<Box<Sleep>>,
    left: usize,
    shut_down: bool,
}

struct Answer {
    bytes: Vec<u8>,
    written: usize,
    /// The length of the library's answer that it replaces.
    replaced: usize,
}

impl<S> Refusal<S> {
    pub(super) fn new(stream: S, refuse: Refuse, peer: IpAddr, progress: Arc<Progress>) -> Self {
        Self { stream, refuse, peer, progress, answer: None, lingering: None }
    }
}

/// The SCIM error for a refusal that the HTTP library wrote by itself. Answers of the service provider never look like
/// one, because its errors have a body.
fn bare_refusal(written: &[u8]) -> Option<ErrorResponse> {
    let head = written.strip_prefix(b"HTTP/1.1 ").or_else(|| written.strip_prefix(b"HTTP/1.0 "))?;
    let (status, detail) = match head.get(..3)? {
        b"400" => (StatusCode::BAD_REQUEST, "the request is not well-formed HTTP"),
        b"414" => (StatusCode::URI_TOO_LONG, URI_TOO_LONG),
        b"431" => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the header fields are too many or too long"),
        b"505" => (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "expected HTTP/1.1"),
        _ => return None,
    };
    let head = std::str::from_utf8(written).ok()?.to_ascii_lowercase();
    let is_bare = head.ends_with("\r\n\r\n") && head.contains("\r\ncontent-length: 0\r\n");
    is_bare.then(|| ErrorResponse::new(status).with_detail(detail))
}

/// The bytes of an answer that is the last one of its connection.
fn to_bytes(mut answer: Response<Vec<u8>>) -> Vec<u8> {
    let length = HeaderValue::from(answer.body().len());
    answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    for (name, value) in answer.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.append(answer.body_mut());
    bytes
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Refusal<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.answer.is_none() {
            let Some(error) = bare_refusal(buf) else {
                return Pin::new(&mut this.stream).poll_write(cx, buf);
            };
            let error = this.progress.reason().unwrap_or(error);
            let bytes = to_bytes((this.refuse)(&HeaderMap::new(), this.peer, error));
            this.answer = Some(Answer { bytes, written: 0, replaced: buf.len() });
            let patience = Box::pin(sleep(LINGER_TIMEOUT));
            this.lingering = Some(Lingering { patience, left: MAX_DISCARDED, shut_down: false });
        }
        while let Some(answer) = &mut this.answer {
            let rest = answer.bytes.get(answer.written..).unwrap_or_default();
            if rest.is_empty() {
                let replaced = answer.replaced;
                this.answer = None;
                return Poll::Ready(Ok(replaced));
            }
            match Pin::new(&mut this.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => answer.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(0))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The library writes a refusal as one part. Several parts are an answer with a body.
        match bufs {
            [only] => self.poll_write(cx, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(lingering) = &mut this.lingering else {
            return Pin::new(&mut this.stream).poll_shutdown(cx);
        };
        if !lingering.shut_down {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            lingering.shut_down = true;
        }
        while lingering.left > 0 && lingering.patience.as_mut().poll(cx).is_pending() {
            let mut buffer = [0; 4096];
            let mut buffer = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    lingering.left = lingering.left.saturating_sub(buffer.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    delegate!(is_write_vectored, poll_flush);
}

impl<S: AsyncRead + Unpin> AsyncRead for Refusal<S> {
    delegate!(poll_read);
}

#[cfg(test)]
mod tests {
    use scim2_protocol::MediaType;

    use super::*;

    #[test]
    fn only_refusals_of_the_http_library_are_replaced() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let error = bare_refusal(bare).unwrap();
        let answer = String::from_utf8(to_bytes(error.to_response(MediaType::ScimJson))).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(body.contains(r#""status":"431""#), "{body}");

        let with_body = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}";
        let fine = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
        assert!(
            bare_refusal(with_body).is_none() && bare_refusal(fine).is_none() && bare_refusal(b"").is_none()
        );
    }
}
