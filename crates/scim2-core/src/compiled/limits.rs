//! How long strings may be.

use super::{AttributeDef, CompiledType, Owner};
use crate::compare::StringRule;
use crate::schema::AttributeType;

/// The most bytes that strings from a client may have. They are checked before any other work is done on a
/// string.
///
/// A string that was stored under larger limits stays: it is returned and found, and changes of other
/// attributes keep it.
///
/// ```
/// use scim2_core::compiled::StringLimits;
/// use scim2_core::validate::Purpose;
/// use scim2_core::{Compat, Registry};
///
/// let mut limits = StringLimits::default();
/// limits.max_user_name = 3;
/// let registry = Registry::standard().with_string_limits(limits);
/// let user = registry.resource_type("User").expect("built in");
/// let ada = serde_json::from_str(r#"{"userName":"adam"}"#)?;
/// let error = user.canonicalize(ada, Purpose::Create, &Compat::default()).unwrap_err();
/// assert_eq!(error.to_string(), "expected at most 3 bytes for `userName`, found 4 bytes");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StringLimits {
    /// Any string, including references, base64 and dates: 1 MiB.
    pub max_string: usize,
    /// A string that is prepared as a user name ([`StringRule::UserName`]): 1 KiB.
    pub max_user_name: usize,
    /// A password, the never-returned string `password` of a resource: 4 KiB.
    pub max_password: usize,
}

impl Default for StringLimits {
    fn default() -> Self {
        Self { max_string: 1 << 20, max_user_name: 1 << 10, max_password: 4 << 10 }
    }
}

impl CompiledType {
    pub(crate) fn set_string_limits(&mut self, limits: StringLimits) {
        self.string_limits = limits;
        for def in &mut self.attributes {
            def.max_bytes = limits.of(def);
        }
    }

    /// How long the strings of a resource may be.
    #[must_use]
    pub fn string_limits(&self) -> StringLimits {
        self.string_limits
    }
}

impl StringLimits {
    pub(super) fn of(self, def: &AttributeDef) -> usize {
        let own = if def.rule == StringRule::UserName {
            self.max_user_name
        } else if is_password(def) {
            self.max_password
        } else {
            self.max_string
        };
        own.min(self.max_string)
    }
}

/// Says whether a client sends a password in plain text in this attribute.
fn is_password(def: &AttributeDef) -> bool {
    def.never_returned
        && def.parent.is_none()
        && def.owner == Owner::Core
        && def.attribute_type() == AttributeType::String
        && def.attribute.name == "password"
}
