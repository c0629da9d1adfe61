use alloc::vec::Vec;

use nom::character::complete::char;
use scim2_names::AttrName;

use super::literal::comp_value;
use super::path::{attr_path, attr_path_or};
use super::{Context, Fault, Parsed, first, skip, skip_spaces};
use crate::error::{FilterErrorKind, expected};
use crate::{AttrExp, CompareOp, Filter, Leniency, PatchPath, ValuePath};

/// The place of an expression: its depth, and whether value paths are allowed there.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    in_value_path: bool,
    closed_by: Option<u8>,
}

/// `FILTER`, which is all of `input` except for the spaces around it.
pub(crate) fn filter<'a>(cx: &Context, input: &'a str) -> Parsed<'a, Filter> {
    let start = skip_spaces(input);
    if start.is_empty() {
        return Err(Fault::at(start, FilterErrorKind::Empty, expected::OPERAND));
    }
    let (rest, filter) = or_expr(cx, Place { depth: 0, in_value_path: false, closed_by: None }, start)?;
    let rest = skip_spaces(rest);
    if rest.is_empty() {
        Ok((rest, filter))
    } else {
        Err(Fault::at(rest, FilterErrorKind::Connective, expected::CONNECTIVE_OR_END))
    }
}

/// `PATH = attrPath / valuePath [subAttr]`, which is the whole of `input`.
pub(crate) fn patch_path<'a>(cx: &Context, input: &'a str) -> Parsed<'a, PatchPath> {
    if input.is_empty() {
        return Err(Fault::at(input, FilterErrorKind::Empty, expected::ATTR_PATH));
    }
    let (rest, attr) = attr_path(cx, input)?;
    if first(rest) != Some(b'[') {
        end(rest, expected::BRACKET_OR_END)?;
        return Ok((rest, PatchPath::Attr(attr)));
    }
    let (rest, filter) = val_filter(cx, 0, rest)?;
    let value_path = ValuePath::from_parts(attr, filter);
    let (rest, sub_attribute) = match rest.strip_prefix('.') {
        None => (rest, None),
        Some(after) => match after.split_at_checked(AttrName::prefix_len(after)) {
            Some((name, rest)) if !name.is_empty() => (rest, AttrName::parse(name).ok()),
            _ => return Err(Fault::at(after, FilterErrorKind::AttrPath, expected::SUB_ATTRIBUTE)),
        },
    };
    end(rest, if sub_attribute.is_some() { expected::END } else { expected::DOT_OR_END })?;
    Ok((rest, PatchPath::Value { value_path, sub_attribute }))
}

/// `valuePath`, which is the whole of `input`.
pub(crate) fn value_path_only<'a>(cx: &Context, input: &'a str) -> Parsed<'a, ValuePath> {
    let (rest, attr) = attr_path(cx, input)?;
    if first(rest) != Some(b'[') {
        return Err(Fault::at(rest, FilterErrorKind::ValuePath, expected::BRACKET));
    }
    let (rest, filter) = val_filter(cx, 0, rest)?;
    end(rest, expected::END)?;
    Ok((rest, ValuePath::from_parts(attr, filter)))
}

fn end<'a>(rest: &'a str, expected: crate::error::Expected) -> Result<(), nom::Err<Fault<'a>>> {
    if rest.is_empty() { Ok(()) } else { Err(Fault::at(rest, FilterErrorKind::Trailing, expected)) }
}

/// `or-expr = and-expr *( sp "or" sp and-expr )`, `and-expr = unary *( sp "and" sp unary )`
///
/// The two productions are one loop. The grammar recurses here, and one frame less halves
/// the stack that a level of nesting needs.
fn or_expr<'a>(cx: &Context, place: Place, input: &'a str) -> Parsed<'a, Filter> {
    let mut any = Vec::new();
    let mut all = Vec::new();
    let mut at = input;
    loop {
        let (rest, operand) = unary(cx, place, at)?;
        if let Some(next) = connective(cx, rest, *b"and") {
            if all.is_empty() {
                all = Vec::with_capacity(2); // one more operand follows, and usually no third
            }
            all.push(operand);
            at = next;
            continue;
        }
        // A lone operand needs no list.
        let operand = match all.is_empty() {
            true => operand,
            false => {
                all.push(operand);
                Filter::and_of(core::mem::take(&mut all))
            }
        };
        match connective(cx, rest, *b"or") {
            Some(next) => {
                if any.is_empty() {
                    // Enough if the other operands are as long as the first.
                    const MAX_PREALLOCATED_OPERANDS: usize = 64;
                    let length = input.len() - rest.len();
                    any.reserve((2 + rest.len() / length.max(1)).min(MAX_PREALLOCATED_OPERANDS));
                }
                any.push(operand);
                at = next;
            }
            None if any.is_empty() => return Ok((rest, operand)),
            None => {
                any.push(operand);
                return Ok((rest, Filter::or_of(any)));
            }
        }
    }
}

/// `sp word sp`: the text after it, if the text begins with it.
///
/// Lenient readers also take `)and` and `and(`.
fn connective<'a, const N: usize>(cx: &Context, rest: &'a str, word: [u8; N]) -> Option<&'a str> {
    let start = skip_spaces(rest);
    let (found, _) = start.as_bytes().split_first_chunk::<N>()?;
    let spaced = start.len() != rest.len();
    if !found.eq_ignore_ascii_case(&word) || !(spaced || cx.leniency.missing_spaces) {
        return None;
    }
    let after = skip(start, N);
    let next = match first(after) {
        None | Some(b' ') => skip_spaces(after),
        Some(b'(') if cx.leniency.missing_spaces => after,
        _ => return None,
    };
    if !spaced || next.len() == after.len() && !after.is_empty() {
        cx.note(Leniency { missing_spaces: true, ..Leniency::NONE });
    }
    Some(next)
}

/// `unary = [ "not" [sp] ] "(" or-expr ")" / valuePath / attrExp`
///
/// An operand may begin with an attribute called `not`; it is a negation only before a
/// parenthesis. The space between the two comes from erratum 7319.
#[inline]
fn unary<'a>(cx: &Context, place: Place, input: &'a str) -> Parsed<'a, Filter> {
    let open = if first(input) == Some(b'(') { Some(input) } else { negated(input) };
    let Some(open) = open else { return attribute(cx, place, input) };
    let depth = cx.descend(place.depth, open)?;
    let (inner, _) = char('(')(open)?;
    let (rest, filter) = or_expr(cx, Place { depth, closed_by: Some(b')'), ..place }, skip_spaces(inner))?;
    let (rest, ()) = closing(b')', rest)?;
    Ok((rest, if open.len() == input.len() { filter } else { Filter::not_of(filter) }))
}

/// The parenthesis after `not`.
fn negated(input: &str) -> Option<&str> {
    let (word, _) = input.as_bytes().split_first_chunk::<3>()?;
    let after = skip_spaces(skip(input, if word.eq_ignore_ascii_case(b"not") { 3 } else { return None }));
    if first(after) == Some(b'(') { Some(after) } else { None }
}

/// `"[" [sp] or-expr [sp] "]"`, without value paths in it.
fn val_filter<'a>(cx: &Context, depth: usize, input: &'a str) -> Parsed<'a, Filter> {
    let depth = cx.descend(depth, input)?;
    let place = Place { depth, in_value_path: true, closed_by: Some(b']') };
    let body = |input| {
        let (inner, _) = char('[')(input)?;
        let (rest, filter) = or_expr(cx, place, skip_spaces(inner))?;
        let (rest, ()) = closing(b']', rest)?;
        Ok((rest, filter))
    };
    body(input).map_err(Fault::within_brackets)
}

/// `[sp] ")"`, or the bracket given.
fn closing(bracket: u8, input: &str) -> Parsed<'_, ()> {
    let rest = skip_spaces(input);
    if first(rest) == Some(bracket) {
        return Ok((skip(rest, 1), ()));
    }
    let expected =
        if bracket == b')' { expected::CONNECTIVE_OR_PARENTHESIS } else { expected::CONNECTIVE_OR_BRACKET };
    let kind = if rest.is_empty() { FilterErrorKind::Unclosed } else { FilterErrorKind::Connective };
    Err(Fault::at(rest, kind, expected))
}

/// `valuePath / attrExp`, which begin alike.
#[inline]
fn attribute<'a>(cx: &Context, place: Place, input: &'a str) -> Parsed<'a, Filter> {
    if input.is_empty() {
        return Err(Fault::at(input, FilterErrorKind::Operand, expected::OPERAND));
    }
    let (rest, path) = attr_path_or(cx, input, expected::OPERAND)?;
    if first(rest) != Some(b'[') {
        let (rest, exp) = attr_exp(cx, place, path, rest)?;
        return Ok((rest, Filter::Attr(exp)));
    }
    if place.in_value_path {
        return Err(Fault::at(rest, FilterErrorKind::NestedValuePath, expected::OPERATOR));
    }
    let (rest, filter) = val_filter(cx, place.depth, rest)?;
    let Some(after) = rest.strip_prefix('.') else {
        return Ok((rest, Filter::ValuePath(ValuePath::from_parts(path, filter))));
    };
    if !cx.leniency.sub_attribute_outside {
        return Err(Fault::at(rest, FilterErrorKind::ValuePath, expected::CONNECTIVE_OR_END));
    }
    // `emails[type eq "work"].value eq "x"` means both of one element.
    let len = AttrName::prefix_len(after);
    if len == 0 || first(skip(after, len)) == Some(b'.') {
        return Err(Fault::at(after, FilterErrorKind::AttrPath, expected::SUB_ATTRIBUTE));
    }
    let (outside, sub_attribute) = attr_path(cx, after)?;
    let (rest, exp) = attr_exp(cx, place, sub_attribute, outside)?;
    if Filter::depth_within(&filter, true) >= cx.max_depth {
        return Err(Fault::at(input, FilterErrorKind::TooDeep, expected::LESS_NESTING));
    }
    cx.note(Leniency { sub_attribute_outside: true, ..Leniency::NONE });
    let both = Filter::and_of(Vec::from([filter, Filter::Attr(exp)]));
    Ok((rest, Filter::ValuePath(ValuePath::from_parts(path, both))))
}

/// `attrExp = (attrPath SP "pr") / (attrPath SP compareOp SP compValue)`, the path being read.
#[inline(always)]
fn attr_exp<'a>(cx: &Context, place: Place, path: crate::AttrPath, input: &'a str) -> Parsed<'a, AttrExp> {
    let at = skip_spaces(input);
    if at.len() == input.len() {
        let rest_is_closed = at.is_empty() || first(at) == place.closed_by;
        let kind = if rest_is_closed { FilterErrorKind::Operator } else { FilterErrorKind::AttrPath };
        return Err(Fault::at(
            at,
            kind,
            if rest_is_closed { expected::OPERATOR } else { expected::AFTER_PATH },
        ));
    }
    let unknown = || Fault::at(at, FilterErrorKind::Operator, expected::OPERATOR);
    let word = at.get(..2).ok_or_else(unknown)?;
    let after = skip(at, 2);
    cx.count_term(input)?;
    let Some(op) = CompareOp::parse(word) else {
        let ends = matches!(first(after), None | Some(b' ' | b')' | b']'));
        if ends && word.eq_ignore_ascii_case("pr") {
            return Ok((after, AttrExp::Present { path }));
        }
        return Err(unknown());
    };
    let value_at = skip_spaces(after);
    if value_at.len() == after.len() {
        match first(after) {
            None => return Err(Fault::at(after, FilterErrorKind::CompValue, expected::COMP_VALUE)),
            Some(b'"') if cx.leniency.missing_spaces => {
                cx.note(Leniency { missing_spaces: true, ..Leniency::NONE });
            }
            Some(b'"') => return Err(Fault::at(after, FilterErrorKind::Space, expected::SPACE)),
            Some(_) => return Err(unknown()),
        }
    }
    let (rest, value) = comp_value(cx, value_at)?;
    Ok((rest, AttrExp::Compare { path, op, value }))
}
