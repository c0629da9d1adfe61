//! SCIM errors for what never becomes a request.
//!
//! A head that is no HTTP, too long, or has too many fields is answered by the HTTP library, with a
//! status and no body. RFC 7644 §3.12 wants a body on every error, and clients parse it; so the
//! answer is recognised on its way out and given one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::delegate::delegate;

/// How much of what a refused peer still sends is read and thrown away, in bytes.
const LONGEST_REST: usize = 1 << 20;

/// How long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection whose bare refusals become SCIM errors.
pub(super) struct Refusal<S> {
    stream: S,
    /// An answer of ours that is being written instead of the library's.
    answer: Option<Answer>,
    /// Begins with a refusal: a connection closed while its peer still sends loses the peer the answer.
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
    /// How much of the library's answer it stands for.
    replaced: usize,
}

impl<S> Refusal<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, answer: None, lingering: None }
    }
}

/// The SCIM error for a head that the HTTP library wrote by itself. Nothing of ours looks like it:
/// every error of the service provider has a body.
fn replacement(written: &[u8]) -> Option<Vec<u8>> {
    let head = written.strip_prefix(b"HTTP/1.1 ").or_else(|| written.strip_prefix(b"HTTP/1.0 "))?;
    let (status, detail) = match head.get(..3)? {
        b"400" => ("400 Bad Request", "the request is not well-formed HTTP"),
        b"414" => ("414 URI Too Long", "the URI is too long; POST to /.search takes long filters"),
        b"431" => ("431 Request Header Fields Too Large", "the header fields are too many or too long"),
        b"505" => ("505 HTTP Version Not Supported", "expected HTTP/1.1"),
        _ => return None,
    };
    let head = std::str::from_utf8(written).ok()?.to_ascii_lowercase();
    if !head.ends_with("\r\n\r\n") || !head.contains("\r\ncontent-length: 0\r\n") {
        return None;
    }
    let code = status.get(..3)?;
    let body = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"{code}","detail":"{detail}"}}"#
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/scim+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    Some(answer.into_bytes())
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Refusal<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.answer.is_none() {
            let Some(bytes) = replacement(buf) else { return Pin::new(&mut this.stream).poll_write(cx, buf) };
            this.answer = Some(Answer { bytes, written: 0, replaced: buf.len() });
            let patience = Box::pin(sleep(PATIENCE));
            this.lingering = Some(Lingering { patience, left: LONGEST_REST, shut_down: false });
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
        // A head of the library's own comes alone; more than one part is an answer with a body.
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
    use super::*;

    #[test]
    fn only_the_library_s_own_refusals_are_replaced() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer = String::from_utf8(replacement(bare).unwrap()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(body.contains(r#""status":"431""#), "{body}");

        let with_body = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}";
        let fine = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
        assert!(
            replacement(with_body).is_none() && replacement(fine).is_none() && replacement(b"").is_none()
        );
    }
}
