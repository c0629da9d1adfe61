//! What a PATCH did.

use scim2_core::{AttributeId, Quirk};

use crate::context::Context;

/// What a PATCH did to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    attributes: Vec<AttributeId>,
    leniencies: Vec<Quirk>,
    ignored: Vec<Box<str>>,
}

impl Applied {
    pub(super) fn new(attributes: Vec<AttributeId>, cx: Context<'_>) -> Self {
        Self { attributes, leniencies: cx.leniencies, ignored: cx.ignored }
    }

    /// Says whether the resource is another than before. If not, its version and `lastModified`
    /// stay ([RFC 7644 §3.5.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1)).
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// The top-level attributes, of the core and of extensions, whose value is another than before.
    #[must_use]
    pub fn attributes(&self) -> &[AttributeId] {
        &self.attributes
    }

    /// The deviations of the client that were tolerated.
    #[must_use]
    pub fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }

    /// The keys of values that were ignored, unknown or readOnly ones; at most 32.
    #[must_use]
    pub fn ignored(&self) -> &[Box<str>] {
        &self.ignored
    }
}
