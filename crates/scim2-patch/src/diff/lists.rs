//! The differences between two lists of values.

use std::collections::HashMap;

use scim2_core::validate::ElementIndex;
use scim2_core::{AttributeDef, Compat, CompiledType, Object, Value};
use scim2_filter::Filter;

use super::{DiffOptions, Ops};
use crate::apply;
use crate::patch_op::{Op, PatchOp};

/// Up to this many values are searched one by one. For more a hash table is faster.
const MAX_LINEAR_SEARCH: usize = 32;

/// Longer lists of a sub-attribute are replaced whole, because each value is compared with each other one.
const MAX_SUB_VALUES: usize = 1000;

/// The operations that change a list value by value. `None` if there would be more operations than values, or if they
/// would not lead to the wanted list: a filter cannot name one value alone, or the order would differ.
pub(super) fn one_by_one(
    there: &Value,
    wanted: &Value,
    def: &AttributeDef,
    type_: &CompiledType,
    options: &DiffOptions,
) -> Option<Ops> {
    let (old, new) = (there.as_array()?, wanted.as_array()?);
    // To replace the list takes one operation with all its values.
    let most = new.len().max(2);
    let identity = type_.element_identity(def.id());
    let mut ops = Ops::default();
    let mut left: Vec<Option<&Value>> = new.iter().map(Some).collect();
    let index = (new.len() > MAX_LINEAR_SEARCH).then(|| ElementIndex::new(identity, new));
    for value in old {
        if ops.0.len() > most {
            return None;
        }
        let same = match &index {
            Some(index) => index.find(new, value),
            None => left.iter().position(|candidate| candidate.is_some_and(|it| identity.same(value, it))),
        };
        match same.and_then(|at| left.get_mut(at)?.take()) {
            Some(wanted) if wanted == value => {}
            Some(wanted) => {
                let path = format!("{}[{}]", def.path(), naming(value, def, type_)?);
                ops.sub_attributes(value.as_object()?, wanted.as_object()?, &path, def, type_, options)?;
            }
            None => {
                let path = format!("{}[{}]", def.path(), naming(value, def, type_)?);
                ops.push(Op::Remove, &path, None)?;
            }
        }
    }
    let new: Vec<Value> = left.into_iter().flatten().cloned().collect();
    if !new.is_empty() {
        ops.push(Op::Add, def.path(), Some(new.into()))?;
    }
    (ops.0.len() <= most && does(&ops, there, wanted, def, type_)).then_some(ops)
}

/// The operations that change the values of a multi-valued sub-attribute at `path`: an `add` of the new ones at the end,
/// and, if the path may choose values, a `remove` for each that goes. `None` if a `replace` of all values is smaller, or if
/// the operations would not lead to the wanted list, for example because of its order.
pub(super) fn sub_values(
    complex: &Object,
    there: &[Value],
    wanted: &[Value],
    sub: &AttributeDef,
    path: &str,
    may_choose: bool,
    type_: &CompiledType,
) -> Option<Ops> {
    if there.len().max(wanted.len()) > MAX_SUB_VALUES {
        return None;
    }
    let most = wanted.len().max(2) - 1;
    let mut ops = Ops::default();
    for value in there.iter().filter(|value| !wanted.contains(value)) {
        if !may_choose || ops.0.len() >= most {
            return None;
        }
        ops.push(Op::Remove, &format!("{path}[{}]", naming(value, sub, type_)?), None)?;
    }
    let new: Vec<Value> = wanted.iter().filter(|value| !there.contains(value)).cloned().collect();
    if !new.is_empty() {
        ops.push(Op::Add, path, Some(new.into()))?;
    }
    let parent = type_.attribute(sub.parent()?);
    let mut after = complex.clone();
    after.insert(sub.name(), wanted.to_vec());
    let (before, after) = if parent.multi_valued() {
        (vec![complex.clone()].into(), vec![after].into())
    } else {
        (Value::from(complex.clone()), Value::from(after))
    };
    (ops.0.len() <= most && does(&ops, &before, &after, parent, type_)).then_some(ops)
}

/// A filter that names a value by its `value` and `type`, or by all its sub-attributes if it has no `value`.
fn naming(value: &Value, def: &AttributeDef, type_: &CompiledType) -> Option<Filter> {
    let eq = |name: &str, value: &Value| {
        let term = Filter::attr(name).ok()?;
        match value {
            Value::String(text) => Some(term.eq(text.as_str())),
            Value::Bool(flag) => Some(term.eq(*flag)),
            Value::Number(number) => number.as_i64().map(|number| term.eq(number)),
            _ => None,
        }
    };
    let Value::Object(object) = value else { return eq("value", value) };
    let names: Vec<&str> = match object.contains("value") {
        true => vec!["value", "type"],
        false => type_.sub_attributes(def.id()).iter().map(AttributeDef::name).collect(),
    };
    let terms = names.into_iter().filter_map(|name| Some(eq(name, object.get(name)?)));
    terms.collect::<Option<Vec<_>>>()?.into_iter().map(Some).reduce(|all, term| all?.and(term?).ok())?
}

/// Says whether operations turn one attribute into the wanted value.
fn does(ops: &Ops, there: &Value, wanted: &Value, def: &AttributeDef, type_: &CompiledType) -> bool {
    let mut object = Object::new();
    let place = match def.owner() {
        scim2_core::Owner::Extension(id) => object.object_entry(type_.extension(id).uri().as_str()),
        _ => &mut object,
    };
    place.insert(def.name(), there.clone());
    let op = ops
        .0
        .iter()
        .fold(PatchOp::new(), |op, (kind, path, value)| op.with(*kind, Some(path.clone()), value.clone()));
    apply(&op, &mut object, type_, &Compat::default()).is_ok() && type_.get(&object, def.id()) == Some(wanted)
}

/// Splits off the memberships that do not fit into one operation, in chunks that do.
pub(super) fn beyond(members: &mut Value, max_members: usize) -> Vec<Value> {
    let most = max_members.max(1);
    match members {
        Value::Array(members) if members.len() > most => {
            let rest = members.split_off(most);
            rest.chunks(most).map(|chunk| Value::Array(chunk.to_vec())).collect()
        }
        _ => Vec::new(),
    }
}

impl Ops {
    /// The changes of memberships, which are a set: one `remove` for each member that leaves, then `add` operations for
    /// those that join. If that would take more memberships than the wanted list has, a `replace` of the list.
    pub(super) fn members(
        &mut self,
        a: Option<&Value>,
        b: Option<&Value>,
        def: &AttributeDef,
        options: &DiffOptions,
    ) -> Option<()> {
        let Some(wanted) = b.and_then(Value::as_array) else {
            return self.push(Op::Remove, def.path(), None);
        };
        let there = a.and_then(Value::as_array).unwrap_or_default();
        let mut op = if there.is_empty() { Op::Add } else { Op::Replace };
        let mut joining: Vec<&Value> = wanted.iter().collect();
        if options.value_paths
            && let Some((leave, join)) = leaving_and_joining(there, wanted)
            && leave.len() + join.len() <= wanted.len()
        {
            for id in leave {
                let filter = Filter::attr("value").ok()?.eq(id);
                self.push(Op::Remove, &format!("{}[{filter}]", def.path()), None)?;
            }
            (op, joining) = (Op::Add, join);
        }
        for chunk in joining.chunks(options.max_members.max(1)) {
            let chunk = chunk.iter().copied().cloned().collect::<Vec<_>>();
            self.push(std::mem::replace(&mut op, Op::Add), def.path(), Some(Value::Array(chunk)))?;
        }
        Some(())
    }
}

/// The members that leave and those that join. A member with another changed sub-attribute does both. `None` if a
/// membership has no `value`.
fn leaving_and_joining<'v>(
    there: &'v [Value],
    wanted: &'v [Value],
) -> Option<(Vec<&'v str>, Vec<&'v Value>)> {
    fn by_id(values: &[Value]) -> Option<HashMap<&str, &Value>> {
        values.iter().map(|value| Some((id(value)?, value))).collect()
    }
    let (old, new) = (by_id(there)?, by_id(wanted)?);
    let leave = there.iter().filter_map(id).filter(|id| old.get(id) != new.get(id)).collect();
    let join = wanted.iter().filter(|value| id(value).is_none_or(|id| old.get(id) != Some(value))).collect();
    Some((leave, join))
}

fn id(value: &Value) -> Option<&str> {
    value.as_object()?.get_str("value")
}
