use std::io::Write as _;

use chrono::{DateTime, Datelike, Timelike, Utc};
use scim2_core::{CompiledType, Object, Value, Version};

use super::{Plan, foreign};
use crate::context::Context;
use crate::references;
use crate::store::{Body, GroupMembership, Member, StoreError, StoredResource};

/// Appends a stored resource to a response, as its plan says.
///
/// A body that is stored as text and answered whole is copied without parsing, unless it refers to resources.
/// Members, groups and `meta` are written after its last attribute.
pub(crate) fn write_resource(
    out: &mut Vec<u8>,
    cx: &Context,
    stored: &StoredResource,
    plan: &Plan,
) -> Result<(), StoreError> {
    write_located(out, cx, stored, plan, &cx.location(&stored.resource_type, &stored.id))
}

/// The same, for a caller that already has the location.
pub(crate) fn write_located(
    out: &mut Vec<u8>,
    cx: &Context,
    stored: &StoredResource,
    plan: &Plan,
    location: &str,
) -> Result<(), StoreError> {
    let computes = match &stored.body {
        Body::Json(json) => references::may_be_in(&stored.resource_type, json),
        Body::Object(_) => !stored.resource_type.references().is_empty(),
    };
    if computes || !plan.copies() || foreign::may_be_in(&stored.resource_type, &stored.body) {
        let mut object = representation(cx, stored)?;
        plan.cut(&stored.resource_type, &mut object);
        return serde_json::to_writer(out, &object).map_err(StoreError::internal);
    }
    match &stored.body {
        Body::Json(json) => {
            let Some(json) = json.strip_suffix(b"}") else {
                return Err(StoreError::internal("a stored body does not end in a brace"));
            };
            out.extend_from_slice(json);
        }
        Body::Object(object) => {
            serde_json::to_writer(&mut *out, object).map_err(StoreError::internal)?;
            out.pop();
        }
    }
    let mut writer = Writer { out, cx };
    if plan.include().members {
        writer.members(&stored.resource_type, stored.members.as_deref().unwrap_or_default());
    }
    writer.rest(stored, plan, location);
    Ok(())
}

/// The text before and after the members of a group that is streamed. [`write_members`] writes the members.
/// Together they are the text that [`write_resource`] would write.
pub(crate) fn around_members(
    cx: &Context,
    stored: &StoredResource,
    plan: &Plan,
) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    let type_ = &*stored.resource_type;
    let Some(members) = type_.members().map(|id| type_.attribute(id).name()) else {
        return Err(StoreError::internal("the store answered members of a type that has none"));
    };
    let (mut before, mut after) = (Vec::with_capacity(1024), Vec::with_capacity(512));
    after.push(b']');
    match &stored.body {
        Body::Json(json)
            if plan.copies()
                && !references::may_be_in(type_, json)
                && !foreign::may_be_in(type_, &stored.body) =>
        {
            let Some(json) = json.strip_suffix(b"}") else {
                return Err(StoreError::internal("a stored body does not end in a brace"));
            };
            before.extend_from_slice(json);
            let location = cx.location(type_, &stored.id);
            Writer { out: &mut after, cx }.rest(stored, plan, &location);
        }
        _ => {
            let mut object = representation(cx, stored)?;
            plan.cut(type_, &mut object);
            let mut rest = Object::with_capacity(2);
            let groups = type_.groups().map(|id| type_.attribute(id).name());
            for name in groups.into_iter().chain(["meta"]) {
                if let Some(value) = object.remove(name) {
                    rest.insert(name, value);
                }
            }
            serde_json::to_writer(&mut before, &object).map_err(StoreError::internal)?;
            before.pop();
            let mut json = serde_json::to_vec(&rest).map_err(StoreError::internal)?;
            if let (false, Some(brace)) = (rest.is_empty(), json.first_mut()) {
                *brace = b',';
                after.append(&mut json);
            } else {
                after.push(b'}');
            }
        }
    }
    // Only `{` if no attribute comes before the members, which needs a type without `id`.
    if before.len() > 1 {
        before.push(b',');
    }
    Writer { out: &mut before, cx }.text(members);
    before.extend_from_slice(b":[");
    Ok((before, after))
}

/// Appends members. `any` says whether members were written before.
pub(crate) fn write_members(
    out: &mut Vec<u8>,
    cx: &Context,
    type_: &CompiledType,
    plan: &Plan,
    members: &[Member],
    any: &mut bool,
) -> Result<(), StoreError> {
    for member in members {
        let end = out.len();
        if *any {
            out.push(b',');
        }
        if plan.copies() {
            Writer { out, cx }.member(member);
        } else {
            let mut value = Value::from(member_value(cx, member, true));
            if !plan.cut_member(type_, &mut value) {
                out.truncate(end);
                continue;
            }
            serde_json::to_writer(&mut *out, &value).map_err(StoreError::internal)?;
        }
        *any = true;
    }
    Ok(())
}

/// A resource with everything that was read from the store, as filters and projections see it.
pub(crate) fn representation(cx: &Context, stored: &StoredResource) -> Result<Object, StoreError> {
    let type_ = &*stored.resource_type;
    let mut object = stored.attributes()?.into_owned();
    references::compute(cx, type_, &mut object);
    let name = |id| type_.attribute(id).name();
    if let (Some(id), Some(values)) = (type_.members(), members_value(cx, stored, true)) {
        object.insert(name(id), values);
    }
    if let (Some(id), Some(groups)) = (type_.groups(), &stored.groups)
        && !groups.is_empty()
    {
        let values: Vec<Object> = groups.iter().map(|group| group_value(cx, group)).collect();
        object.insert(name(id), values);
    }
    let mut meta = Object::with_capacity(5);
    meta.insert("resourceType", type_.name());
    meta.insert("created", instant(stored.created));
    meta.insert("lastModified", instant(stored.last_modified));
    meta.insert("location", cx.location(type_, &stored.id));
    meta.insert("version", stored.version.to_etag());
    object.insert("meta", meta);
    Ok(object)
}

/// The members that were read, with `$ref` or without. `None` if there are none.
pub(crate) fn members_value(cx: &Context, stored: &StoredResource, with_references: bool) -> Option<Value> {
    let members = stored.members.as_deref().filter(|members| !members.is_empty())?;
    let values: Vec<Object> =
        members.iter().map(|member| member_value(cx, member, with_references)).collect();
    Some(values.into())
}

fn member_value(cx: &Context, member: &Member, with_reference: bool) -> Object {
    let mut object = Object::with_capacity(4);
    object.insert("value", member.value.as_str());
    if with_reference && let Some(reference) = reference(cx, &member.resource_type, &member.value) {
        object.insert("$ref", reference);
    }
    object.insert("type", &*member.resource_type);
    if let Some(display) = &member.display {
        object.insert("display", &**display);
    }
    object
}

fn group_value(cx: &Context, group: &GroupMembership) -> Object {
    let mut object = Object::with_capacity(4);
    object.insert("value", group.value.as_str());
    if let Some(reference) = reference(cx, &group.resource_type, &group.value) {
        object.insert("$ref", reference);
    }
    if let Some(display) = &group.display {
        object.insert("display", &**display);
    }
    object.insert("type", membership(group));
    object
}

fn reference(cx: &Context, resource_type: &str, id: &scim2_core::ResourceId) -> Option<Value> {
    cx.registry.resource_type(resource_type).map(|type_| cx.location(type_, id).into())
}

fn membership(group: &GroupMembership) -> &'static str {
    if group.direct { "direct" } else { "indirect" }
}

fn instant(time: DateTime<Utc>) -> String {
    let mut text = Vec::with_capacity(24);
    write_instant(&mut text, time);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes `2011-08-08T04:56:22.123Z`. Every answer has two of these. The general formatter is several times
/// slower, so it is used only for years without four digits.
fn write_instant(out: &mut Vec<u8>, time: DateTime<Utc>) {
    let Ok(year @ 0..=9999) = u32::try_from(time.year()) else {
        // INVARIANT: writing to a `Vec` never fails.
        let _ = write!(out, "{}", time.format("%Y-%m-%dT%H:%M:%S%.3fZ"));
        return;
    };
    let digits = |out: &mut Vec<u8>, number: u32, places: u32| {
        for place in (0..places).rev() {
            // INVARIANT: a remainder of ten is one digit.
            out.push(b'0' + u8::try_from(number / 10_u32.pow(place) % 10).unwrap_or_default());
        }
    };
    digits(out, year, 4);
    for (separator, number) in [
        (b'-', time.month()),
        (b'-', time.day()),
        (b'T', time.hour()),
        (b':', time.minute()),
        (b':', time.second()),
    ] {
        out.push(separator);
        digits(out, number, 2);
    }
    out.push(b'.');
    // A leap second is written as the last millisecond of the second before it.
    digits(out, time.timestamp_subsec_millis().min(999), 3);
    out.push(b'Z');
}

/// Writes the entity tag of a version as JSON text.
fn write_version(out: &mut Vec<u8>, version: &Version) {
    // A version is printable ASCII without quotes; only a backslash would need care.
    if version.as_str().contains('\\') {
        // INVARIANT: a string is always JSON and writing to a `Vec` never fails.
        let _ = serde_json::to_writer(out, &version.to_etag());
    } else {
        out.extend_from_slice(b"\"W/\\\"");
        out.extend_from_slice(version.as_str().as_bytes());
        out.extend_from_slice(b"\\\"\"");
    }
}

/// Writes the computed attributes after the text of a body.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    cx: &'a Context,
}

impl Writer<'_> {
    fn members(&mut self, type_: &CompiledType, members: &[Member]) {
        let Some(id) = type_.members() else { return };
        for (at, member) in members.iter().enumerate() {
            self.element(type_.attribute(id).name(), at);
            self.member(member);
        }
        self.end(members.len());
    }

    fn member(&mut self, member: &Member) {
        self.raw("{\"value\":");
        self.text(member.value.as_str());
        self.reference(&member.resource_type, &member.value);
        self.raw(",\"type\":");
        self.text(&member.resource_type);
        if let Some(display) = &member.display {
            self.raw(",\"display\":");
            self.text(display);
        }
        self.raw("}");
    }

    /// Writes what follows the members, up to the end of the resource.
    fn rest(&mut self, stored: &StoredResource, plan: &Plan, location: &str) {
        if plan.include().groups {
            self.groups(&stored.resource_type, stored.groups.as_deref().unwrap_or_default());
        }
        self.meta(stored, location);
        self.raw("}");
    }

    fn groups(&mut self, type_: &CompiledType, groups: &[GroupMembership]) {
        let Some(id) = type_.groups() else { return };
        for (at, group) in groups.iter().enumerate() {
            self.element(type_.attribute(id).name(), at);
            self.raw("{\"value\":");
            self.text(group.value.as_str());
            self.reference(&group.resource_type, &group.value);
            if let Some(display) = &group.display {
                self.raw(",\"display\":");
                self.text(display);
            }
            self.raw(",\"type\":");
            self.text(membership(group));
            self.raw("}");
        }
        self.end(groups.len());
    }

    fn meta(&mut self, stored: &StoredResource, location: &str) {
        self.raw(",\"meta\":{\"resourceType\":");
        self.text(stored.resource_type.name());
        self.raw(",\"created\":\"");
        self.time(stored.created);
        self.raw("\",\"lastModified\":\"");
        self.time(stored.last_modified);
        self.raw("\",\"location\":");
        self.text(location);
        self.raw(",\"version\":");
        write_version(self.out, &stored.version);
        self.raw("}");
    }

    /// Writes the separator before an element of a list, or the beginning of the list.
    fn element(&mut self, name: &str, at: usize) {
        self.raw(",");
        if at == 0 {
            self.text(name);
            self.raw(":[");
        }
    }

    fn end(&mut self, elements: usize) {
        if elements > 0 {
            self.raw("]");
        }
    }

    fn reference(&mut self, resource_type: &str, id: &scim2_core::ResourceId) {
        if let Some(type_) = self.cx.registry.resource_type(resource_type) {
            self.raw(",\"$ref\":");
            self.location(type_.endpoint(), id);
        }
    }

    fn location(&mut self, endpoint: &str, id: &scim2_core::ResourceId) {
        let mut uri = String::with_capacity(self.cx.base_url.len() + endpoint.len() + 40);
        self.cx.write_location(&mut uri, endpoint, id.as_str());
        self.text(&uri);
    }

    fn time(&mut self, time: DateTime<Utc>) {
        write_instant(self.out, time);
    }

    fn text(&mut self, text: &str) {
        // INVARIANT: a string is always JSON and writing to a `Vec` never fails.
        let _ = serde_json::to_writer(&mut *self.out, text);
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_their_entity_tags() {
        for version in ["1", "3694e05e9dff590", "a\\b", "<&>"] {
            let version = Version::parse(version).expect("a version");
            let mut json = Vec::new();
            write_version(&mut json, &version);
            assert_eq!(serde_json::from_slice::<String>(&json).expect("JSON"), version.to_etag());
        }
    }

    #[test]
    fn instants_are_written_with_milliseconds() {
        for (text, expected) in [
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
            ("1999-12-31T23:59:59.999999999Z", "1999-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(instant(text.parse().expect("a time")), expected);
        }
        assert_eq!(instant(DateTime::<Utc>::MAX_UTC), "+262142-12-31T23:59:59.999Z");
    }
}
