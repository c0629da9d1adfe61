//! The report of an applied PATCH.

use std::fmt;

use scim2_core::validate::Ignored;
use scim2_core::{AttributeId, CompiledType, Object, Quirk, Value};

use crate::context::{Context, Notes};

/// The changes that a PATCH made to a resource, and what was tolerated and ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    attributes: Vec<AttributeId>,
    changes: Vec<Change>,
    leniencies: Vec<Quirk>,
    ignored: Vec<Ignored>,
    given_on_request: Vec<AttributeId>,
    touched: Vec<AttributeId>,
}

impl Applied {
    pub(super) fn new(changes: Vec<Change>, cx: Context<'_>) -> Self {
        let attributes = changes.iter().map(Change::attribute).collect();
        let Notes { leniencies, ignored, given_on_request, touched, .. } = cx.notes;
        Self { attributes, changes, leniencies, ignored, given_on_request, touched }
    }

    /// Says whether the resource changed. If not, its version and `lastModified`
    /// stay ([RFC 7644 §3.5.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1)).
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// The top-level attributes, of the core and of extensions, whose value changed, or of which a part that is
    /// [returned `never`](scim2_core::AttributeDef::is_never_returned) was [named](Self::touched).
    #[must_use]
    pub fn attributes(&self) -> &[AttributeId] {
        &self.attributes
    }

    /// The attributes and sub-attributes returned `request` that the client gave, whether they changed
    /// or not: the response to the PATCH shows them
    /// ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
    #[must_use]
    pub fn given_on_request(&self) -> &[AttributeId] {
        &self.given_on_request
    }

    /// The same attributes, each with its value before the PATCH.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The attributes and sub-attributes [returned `never`](scim2_core::AttributeDef::is_never_returned) that the
    /// operations name. Each counts as changed even if its value is the same: an unchanged version would confirm a guess.
    #[must_use]
    pub fn touched(&self) -> &[AttributeId] {
        &self.touched
    }

    /// The deviations of the client that were tolerated, in the message, in the filters of paths
    /// and in values; each once.
    #[must_use]
    pub fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }

    /// The ignored names, each once, at most 32: unknown and readOnly keys of values, and paths that hold an unknown
    /// name. An ambiguous name is listed as the full paths that it may stand for.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }
}

/// An attribute that a PATCH changed, for an audit log or an event.
///
/// [`after`](Self::after) reads the new value from the resource. If values were only appended to a list, only its old
/// length is kept, so that one more member does not copy ten thousand others. The values of an attribute that is
/// returned `never`, such as a password, are not kept at all.
///
/// ```
/// use scim2_core::{Compat, Registry};
/// use scim2_patch::{PatchOp, apply};
///
/// let registry = Registry::standard();
/// let type_ = registry.resource_type("User").expect("a standard type");
/// let mut user = serde_json::from_str(r#"{"userName":"ada","title":"Miss","password":"old"}"#)?;
/// let op = PatchOp::new().replace("title", "Countess")?.add("nickName", "Ada")?.replace("password", "new")?;
/// let applied = apply(&op, &mut user, type_, &Compat::default())?;
///
/// let lines: Vec<String> = applied
///     .changes()
///     .iter()
///     .map(|change| {
///         let text = |value: Option<&scim2_core::Value>| value.map_or("-".to_owned(), ToString::to_string);
///         let path = type_.attribute(change.attribute()).path();
///         let (before, after) = (change.before(&user, type_), change.after(&user, type_));
///         format!("{path}: {} -> {}", text(before.as_ref()), text(after))
///     })
///     .collect();
/// assert_eq!(lines, [r#"password: - -> -"#, r#"title: "Miss" -> "Countess""#, r#"nickName: - -> "Ada""#]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Change {
    attribute: AttributeId,
    before: Before,
}

/// The value of an attribute before the PATCH.
#[derive(Clone, PartialEq)]
pub(super) enum Before {
    /// This value, or no value.
    Value(Option<Value>),
    /// The first values of the present list, as many as this.
    FirstOf(usize),
    /// Not kept: the attribute is returned `never`.
    NeverReturned,
}

impl Change {
    pub(super) fn new(attribute: AttributeId, before: Before) -> Self {
        Self { attribute, before }
    }

    /// The change of an attribute that has the same value and counts as changed.
    pub(super) fn unchanged(attribute: AttributeId, resource: &Object, type_: &CompiledType) -> Self {
        let before = match type_.attribute(attribute).is_never_returned() {
            true => Before::NeverReturned,
            false => Before::Value(type_.get(resource, attribute).cloned()),
        };
        Self { attribute, before }
    }

    /// The top-level attribute.
    #[must_use]
    pub fn attribute(&self) -> AttributeId {
        self.attribute
    }

    /// The value before the PATCH. `None` if the attribute was unassigned or is returned `never`. `resource` is the
    /// patched resource.
    ///
    /// It copies a list that only [grew](Self::grew_from).
    #[must_use]
    pub fn before(&self, resource: &Object, type_: &CompiledType) -> Option<Value> {
        match &self.before {
            Before::Value(value) => value.clone(),
            Before::NeverReturned => None,
            Before::FirstOf(count) => {
                let now = type_.get(resource, self.attribute)?.as_array()?;
                let before: Vec<Value> = now.iter().take(*count).cloned().collect();
                (!before.is_empty()).then_some(Value::Array(before))
            }
        }
    }

    /// The value after the PATCH. `None` if the attribute is unassigned or returned `never`. `resource` is the patched
    /// resource.
    #[must_use]
    pub fn after<'r>(&self, resource: &'r Object, type_: &CompiledType) -> Option<&'r Value> {
        match self.before {
            Before::NeverReturned => None,
            _ => type_.get(resource, self.attribute).filter(|value| !value.is_unassigned()),
        }
    }

    /// The old length of a list to which values were only appended: the values beyond it are new. `None` if the
    /// attribute changed in another way.
    #[must_use]
    pub fn grew_from(&self) -> Option<usize> {
        match self.before {
            Before::FirstOf(count) => Some(count),
            Before::Value(_) | Before::NeverReturned => None,
        }
    }
}

impl fmt::Debug for Change {
    /// Shows only the kind of a value, because values may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} was ", self.attribute)?;
        match &self.before {
            Before::Value(None) => f.write_str("unassigned"),
            Before::Value(Some(value)) => f.write_str(value.kind()),
            Before::FirstOf(count) => write!(f, "the first {count}"),
            Before::NeverReturned => f.write_str("hidden"),
        }
    }
}
