//! Keys of a body that are paths: `"name.givenName": "Ada"`
//! ([`Quirk::DottedKeys`](crate::Quirk::DottedKeys)).
//!
//! They are moved into the complex value that they name before the body is read, so that all other code sees
//! one form. A path into a list does not identify one element. It stays a key, which is unknown.

use super::report::IgnoredReason;
use super::value::Canonicalizer;
use super::{ValidationError, ValidationErrorKind as Kind};
use crate::compat::Quirk;
use crate::compiled::{AttributeId, CompiledType, Owner};
use crate::value::{Object, Value};

/// A key that names a sub-attribute of a singular complex attribute, and its value.
struct Part {
    top: AttributeId,
    sub: AttributeId,
    value: Value,
}

/// Moves the keys of a body that are paths to the place they name. `within` is the extension whose object this
/// is; keys of a whole body may name a place in an extension.
///
/// # Errors
/// [`Repeated`](Kind::Repeated) if a sub-attribute is given both by its path and in its place.
pub(super) fn gather(
    canonicalizer: &mut Canonicalizer<'_>,
    body: Object,
    within: Owner,
) -> Result<Object, ValidationError> {
    let type_ = canonicalizer.type_;
    let short = canonicalizer.compat.allows(Quirk::ExtShortName);
    let names = |name: &str| sub_attribute(type_, within, name, short);
    if !canonicalizer.compat.allows(Quirk::DottedKeys) || !body.iter().any(|(name, _)| names(name).is_some())
    {
        return Ok(body);
    }
    let mut parts = Vec::new();
    let mut body = body.try_map(|name, value| {
        Ok::<_, ValidationError>(match names(&name) {
            Some((top, sub)) => {
                parts.push(Part { top, sub, value });
                None
            }
            None => Some((name, value)),
        })
    })?;
    for Part { top, sub, value } in parts {
        let (top, sub) = (type_.attribute(top), type_.attribute(sub));
        canonicalizer.report.lenient(Quirk::DottedKeys, sub.path());
        let repeated = || ValidationError::new(Kind::Repeated, sub.path(), "", "");
        let place = match top.owner() {
            owner if owner == within => &mut body,
            Owner::Extension(id) => {
                object_at(&mut body, type_.extension(id).uri().as_str()).ok_or_else(repeated)?
            }
            Owner::Common | Owner::Core => &mut body,
        };
        let complex = object_at(place, top.name()).ok_or_else(repeated)?;
        if complex.insert(sub.name(), value).is_some() {
            return Err(repeated());
        }
    }
    Ok(body)
}

/// Reports a name that several extensions have as ignored, once for each of them.
pub(super) fn ignore_ambiguous(canonicalizer: &mut Canonicalizer<'_>, name: &str) {
    let type_ = canonicalizer.type_;
    for (id, _) in type_.extensions() {
        if let Some(id) = type_.find_in(Owner::Extension(id), name) {
            canonicalizer.report.ignore(type_.attribute(id).path(), IgnoredReason::Ambiguous);
        }
    }
}

/// The object under a name, created if there is none; `None` if another value is there.
fn object_at<'o>(place: &'o mut Object, name: &str) -> Option<&'o mut Object> {
    match place.get(name) {
        None | Some(Value::Object(_)) => Some(place.object_entry(name)),
        Some(_) => None,
    }
}

/// The sub-attribute of a singular complex attribute whose path a key is. With `short` the path may lack the
/// URI of the extension, if only one extension has such an attribute.
fn sub_attribute(
    type_: &CompiledType,
    within: Owner,
    key: &str,
    short: bool,
) -> Option<(AttributeId, AttributeId)> {
    // The names of attributes hold no colon, so the path of a sub-attribute has its `.` after the last one. This is
    // decided without a look-up for almost every key, the URIs of extensions included.
    if key.bytes().rev().find(|byte| matches!(byte, b'.' | b':')) != Some(b'.') {
        return None;
    }
    let (name, sub, schema) = match (within, type_.split_schema(key)) {
        (Owner::Extension(_), _) | (_, None) => {
            let (name, sub) = key.split_once('.').filter(|(name, _)| !name.contains(':'))?;
            (name, sub, None)
        }
        (_, Some((schema, rest))) => {
            let (name, sub) = rest.strip_prefix(':')?.split_once('.')?;
            (name, sub, Some(schema.map_or(Owner::Core, Owner::Extension)))
        }
    };
    let top = match schema {
        Some(owner) => type_.find_in(owner, name),
        None => type_.find_in(within, name).or_else(|| {
            let known = within != Owner::Core || type_.find_in(Owner::Common, name).is_some();
            let extensions = type_.extensions().map(|(id, _)| Owner::Extension(id));
            let mut having =
                extensions.filter(|_| short && !known).filter_map(|owner| type_.find_in(owner, name));
            having.next().filter(|_| having.next().is_none())
        }),
    }?;
    let def = type_.attribute(top);
    let sub = type_.find_sub(top, sub).filter(|_| !def.multi_valued())?;
    Some((top, sub))
}
