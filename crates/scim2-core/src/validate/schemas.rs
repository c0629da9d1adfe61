//! `schemas`: the URIs that a body lists, and those it should list ([RFC 7643
//! §3](https://www.rfc-editor.org/rfc/rfc7643#section-3)).

use std::collections::HashSet;

use super::report::IgnoredReason;
use super::value::Canonicalizer;
use super::{Report, ValidationError, ValidationErrorKind as Kind};
use crate::compat::{Compat, Quirk};
use crate::compiled::{CompiledType, ExtensionId};
use crate::value::{Object, Value};

impl CompiledType {
    /// Sets `schemas` to the URIs in use, the core schema first, and removes extension objects without
    /// attributes.
    pub fn recompute_schemas(&self, object: &mut Object) {
        for (_, extension) in self.extensions() {
            let uri = extension.uri().as_str();
            let empty = object.get(uri).is_some_and(|value| match value {
                Value::Object(attributes) => attributes.is_empty(),
                other => other.is_unassigned(),
            });
            if empty {
                object.remove(uri);
            }
        }
        let in_use = || {
            let extensions = self.extensions().map(|(_, extension)| extension.uri());
            std::iter::once(self.schema())
                .chain(extensions.filter(|uri| object.contains(uri.as_str())))
                .map(|uri| uri.as_str())
        };
        let listed = object.get("schemas").and_then(Value::as_array);
        if listed.is_some_and(|listed| listed.iter().map(Value::as_str).eq(in_use().map(Some))) {
            return;
        }
        let schemas = Value::Array(in_use().map(Value::from).collect());
        match object.get_mut("schemas") {
            Some(old) => *old = schemas,
            None => object.insert_first("schemas", schemas),
        }
    }
}

/// A schema URI of the resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    Core,
    Extension(ExtensionId),
}

/// Reads `schemas`; `None` if it is unassigned.
pub(super) fn read(
    value: Value,
    canonicalizer: &mut Canonicalizer<'_>,
) -> Result<Option<Vec<Listed>>, ValidationError> {
    let malformed = |found: &str| {
        Err(ValidationError::new(Kind::SchemasMalformed, "schemas", "a list of distinct URIs", found))
    };
    if value.is_unassigned() {
        return Ok(None);
    }
    let lenient = canonicalizer.compat.allows(Quirk::SchemasIncomplete);
    if !matches!(value, Value::Array(_)) && !lenient {
        return malformed(value.kind());
    }
    let mut listed = Vec::with_capacity(2);
    let mut texts = HashSet::with_capacity(2);
    for value in value.values() {
        let Some(uri) = value.as_str() else { return malformed(value.kind()) };
        // C-3-01: no client lists a correctly spelled URI twice, so it is refused.
        if !texts.insert(uri.to_ascii_lowercase()) {
            return malformed(&format!("`{}` twice", super::error::cut(uri).escape_debug()));
        }
        let Some(schema) = find(canonicalizer, uri)? else { continue };
        if !listed.contains(&schema) {
            listed.push(schema);
        } else if lenient {
            canonicalizer.report.lenient(Quirk::SchemasIncomplete, uri);
        } else {
            return malformed(&format!("`{}` twice", super::error::cut(uri).escape_debug()));
        }
    }
    Ok(Some(listed))
}

/// The schema that a URI in `schemas` means; `None` for an unknown URI that is tolerated.
fn find(canonicalizer: &mut Canonicalizer<'_>, uri: &str) -> Result<Option<Listed>, ValidationError> {
    let Canonicalizer { type_, compat, report, marks: _ } = canonicalizer;
    if *type_.schema() == *uri {
        return Ok(Some(Listed::Core));
    }
    if let Some(id) = type_.find_extension(uri) {
        return Ok(Some(Listed::Extension(id)));
    }
    // The URI belongs to something else, so the body does too (C-3-02).
    if type_.is_foreign(uri) {
        return Err(unknown(type_, uri));
    }
    if compat.allows(Quirk::UrnWrong)
        && let Some((owner, "")) = type_.split_misspelt(uri)
    {
        report.lenient(Quirk::UrnWrong, uri);
        return Ok(Some(owner.map_or(Listed::Core, Listed::Extension)));
    }
    if compat.allows(Quirk::UnknownExt) {
        report.ignore(uri, IgnoredReason::UnknownExtension);
        return Ok(None);
    }
    Err(unknown(type_, uri))
}

pub(super) fn unknown(type_: &CompiledType, uri: &str) -> ValidationError {
    let found = format!("`{}`", super::error::cut(uri).escape_debug());
    ValidationError::new(
        Kind::UnknownSchema,
        "schemas",
        format!("a schema of resource type `{}`", type_.name()),
        found,
    )
}

/// Checks that `schemas` lists the URIs that it must. Default mode tolerates deviations, because the URIs in
/// use are computed anyway.
pub(super) fn check_listed(
    type_: &CompiledType,
    listed: Option<&[Listed]>,
    extensions: &[Object],
    compat: &Compat,
    report: &mut Report,
) -> Result<(), ValidationError> {
    let lenient = compat.allows(Quirk::SchemasIncomplete);
    let core = type_.schema().as_str();
    if !listed.is_some_and(|listed| listed.contains(&Listed::Core)) {
        if !lenient {
            let found = if listed.is_some() { "other URIs only" } else { "nothing" };
            let expected = format!("a list with `{core}`");
            return Err(ValidationError::new(Kind::SchemasMissing, "schemas", expected, found));
        }
        report.lenient(Quirk::SchemasIncomplete, core);
    }
    for ((id, extension), attributes) in type_.extensions().zip(extensions) {
        let in_use = !attributes.is_empty();
        if in_use && !listed.is_some_and(|listed| listed.contains(&Listed::Extension(id))) {
            let uri = extension.uri().as_str();
            if !lenient {
                return Err(ValidationError::new(Kind::SchemaNotListed, uri, "", ""));
            }
            report.lenient(Quirk::SchemasIncomplete, uri);
        }
    }
    Ok(())
}
