//! The operations that turn one resource into another.

use scim2_core::schema::Mutability;
use scim2_core::{AttributeDef, CompiledType, ExtensionId, Object, Owner, Value};
use scim2_filter::PatchPath;

use crate::patch_op::{Op, PatchOp};

mod lists;

/// What a service provider understands of PATCH, for [`diff`](fn@diff).
///
/// ```
/// use scim2_patch::DiffOptions;
///
/// let mut options = DiffOptions::DEFAULT;
/// options.max_members = 10;
/// assert!(options.value_paths && !options.without_path);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffOptions {
    /// Whether values of multi-valued attributes may be addressed one by one, as in
    /// `emails[type eq "work"].value`. Otherwise one operation replaces the whole list. On by default.
    pub value_paths: bool,
    /// Whether sub-attributes may be addressed one by one, as in `name.givenName`. Otherwise one operation sets all
    /// sub-attributes, with `null` for those that should have no value. On by default.
    pub sub_attributes: bool,
    /// How many memberships one operation may hold. 100 by default; 0 counts as 1.
    pub max_members: usize,
    /// Whether all changes are in one `replace` without a path, as some service providers need it. It replaces whole
    /// lists. Memberships beyond [`max_members`](Self::max_members) follow in `add` operations without a path. Off by
    /// default.
    pub without_path: bool,
}

impl DiffOptions {
    /// What RFC 7644 asks of every service provider that supports PATCH.
    pub const DEFAULT: Self =
        Self { value_paths: true, sub_attributes: true, max_members: 100, without_path: false };
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The operations that turn `a` into `b`, both in canonical form.
///
/// Applied to `a` they give `b`, except for the order of memberships, which means nothing. There are
/// none if the two are equal. Lists are changed value by value if that takes fewer operations than the list has values;
/// otherwise one operation replaces the list. The values of a multi-valued sub-attribute within an element, such as
/// `grants[value eq "a"].scopes`, can only be added one by one: no path chooses one of them to remove it.
///
/// The operations never name a readOnly attribute, and no immutable attribute that both resources have: no PATCH can
/// change its value.
///
/// ```
/// use scim2_core::Registry;
/// use scim2_patch::{DiffOptions, PatchOp, diff};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("a standard type");
/// let a = serde_json::from_str(r#"{"userName":"ada","name":{"givenName":"Ada"},
///     "emails":[{"value":"ada@example.com","type":"work"}]}"#)?;
/// let b = serde_json::from_str(r#"{"userName":"ada","name":{"givenName":"Ada","familyName":"King"},
///     "emails":[{"value":"ada@example.com","type":"work","primary":true}]}"#)?;
///
/// let op = diff(&a, &b, user, &DiffOptions::DEFAULT);
/// let expected = PatchOp::new()
///     .add("name.familyName", "King")?
///     .add(r#"emails[value eq "ada@example.com" and type eq "work"].primary"#, true)?;
/// assert_eq!(op, expected);
/// assert!(diff(&b, &b, user, &DiffOptions::DEFAULT).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn diff(a: &Object, b: &Object, type_: &CompiledType, options: &DiffOptions) -> PatchOp {
    let going: Vec<ExtensionId> =
        type_.extensions().map(|(id, _)| id).filter(|id| goes_whole(*id, a, b, type_)).collect();
    let differing = type_.attributes().iter().filter(|def| {
        // `schemas` changes with the data of the extensions.
        let own = def.parent().is_none() && !(def.owner() == Owner::Common && def.name() == "schemas");
        let goes = matches!(def.owner(), Owner::Extension(id) if going.contains(&id));
        own && !goes && is_writable(def) && value(a, def, type_) != value(b, def, type_)
    });
    let going = going.iter().map(|id| type_.extension(*id).uri().as_str());
    if options.without_path {
        let mut object: Object = going.map(|uri| (uri, Value::Null)).collect();
        let mut rest = Vec::new();
        for def in differing {
            let place = match def.owner() {
                Owner::Common | Owner::Core => &mut object,
                Owner::Extension(id) => object.object_entry(type_.extension(id).uri().as_str()),
            };
            let mut whole = whole(value(a, def, type_), value(b, def, type_), def, type_);
            if type_.members() == Some(def.id()) {
                rest = lists::beyond(&mut whole, options.max_members);
            }
            place.insert(def.name(), whole);
        }
        if object.is_empty() {
            return PatchOp::new();
        }
        let members = type_.members().map(|id| type_.attribute(id).name()).unwrap_or_default();
        let rest = rest.into_iter().map(|chunk| (Op::Add, Object::from_iter([(members, chunk)])));
        let all = std::iter::once((Op::Replace, object)).chain(rest);
        return all.fold(PatchOp::new(), |op, (kind, value)| op.with(kind, None, Some(value.into())));
    }
    let mut ops = Ops::default();
    for uri in going {
        ops.push(Op::Remove, uri, None);
    }
    for def in differing {
        ops.attribute(value(a, def, type_), value(b, def, type_), def, type_, options);
    }
    ops.0.into_iter().fold(PatchOp::new(), |op, (kind, path, value)| op.with(kind, Some(path), value))
}

/// Says whether the whole extension must be removed, because an attribute that its schema requires is to be removed.
fn goes_whole(id: ExtensionId, a: &Object, b: &Object, type_: &CompiledType) -> bool {
    let has = |object, def| value(object, def, type_).is_some();
    let writable = || type_.top_level(Owner::Extension(id)).filter(|def| is_writable(def));
    !type_.extension(id).required()
        && writable().any(|def| def.required() && has(a, def))
        && !writable().any(|def| has(b, def))
}

fn is_writable(def: &AttributeDef) -> bool {
    def.mutability() != Mutability::ReadOnly
}

/// The operations so far. Methods return `None` if the grammar refuses a path, for example because it is too long.
#[derive(Debug, Default)]
struct Ops(Vec<(Op, PatchPath, Option<Value>)>);

impl Ops {
    fn push(&mut self, op: Op, path: &str, value: Option<Value>) -> Option<()> {
        self.0.push((op, path.parse().ok()?, value));
        Some(())
    }

    fn attribute(
        &mut self,
        a: Option<&Value>,
        b: Option<&Value>,
        def: &AttributeDef,
        type_: &CompiledType,
        options: &DiffOptions,
    ) -> Option<()> {
        let path = def.path();
        if type_.members() == Some(def.id()) {
            return self.members(a, b, def, options);
        }
        let (Some(there), Some(wanted)) = (a, b) else {
            return match b {
                Some(wanted) => self.push(Op::Add, path, Some(wanted.clone())),
                None => self.push(Op::Remove, path, None),
            };
        };
        if def.mutability() == Mutability::Immutable {
            return None;
        }
        if def.multi_valued() {
            if options.value_paths
                && let Some(ops) = lists::one_by_one(there, wanted, def, type_, options)
            {
                self.0.extend(ops.0);
                return Some(());
            }
        } else if options.sub_attributes
            && let (Value::Object(there), Value::Object(wanted)) = (there, wanted)
        {
            return self.sub_attributes(there, wanted, path, def, type_, options);
        }
        self.push(Op::Replace, path, Some(whole(a, b, def, type_)))
    }

    /// The differences between two complex values. `path` names the first one.
    fn sub_attributes(
        &mut self,
        there: &Object,
        wanted: &Object,
        path: &str,
        def: &AttributeDef,
        type_: &CompiledType,
        options: &DiffOptions,
    ) -> Option<()> {
        // A new `value` removes the `$ref`, so the `$ref` comes last and is always set again.
        let is_reference = |sub: &&AttributeDef| sub.name().eq_ignore_ascii_case("$ref");
        let (references, others): (Vec<_>, Vec<_>) =
            type_.sub_attributes(def.id()).iter().partition(is_reference);
        let moved = there.get("value") != wanted.get("value");
        for sub in others.into_iter().chain(references) {
            if !is_writable(sub) {
                continue;
            }
            let path = format!("{path}.{}", sub.name());
            let forgotten = moved && is_reference(&sub);
            let present = there.get(sub.name()).filter(|_| !forgotten);
            match (present, wanted.get(sub.name())) {
                (Some(Value::Array(present)), Some(Value::Array(new))) if present != new => {
                    let chosen = options.value_paths && !def.multi_valued();
                    match lists::sub_values(there, present, new, sub, &path, chosen, type_) {
                        Some(ops) => self.0.extend(ops.0),
                        None => self.push(Op::Replace, &path, Some(new.clone().into()))?,
                    }
                }
                (there, wanted) if there == wanted => {}
                (None, Some(wanted)) => self.push(Op::Add, &path, Some(wanted.clone()))?,
                (Some(_), None) => self.push(Op::Remove, &path, None)?,
                (_, wanted) => self.push(Op::Replace, &path, wanted.cloned())?,
            }
        }
        Some(())
    }
}

/// The value of a `replace`. For a complex attribute it holds all wanted sub-attributes, and `null` for those that should
/// have no value.
fn whole(a: Option<&Value>, b: Option<&Value>, def: &AttributeDef, type_: &CompiledType) -> Value {
    let mut whole = b.cloned().unwrap_or_default();
    if let (Some(Value::Object(there)), Value::Object(wanted)) = (a, &mut whole) {
        for sub in type_.sub_attributes(def.id()) {
            if !is_writable(sub) {
                wanted.remove(sub.name());
            } else if there.contains(sub.name()) && !wanted.contains(sub.name()) {
                wanted.insert(sub.name(), Value::Null);
            }
        }
    }
    whole
}

fn value<'o>(object: &'o Object, def: &AttributeDef, type_: &CompiledType) -> Option<&'o Value> {
    type_.get(object, def.id()).filter(|value| !value.is_unassigned())
}
