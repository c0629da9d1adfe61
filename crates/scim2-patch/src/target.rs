//! What a path names in a resource type.

use scim2_core::{AttributeId, Compat, ExtensionId, Owner, Quirk};
use scim2_filter::{AttrPath, Filter, Leniency, PatchPath};

use crate::context::Context;
use crate::error::PatchErrorKind;

/// What a PATCH path names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'p> {
    /// A schema URI alone: the core schema (`None`) or an extension.
    Schema(Option<ExtensionId>),
    /// An attribute, or values of it, or a sub-attribute of it or of those values.
    Attribute {
        /// The top-level attribute.
        top: AttributeId,
        /// Which of its values.
        filter: Option<&'p Filter>,
        /// Which part of it or them.
        sub: Option<AttributeId>,
    },
}

/// Finds what a path names. Attributes of extensions may come without their URI if
/// [`Quirk::ExtShortName`] is tolerated.
pub(crate) fn resolve<'p>(path: &'p PatchPath, cx: &mut Context<'_>) -> Result<Target<'p>, PatchErrorKind> {
    let unknown = || PatchErrorKind::UnknownAttribute(path.attr().as_str().into());
    match path {
        PatchPath::Attr(path) => match split(path, cx).ok_or_else(unknown)? {
            Found::Schema(schema) => Ok(Target::Schema(schema)),
            Found::Attribute(top, sub) => Ok(Target::Attribute { top, filter: None, sub }),
        },
        PatchPath::Value { value_path, sub_attribute } => {
            let Some(Found::Attribute(top, None)) = split(value_path.attr(), cx) else {
                return Err(unknown());
            };
            let def = cx.type_.attribute(top);
            if !def.multi_valued() {
                return Err(PatchErrorKind::NotMultiValued(def.path().into()));
            }
            let sub = match sub_attribute {
                None => None,
                Some(name) => Some(cx.type_.find_sub(top, name.as_str()).ok_or_else(|| {
                    PatchErrorKind::UnknownAttribute(format!("{}.{name}", def.path()).into())
                })?),
            };
            Ok(Target::Attribute { top, filter: Some(value_path.filter()), sub })
        }
    }
}

/// What the filter grammar tolerates within a path.
pub(crate) fn leniency(compat: &Compat) -> Leniency {
    let mut leniency = Leniency::NONE;
    leniency.unquoted_words = compat.allows(Quirk::FilterUnquoted);
    leniency.literals_in_any_case = compat.allows(Quirk::FilterLoose);
    leniency.missing_spaces = compat.allows(Quirk::FilterLoose);
    leniency.dot_after_schema = compat.allows(Quirk::UrnWrong);
    leniency
}

enum Found {
    Schema(Option<ExtensionId>),
    Attribute(AttributeId, Option<AttributeId>),
}

/// the longest schema URI of the type comes first, whatever its dots and colons.
fn split(path: &AttrPath, cx: &mut Context<'_>) -> Option<Found> {
    let type_ = cx.type_;
    let Some((extension, rest)) = type_.split_schema(path.as_str()) else {
        if path.schema().is_some() {
            return None;
        }
        return short(path.name(), path.sub_attribute(), cx).map(|(top, sub)| Found::Attribute(top, sub));
    };
    let name = match rest.as_bytes().first() {
        None => return Some(Found::Schema(extension)),
        Some(b':') => rest.get(1..)?,
        Some(_) if cx.compat.allows(Quirk::UrnWrong) => {
            cx.tolerate(Quirk::UrnWrong);
            rest.get(1..)?
        }
        Some(_) => return None,
    };
    let (name, sub) = match name.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (name, None),
    };
    let top = match extension {
        Some(extension) => type_.find_in(Owner::Extension(extension), name)?,
        None => type_.find(None, name, None)?,
    };
    with_sub(top, sub, cx).map(|(top, sub)| Found::Attribute(top, sub))
}

/// A name without a URI: of the core schema, or of the one extension that has it.
pub(crate) fn short(
    name: &str,
    sub: Option<&str>,
    cx: &mut Context<'_>,
) -> Option<(AttributeId, Option<AttributeId>)> {
    if let Some(top) = cx.type_.find(None, name, None) {
        return with_sub(top, sub, cx);
    }
    if !cx.compat.allows(Quirk::ExtShortName) {
        return None;
    }
    let mut found = cx.type_.extensions().filter_map(|(id, _)| cx.type_.find_in(Owner::Extension(id), name));
    let top = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let found = with_sub(top, sub, cx)?;
    cx.tolerate(Quirk::ExtShortName);
    Some(found)
}

fn with_sub(
    top: AttributeId,
    sub: Option<&str>,
    cx: &Context<'_>,
) -> Option<(AttributeId, Option<AttributeId>)> {
    match sub {
        None => Some((top, None)),
        Some(name) => cx.type_.find_sub(top, name).map(|sub| (top, Some(sub))),
    }
}
