use scim2_names::{AttrName, SchemaUri};

use super::{Context, Fault, Parsed, first, skip};
use crate::error::{Expected, FilterErrorKind, expected};
use crate::{AttrPath, Leniency};

/// `attrPath = [URI ":"] ATTRNAME *1subAttr`
///
/// Deviations from the figure: `$` may stand in names, and `$ref` is one (RFC 7643 uses both). A
/// URI whose last segment is not a name is read unchanged, because it may be the URI of an extension.
pub(crate) fn attr_path<'a>(cx: &Context, input: &'a str) -> Parsed<'a, AttrPath> {
    attr_path_or(cx, input, expected::ATTR_PATH)
}

/// The same, at a place where the grammar allows other things too.
pub(super) fn attr_path_or<'a>(cx: &Context, input: &'a str, expected: Expected) -> Parsed<'a, AttrPath> {
    let name = AttrName::prefix_len(input);
    if name == 0 {
        return Err(Fault::at(input, FilterErrorKind::AttrPath, expected));
    }
    let rest = skip(input, name);
    match first(rest) {
        Some(b':') => uri_path(cx, input, name),
        Some(b'.') => {
            let after = skip(rest, 1);
            let sub = AttrName::prefix_len(after);
            let end = name + 1 + sub;
            let rest = skip(after, sub);
            if sub == 0 {
                Err(Fault::at(after, FilterErrorKind::AttrPath, expected::SUB_ATTRIBUTE))
            } else if first(rest) == Some(b'.') {
                Err(Fault::at(rest, FilterErrorKind::AttrPath, expected::NO_FURTHER_SUB_ATTRIBUTE))
            } else {
                Ok((rest, path_of(input, end, 0, name + 1)))
            }
        }
        _ => Ok((rest, path_of(input, name, 0, 0))),
    }
}

/// The path `input[..end]`; its length was checked before.
fn path_of(input: &str, end: usize, name_at: usize, sub_at: usize) -> AttrPath {
    let text = input.get(..end).unwrap_or_default();
    AttrPath::from_parts(text, u32::try_from(name_at).unwrap_or(0), u32::try_from(sub_at).unwrap_or(0))
}

/// An attribute path that begins with a URI of the scheme `input[..scheme]`.
///
/// The version in a URN holds dots and the URN holds colons, so only the last colon can be the one
/// before the name.
fn uri_path<'a>(cx: &Context, input: &'a str, scheme: usize) -> Parsed<'a, AttrPath> {
    let end = input.bytes().position(|byte| !SchemaUri::allows(byte)).unwrap_or(input.len());
    let (run, rest) = input.split_at_checked(end).unwrap_or((input, ""));
    let plain_scheme = !run.get(..scheme).unwrap_or_default().contains(['_', '$']);
    let colon = run.rfind(':').unwrap_or(scheme);
    let tail = skip(run, colon + 1);
    if !plain_scheme {
        return Err(Fault::at(input, FilterErrorKind::AttrPath, expected::ATTR_PATH));
    }
    let name = AttrName::prefix_len(tail);
    let after = skip(tail, name);
    // `urn:User` and `https://example.com`: the part before the last colon is not a URI yet.
    let splits = name != 0 && colon > scheme + 1;
    match first(after) {
        None if tail.is_empty() => {
            Err(Fault::at(skip(input, end), FilterErrorKind::AttrPath, expected::NAME_AFTER_URI))
        }
        None if splits => Ok((rest, path_of(run, end, colon + 1, 0))),
        Some(b'.') if splits => {
            let sub = skip(after, 1);
            match (AttrName::prefix_len(sub), first(sub)) {
                (0, Some(digit)) if digit.is_ascii_digit() => Ok((rest, path_of(run, end, end, 0))),
                (0, _) => Err(Fault::at(
                    skip(input, end - sub.len()),
                    FilterErrorKind::AttrPath,
                    expected::SUB_ATTRIBUTE,
                )),
                (len, _) if len == sub.len() => Ok((rest, path_of(run, end, colon + 1, end - len))),
                (len, _) => {
                    let more = skip(sub, len);
                    // `…:2.0:User.name.givenName`, with a dot for the colon before the name.
                    if cx.leniency.dot_after_schema && first(more) == Some(b'.') {
                        let last = skip(more, 1);
                        if !last.is_empty() && AttrName::prefix_len(last) == last.len() {
                            cx.note(Leniency { dot_after_schema: true, ..Leniency::NONE });
                            return Ok((rest, path_of(run, end, end, 0)));
                        }
                    }
                    Err(Fault::at(
                        skip(input, end - more.len()),
                        FilterErrorKind::AttrPath,
                        expected::NO_FURTHER_SUB_ATTRIBUTE,
                    ))
                }
            }
        }
        _ => Ok((rest, path_of(run, end, end, 0))),
    }
}
