use scim2_core::schema::Returned;
use scim2_core::{AttributeId, CompiledType, ExtensionId, Object, Owner, Value};
use scim2_filter::AttrPath;
use scim2_protocol::Projection;

use crate::store::Want;

/// What of a resource type's attributes a response holds, worked out once per request.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One answer for each attribute; `None` if the body is answered as it is stored.
    keep: Option<Box<[bool]>>,
    want: Want,
}

impl Plan {
    /// The plan for a request; `written` are the attributes it sets, which a response to a write
    /// shows even if they are returned on request only (C-7-12).
    pub(crate) fn new(type_: &CompiledType, projection: &Projection, written: &[AttributeId]) -> Self {
        match projection {
            Projection::Default => Self::default_set(type_, &[], written),
            Projection::ExcludedAttributes(paths) => {
                let excluded: Vec<AttributeId> = paths.iter().flat_map(|path| resolve(type_, path)).collect();
                Self::default_set(type_, &excluded, written)
            }
            Projection::Attributes(paths) => Self::named(type_, paths),
        }
    }

    /// What the store is asked for beyond the body.
    pub(crate) fn want(&self) -> Want {
        self.want
    }

    /// Says whether the stored text can be answered without being read.
    pub(crate) fn copies(&self) -> bool {
        self.keep.is_none()
    }

    fn default_set(type_: &CompiledType, excluded: &[AttributeId], written: &[AttributeId]) -> Self {
        let by_default = |id: AttributeId| {
            let def = type_.attribute(id);
            match def.returned() {
                Returned::Always => true,
                Returned::Never => false,
                Returned::Default => !excluded.contains(&id),
                Returned::Request => written.contains(&id) && !excluded.contains(&id),
            }
        };
        // What is spliced in need not be cut out: large groups live from that.
        let spliced = |id: &AttributeId| {
            Some(*id) == type_.members()
                || Some(*id) == type_.groups()
                || type_.attribute(*id).returned() == Returned::Always
        };
        let want = Want {
            members: type_.members().is_some_and(by_default),
            groups: type_.groups().is_some_and(by_default),
            hidden: false,
        };
        if !type_.has_returned_request() && excluded.iter().all(spliced) {
            return Self { keep: None, want };
        }
        let keep = type_.attributes().iter().map(|def| {
            let whole = by_default(def.id());
            // A sub-attribute that is returned always needs its parent, but does not bring it.
            whole && def.parent().is_none_or(by_default)
        });
        Self { keep: Some(keep.collect()), want }
    }

    fn named(type_: &CompiledType, paths: &[AttrPath]) -> Self {
        let mut keep: Box<[bool]> = type_
            .attributes()
            .iter()
            .map(|def| def.parent().is_none() && def.returned() == Returned::Always)
            .collect();
        let mut set = |id: AttributeId| {
            if let Some(keep) = keep.get_mut(id.index()) {
                *keep = true;
            }
        };
        let shown = |id: AttributeId| type_.attribute(id).returned() != Returned::Never;
        let with_always = |parent: AttributeId, set: &mut dyn FnMut(AttributeId)| {
            type_
                .sub_attributes(parent)
                .iter()
                .filter(|sub| sub.returned() == Returned::Always)
                .for_each(|sub| set(sub.id()));
        };
        for id in paths.iter().flat_map(|path| resolve(type_, path)).filter(|id| shown(*id)) {
            set(id);
            match type_.attribute(id).parent() {
                Some(parent) => {
                    set(parent);
                    with_always(parent, &mut set);
                }
                None => {
                    for sub in type_.sub_attributes(id) {
                        if matches!(sub.returned(), Returned::Always | Returned::Default) {
                            set(sub.id());
                        }
                    }
                }
            }
        }
        // A complex attribute that is returned always comes whole.
        for def in type_.attributes() {
            if let Some(parent) = def.parent().map(|parent| type_.attribute(parent))
                && parent.returned() == Returned::Always
                && matches!(def.returned(), Returned::Always | Returned::Default)
            {
                set(def.id());
            }
        }
        let kept = |id: Option<AttributeId>| id.is_some_and(|id| keep.get(id.index()) == Some(&true));
        let want = Want { members: kept(type_.members()), groups: kept(type_.groups()), hidden: false };
        Self { keep: Some(keep), want }
    }

    /// Cuts out of a representation what the response does not hold. What no schema knows stays
    /// only in an answer that copies.
    pub(crate) fn cut(&self, type_: &CompiledType, object: &mut Object) {
        let Some(keep) = &self.keep else { return };
        let kept = |id: AttributeId| keep.get(id.index()).copied().unwrap_or_default();
        object.retain(|name, value| {
            if let Some(extension) = type_.find_extension(name) {
                return cut_extension(type_, extension, value, &kept);
            }
            type_.find(None, name, None).is_some_and(|id| cut_attribute(type_, id, value, &kept))
        });
    }
}

fn cut_extension(
    type_: &CompiledType,
    extension: ExtensionId,
    value: &mut Value,
    kept: &impl Fn(AttributeId) -> bool,
) -> bool {
    let Some(object) = value.as_object_mut() else { return false };
    object.retain(|name, value| {
        type_
            .find_in(Owner::Extension(extension), name)
            .is_some_and(|id| cut_attribute(type_, id, value, kept))
    });
    !object.is_empty()
}

fn cut_attribute(
    type_: &CompiledType,
    id: AttributeId,
    value: &mut Value,
    kept: &impl Fn(AttributeId) -> bool,
) -> bool {
    if !kept(id) {
        return false;
    }
    if !type_.attribute(id).is_complex() {
        return true;
    }
    let cut = |value: &mut Value| match value {
        Value::Object(object) => {
            object.retain(|name, _| type_.find_sub(id, name).is_some_and(kept));
            !object.is_empty()
        }
        _ => true,
    };
    match value {
        Value::Array(values) => {
            values.retain_mut(cut);
            !values.is_empty()
        }
        value => cut(value),
    }
}

/// What a name in `attributes` or `excludedAttributes` stands for: an attribute, all attributes
/// of a schema, or, if the type does not know it, nothing.
fn resolve(type_: &CompiledType, path: &AttrPath) -> Vec<AttributeId> {
    let Some((extension, rest)) = type_.split_schema(path.as_str()) else {
        if path.schema().is_some() {
            return Vec::new();
        }
        return type_.find(None, path.name(), path.sub_attribute()).into_iter().collect();
    };
    let owner = extension.map_or(Owner::Core, Owner::Extension);
    let Some(rest) = rest.get(1..) else {
        return type_.top_level(owner).map(scim2_core::AttributeDef::id).collect();
    };
    let (name, sub) = match rest.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (rest, None),
    };
    let found = match extension {
        None => type_.find(None, name, None),
        Some(_) => type_.find_in(owner, name),
    };
    let found = found.and_then(|id| sub.map_or(Some(id), |sub| type_.find_sub(id, sub)));
    found.into_iter().collect()
}
