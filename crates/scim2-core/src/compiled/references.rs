//! Complex attributes that refer to resources, such as `manager`.

use super::{AttributeDef, AttributeId, AttributeType, CompiledType};

/// A complex attribute whose values refer to resources: `value` is the id of a resource, and `$ref` its URI,
/// which is computed from the id ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)).
///
/// Every `referenceTypes` of such a `$ref` is the name of a resource type.
///
/// ```
/// use scim2_core::Registry;
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("built in");
/// let manager = user.references().first().expect("the enterprise extension has a manager");
/// assert_eq!(user.attribute(manager.attribute()).name(), "manager");
/// assert_eq!(manager.target(None), Some("User"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    attribute: AttributeId,
    types: Box<[Box<str>]>,
}

impl References {
    /// The name of the sub-attribute with the id.
    pub const VALUE: &str = "value";
    /// The name of the sub-attribute with the URI.
    pub const REFERENCE: &str = "$ref";
    /// The name of the sub-attribute that tells resource types apart.
    pub const TYPE: &str = "type";

    /// The complex attribute.
    #[must_use]
    pub fn attribute(&self) -> AttributeId {
        self.attribute
    }

    /// The names of the resource types that a value may refer to.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(AsRef::as_ref)
    }

    /// The name of the resource type that a value refers to, if it is known: the only possible one, or the one
    /// that the value's `type` names.
    #[must_use]
    pub fn target(&self, type_: Option<&str>) -> Option<&str> {
        match &*self.types {
            [only] => Some(only),
            several => several.iter().map(AsRef::as_ref).find(|name| Some(*name) == type_),
        }
    }
}

/// The attributes of a resource type that refer to resources.
pub(super) fn find(type_: &CompiledType) -> Vec<References> {
    type_.attributes().iter().filter_map(|def| of(type_, def)).collect()
}

fn of(type_: &CompiledType, def: &AttributeDef) -> Option<References> {
    let computed = [type_.members(), type_.groups()].contains(&Some(def.id()));
    if !def.is_complex() || computed {
        return None;
    }
    let sub = |name| type_.find_sub(def.id(), name).map(|id| type_.attribute(id));
    let (value, reference) = (sub(References::VALUE)?, sub(References::REFERENCE)?);
    let of_resources = value.attribute_type() == AttributeType::String
        && reference.attribute_type() == AttributeType::Reference
        && !reference.reference_types().is_empty()
        && !reference.reference_types().iter().any(|name| matches!(name.as_str(), "external" | "uri"));
    let types = reference.reference_types().iter().map(|name| name.as_str().into());
    of_resources.then(|| References { attribute: def.id(), types: types.collect() })
}
