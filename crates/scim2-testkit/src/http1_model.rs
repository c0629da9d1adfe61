//! A slow and simple HTTP/1.1 parser, with switches for the ways in which parsers of servers and proxies differ.

/// The differences between parsers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leniency {
    /// A line may end in a bare line feed.
    bare_line_feed: bool,
    /// A line that begins with a space or tab continues the previous field.
    folded: bool,
    /// If there are both, `Transfer-Encoding` counts; otherwise `Content-Length` does.
    coding_wins: bool,
    /// If there are several `Content-Length` fields, the first counts; otherwise the last.
    first_length: bool,
    /// `Transfer-Encoding` is read as `chunked` if that is its last coding; otherwise if it is among them.
    last_coding: bool,
}

/// A request as the parser sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) target: &'a [u8],
    /// The version, and all fields unchanged.
    pub(crate) head: &'a [u8],
    pub(crate) body: Vec<u8>,
}

/// Every combination.
pub(crate) fn parsers() -> impl Iterator<Item = Leniency> {
    (0_u8..32).map(|bits| {
        let is = |bit: u8| bits & (1 << bit) != 0;
        Leniency {
            bare_line_feed: is(0),
            folded: is(1),
            coding_wins: is(2),
            first_length: is(3),
            last_coding: is(4),
        }
    })
}

impl Leniency {
    /// The complete requests at the beginning of some bytes, and the bytes after the last one.
    pub(crate) fn requests(self, mut bytes: &[u8]) -> (Vec<Request<'_>>, &[u8]) {
        let mut requests = Vec::new();
        while let Some((request, rest)) = self.request(bytes) {
            requests.push(request);
            bytes = rest;
        }
        (requests, bytes)
    }

    fn request(self, mut bytes: &[u8]) -> Option<(Request<'_>, &[u8])> {
        while let Some((b"", rest)) = self.line(bytes) {
            bytes = rest;
        }
        let (line, mut rest) = self.line(bytes)?;
        let (method, after) = split(line, b' ')?;
        let (target, version) = split(after, b' ')?;
        if method.is_empty() || !version.starts_with(b"HTTP/1.") {
            return None;
        }
        let head = bytes.get(method.len() + 1 + target.len() + 1..)?;
        let (mut length, mut chunked) = (None, false);
        loop {
            let (line, after) = self.line(rest)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if line.first().is_some_and(u8::is_ascii_whitespace) {
                if self.folded { continue } else { return None }
            }
            let (name, value) = split(line, b':')?;
            let value = value.trim_ascii();
            if name.eq_ignore_ascii_case(b"content-length") {
                let number: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
                if length.is_none() || !self.first_length {
                    length = Some(number);
                }
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                let mut codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
                chunked = if self.last_coding {
                    codings.next_back().is_some_and(is_chunked)
                } else {
                    codings.any(is_chunked)
                };
            }
        }
        let head = head.get(..head.len().checked_sub(rest.len())?)?;
        let (body, rest) = match length {
            _ if chunked && (self.coding_wins || length.is_none()) => self.chunks(rest)?,
            Some(length) => {
                let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (body.to_vec(), rest)
            }
            None => (Vec::new(), rest),
        };
        Some((Request { method, target, head, body }, rest))
    }

    fn chunks(self, mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
        let mut body = Vec::new();
        loop {
            let (line, after) = self.line(rest)?;
            let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
            let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            rest = after;
            if size == 0 {
                break;
            }
            let (data, after) = rest.split_at_checked(size)?;
            body.extend_from_slice(data);
            let (end, after) = self.line(after)?;
            if !end.is_empty() {
                return None;
            }
            rest = after;
        }
        loop {
            let (trailer, after) = self.line(rest)?;
            rest = after;
            if trailer.is_empty() {
                return Some((body, rest));
            }
        }
    }

    /// A line without its end, and the bytes after it.
    fn line(self, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (line, rest) = split(bytes, b'\n')?;
        match line.strip_suffix(b"\r") {
            Some(line) => Some((line, rest)),
            None => self.bare_line_feed.then_some((line, rest)),
        }
    }
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = bytes.iter().position(|byte| *byte == at)?;
    Some((bytes.get(..position)?, bytes.get(position + 1..)?))
}
