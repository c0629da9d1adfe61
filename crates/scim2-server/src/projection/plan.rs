use scim2_core::schema::Returned;
use scim2_core::validate::log_path;
use scim2_core::{
    AttributeDef, AttributeId, Compat, CompiledType, ExtensionId, Object, Owner, Quirk, ScimType, Value,
};
use scim2_filter::{AttrPath, ResolveErrorKind, Resolver, Target};
use scim2_protocol::{Detail, ErrorResponse, Projection};

use super::foreign;
use crate::context::Context;
use crate::store::Include;

/// The attributes of a resource type that a response holds, computed once per request.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Whether each attribute is shown; `None` if the body is answered as it is stored.
    keep: Option<Box<[bool]>>,
    include: Include,
    leniencies: Vec<Quirk>,
}

impl Plan {
    /// The plan for a request; `written` are the attributes and sub-attributes it sets, which a response to a write
    /// shows even if they are returned on request only (C-7-12).
    pub(crate) fn new(
        type_: &CompiledType,
        projection: &Projection,
        written: &[&[AttributeId]],
        compat: Compat,
    ) -> Self {
        let mut leniencies = Vec::new();
        let mut named = |paths: &[AttrPath]| -> Vec<AttributeId> {
            let resolver = Resolver::new(type_, compat);
            paths.iter().flat_map(|path| resolve(&resolver, path, &mut leniencies)).collect()
        };
        let plan = match projection {
            Projection::Default => Self::default_set(type_, &[], written),
            Projection::ExcludedAttributes(paths) => Self::default_set(type_, &named(paths), written),
            Projection::Attributes(paths) => Self::named(type_, &named(paths)),
        };
        Self { leniencies, ..plan }
    }

    /// The quirks that were needed to resolve the names in the request.
    pub(crate) fn leniencies(&self) -> &[Quirk] {
        &self.leniencies
    }

    /// The parts that the store must return beyond the body.
    pub(crate) fn include(&self) -> Include {
        self.include
    }

    /// Says whether the stored text can be answered without being read.
    pub(crate) fn copies(&self) -> bool {
        self.keep.is_none()
    }

    /// Says whether the answer shows the names of members.
    pub(crate) fn names_members(&self, type_: &CompiledType) -> bool {
        let display = type_.members().and_then(|members| type_.find_sub(members, "display"));
        let kept = |id: AttributeId| match &self.keep {
            None => true,
            Some(keep) => keep.get(id.index()).copied().unwrap_or_default(),
        };
        self.include.members && display.is_some_and(kept)
    }

    fn default_set(type_: &CompiledType, excluded: &[AttributeId], written: &[&[AttributeId]]) -> Self {
        let by_default = |id: AttributeId| {
            let def = type_.attribute(id);
            match def.returned() {
                Returned::Always => true,
                Returned::Never => false,
                Returned::Default => !excluded.contains(&id),
                Returned::Request => {
                    written.iter().any(|written| written.contains(&id)) && !excluded.contains(&id)
                }
            }
        };
        // Members and groups are added to the stored text, so leaving them out needs no parsing. That keeps
        // large groups fast.
        let spliced = |id: &AttributeId| {
            Some(*id) == type_.members()
                || Some(*id) == type_.groups()
                || type_.attribute(*id).returned() == Returned::Always
        };
        let include = Include {
            members: type_.members().is_some_and(by_default),
            groups: type_.groups().is_some_and(by_default),
            never_returned: false,
        };
        if !type_.has_returned_request() && excluded.iter().all(spliced) {
            return Self { keep: None, include, leniencies: Vec::new() };
        }
        let keep = type_.attributes().iter().map(|def| {
            let whole = by_default(def.id());
            // A sub-attribute that is returned `always` is shown only if its parent is.
            whole && def.parent().is_none_or(by_default)
        });
        Self { keep: Some(keep.collect()), include, leniencies: Vec::new() }
    }

    fn named(type_: &CompiledType, named: &[AttributeId]) -> Self {
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
        for id in named.iter().copied().filter(|id| shown(*id)) {
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
        // A complex attribute that is returned `always` is shown whole.
        for def in type_.attributes() {
            if let Some(parent) = def.parent().map(|parent| type_.attribute(parent))
                && parent.returned() == Returned::Always
                && matches!(def.returned(), Returned::Always | Returned::Default)
            {
                set(def.id());
            }
        }
        let kept = |id: Option<AttributeId>| id.is_some_and(|id| keep.get(id.index()) == Some(&true));
        let include =
            Include { members: kept(type_.members()), groups: kept(type_.groups()), never_returned: false };
        Self { keep: Some(keep), include, leniencies: Vec::new() }
    }

    /// Removes from a representation what the response does not hold. An attribute that no schema knows stays
    /// only if the stored text is copied; an extension that no schema knows is always removed. The rest of an
    /// extension is placed where the client put it.
    pub(crate) fn cut(&self, type_: &CompiledType, object: &mut Object) {
        let nesting = object.remove(CompiledType::NESTING);
        foreign::cut(type_, object);
        self.cut_attributes(type_, object);
        if let Some(nesting) = nesting {
            object.insert(CompiledType::NESTING, nesting);
            type_.nest_extensions(object);
        }
    }

    fn cut_attributes(&self, type_: &CompiledType, object: &mut Object) {
        let Some(keep) = &self.keep else { return };
        let kept = |id: AttributeId| keep.get(id.index()).copied().unwrap_or_default();
        object.retain(|name, value| {
            if let Some(extension) = type_.find_extension(name) {
                return cut_extension(type_, extension, value, &kept);
            }
            type_.find(None, name, None).is_some_and(|id| cut_attribute(type_, id, value, &kept))
        });
    }

    /// Cuts one member of a group; `false` if nothing is left of it.
    pub(crate) fn cut_member(&self, type_: &CompiledType, member: &mut Value) -> bool {
        let (Some(keep), Some(members)) = (&self.keep, type_.members()) else { return true };
        cut_attribute(type_, members, member, &|id| keep.get(id.index()).copied().unwrap_or_default())
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

/// Resolves a name in `attributes` or `excludedAttributes` as in a filter or a PATCH path: an attribute, all
/// attributes of a schema, or, if the type does not know it, nothing.
fn resolve(resolver: &Resolver<'_>, path: &AttrPath, took: &mut Vec<Quirk>) -> Vec<AttributeId> {
    let type_ = resolver.resource_type();
    let Ok((target, quirks)) = resolver.attribute_reporting(path) else { return Vec::new() };
    took.extend(quirks);
    let owner = match target {
        Target::Attribute(id) => return vec![id],
        Target::Resource => Owner::Core,
        Target::Extension(id) => Owner::Extension(id),
    };
    type_.top_level(owner).map(AttributeDef::id).collect()
}

/// Checks the names in `attributes` and `excludedAttributes` before anything is done. A name that the
/// resource type does not know is ignored; the log says so, except for queries over `many` types.
///
/// # Errors
/// If a name is ambiguous: otherwise the answer would silently lack what the client wants to see.
pub(crate) fn check(
    cx: &Context,
    type_: &CompiledType,
    projection: &Projection,
    compat: Compat,
    many: bool,
) -> Result<(), ErrorResponse> {
    let (parameter, paths) = match projection {
        Projection::Default => return Ok(()),
        Projection::Attributes(paths) => ("attributes", paths),
        Projection::ExcludedAttributes(paths) => ("excludedAttributes", paths),
    };
    let resolver = Resolver::new(type_, compat);
    for path in paths {
        let Err(error) = resolver.attribute(path) else { continue };
        if error.kind() == ResolveErrorKind::Ambiguous {
            let detail = Detail::of_names(format!("`{parameter}`: {error}"));
            return Err(ErrorResponse::of_scim_type(ScimType::InvalidValue, detail));
        }
        if !many {
            let name = format!("{parameter}={}", log_path(error.subject()));
            cx.notes.left_out("unknown name", type_.name(), &name);
        }
    }
    Ok(())
}
