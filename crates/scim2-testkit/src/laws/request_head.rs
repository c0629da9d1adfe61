use scim2_http1::RequestFramer;

/// What a plain reading of RFC 9112 says about the first request of a connection.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    /// Only empty lines arrived.
    None,
    Accepted,
    Refused,
}

/// `scim2-http1` accepts exactly the heads that a plain reading of RFC 9112 accepts. The first byte says in which pieces
/// the others arrive.
///
/// # Panics
/// If that does not hold.
pub fn request_head_matches_model(bytes: &[u8]) {
    let Some((first, sent)) = bytes.split_first() else { return };
    let sent = [sent, b"\r\n\r\n"].concat();
    let mut framer = RequestFramer::new();
    for piece in sent.chunks(1 + usize::from(*first)) {
        framer.follow(piece, |_| true);
    }
    let found = match (framer.heads(), framer.ambiguous()) {
        (0, None) => Head::None,
        (0, Some(_)) => Head::Refused,
        _ => Head::Accepted,
    };
    assert_eq!(found, head(&sent), "{}", sent.escape_ascii());
}

fn head(sent: &[u8]) -> Head {
    let mut lines = sent.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r\n"));
    let request_line = loop {
        match lines.next() {
            None => return Head::None,
            Some(Some(b"")) => {}
            Some(line) => break line,
        }
    };
    let fields = lines.take_while(|line| *line != Some(b""));
    let is_accepted = request_line.and_then(request_line_is_http_1_0).is_some_and(|is_http_1_0| {
        let fields: Option<Vec<(&[u8], &[u8])>> = fields.map(|line| field(line?)).collect();
        fields.is_some_and(|fields| body_has_one_length(&fields, is_http_1_0))
    });
    if is_accepted { Head::Accepted } else { Head::Refused }
}

/// `None` for a line that is not `method SP request-target SP HTTP-version`.
fn request_line_is_http_1_0(line: &[u8]) -> Option<bool> {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else { return None };
    let scheme: Vec<u8> = target
        .iter()
        .copied()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        .collect();
    let is_absolute = || !scheme.is_empty() && target.starts_with(&[scheme.as_slice(), b"://"].concat());
    let has_form = target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") || is_absolute();
    let is_visible = target.iter().all(|byte| *byte > b' ' && *byte != 0x7f && *byte != b'#');
    let is_http_1_0 = match version {
        b"HTTP/1.0" => true,
        b"HTTP/1.1" => false,
        _ => return None,
    };
    (is_token(method) && method != b"CONNECT" && has_form && is_visible).then_some(is_http_1_0)
}

/// `field-name ":" OWS field-value OWS`.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    let is_text = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    (is_token(name) && is_text).then_some((name, value))
}

fn body_has_one_length(fields: &[(&[u8], &[u8])], is_http_1_0: bool) -> bool {
    let values = |wanted: &[u8]| -> Vec<String> {
        let named = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        named.map(|(_, value)| text(value).trim_matches([' ', '\t']).to_owned()).collect()
    };
    let is_length =
        |value: &String| matches!(value.len(), 1..=15) && value.bytes().all(|byte| byte.is_ascii_digit());
    let (lengths, codings) = (values(b"content-length"), values(b"transfer-encoding"));
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => true,
        ([length], []) => is_length(length),
        ([], [coding]) => coding.eq_ignore_ascii_case("chunked") && !is_http_1_0,
        _ => false,
    }
}

fn is_token(text: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(byte);
    !text.is_empty() && text.iter().all(is_allowed)
}
