use std::fmt;

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

/// The media type of a SCIM body
/// ([RFC 7644 §3.8](https://www.rfc-editor.org/rfc/rfc7644#section-3.8),
/// [§8.1](https://www.rfc-editor.org/rfc/rfc7644#section-8.1)).
///
/// Both are JSON in UTF-8. They differ only in name.
///
/// ```
/// use scim2_protocol::MediaType;
///
/// assert_eq!(MediaType::parse("application/scim+json; charset=utf-8")?, MediaType::ScimJson);
/// assert!(MediaType::parse("application/json; charset=latin1").is_err());
/// assert!(MediaType::parse("text/html").is_err());
///
/// assert_eq!(MediaType::negotiate("application/json"), MediaType::Json);
/// assert_eq!(MediaType::negotiate("application/json, */*"), MediaType::ScimJson);
/// # Ok::<(), scim2_protocol::UnsupportedMediaType>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MediaType {
    /// `application/scim+json`, which is sent unless the other side wants the other type.
    #[default]
    ScimJson,
    /// `application/json`
    Json,
}

impl MediaType {
    /// Reads the value of a `Content-Type` header, with any parameters.
    ///
    /// # Errors
    /// If it names another type, or another encoding than UTF-8. The response is 415.
    pub fn parse(content_type: &str) -> Result<Self, UnsupportedMediaType> {
        let mut parts = content_type.split(';');
        let media_type = parts.next().unwrap_or_default().trim();
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let charset = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("charset")
                && !["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
            {
                return Err(UnsupportedMediaType(()));
            }
        }
        [Self::ScimJson, Self::Json]
            .into_iter()
            .find(|known| media_type.eq_ignore_ascii_case(known.as_str()))
            .ok_or(UnsupportedMediaType(()))
    }

    /// Reads the `Content-Type` of a request with a body. If it is missing or empty, the body counts as
    /// `application/scim+json`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and if the header occurs twice or is not ASCII.
    pub fn of_body(headers: &HeaderMap) -> Result<Self, UnsupportedMediaType> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self::default()),
            (Some(value), None) if value.as_bytes().trim_ascii().is_empty() => Ok(Self::default()),
            (Some(value), None) => Self::parse(value.to_str().map_err(|_| UnsupportedMediaType(()))?),
            _ => Err(UnsupportedMediaType(())),
        }
    }

    /// Chooses the type of a response by the value of an `Accept` header: the type of higher
    /// quality, or `application/scim+json` if both are equal.
    ///
    /// An `Accept` that names neither type gets `application/scim+json` too: for a client that asked for
    /// `text/html`, this response is better than an error.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        Self::of_qualities(accept.split(','))
    }

    /// Chooses the type of a response by the `Accept` headers of a request. There may be none.
    #[must_use]
    pub fn of_answer(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(ACCEPT).iter();
        // Most SCIM clients send exactly this.
        if let (Some(value), None) = (values.next(), values.next())
            && value == Self::ScimJson.as_str()
        {
            return Self::ScimJson;
        }
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Self::of_qualities(values.flat_map(|value| value.split(',')))
    }

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScimJson => "application/scim+json",
            Self::Json => "application/json",
        }
    }

    /// The name as the value of a `Content-Type` header.
    #[must_use]
    pub const fn to_header_value(self) -> HeaderValue {
        HeaderValue::from_static(self.as_str())
    }

    fn of_qualities<'a>(ranges: impl Iterator<Item = &'a str>) -> Self {
        // The most specific range that names a type decides its quality (RFC 9110 §12.5.1).
        let mut best = [(0_u8, 0_u16); 2];
        for range in ranges {
            let mut parts = range.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let quality = parts
                .filter_map(|parameter| parameter.trim().split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
                .map_or(1000, |(_, value)| per_mille(value.trim()));
            for (known, best) in [Self::ScimJson, Self::Json].into_iter().zip(&mut best) {
                let specificity = if name.eq_ignore_ascii_case(known.as_str()) {
                    3
                } else if name.eq_ignore_ascii_case("application/*") {
                    2
                } else if name == "*/*" {
                    1
                } else {
                    continue;
                };
                *best = (*best).max((specificity, quality));
            }
        }
        let [(_, scim_json), (_, json)] = best;
        if json > scim_json { Self::Json } else { Self::ScimJson }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of a `Content-Type` that is not that of a SCIM body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsupportedMediaType(());

impl fmt::Display for UnsupportedMediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the content type `application/scim+json` or `application/json` in UTF-8")
    }
}

impl std::error::Error for UnsupportedMediaType {}

/// A quality such as `0.8` in thousandths. A malformed quality counts as the highest.
fn per_mille(quality: &str) -> u16 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    match whole {
        "0" => fraction
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(3)
            .fold(0, |sum, digit| sum * 10 + u16::from(digit.wrapping_sub(b'0').min(9))),
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn answers(accept: &str, expected: MediaType) {
        assert_eq!(MediaType::negotiate(accept), expected, "{accept:?}");
    }

    #[test]
    fn s_3_8_02_to_04_accept() {
        for accept in [
            "",
            "*/*",
            "application/*",
            "application/scim+json",
            "application/json, application/scim+json",
            "application/json;q=0.5, application/scim+json",
            "application/json, text/plain, */*",
            "application/json;q=0",
            "text/html",
            "garbage;;;q=x,,",
        ] {
            answers(accept, MediaType::ScimJson);
        }
        for accept in [
            "application/json",
            "APPLICATION/JSON",
            "application/json; charset=utf-8",
            "text/html, application/json;q=0.1",
            "application/json, */*;q=0.1",
            "application/scim+json;q=0.2, application/json; q=0.25",
            "application/scim+json;q=0, */*",
        ] {
            answers(accept, MediaType::Json);
        }
    }

    #[test]
    fn s_3_8_06_content_type() {
        for (text, expected) in [
            ("application/scim+json", Some(MediaType::ScimJson)),
            ("application/scim+json; charset=utf-8", Some(MediaType::ScimJson)),
            ("Application/JSON;Charset=\"UTF-8\"", Some(MediaType::Json)),
            ("application/json; boundary", Some(MediaType::Json)),
            ("application/json; charset=iso-8859-1", None),
            ("application/xml", None),
            ("application/scim+jsonx", None),
            ("", None),
        ] {
            assert_eq!(MediaType::parse(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn q_ct_scim_no_content_type_is_fine() {
        let mut headers = HeaderMap::new();
        assert_eq!(MediaType::of_body(&headers), Ok(MediaType::ScimJson));
        assert_eq!(MediaType::of_answer(&headers), MediaType::ScimJson);
        for empty in ["", " "] {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(empty));
            assert_eq!(MediaType::of_body(&headers), Ok(MediaType::ScimJson));
        }
        headers.insert(CONTENT_TYPE, MediaType::Json.to_header_value());
        assert_eq!(MediaType::of_body(&headers), Ok(MediaType::Json));
        headers.append(CONTENT_TYPE, MediaType::Json.to_header_value());
        assert!(MediaType::of_body(&headers).is_err());
    }
}
