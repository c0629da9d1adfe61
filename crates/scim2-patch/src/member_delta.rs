//! A PATCH of memberships as a delta: the members that join and leave, without the other members.

use std::collections::{HashMap, HashSet};

use scim2_core::validate::{Ignored, IgnoredReason};
use scim2_core::work::Work;
use scim2_core::{AttributeId, Compat, CompiledType, Object, Quirk, Value};
use scim2_filter::{AttrExp, CompValue, CompareOp, Filter};

use crate::context::{Context, Scope};
use crate::elements;
use crate::error::PatchErrorKind;
use crate::listed;
use crate::patch_op::{Op, Operation, PatchOp};
use crate::target::{Target, resolve};
use crate::values;

/// The change that a PATCH makes to the memberships of a group, computed without the group. If
/// [`replace_all`](Self::replace_all) is set, all members leave first. Then the members in [`remove`](Self::remove)
/// leave. Then the members in [`add`](Self::add) join, unless they are members already.
///
/// The result is the same as that of [`apply`](crate::apply), but no member is loaded, compared or rewritten: adding one
/// member is as fast in a group of a million as in a group of ten. The store finds out whether anything changed.
///
/// ```
/// use scim2_core::{Compat, Registry};
/// use scim2_patch::{MemberDelta, PatchOp};
///
/// let registry = Registry::standard();
/// let group = registry.resource_type("Group").expect("a standard type");
/// let op = PatchOp::new()
///     .add("members", serde_json::json!([{"value": "a"}, {"value": "b"}]))?
///     .remove(r#"members[value eq "a" or value eq "c"]"#)?
///     .replace("displayName", "Tour")?;
///
/// let (delta, rest) = MemberDelta::split(&op, group, &Compat::default()).expect("no form that needs the members");
/// assert_eq!(delta.add()[0].get_str("value"), Some("b"));
/// assert!(delta.remove().iter().map(|id| &**id).eq(["a", "c"]));
/// assert_eq!(rest.operations().len(), 1); // for `apply`, on the group without its members
/// # Ok::<(), scim2_patch::PatchError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberDelta {
    replace_all: bool,
    remove: Vec<Box<str>>,
    add: Vec<Object>,
    leniencies: Vec<Quirk>,
    ignored: Vec<Ignored>,
}

impl MemberDelta {
    /// The delta of a PATCH that touches nothing but the memberships of its resource. `None` if it
    /// touches anything else, or if [`split`](Self::split) gives `None`.
    #[must_use]
    pub fn of(op: &PatchOp, type_: &CompiledType, compat: &Compat) -> Option<Self> {
        Self::split(op, type_, compat).filter(|(_, rest)| rest.is_empty()).map(|(delta, _)| delta)
    }

    /// The delta of a PATCH, and its operations on other attributes. Both may be applied in any order.
    ///
    /// `None` if the type has no [memberships](CompiledType::members), if an operation must read them (a filter on
    /// something else than `value`, a sub-attribute), or if an operation is at fault. Then call
    /// [`apply`](crate::apply), which returns the error.
    #[must_use]
    pub fn split(op: &PatchOp, type_: &CompiledType, compat: &Compat) -> Option<(Self, PatchOp)> {
        let members = type_.members()?;
        // If members are required, only the group itself shows whether a member is left.
        if type_.attribute(members).required() {
            return None;
        }
        // The work is linear in the message, because no resource is read.
        let work = Work::unlimited();
        let mut builder = Builder::new(members, type_, compat, &work);
        op.leniencies().iter().for_each(|quirk| builder.cx.tolerate(*quirk));
        let mut rest = Vec::new();
        for operation in op.operations() {
            rest.extend(builder.operation(operation)?);
        }
        let skipped = std::mem::take(&mut builder.skipped);
        let understood = builder.cx.notes.understood;
        if understood {
            skipped.into_iter().for_each(|(operation, kind)| builder.skip(&operation, kind));
        } else if !skipped.is_empty() {
            // `apply` decides whether anything else is understood.
            rest.extend(skipped.into_iter().map(|(operation, _)| operation));
            rest.sort_by_key(Operation::number);
        }
        Some((builder.finish(), PatchOp::rest(rest, understood)))
    }

    /// Says whether all members leave first.
    #[must_use]
    pub fn replace_all(&self) -> bool {
        self.replace_all
    }

    /// The `value` of each membership that ends, each once. A member that is also in [`add`](Self::add) leaves and joins
    /// again.
    #[must_use]
    pub fn remove(&self) -> &[Box<str>] {
        &self.remove
    }

    /// The new memberships in canonical form. Each has its own `value`.
    #[must_use]
    pub fn add(&self) -> &[Object] {
        &self.add
    }

    /// Says whether the delta changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.replace_all && self.remove.is_empty() && self.add.is_empty()
    }

    /// The deviations of the client that were tolerated.
    #[must_use]
    pub fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }

    /// The ignored names, as in [`Applied::ignored`](crate::Applied::ignored).
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }
}

/// A delta that is being built. Each operation changes the result of the earlier ones.
struct Builder<'t> {
    cx: Context<'t>,
    members: AttributeId,
    replace_all: bool,
    remove: Vec<Box<str>>,
    removed: HashSet<Box<str>>,
    add: Vec<Option<Object>>,
    added: HashMap<Box<str>, usize>,
    /// The operations whose path holds an unknown name, each with its error.
    skipped: Vec<(Operation, PatchErrorKind)>,
}

impl<'t> Builder<'t> {
    fn new(members: AttributeId, type_: &'t CompiledType, compat: &'t Compat, work: &'t Work<'t>) -> Self {
        Self {
            cx: Context::new(type_, compat, work),
            members,
            replace_all: false,
            remove: Vec::new(),
            removed: HashSet::new(),
            add: Vec::new(),
            added: HashMap::new(),
            skipped: Vec::new(),
        }
    }

    fn finish(self) -> MemberDelta {
        MemberDelta {
            replace_all: self.replace_all,
            remove: self.remove,
            add: self.add.into_iter().flatten().collect(),
            leniencies: self.cx.notes.leniencies,
            ignored: self.cx.notes.ignored,
        }
    }

    /// Adds an operation to the delta and returns the part of it that is not about memberships. `None` if `apply` must
    /// read the group.
    fn operation(&mut self, operation: &Operation) -> Option<Option<Operation>> {
        let Some(path) = operation.path() else { return self.pathless(operation) };
        // A separate context, so that only `apply` notes the leniencies of operations on other attributes.
        let mut aside = Context::new(self.cx.type_, self.cx.compat, self.cx.work);
        let target = match resolve(path, &mut aside) {
            Ok(target) => target,
            Err(kind) if kind.is_unknown_name() && self.cx.compat.allows(Quirk::UnknownPath) => {
                self.skipped.push((operation.clone(), kind));
                return Some(None);
            }
            Err(_) => return None,
        };
        match target {
            Target::Attribute { top, filter, sub } if top == self.members => {
                if sub.is_some() || (filter.is_some() && self.cx.compat.is_profile()) {
                    return None;
                }
                aside.notes.leniencies.iter().for_each(|quirk| self.cx.tolerate(*quirk));
                let value = operation.value().cloned();
                let part = self.cx.begin_part();
                match (operation.op(), filter) {
                    (Op::Remove, Some(filter)) => {
                        let (listed, ids) = (self.listed(value)?, named_by(filter)?);
                        let pairs = listed.iter().flatten().map(values::cost).fold(0, u64::saturating_add);
                        self.cx.spend(pairs.saturating_mul(ids.len() as u64)).ok()?;
                        for id in ids {
                            if listed.as_deref().is_none_or(|listed| self.is_listed(id, listed)) {
                                self.leave(id);
                            }
                        }
                    }
                    (Op::Remove, None) if value == Some(Value::Null) => return None,
                    (Op::Remove, None) => self.remove(value)?,
                    (op, None) => self.assign(op, value?)?,
                    (_, Some(_)) => return None,
                }
                self.cx.end_part(&part);
                Some(None)
            }
            Target::SubValues { top, .. } if top == self.members => None,
            Target::Attribute { .. } | Target::SubValues { .. } | Target::Extension(_) => {
                Some(Some(operation.clone()))
            }
        }
    }

    fn pathless(&mut self, operation: &Operation) -> Option<Option<Operation>> {
        let Some(Value::Object(object)) = operation.value() else { return None };
        if operation.op() == Op::Remove || self.cx.compat.is_profile() {
            return None;
        }
        let name = self.cx.type_.attribute(self.members).name();
        let mut rest = Object::with_capacity(object.len());
        for (key, value) in object.iter() {
            if key.eq_ignore_ascii_case(name) {
                let part = self.cx.begin_part();
                self.assign(operation.op(), value.clone())?;
                self.cx.end_part(&part);
            } else if key.to_ascii_lowercase().contains(&name.to_ascii_lowercase())
                || (key.contains(':') && self.cx.type_.find_extension(key).is_none())
            {
                // It may be a path to members or an object that holds them. `apply` finds out.
                return None;
            } else if !key.eq_ignore_ascii_case("schemas") {
                rest.insert(key, value.clone());
            }
        }
        if rest.is_empty() {
            return Some(None);
        }
        Some(Some(Operation { value: Some(Value::Object(rest)), ..operation.clone() }))
    }

    fn assign(&mut self, op: Op, value: Value) -> Option<()> {
        let def = self.cx.type_.attribute(self.members);
        let value = values::unwrap_named(def, value, Scope::Whole, &mut self.cx).ok()?;
        let list = values::list(def, value, &mut self.cx).ok()?;
        elements::check_all(def, &list, self.cx.type_).ok()?;
        if op == Op::Replace {
            self.leave_all();
        }
        for member in list {
            let Value::Object(member) = member else { return None };
            let id: Box<str> = member.get_str("value")?.into();
            if !self.added.contains_key(&id) {
                self.added.insert(id, self.add.len());
                self.add.push(Some(member));
            }
        }
        Some(())
    }

    fn remove(&mut self, value: Option<Value>) -> Option<()> {
        let Some(listed) = self.listed(value)? else {
            self.leave_all();
            return Some(());
        };
        for member in listed {
            if let Some(id) = member.as_object().and_then(|member| member.get_str("value")) {
                self.leave(id);
            }
        }
        Some(())
    }

    /// The memberships that a `remove` lists. `None` if they are at fault: `apply` returns the error.
    fn listed(&mut self, value: Option<Value>) -> Option<Option<Vec<Value>>> {
        listed::read(self.cx.type_.attribute(self.members), value, &mut self.cx).ok()
    }

    /// Says whether a member is among the listed memberships.
    fn is_listed(&self, id: &str, listed: &[Value]) -> bool {
        let membership = Value::Object(Object::from_iter([("value", id)]));
        listed::holds(Some(listed), self.cx.type_.attribute(self.members), &membership, self.cx.type_)
    }

    /// Notes an operation that is skipped, as `apply` does.
    fn skip(&mut self, operation: &Operation, kind: PatchErrorKind) {
        self.cx.tolerate(Quirk::UnknownPath);
        let path = operation.path().map(ToString::to_string).unwrap_or_default();
        self.cx.ignore_unknown(&path, IgnoredReason::UnknownAttribute, kind);
    }

    fn leave(&mut self, id: &str) {
        if let Some(at) = self.added.remove(id)
            && let Some(member) = self.add.get_mut(at)
        {
            *member = None;
        }
        if !self.replace_all && self.removed.insert(id.into()) {
            self.remove.push(id.into());
        }
    }

    fn leave_all(&mut self) {
        self.replace_all = true;
        self.remove.clear();
        self.removed.clear();
        self.add.clear();
        self.added.clear();
    }
}

/// The members that a filter names one by one: `value eq "a" or value eq "b"`.
fn named_by(filter: &Filter) -> Option<Vec<&str>> {
    let terms = match filter {
        Filter::Or(operands) => operands,
        single => std::slice::from_ref(single),
    };
    terms
        .iter()
        .map(|term| match term {
            Filter::Attr(AttrExp::Compare { path, op: CompareOp::Eq, value })
                if path.as_str().eq_ignore_ascii_case("value") =>
            {
                match value {
                    CompValue::String(id) => Some(&**id),
                    CompValue::Word(id) => Some(id.as_str()),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect()
}
