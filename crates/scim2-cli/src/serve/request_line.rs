//! Raw quotes in a request target, which identity providers send and HTTP libraries refuse.
//!
//! Entra ID's older jobs and OneLogin write `?filter=userName eq "x"` with the quotes as they are (Q-QUERY-PLUS).
//! [RFC 3986 §3.4](https://www.rfc-editor.org/rfc/rfc3986#section-3.4) wants them encoded, and the HTTP library
//! answers 400 before any of our code runs. So they are encoded here, below it, in the request line only.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use memchr::{memchr, memchr3};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection whose request lines come with `"`, `<` and `>` percent-encoded.
///
/// A request line is looked for in what first comes on a connection, and in what first comes after an answer was
/// written: a client that sends its next request before it has our answer must encode its targets itself. Only
/// `GET /` begins such a line, for a body must never be taken for one: it would grow beyond its `Content-Length`,
/// and its last bytes would be read as a request.
#[derive(Debug)]
pub(super) struct RequestLine<S> {
    inner: S,
    place: Place,
    /// What was encoded and not handed on yet, and how far it was.
    encoded: Vec<u8>,
    handed_on: usize,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The first byte of a request.
    Start,
    /// The request line, after its first byte.
    Line,
    /// Header fields or a body.
    Rest,
}

impl<S> RequestLine<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, place: Place::Start, encoded: Vec::new(), handed_on: 0 }
    }

    /// After an answer comes a request. After `100 Continue` comes the body of this one.
    fn wrote(&mut self, bytes: &[u8]) {
        self.place = if bytes.starts_with(b"HTTP/1.1 100 ") { Place::Rest } else { Place::Start };
    }

    /// How many of the bytes just read belong to a request line; moves on to what comes after them.
    fn line_length(&mut self, read: &[u8]) -> usize {
        let is_line = match self.place {
            Place::Start => read.iter().zip(b"GET /").all(|(read, wanted)| read == wanted),
            Place::Line => true,
            Place::Rest => false,
        };
        if !is_line {
            self.place = Place::Rest;
            return 0;
        }
        let end = memchr(b'\n', read);
        self.place = if end.is_some() { Place::Rest } else { Place::Line };
        end.unwrap_or(read.len())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RequestLine<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.handed_on < this.encoded.len() {
            let rest = this.encoded.get(this.handed_on..).unwrap_or_default();
            let part = rest.get(..rest.len().min(buffer.remaining())).unwrap_or_default();
            buffer.put_slice(part);
            this.handed_on += part.len();
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        if this.place == Place::Rest {
            return Poll::Ready(Ok(()));
        }
        let read = buffer.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let length = this.line_length(read);
        let (line, rest) = read.split_at_checked(length).unwrap_or((read, &[]));
        if memchr3(b'"', b'<', b'>', line).is_none() {
            return Poll::Ready(Ok(()));
        }
        this.encoded.clear();
        for byte in line {
            match escape(*byte) {
                Some(escape) => this.encoded.extend_from_slice(escape),
                None => this.encoded.push(*byte),
            }
        }
        this.encoded.extend_from_slice(rest);
        buffer.set_filled(before);
        let part = this.encoded.get(..this.encoded.len().min(buffer.remaining())).unwrap_or_default();
        buffer.put_slice(part);
        this.handed_on = part.len();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RequestLine<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wrote(bytes);
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.wrote(slices.first().map_or(&[], |slice| slice));
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// How a byte that the HTTP library refuses in a query is written instead.
fn escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'"' => Some(b"%22"),
        b'<' => Some(b"%3C"),
        b'>' => Some(b"%3E"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What is read of `sent`, in pieces of at most `piece` bytes.
    async fn read(sent: &str, piece: usize) -> String {
        let (client, server) = tokio::io::duplex(piece);
        let sent = sent.to_owned();
        let writer = tokio::spawn(async move {
            let mut client = client;
            client.write_all(sent.as_bytes()).await.expect("written");
        });
        let mut text = String::new();
        RequestLine::new(server).read_to_string(&mut text).await.expect("read");
        writer.await.expect("the writer ends");
        text
    }

    #[tokio::test]
    async fn quotes_are_encoded_in_the_request_line_only() {
        let sent = "GET /Users?filter=a+eq+\"b\" HTTP/1.1\r\nX: \"q\"\r\n\r\n{\"a\":\"<b>\"}\n";
        let expected = "GET /Users?filter=a+eq+%22b%22 HTTP/1.1\r\nX: \"q\"\r\n\r\n{\"a\":\"<b>\"}\n";
        for piece in [1, 2, 7, 1024] {
            assert_eq!(read(sent, piece).await, expected, "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_left_alone() {
        for sent in ["{\"a\":1}\n", "Alice\",\"x\n", "POST /?\" HTTP/1.1\r\n", "GET\"\n"] {
            assert_eq!(read(sent, 1024).await, sent);
        }
    }

    #[tokio::test]
    async fn the_body_after_100_continue_is_left_alone() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = RequestLine::new(server);
        server.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.expect("written");
        client.write_all(b"GET /\"\n").await.expect("written");
        drop(client);
        let mut text = String::new();
        server.read_to_string(&mut text).await.expect("read");
        assert_eq!(text, "GET /\"\n");
    }

    #[tokio::test]
    async fn the_next_request_comes_after_an_answer() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = RequestLine::new(server);
        let mut buffer = [0; 64];
        for _ in 0..2 {
            client.write_all(b"GET /?\" HTTP/1.1\r\n\r\n").await.expect("written");
            let mut text = Vec::new();
            while !text.ends_with(b"\r\n\r\n") {
                let length = server.read(&mut buffer).await.expect("read");
                text.extend_from_slice(&buffer[..length]);
            }
            assert_eq!(text, b"GET /?%22 HTTP/1.1\r\n\r\n");
            server.write_all(b"ok").await.expect("answered");
            client.read_exact(&mut [0; 2]).await.expect("the answer");
        }
    }
}
