//! What a PATCH did.

use std::fmt;

use scim2_core::validate::Ignored;
use scim2_core::{AttributeId, CompiledType, Object, Quirk, Value};

use crate::context::{Context, Notes};

/// What a PATCH did to a resource.
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

    /// Says whether the resource is another than before. If not, its version and `lastModified`
    /// stay ([RFC 7644 §3.5.2.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.1)).
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.attributes.is_empty()
    }

    /// The top-level attributes, of the core and of extensions, whose value is another than before, or of which
    /// a [never-returned](scim2_core::AttributeDef::is_never_returned) part was [named](Self::touched).
    #[must_use]
    pub fn attributes(&self) -> &[AttributeId] {
        &self.attributes
    }

    /// The attributes and sub-attributes returned on request that the client gave, whether they changed
    /// or not: the answer to a PATCH shows them
    /// ([RFC 7643 §7](https://www.rfc-editor.org/rfc/rfc7643#section-7)).
    #[must_use]
    pub fn given_on_request(&self) -> &[AttributeId] {
        &self.given_on_request
    }

    /// The same attributes, each with what it was.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The [never-returned](scim2_core::AttributeDef::is_never_returned) attributes and sub-attributes that the operations name. Each
    /// counts as changed, also if it holds what it held: a version that stayed would say so.
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

    /// The keys of values that were ignored, unknown or readOnly ones, and the paths of operations that
    /// were skipped because they hold an unknown name; at most 32.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }
}

/// An attribute that a PATCH changed, for an audit log or an event.
///
/// What it is now stands in the resource; [`after`](Self::after) finds it there. Of a list to which
/// values were only appended nothing is kept but how long it was, so that one more member in ten
/// thousand costs no copy of the ten thousand. Of a never-returned attribute, such as a password, there is
/// nothing to see but that it changed.
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

/// What an attribute was.
#[derive(Clone, PartialEq)]
pub(super) enum Before {
    /// This, or nothing.
    Value(Option<Value>),
    /// The first so many of the values that are there now.
    FirstOf(usize),
    /// Nobody's business.
    NeverReturned,
}

impl Change {
    pub(super) fn new(attribute: AttributeId, before: Before) -> Self {
        Self { attribute, before }
    }

    /// Of an attribute that is what it was and counts as changed.
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

    /// What the attribute was; `None` if it was unassigned or is never returned. `resource` is what the
    /// PATCH made of it.
    ///
    /// This copies a list that only [grew](Self::grew_from).
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

    /// What the attribute is now; `None` if it is unassigned or never returned. `resource` is what the
    /// PATCH made of it.
    #[must_use]
    pub fn after<'r>(&self, resource: &'r Object, type_: &CompiledType) -> Option<&'r Value> {
        match self.before {
            Before::NeverReturned => None,
            _ => type_.get(resource, self.attribute).filter(|value| !value.is_unassigned()),
        }
    }

    /// How many values a list had to which values were only appended: the rest of those there now
    /// are new. `None` if it changed otherwise.
    #[must_use]
    pub fn grew_from(&self) -> Option<usize> {
        match self.before {
            Before::FirstOf(count) => Some(count),
            Before::Value(_) | Before::NeverReturned => None,
        }
    }
}

impl fmt::Debug for Change {
    /// Values may be personal: only their kind is shown.
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
