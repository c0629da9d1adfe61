//! Finds the target of a path in a resource type.

use scim2_core::{AttributeId, ExtensionId, Owner, Quirk};
use scim2_filter::{AttrPath, Filter, PatchPath, Resolver, Target as Named};

use crate::context::Context;
use crate::error::PatchErrorKind;

/// The target of a PATCH path.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'p> {
    /// The URI of an extension alone.
    Extension(ExtensionId),
    /// An attribute, or values of it, or a sub-attribute of it or of those values.
    Attribute {
        /// The top-level attribute.
        top: AttributeId,
        /// Chooses some of its values.
        filter: Option<&'p Filter>,
        /// The sub-attribute of the chosen values.
        sub: Option<AttributeId>,
    },
    /// Some values of a multi-valued sub-attribute: `grants.scopes[value eq "read"]`.
    SubValues {
        /// The top-level attribute.
        top: AttributeId,
        /// The sub-attribute.
        sub: AttributeId,
        /// Chooses some of its values.
        filter: &'p Filter,
    },
}

impl Target<'_> {
    /// Says whether a filter chooses the values.
    pub(crate) fn has_filter(&self) -> bool {
        matches!(self, Self::Attribute { filter: Some(_), .. } | Self::SubValues { .. })
    }
}

/// Finds the target of a path.
pub(crate) fn resolve<'p>(path: &'p PatchPath, cx: &mut Context<'_>) -> Result<Target<'p>, PatchErrorKind> {
    let named =
        Resolver::new(cx.type_, *cx.compat).attribute(path.attr()).map_err(PatchErrorKind::Resolve)?;
    let (top, sub) = match named {
        Named::Attribute(id) => match cx.type_.attribute(id).parent() {
            Some(top) => (top, Some(id)),
            None => (id, None),
        },
        Named::Resource => return Err(PatchErrorKind::WholeResource(path.attr().as_str().into())),
        Named::Extension(id) if matches!(path, PatchPath::Attr(_)) => return Ok(Target::Extension(id)),
        Named::Extension(_) => return Err(PatchErrorKind::UnknownAttribute(path.attr().as_str().into())),
    };
    note_leniency(path.attr(), top, cx);
    let PatchPath::Value { value_path, sub_attribute } = path else {
        return Ok(Target::Attribute { top, filter: None, sub });
    };
    let def = cx.type_.attribute(top);
    if let (Some(sub), None) = (sub, sub_attribute)
        && cx.type_.attribute(sub).multi_valued()
    {
        return Ok(Target::SubValues { top, sub, filter: value_path.filter() });
    }
    // A singular complex value is treated as a list of one. A singular simple value has no elements to choose from.
    if sub.is_some() || !(def.multi_valued() || def.is_complex()) {
        return Err(PatchErrorKind::NoElements(value_path.attr().as_str().into()));
    }
    let sub = match sub_attribute {
        None => None,
        Some(name) => Some(
            cx.type_
                .find_sub(top, name.as_str())
                .ok_or_else(|| PatchErrorKind::UnknownAttribute(format!("{}.{name}", def.path()).into()))?,
        ),
    };
    Ok(Target::Attribute { top, filter: Some(value_path.filter()), sub })
}

/// Notes the leniency that was needed to find the attribute: a name without the URI of its extension, or a misspelled
/// URI.
fn note_leniency(path: &AttrPath, top: AttributeId, cx: &mut Context<'_>) {
    let extends = matches!(cx.type_.attribute(top).owner(), Owner::Extension(_));
    if path.schema().is_none() {
        if extends {
            cx.tolerate(Quirk::ExtShortName);
        }
    } else if !cx.type_.split_schema(path.as_str()).is_some_and(|(_, rest)| rest.starts_with(':')) {
        cx.tolerate(Quirk::UrnWrong);
    }
}
