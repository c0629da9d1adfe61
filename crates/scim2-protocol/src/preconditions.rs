use http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use scim2_core::Version;

/// The conditions of a request, `If-Match` and `If-None-Match`
/// ([RFC 7644 §3.14](https://www.rfc-editor.org/rfc/rfc7644#section-3.14)).
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::IF_NONE_MATCH};
/// use scim2_core::Version;
/// use scim2_protocol::{Precondition, Preconditions};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(IF_NONE_MATCH, HeaderValue::from_static(r#"W/"6", W/"7""#));
/// let conditions = Preconditions::from_headers(&headers);
///
/// let current = Version::from(7);
/// assert_eq!(conditions.for_retrieval(Some(&current)), Precondition::NotModified);
/// assert_eq!(conditions.for_change(Some(&current)), Precondition::Failed);
/// assert_eq!(conditions.for_retrieval(Some(&Version::from(8))), Precondition::Proceed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preconditions {
    /// `If-Match`: continue only if the resource has one of these versions.
    pub if_match: Option<EntityTags>,
    /// `If-None-Match`: continue only if the resource has none of these versions.
    pub if_none_match: Option<EntityTags>,
}

/// The result of testing the conditions of a request with the current version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precondition {
    /// The conditions hold.
    Proceed,
    /// The client already has this version: 304 without a body.
    NotModified,
    /// The conditions do not hold: 412.
    Failed,
}

impl Preconditions {
    /// Reads the headers of a request. A malformed tag names no version, so `If-Match` with it
    /// fails and `If-None-Match` with it holds.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self {
            if_match: EntityTags::from_headers(headers, &IF_MATCH),
            if_none_match: EntityTags::from_headers(headers, &IF_NONE_MATCH),
        }
    }

    /// The condition that the resource has `version`, as in a bulk operation.
    #[must_use]
    pub fn if_match(version: Version) -> Self {
        Self { if_match: Some(EntityTags::List(vec![version])), if_none_match: None }
    }

    /// Says whether there is no condition.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Tests the conditions of a GET. `current` is `None` if the resource does not exist.
    #[must_use]
    pub fn for_retrieval(&self, current: Option<&Version>) -> Precondition {
        self.decide(current, Precondition::NotModified)
    }

    /// Tests the conditions of a PUT, PATCH or DELETE. `current` is `None` if the resource does not exist.
    #[must_use]
    pub fn for_change(&self, current: Option<&Version>) -> Precondition {
        self.decide(current, Precondition::Failed)
    }

    /// In the order of [RFC 9110 §13.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2).
    fn decide(&self, current: Option<&Version>, matched: Precondition) -> Precondition {
        let is_current = |tags: &EntityTags| current.is_some_and(|current| tags.contains(current));
        if self.if_match.as_ref().is_some_and(|tags| !is_current(tags)) {
            Precondition::Failed
        } else if self.if_none_match.as_ref().is_some_and(is_current) {
            matched
        } else {
            Precondition::Proceed
        }
    }
}

/// The versions that a conditional header names.
///
/// Entity tags compare weakly, by their opaque part, because SCIM uses weak tags in
/// `If-Match` (A-24).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: any version. The resource must exist.
    Any,
    /// One of these. Tags that cannot be a version are left out.
    List(Vec<Version>),
}

impl EntityTags {
    /// Reads `*`, or entity tags between commas.
    ///
    /// ```
    /// use scim2_protocol::EntityTags;
    ///
    /// assert_eq!(EntityTags::parse("*"), EntityTags::Any);
    /// assert_eq!(EntityTags::parse(r#"W/"a,b" , "c""#), EntityTags::parse(r#""a,b",W/"c""#));
    /// assert_eq!(EntityTags::parse("no tag"), EntityTags::List(vec![]));
    /// ```
    #[must_use]
    pub fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let mut versions = Vec::new();
        let mut rest = header;
        // Each iteration removes a tag and the text before it from `rest`.
        while let Some((_, opening)) = rest.split_once('"') {
            let Some((opaque, after)) = opening.split_once('"') else { break };
            versions.extend(Version::parse(opaque));
            rest = after;
        }
        Self::List(versions)
    }

    /// Says whether `version` is among them.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        match self {
            Self::Any => true,
            Self::List(versions) => versions.contains(version),
        }
    }

    fn from_headers(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut tags = None;
        for value in headers.get_all(name) {
            // A version is ASCII, so a tag with other bytes is not a version.
            let more = value.to_str().map_or(Self::List(Vec::new()), Self::parse);
            tags = Some(match (tags, more) {
                (Some(Self::Any), _) | (_, Self::Any) => Self::Any,
                (Some(Self::List(mut versions)), Self::List(more)) => {
                    versions.extend(more);
                    Self::List(versions)
                }
                (None, more) => more,
            });
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn conditions(pairs: &[(HeaderName, &'static str)]) -> Preconditions {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        Preconditions::from_headers(&headers)
    }

    #[test]
    fn s_3_14_04_and_05_matrix() {
        use Precondition::{Failed, NotModified, Proceed};
        let current = Version::from(7);
        for (pairs, retrieval, change, absent) in [
            (vec![], Proceed, Proceed, Proceed),
            (vec![(IF_MATCH, "W/\"7\"")], Proceed, Proceed, Failed),
            (vec![(IF_MATCH, "\"7\"")], Proceed, Proceed, Failed),
            (vec![(IF_MATCH, "W/\"6\"")], Failed, Failed, Failed),
            (vec![(IF_MATCH, "*")], Proceed, Proceed, Failed),
            (vec![(IF_MATCH, "7")], Failed, Failed, Failed),
            (vec![(IF_MATCH, "\"6\", \"7\"")], Proceed, Proceed, Failed),
            (vec![(IF_MATCH, "\"6\""), (IF_MATCH, "\"7\"")], Proceed, Proceed, Failed),
            (vec![(IF_NONE_MATCH, "W/\"7\"")], NotModified, Failed, Proceed),
            (vec![(IF_NONE_MATCH, "W/\"6\"")], Proceed, Proceed, Proceed),
            (vec![(IF_NONE_MATCH, "*")], NotModified, Failed, Proceed),
            (vec![(IF_NONE_MATCH, "garbage")], Proceed, Proceed, Proceed),
            (vec![(IF_MATCH, "\"6\""), (IF_NONE_MATCH, "\"7\"")], Failed, Failed, Failed),
            (vec![(IF_MATCH, "\"7\""), (IF_NONE_MATCH, "\"7\"")], NotModified, Failed, Failed),
        ] {
            let conditions = conditions(&pairs);
            assert_eq!(conditions.for_retrieval(Some(&current)), retrieval, "{pairs:?}");
            assert_eq!(conditions.for_change(Some(&current)), change, "{pairs:?}");
            assert_eq!(conditions.for_change(None), absent, "{pairs:?}");
            assert_eq!(conditions.is_empty(), pairs.is_empty());
        }
    }
}
