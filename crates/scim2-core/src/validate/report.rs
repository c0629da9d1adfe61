//! What canonicalizing left out or repaired, for the log.

use std::fmt;

use super::log_path;
use crate::compat::Quirk;
use crate::compiled::{AttributeDef, AttributeId};
use crate::schema::Returned;

/// What canonicalizing left out of a body, and the quirks it needed: information for a log, not for a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// The parts that were left out.
    pub ignored: Vec<Ignored>,
    /// The quirks that were needed, each with the attribute or URI it was needed for.
    pub leniencies: Vec<(Quirk, String)>,
    /// Sub-attributes returned on request that the client gave, each once: the answer to a write
    /// shows them ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
    pub given_on_request: Vec<AttributeId>,
    /// The never-returned sub-attributes that were given or unassigned, each once. A write that touches one
    /// counts as a change even if the value stays the same. Otherwise the version would tell a right guess from
    /// a wrong one.
    pub touched: Vec<AttributeId>,
}

/// A part of a body that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// The path as the schema spells it, or what the peer wrote, made safe for a log by [`log_path`].
    pub path: String,
    /// The reason.
    pub reason: IgnoredReason,
}

/// The reason why a part was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IgnoredReason {
    /// Only the service provider writes the attribute
    /// ([RFC 7644 §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)).
    ReadOnly,
    /// No schema of the resource type has the attribute.
    UnknownAttribute,
    /// The resource type has no extension of that URI.
    UnknownExtension,
    /// The same pair of `type` and `value` came before
    /// ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).
    Duplicate,
    /// Several extensions of the resource type have an attribute of that name, and it came without a URI.
    Ambiguous,
    /// An attribute of `schemas` inside an extension, where it means nothing.
    Misplaced,
}

/// The most entries in each list of a report: a body with a hundred thousand unknown attributes does not
/// deserve a longer log line.
const MAX_ENTRIES: usize = 64;

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records that a part was left out. Beyond the limit nothing is recorded.
    pub fn ignore(&mut self, path: impl AsRef<str>, reason: IgnoredReason) {
        if self.ignored.len() < MAX_ENTRIES {
            self.ignored.push(Ignored { path: log_path(path.as_ref()), reason });
        }
    }

    /// Records that the client gave a sub-attribute, if it is returned on request.
    pub(super) fn given(&mut self, sub: &AttributeDef) {
        if sub.returned() == Returned::Request && !self.given_on_request.contains(&sub.id()) {
            self.given_on_request.push(sub.id());
        }
    }

    /// Records that a sub-attribute was given or unassigned, if it is never returned.
    pub(super) fn touch(&mut self, sub: &AttributeDef) {
        if sub.is_never_returned() && !self.touched.contains(&sub.id()) {
            self.touched.push(sub.id());
        }
    }

    /// Records that a quirk was needed. Beyond the limit nothing is recorded.
    pub fn lenient(&mut self, quirk: Quirk, path: impl AsRef<str>) {
        if self.leniencies.len() < MAX_ENTRIES {
            self.leniencies.push((quirk, log_path(path.as_ref())));
        }
    }
}

impl IgnoredReason {
    /// The reason in a word or two.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::UnknownAttribute => "unknown attribute",
            Self::UnknownExtension => "unknown extension",
            Self::Duplicate => "duplicate",
            Self::Ambiguous => "several extensions have an attribute of that name",
            Self::Misplaced => "misplaced",
        }
    }

    /// The quirk that allows leaving such a part out; `None` if the RFCs do.
    #[must_use]
    pub const fn quirk(self) -> Option<Quirk> {
        match self {
            Self::UnknownAttribute | Self::Ambiguous => Some(Quirk::UnknownAttribute),
            Self::UnknownExtension => Some(Quirk::UnknownExt),
            Self::ReadOnly | Self::Duplicate | Self::Misplaced => None,
        }
    }
}

impl fmt::Display for IgnoredReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
