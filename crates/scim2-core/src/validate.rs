//! Bodies and values in canonical form, or the reason why they have none.
//!
//! Two functions share one implementation: [`CompiledType::canonicalize`] takes the body of a create or
//! replace, [`CompiledType::canonical_value`] takes the value of one attribute, for PATCH.
//!
//! # The canonical form
//! - Names are spelled as in the schema. `schemas` comes first and lists the URIs in use, then `id` (on
//!   replace), `externalId`, the core attributes in the order they came, and the extensions in the order of the
//!   resource type. Attributes that a replace carries over come last, followed by the
//!   [record](CompiledType::NESTING) of extensions inside others.
//! - Unassigned attributes are absent: no `null`, no empty list, no object without members ([RFC 7643
//!   §2.5](https://www.rfc-editor.org/rfc/rfc7643#section-2.5)).
//! - Multi-valued attributes are lists, and values have the data type of the attribute.
//! - Values are kept as they were sent: letter case, white space, numbers and URIs are not changed. Canonical
//!   values are suggestions, and other values are accepted, except in the profile mode.
//! - If several elements [are the same](ElementIdentity), with equal `type` and `value`, the first one is kept.
//!   At most one element is primary.
//!
//! # Defaults
//! `User.active` is `true` on creation unless the client mentions it; `null` leaves it unassigned.
//! No other attribute has a default, and a replace gives none.

use crate::compat::{Compat, Quirk};
use crate::compiled::{AttributeId, CompiledType};
use crate::value::Object;

mod body;
mod dotted;
mod duplicates;
mod error;
mod format;
mod log_path;
mod nesting;
mod never_returned;
mod not_returned_by_default;
mod primary;
mod replace;
mod report;
mod required;
mod schemas;
mod unique;
mod value;

pub use duplicates::{ElementIdentity, ElementIndex};
pub use error::{ValidationError, ValidationErrorKind};
pub use format::{is_base64, is_date_time, is_uri_reference};
pub use log_path::log_path;
pub use report::{Ignored, IgnoredReason, Report};

/// The operation that a body is for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    /// A new resource ([RFC 7644 §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)).
    Create,
    /// A replacement of the current resource
    /// ([RFC 7644 §3.5.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.1)).
    Replace {
        /// The current resource in canonical form, with its
        /// [never-returned](CompiledType::restore_never_returned) attributes if they are to be kept. Its
        /// readOnly attributes are carried over (without `meta` and the computed `groups`). So are attributes
        /// that the client does not mention and could not see: those never returned and those returned on
        /// request. Its immutable attributes must not change.
        current: &'a Object,
    },
}

/// A body in canonical form, and a record of what was changed to get there.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Canonical {
    /// The canonical form.
    pub object: Object,
    /// The parts that were left out, for the log.
    pub ignored: Vec<Ignored>,
    /// The quirks that were needed, each with the attribute or URI it was needed for.
    pub leniencies: Vec<(Quirk, String)>,
    /// Never-returned attributes (passwords) that the body explicitly unassigned. A replace keeps never-returned
    /// attributes that are not mentioned: see [`CompiledType::keep_never_returned`].
    pub cleared: Vec<AttributeId>,
    /// The top-level attributes and the never-returned sub-attributes that the body mentions, including those
    /// it unassigns.
    pub mentioned: Vec<AttributeId>,
    /// The sub-attributes returned on request that the body gives.
    pub given_on_request: Vec<AttributeId>,
}

impl CompiledType {
    /// Brings the body of a create or replace into [canonical form](self).
    ///
    /// readOnly attributes are always left out ([RFC 7644
    /// §3.3](https://www.rfc-editor.org/rfc/rfc7644#section-3.3)). Unknown attributes are left out or refused,
    /// as `compat` says.
    ///
    /// ```
    /// use scim2_core::validate::Purpose;
    /// use scim2_core::{Compat, Registry};
    ///
    /// let registry = Registry::standard();
    /// let user = registry.resource_type("User").expect("built in");
    /// let body = serde_json::from_str(r#"{"USERNAME":"ada","id":"7","title":null,"shoeSize":38}"#)?;
    /// let canonical = user.canonicalize(body, Purpose::Create, &Compat::default())?;
    /// assert_eq!(
    ///     canonical.object.to_string(),
    ///     r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","active":true}"#,
    /// );
    /// let ignored: Vec<_> = canonical.ignored.iter().map(|ignored| &*ignored.path).collect();
    /// assert_eq!(ignored, ["id", "shoeSize"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`ValidationErrorKind`].
    pub fn canonicalize(
        &self,
        body: Object,
        purpose: Purpose<'_>,
        compat: &Compat,
    ) -> Result<Canonical, ValidationError> {
        body::canonicalize(self, body, purpose, compat)
    }
}
