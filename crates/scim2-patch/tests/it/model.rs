//! A slow, obvious model of PATCH: no journal, no hashing, no compiled filter; every operation
//! copies the resource and looks at everything. It knows the operations that the test kit makes.

use scim2_core::compare::Instant;
use scim2_core::schema::AttributeType;
use scim2_core::{AttributeDef, CompiledType, Object, Owner, Value};
use scim2_testkit::strategies::{PatchOperation, UNKNOWN_PATHS};

/// The resource after all operations; `None` if one is refused, or if none is understood. Those with an
/// unknown path are skipped.
pub(crate) fn apply_all(
    before: &Object,
    operations: &[PatchOperation],
    type_: &CompiledType,
) -> Option<Object> {
    let unknown = |operation: &&PatchOperation| {
        operation.path.as_deref().is_some_and(|path| UNKNOWN_PATHS.contains(&path))
    };
    if operations.iter().all(|operation| unknown(&operation)) {
        return None;
    }
    let mut known = operations.iter().filter(|operation| !unknown(operation));
    let after = known.try_fold(before.clone(), |resource, operation| apply(&resource, operation, type_))?;
    type_.check_required(&after).is_ok().then_some(after)
}

/// The resource after one operation; `None` if the operation is refused.
fn apply(before: &Object, operation: &PatchOperation, type_: &CompiledType) -> Option<Object> {
    let mut after = before.clone();
    match (&operation.path, &operation.value) {
        (Some(path), value) => at_path(&mut after, operation.op, path, value.clone(), type_)?,
        (None, Some(Value::Object(value))) => {
            for (name, value) in value.iter() {
                at_path(&mut after, operation.op, name, Some(value.clone()), type_)?;
            }
        }
        (None, _) => return None,
    }
    type_.recompute_schemas(&mut after);
    Some(after)
}

fn at_path(
    resource: &mut Object,
    op: &str,
    path: &str,
    value: Option<Value>,
    type_: &CompiledType,
) -> Option<()> {
    let (owner, rest) = match type_.split_schema(path) {
        Some((Some(extension), rest)) => (Owner::Extension(extension), rest.trim_start_matches(':')),
        Some((None, rest)) => (Owner::Core, rest.trim_start_matches(':')),
        None => (Owner::Core, path),
    };
    let (rest, selector) = match rest.split_once('[') {
        None => (rest.to_owned(), None),
        Some((name, rest)) => {
            let (inner, sub) = rest.rsplit_once(']')?;
            (format!("{name}{sub}"), inner.split_once(" eq "))
        }
    };
    let (name, sub) = match rest.split_once('.') {
        Some((name, sub)) => (name.to_owned(), Some(sub.to_owned())),
        None => (rest, None),
    };
    let top = type_
        .find_in(owner, &name)
        .or_else(|| type_.find_in(Owner::Common, &name))
        .map(|id| type_.attribute(id))
        .expect("a path of the test kit names an attribute");
    let place = match owner {
        Owner::Extension(id) => resource.object_entry(type_.extension(id).uri().as_str()),
        _ => resource,
    };
    let value = value.map(|value| clean(value, sub.as_deref(), top, type_));
    let present = place.remove(top.name());
    // A value that lists something removes nothing where nothing is.
    let lists = value.as_ref().is_some_and(|value| value.as_str() != Some(""));
    let removes_nothing = op == "remove" && lists && present.is_none() && sub.is_none() && selector.is_none();
    let after = match (sub, selector) {
        (None, None) => whole(present, op, value, top, type_)?,
        (Some(sub), None) => part(present, op, value, top, &sub, type_)?,
        (sub, Some((key, literal))) => {
            chosen(present, op, value, top, sub.as_deref(), (key, literal), type_)?
        }
    };
    match after {
        None if top.required() && !removes_nothing => return None,
        None => {}
        Some(after) => {
            place.insert(top.name(), after);
        }
    }
    // An extension without data is absent.
    let is_empty = place.is_empty();
    if let (Owner::Extension(id), true) = (owner, is_empty) {
        resource.remove(type_.extension(id).uri().as_str());
    }
    Some(())
}

/// The lists within a value stand as in any body: simple values once.
fn clean(mut value: Value, sub: Option<&str>, top: &AttributeDef, type_: &CompiledType) -> Value {
    if let Some(id) = sub.and_then(|sub| type_.find_sub(top.id(), sub)) {
        if let Value::Array(list) = &mut value {
            dedupe(list, type_.attribute(id), type_);
        }
        return value;
    }
    let elements = match &mut value {
        Value::Array(elements) if top.is_complex() => elements.as_mut_slice(),
        single => std::slice::from_mut(single),
    };
    for element in elements.iter_mut().filter_map(Value::as_object_mut) {
        for (name, value) in element.iter_mut() {
            let Some(id) = type_.find_sub(top.id(), name) else { continue };
            if let Value::Array(list) = value {
                dedupe(list, type_.attribute(id), type_);
            }
        }
    }
    value
}

fn whole(
    present: Option<Value>,
    op: &str,
    value: Option<Value>,
    top: &AttributeDef,
    type_: &CompiledType,
) -> Option<Option<Value>> {
    if op == "remove" {
        return removed(present, value, top, type_);
    }
    let value = value?;
    if top.multi_valued() {
        let mut list = elements(Some(value));
        if op == "add" {
            let new = std::mem::replace(&mut list, elements(present));
            join(&mut list, new, top, type_);
        } else {
            dedupe(&mut list, top, type_);
            let all: Vec<usize> = (0..list.len()).collect();
            settle(&mut list, &all);
        }
        return Some(Some(Value::Array(list)));
    }
    match (present, value) {
        (Some(Value::Object(mut there)), Value::Object(new)) => {
            set_subs(&mut there, op, new, top, type_);
            Some(Some(Value::Object(there)))
        }
        (_, value) => Some(Some(value)),
    }
}

fn part(
    present: Option<Value>,
    op: &str,
    value: Option<Value>,
    top: &AttributeDef,
    sub: &str,
    type_: &CompiledType,
) -> Option<Option<Value>> {
    let mut list = elements(present);
    let required = type_.attribute(type_.find_sub(top.id(), sub).expect("a sub-attribute")).required();
    if list.is_empty() && op != "remove" {
        list.push(Value::Object(Object::new()));
    }
    if op == "remove" && value.is_none() && required {
        return None;
    }
    let all: Vec<usize> = (0..list.len()).collect();
    set_in(&mut list, &all, op, value, top, sub, type_)?;
    Some(list_or_single(list, top))
}

fn chosen(
    present: Option<Value>,
    op: &str,
    value: Option<Value>,
    top: &AttributeDef,
    sub: Option<&str>,
    (key, literal): (&str, &str),
    type_: &CompiledType,
) -> Option<Option<Value>> {
    let literal: Value = literal.parse().expect("a JSON literal");
    let rule = type_.attribute(type_.find_sub(top.id(), key).expect("a sub-attribute")).string_rule();
    let fits = |element: &Value| {
        let found = element.as_object().and_then(|element| element.get_str(key));
        found.map(|text| rule.key(text)) == literal.as_str().map(|text| rule.key(text))
    };
    let mut list = elements(present);
    let matches: Vec<usize> = (0..list.len()).filter(|at| fits(&list[*at])).collect();
    match (sub, value) {
        (None, _) => list.retain(|element| !fits(element)),
        (Some(sub), value) if matches.is_empty() => {
            let mut made = Object::new();
            made.insert(key, literal);
            made.insert(sub, value?);
            join(&mut list, vec![Value::Object(made)], top, type_);
        }
        (Some(sub), value) => set_in(&mut list, &matches, op, value, top, sub, type_)?,
    }
    Some(list_or_single(list, top))
}

fn set_in(
    list: &mut Vec<Value>,
    places: &[usize],
    op: &str,
    value: Option<Value>,
    top: &AttributeDef,
    sub: &str,
    type_: &CompiledType,
) -> Option<()> {
    for at in places {
        let Value::Object(element) = &mut list[*at] else { return None };
        match &value {
            value if op == "remove" => {
                let Some(there) = element.remove(sub) else { continue };
                let def = type_.attribute(type_.find_sub(top.id(), sub).expect("a sub-attribute"));
                match removed(Some(there), value.clone(), def, type_)? {
                    Some(left) => drop(element.insert(sub, left)),
                    None => forget_reference(element, sub, top, type_),
                }
            }
            None => return None,
            Some(value) => {
                let new = Object::from_iter([(sub, value.clone())]);
                set_subs(element, op, new, top, type_);
            }
        }
    }
    settle(list, places);
    list.retain(|element| !element.as_object().is_some_and(Object::is_empty));
    dedupe(list, top, type_);
    let whole = list.iter().filter_map(Value::as_object).all(|element| {
        type_.sub_attributes(top.id()).iter().all(|sub| !sub.required() || element.contains(sub.name()))
    });
    whole.then_some(())
}

/// What a `remove` leaves of an attribute: nothing, or, if it has a value, what that does not list.
fn removed(
    present: Option<Value>,
    listed: Option<Value>,
    def: &AttributeDef,
    type_: &CompiledType,
) -> Option<Option<Value>> {
    let Some(listed) = listed else { return (!def.required()).then_some(None) };
    if def.is_never_returned() {
        return Some(present);
    }
    let listed = elements(Some(listed));
    let is_absent = present.is_none();
    let left = match present {
        Some(Value::Array(mut values)) => {
            values.retain(|value| !is_listed(value, &listed, def, type_));
            (!values.is_empty()).then_some(Value::Array(values))
        }
        Some(Value::Object(mut parts)) => {
            let mut lacks = false;
            for (name, listed) in listed.iter().filter_map(Value::as_object).flat_map(Object::iter) {
                let sub = type_.attribute(type_.find_sub(def.id(), name).expect("a sub-attribute"));
                let Some(part) = parts.remove(name) else { continue };
                let left = match part {
                    Value::Array(mut values) => {
                        values.retain(|value| !is_listed(value, &elements(Some(listed.clone())), sub, type_));
                        (!values.is_empty()).then_some(Value::Array(values))
                    }
                    single if same(&single, listed, sub, type_) => None,
                    single => Some(single),
                };
                match left {
                    Some(left) => drop(parts.insert(name, left)),
                    None => {
                        lacks |= sub.required();
                        forget_reference(&mut parts, name, def, type_);
                    }
                }
            }
            if lacks && !parts.is_empty() {
                return None;
            }
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
        single => single.filter(|single| !is_listed(single, &listed, def, type_)),
    };
    (left.is_some() || is_absent || !def.required()).then_some(left)
}

/// A listed complex value names every value that has all it says.
fn is_listed(value: &Value, listed: &[Value], def: &AttributeDef, type_: &CompiledType) -> bool {
    listed.iter().any(|listed| match (listed, value) {
        (Value::Object(listed), Value::Object(value)) => {
            !listed.is_empty()
                && listed.iter().all(|(name, expected)| {
                    let rule = type_.find_sub(def.id(), name).map(|id| type_.attribute(id).string_rule());
                    match (value.get(name), expected, rule) {
                        (Some(Value::String(found)), Value::String(expected), Some(rule)) => {
                            rule.key(found) == rule.key(expected)
                        }
                        (found, expected, _) => found == Some(expected),
                    }
                })
        }
        (listed, value) => same(listed, value, def, type_),
    })
}

fn set_subs(there: &mut Object, op: &str, new: Object, top: &AttributeDef, type_: &CompiledType) {
    let new_reference = new.get("$ref").cloned();
    for (name, value) in new {
        let sub = type_.attribute(type_.find_sub(top.id(), &name).expect("a sub-attribute"));
        let before = there.get(&name).cloned();
        let reference = new_reference.clone();
        if sub.multi_valued() && op == "add" {
            let mut list = elements(there.remove(&name));
            join(&mut list, elements(Some(value)), sub, type_);
            there.insert(&*name, Value::Array(list));
        } else if sub.multi_valued() {
            let mut list = elements(Some(value));
            dedupe(&mut list, sub, type_);
            there.insert(&*name, Value::Array(list));
        } else {
            there.insert(&*name, value);
        }
        if there.get(&name) != before.as_ref() {
            forget_reference(there, &name, top, type_);
        }
        if let Some(reference) = reference {
            there.insert("$ref", reference);
        }
    }
}

/// Removes the `$ref`, which belongs to the old `value`.
fn forget_reference(there: &mut Object, sub: &str, top: &AttributeDef, type_: &CompiledType) {
    if sub == "value" && type_.find_sub(top.id(), "$ref").is_some() {
        there.remove("$ref");
    }
}

/// Appends what is not there yet; the first new primary value takes over.
fn join(list: &mut Vec<Value>, new: Vec<Value>, def: &AttributeDef, type_: &CompiledType) {
    let mut written = Vec::new();
    let before = list.len();
    for value in new {
        let place = match once(&value, def, type_) {
            true => list.iter().position(|there| same(there, &value, def, type_)),
            false => {
                let among = &list[..before];
                let equal = among.iter().position(|there| *there == value);
                equal.or_else(|| among.iter().position(|there| same(there, &value, def, type_)))
            }
        };
        let Some(at) = place else {
            list.push(value);
            written.push(list.len() - 1);
            continue;
        };
        if let (Value::Object(there), Value::Object(value)) = (&mut list[at], value) {
            if value.get("primary") == Some(&Value::Bool(true)) {
                written.push(at);
            }
            let known = |name: &str| name.eq_ignore_ascii_case("value") || name.eq_ignore_ascii_case("type");
            let new = value.into_iter().filter(|(name, _)| !known(name)).collect();
            set_subs(there, "add", new, def, type_);
        }
    }
    settle(list, &written);
}

/// Keeps the first of those that are the same, and lets it be primary if one of them was.
fn dedupe(list: &mut Vec<Value>, def: &AttributeDef, type_: &CompiledType) {
    let mut kept: Vec<Value> = Vec::new();
    for value in std::mem::take(list) {
        match kept.iter_mut().find(|there| once(&value, def, type_) && same(there, &value, def, type_)) {
            None => kept.push(value),
            Some(Value::Object(there)) if value.as_object().is_some_and(primary) => {
                there.insert("primary", true);
            }
            Some(_) => {}
        }
    }
    *list = kept;
}

fn same(a: &Value, b: &Value, def: &AttributeDef, type_: &CompiledType) -> bool {
    let key = |value: &Value, name: &str| {
        let rule = type_.find_sub(def.id(), name).map(|id| type_.attribute(id).string_rule());
        let text = value.as_object().and_then(|value| value.get_str(name)).unwrap_or_default();
        rule.map(|rule| rule.key(text).into_owned())
    };
    let has = |value: &Value, name| value.as_object().is_some_and(|value| value.contains(name));
    let paired = key(&Value::Null, "value").is_some() && key(&Value::Null, "type").is_some();
    let instant = |text: &str| text.parse::<Instant>().ok();
    match (a, b) {
        (Value::String(a), Value::String(b)) if def.attribute_type() == AttributeType::DateTime => {
            a == b || (instant(a).is_some() && instant(a) == instant(b))
        }
        (Value::String(a), Value::String(b)) => def.string_rule().key(a) == def.string_rule().key(b),
        _ if paired && has(a, "value") && has(b, "value") => {
            key(a, "value") == key(b, "value") && key(a, "type") == key(b, "type")
        }
        _ if paired && has(a, "value") != has(b, "value") => false,
        _ => without_primary(a) == without_primary(b),
    }
}

/// A list holds each pair of `value` and `type`, and each simple value, once.
fn once(value: &Value, def: &AttributeDef, type_: &CompiledType) -> bool {
    let has = |name| type_.find_sub(def.id(), name).is_some();
    match value {
        Value::Object(object) => has("value") && has("type") && object.contains("value"),
        _ => true,
    }
}

fn primary(value: &Object) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

fn settle(list: &mut [Value], written: &[usize]) {
    let primary = |value: &Value| value.as_object().is_some_and(primary);
    let Some(winner) = written.iter().copied().find(|at| primary(&list[*at])) else { return };
    for (at, value) in list.iter_mut().enumerate() {
        if at != winner && primary(value) {
            value.as_object_mut().expect("an object").insert("primary", false);
        }
    }
}

fn without_primary(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(object) = &mut value {
        object.remove("primary");
    }
    value
}

fn elements(value: Option<Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(single) => vec![single],
    }
}

fn list_or_single(list: Vec<Value>, top: &AttributeDef) -> Option<Value> {
    if top.multi_valued() {
        (!list.is_empty()).then_some(Value::Array(list))
    } else {
        list.into_iter().next()
    }
}
