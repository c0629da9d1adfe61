//! A minimal HTTP/1.1 client that sends a request target byte for byte.
//!
//! Ordinary clients encode, reorder or refuse what real identity providers send: raw quotes, a lone `?`, a trailing
//! `&`. This client writes its input unchanged and reads one answer. It has no TLS, redirects or compression, and
//! opens one connection per request.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long one answer may take before the test is considered hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// The largest answer that is read, in bytes; a larger one is an error of the server under test.
const LARGEST_BODY: u64 = 64 * 1024 * 1024;

/// The address of a service, and the token for it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `host:port`.
    authority: String,
    /// The path of the base URL without a trailing slash, `/scim/v2` or empty.
    base_path: String,
    token: String,
}

impl Endpoint {
    /// An endpoint below `base_url` (`http://host:port/path`) with a bearer token.
    ///
    /// # Errors
    /// When the URL is not plain HTTP with an explicit port.
    pub fn new(base_url: &str, token: &str) -> io::Result<Self> {
        let rest = base_url
            .strip_prefix("http://")
            .ok_or_else(|| io::Error::other(format!("expected an http base URL, got `{base_url}`")))?;
        let (authority, base_path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        Ok(Self {
            authority: authority.to_owned(),
            base_path: base_path.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        })
    }

    /// The base URL, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.authority, self.base_path)
    }

    /// The bearer token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends an authenticated request with an optional JSON body; `target` is the path below the base URL and
    /// the query, both already encoded.
    ///
    /// # Errors
    /// When the connection or the answer breaks.
    pub fn call(&self, method: &str, target: &str, body: Option<&Value>) -> io::Result<Answer> {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {}", self.token))];
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/scim+json".to_owned()));
        }
        self.send(method, target, &headers, body.map(Value::to_string).as_deref().map(str::as_bytes))
    }

    /// Sends one request with exactly these header fields besides `Host` and `Content-Length`.
    ///
    /// # Errors
    /// When the connection or the answer breaks.
    pub fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.authority)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut head =
            format!("{method} {}{target} HTTP/1.1\r\nHost: {}\r\n", self.base_path, self.authority);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut message = head.into_bytes();
        message.extend_from_slice(body.unwrap_or_default());
        stream.write_all(&message)?;
        Answer::read(&mut BufReader::new(stream))
    }
}

/// One answer of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// The body, decoded if it was sent in chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header field of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON, or `None` if it is not JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the status is of the 2xx class.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let line = read_line(stream)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::other(format!("expected a status line, got `{line}`")))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(stream)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| io::Error::other(format!("expected a header field, got `{line}`")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut answer = Self { status, headers, body: Vec::new() };
        answer.body = answer.read_body(stream)?;
        Ok(answer)
    }

    /// [RFC 9112 §6.3](https://www.rfc-editor.org/rfc/rfc9112#section-6.3): none, chunks, a length, or up to the end.
    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if matches!(self.status, 100..200 | 204 | 304) {
            return Ok(body);
        }
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            loop {
                let line = read_line(stream)?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16)
                    .map_err(|_| io::Error::other(format!("expected a chunk size, got `{line}`")))?;
                if size > LARGEST_BODY {
                    return Err(io::Error::other("the chunk is larger than any answer may be"));
                }
                stream.by_ref().take(size).read_to_end(&mut body)?;
                read_line(stream)?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        let length = match self.header("content-length") {
            Some(text) => {
                text.parse().map_err(|_| io::Error::other(format!("expected a length, got `{text}`")))?
            }
            None => LARGEST_BODY,
        };
        stream.by_ref().take(length.min(LARGEST_BODY)).read_to_end(&mut body)?;
        if self.header("content-length").is_some() && (body.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(body)
    }
}

/// Percent-encodes a query value: all characters except the unreserved characters of [RFC 3986
/// §2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wire: &str, status: u16, body: &str) {
        let answer = Answer::read(&mut wire.as_bytes()).expect("an answer");
        assert_eq!((answer.status, String::from_utf8_lossy(&answer.body).as_ref()), (status, body));
    }

    #[test]
    fn answers_are_read_by_length_by_chunk_and_to_the_end() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}ignored", 200, "{}");
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
            200,
            "{}",
        );
        check("HTTP/1.1 404 Not Found\r\n\r\nto the end", 404, "to the end");
        check("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\nnext", 204, "");
    }

    #[test]
    fn a_short_body_is_an_error() {
        let wire = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}";
        assert!(Answer::read(&mut wire.as_bytes()).is_err());
    }

    #[test]
    fn base_urls_lose_their_trailing_slash() {
        let endpoint = Endpoint::new("http://127.0.0.1:80/scim/v2/", "t").expect("an endpoint");
        assert_eq!(endpoint.base_url(), "http://127.0.0.1:80/scim/v2");
        assert!(Endpoint::new("https://example.com", "t").is_err());
    }

    #[test]
    fn query_values_are_encoded() {
        assert_eq!(encode(r#"userName eq "ä""#), "userName%20eq%20%22%C3%A4%22");
    }
}
