//! Where each HTTP/1.1 request of a connection begins and ends.
//!
//! [`RequestFramer`] is given the bytes of a connection before the HTTP library is. It follows request lines, header
//! fields, and bodies with `Content-Length` or `chunked`, so it *knows* which bytes are a request line. In the targets
//! of GET and HEAD it can percent-encode `"`, `<` and `>`, which some identity providers send as they are and HTTP
//! libraries refuse. A body is never changed: it would outgrow its `Content-Length`, and its last bytes would be read
//! as the next request. That is request smuggling.
//!
//! The framer accepts only what every HTTP/1.1 parser reads in the same way. At anything else it stops for the rest of
//! the connection and says why ([`RequestFramer::ambiguous`]); the server refuses that request and closes the
//! connection. It does no I/O and keeps no more than one partial line.
//!
//! ```
//! use scim2_http1::RequestFramer;
//!
//! let mut framer = RequestFramer::new();
//! let sent = b"GET /Users?filter=userName+eq+\"ada\" HTTP/1.1\r\nHost: a\r\n\r\n";
//! let changed = framer.follow(sent, |_| true).expect("quotes were encoded");
//! assert_eq!(changed, b"GET /Users?filter=userName+eq+%22ada%22 HTTP/1.1\r\nHost: a\r\n\r\n");
//! // What looks like a request line in a body is left alone.
//! let sent = b"POST /Users HTTP/1.1\r\nHost: a\r\nContent-Length: 17\r\n\r\nGET /?\" HTTP/1.1\n";
//! assert_eq!(framer.follow(sent, |_| true), None);
//! assert_eq!((framer.heads(), framer.ended(), framer.ambiguous()), (2, 2, None));
//! ```

mod encode;
mod syntax;
mod words;

use std::ops::Range;

use memchr::memchr;

use crate::encode::Output;
pub use crate::encode::encode_target;
use crate::syntax::{BodyLength, Head};

/// The longest line, in bytes. The HTTP library refuses a head that is longer.
const MAX_LINE: usize = 128 << 10;

/// The most bytes of a request line after its method. It is less than [`MAX_LINE`], so that the framer knows of a
/// target that is too long before the HTTP library refuses the head.
const MAX_TARGET: usize = 96 << 10;

/// A buffer for partial lines is freed after its line if it is larger than this, in bytes.
const KEPT_CAPACITY: usize = 1 << 10;

/// Follows the requests of one connection.
#[derive(Debug, Default)]
pub struct RequestFramer {
    place: Place,
    /// The part of the current line that arrived with earlier bytes.
    line: Vec<u8>,
    /// The facts of the current head that have been read so far.
    head: Head,
    target: Target,
    heads: u64,
    ended: u64,
    ambiguous: Option<(u64, Ambiguity)>,
}

/// Why requests cannot be followed any further: two HTTP parsers may read these bytes in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ambiguity {
    /// The request line, a header field or a chunk does not have the form that RFC 9112 gives it.
    Syntax,
    /// `Content-Length` is not one number, or comes with `Transfer-Encoding`.
    Length,
    /// `Transfer-Encoding` is not exactly `chunked`.
    Coding,
    /// `Content-Length` has more than 15 digits.
    LengthTooLarge,
    /// The target of the request is longer than 96 KiB.
    TargetTooLong,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    RequestLine,
    Fields,
    /// A body, of which this many bytes are missing.
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    /// The requests cannot be followed any further.
    Lost,
}

/// Whether the target of the current request line is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Target {
    /// The method has not arrived completely.
    #[default]
    Unknown,
    Encoded,
    AsSent,
}

impl RequestFramer {
    /// A framer at the start of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows the next bytes. If a target was encoded, returns the bytes to hand on instead.
    ///
    /// `may_encode` is asked once for each GET and HEAD, with the number of requests that ended before it. The server
    /// answers `true` if its HTTP library has read exactly that many requests to their end: then the bytes are the
    /// start of a request for the library too.
    pub fn follow(&mut self, bytes: &[u8], may_encode: impl Fn(u64) -> bool) -> Option<Vec<u8>> {
        let mut output = Output::new(bytes);
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.place {
                Place::Lost => break,
                Place::Body(left) | Place::ChunkData(left) => self.data(rest, left),
                Place::RequestLine => {
                    let line = line_of(rest);
                    if let Some(target) = self.target_in(line, &may_encode) {
                        let start = bytes.len() - rest.len();
                        output.encode(start + target.start..start + target.end);
                    }
                    self.add(line);
                    line.len()
                }
                Place::Fields | Place::ChunkSize | Place::ChunkEnd | Place::Trailers => {
                    let line = line_of(rest);
                    self.add(line);
                    line.len()
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        output.into_changed()
    }

    /// The number of requests whose head was read to its end.
    #[must_use]
    pub const fn heads(&self) -> u64 {
        self.heads
    }

    /// The number of requests that were read to the end of their bodies.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.ended
    }

    /// The number of the request, from 1, that cannot be followed, and the reason. The server must refuse it, and must not
    /// read any later byte as a request.
    #[must_use]
    pub const fn ambiguous(&self) -> Option<(u64, Ambiguity)> {
        self.ambiguous
    }

    /// The range of a target in a piece of a request line, if it is to be encoded.
    fn target_in(&mut self, piece: &[u8], may_encode: impl Fn(u64) -> bool) -> Option<Range<usize>> {
        let start = match self.target {
            Target::Encoded => 0,
            Target::AsSent => return None,
            Target::Unknown => {
                let space = piece.iter().position(|byte| *byte == b' ')?;
                let last = piece.get(..space).unwrap_or_default();
                let is = |method: &[u8]| {
                    method.strip_prefix(self.line.as_slice()).is_some_and(|missing| missing == last)
                };
                if !((is(b"GET") || is(b"HEAD")) && may_encode(self.ended)) {
                    self.target = Target::AsSent;
                    return None;
                }
                self.target = Target::Encoded;
                space + 1
            }
        };
        let rest = piece.get(start..).unwrap_or_default();
        let length = memchr(b' ', rest).inspect(|_| self.target = Target::AsSent);
        Some(start..start + length.unwrap_or(rest.len()))
    }

    /// Adds a line, or the part of a line that has arrived.
    fn add(&mut self, piece: &[u8]) {
        let length = self.line.len() + piece.len();
        if length > MAX_TARGET && self.place == Place::RequestLine && self.target != Target::Unknown {
            let in_piece = || memchr(b' ', piece).map(|space| self.line.len() + space);
            let method = memchr(b' ', &self.line).or_else(in_piece).unwrap_or(length);
            if length - method > MAX_TARGET {
                return self.lose(Ambiguity::TargetTooLong);
            }
        }
        if length > MAX_LINE {
            return self.lose(Ambiguity::Syntax);
        }
        let is_whole = piece.last() == Some(&b'\n');
        if is_whole && self.line.is_empty() {
            return self.read(piece);
        }
        self.line.extend_from_slice(piece);
        if is_whole {
            let mut line = std::mem::take(&mut self.line);
            self.read(&line);
            if line.capacity() <= KEPT_CAPACITY {
                line.clear();
                self.line = line;
            }
        }
    }

    /// Reads a whole line.
    fn read(&mut self, line: &[u8]) {
        let Some(line) = line.strip_suffix(b"\r\n") else { return self.lose(Ambiguity::Syntax) };
        let read = match self.place {
            // RFC 9112 §2.2: a server ignores empty lines before a request line. Every parser does.
            Place::RequestLine if line.is_empty() => {
                self.target = Target::Unknown;
                Ok(())
            }
            Place::RequestLine => syntax::request_line(line).map(|head| {
                self.head = head;
                self.place = Place::Fields;
            }),
            Place::Fields if line.is_empty() => self.head.body_length().map(|length| {
                self.heads += 1;
                match length {
                    BodyLength::Known(0) => self.end(),
                    BodyLength::Known(length) => self.place = Place::Body(length),
                    BodyLength::Chunked => self.place = Place::ChunkSize,
                }
            }),
            Place::Fields => self.head.field(line),
            Place::ChunkSize => syntax::chunk_size(line).map(|size| {
                self.place = if size == 0 { Place::Trailers } else { Place::ChunkData(size) };
            }),
            Place::ChunkEnd if line.is_empty() => {
                self.place = Place::ChunkSize;
                Ok(())
            }
            Place::Trailers if line.is_empty() => {
                self.end();
                Ok(())
            }
            Place::Trailers => syntax::field(line).map(|_| ()),
            Place::ChunkEnd | Place::Body(_) | Place::ChunkData(_) | Place::Lost => Err(Ambiguity::Syntax),
        };
        if let Err(ambiguity) = read {
            self.lose(ambiguity);
        }
    }

    /// Skips bytes of a body of which `left` are missing. Returns how many it skipped.
    fn data(&mut self, bytes: &[u8], left: u64) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - taken as u64;
        match (left, self.place) {
            (0, Place::ChunkData(_)) => self.place = Place::ChunkEnd,
            (0, _) => self.end(),
            (_, Place::ChunkData(_)) => self.place = Place::ChunkData(left),
            _ => self.place = Place::Body(left),
        }
        taken
    }

    /// The request has ended; the next one begins.
    fn end(&mut self) {
        self.ended += 1;
        self.place = Place::RequestLine;
        self.target = Target::Unknown;
    }

    fn lose(&mut self, ambiguity: Ambiguity) {
        let number = match self.place {
            Place::RequestLine | Place::Fields => self.heads + 1,
            _ => self.heads,
        };
        self.ambiguous = Some((number, ambiguity));
        self.place = Place::Lost;
        self.line = Vec::new();
    }
}

/// The first line, with its line feed if that has arrived.
fn line_of(bytes: &[u8]) -> &[u8] {
    memchr(b'\n', bytes).and_then(|end| bytes.get(..=end)).unwrap_or(bytes)
}

/// The blocks of this crate's README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
