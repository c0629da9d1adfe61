//! A line of a file as a resource to be loaded.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use scim2_core::compare::Instant;
use scim2_core::json::{JsonError, JsonReader};
use scim2_core::validate::{Ignored, IgnoredReason, Purpose};
use scim2_core::{Compat, CompiledType, Object, Registry, ResourceId, Value, Version};
use scim2_server::ingest::{ClearPassword, Ingest, Ingested, MemberInput, longest_string, with_id};
use scim2_server::store::Member;
use scim2_server::{IdSource as _, UuidSource};
use scim2_store::{Load, LoadResource};

use super::list::{self, Listed};
use crate::commands::never_returned::NEVER_RETURNED;

/// The schema of a line that adds members to a group of an earlier line.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// What a line is read with.
pub(super) struct LineReader {
    registry: Arc<Registry>,
    compat: Compat,
    json: JsonReader,
    /// The most bytes of a resource without its members.
    max_body: usize,
    /// The type of lines that do not say it.
    fallback: Option<Arc<CompiledType>>,
    pages: Pages,
}

/// How many resources there were in lists, and how many there are according to the lists.
#[derive(Default)]
struct Pages {
    listed: AtomicU64,
    total: AtomicU64,
}

/// A line that was understood.
pub(super) struct Line {
    pub(super) load: Load,
    /// The attributes that were left out.
    pub(super) unknown: Vec<Ignored>,
}

impl LineReader {
    pub(super) fn new(
        registry: Arc<Registry>,
        compat: Compat,
        json: JsonReader,
        max_body: usize,
        fallback: Option<Arc<CompiledType>>,
    ) -> Self {
        Self { registry, compat, json, max_body, fallback, pages: Pages::default() }
    }

    /// Says if lists were read that are only some pages of a longer one.
    pub(super) fn missing_pages(&self) -> Option<String> {
        let Pages { listed, total } = &self.pages;
        let (listed, total) = (listed.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        (listed < total).then(|| {
            format!(
                "the list has {listed} of {total} resources: the others are on pages that are not in the file"
            )
        })
    }

    /// Reads a line: a resource, or a list of them as a server answers it. The reason why one cannot be loaded holds
    /// no value of it.
    pub(super) fn read(&self, text: &[u8]) -> Vec<Result<Line, String>> {
        let object = match self.json.object(text) {
            Ok(object) => object,
            Err(error) => return vec![Err(unread(&error))],
        };
        let is_attribute = |name: &str| {
            let mut attributes = self.fallback.iter().flat_map(|type_| type_.attributes());
            attributes.any(|def| def.path().eq_ignore_ascii_case(name))
        };
        match list::of(object, is_attribute) {
            Listed::Not(object) => vec![self.resource(object, text.len())],
            Listed::Resources { resources, total } => {
                self.pages.listed.fetch_add(resources.len() as u64, Ordering::Relaxed);
                self.pages.total.fetch_max(total, Ordering::Relaxed);
                let read = |(number, resource): (usize, Value)| match resource {
                    // How long one of them is on the line nobody knows; its body is measured then.
                    Value::Object(object) => self
                        .resource(object, usize::MAX)
                        .map_err(|error| format!("resource {number} of the list: {error}")),
                    _ => Err(format!("resource {number} of the list: expected an object")),
                };
                (1..).zip(resources).map(read).collect()
            }
            Listed::Otherwise(hint) => vec![Err(hint)],
        }
    }

    /// Reads a resource, which has no more bytes than `length` with all its members.
    fn resource(&self, mut object: Object, length: usize) -> Result<Line, String> {
        let mut size = if length > self.max_body { json_size(&object) } else { 0 };
        let meta = match object.remove("meta") {
            Some(Value::Object(meta)) => meta,
            None | Some(Value::Null) => Object::new(),
            Some(_) => return Err("`meta`: expected an object".to_owned()),
        };
        let patch = lists(&object, PATCH_OP);
        let resource_type = self.resource_type(&object, &meta, patch)?;
        let names: Vec<Box<str>> = object.iter().map(|(name, _)| name.into()).collect();
        let id = match object.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => {
                Some(ResourceId::parse(&id).map_err(|error| format!("`id`: {error}"))?)
            }
            Some(_) => return Err("`id`: expected a string".to_owned()),
        };
        if patch {
            let id = id.ok_or("expected `id`, the group that the members are added to")?;
            let members = self.added(&resource_type, &object)?;
            return Ok(Line { load: Load::Members { resource_type, id, members }, unknown: Vec::new() });
        }
        if let Some(never_returned) = object.get(NEVER_RETURNED) {
            check_lengths(&resource_type, NEVER_RETURNED, never_returned)?;
        }
        let members_name = resource_type.members().map(|members| resource_type.attribute(members).name());
        if size > 0
            && let Some(members) = members_name.and_then(|name| object.get(name))
        {
            size = size.saturating_sub(json_size(members));
        }
        if size > self.max_body {
            return Err(format!(
                "the resource has {size} bytes without its members; `max_body` allows {}",
                self.max_body
            ));
        }
        let hashed = object.remove(NEVER_RETURNED);
        let created = time(&meta, "created")?;

        // A resource that lived before has what it has; one that is new gets what a POST gives it.
        let nothing = Object::new();
        let purpose =
            if created.is_some() { Purpose::Replace { current: &nothing } } else { Purpose::Create };
        let ingested =
            self.ingest().body(&resource_type, object, purpose).map_err(|error| error.log_line())?;
        let Ingested { body, mut never_returned, password, members, ignored, .. } = ingested;
        let members = stored_members(members)?;
        let unknown = ignored.into_iter().filter(|ignored| ignored.reason != IgnoredReason::ReadOnly);
        let new_never_returned = password.is_some();
        if let Some(password) = password {
            never_returned.insert("password", hash(&password)?);
        }
        if let Some(hashed) = hashed {
            if !never_returned.is_empty() {
                return Err(format!(
                    "`{NEVER_RETURNED}` and a clear value of the same cannot both be stored"
                ));
            }
            never_returned = read_never_returned(&resource_type, hashed)?;
        }
        let new_id = id.is_none();
        let id = id.unwrap_or_else(|| UuidSource.resource_id());
        let keep_order = created.is_some() && names.first().is_some_and(|name| &**name == "schemas");
        let body = if keep_order { ordered(body, &id, &names) } else { with_id(body, &id) };
        let load = LoadResource {
            id,
            new_id,
            body,
            never_returned,
            new_never_returned,
            members,
            created,
            last_modified: time(&meta, "lastModified")?,
            version: meta.get_str("version").and_then(version),
            resource_type,
        };
        Ok(Line { load: Load::Resource(Box::new(load)), unknown: unknown.collect() })
    }

    fn resource_type(
        &self,
        object: &Object,
        meta: &Object,
        patch: bool,
    ) -> Result<Arc<CompiledType>, String> {
        if let Some(name) = meta.get_str("resourceType") {
            return self.registry.resource_type(name).cloned().ok_or_else(|| {
                let names: Vec<_> =
                    self.registry.resource_types().map(|known| format!("`{}`", known.name())).collect();
                format!("`meta.resourceType`: expected {}", names.join(" or "))
            });
        }
        if !patch {
            let mut types =
                self.registry.resource_types().filter(|type_| lists(object, type_.schema().as_str()));
            match (types.next(), types.next()) {
                (Some(type_), None) => return Ok(Arc::clone(type_)),
                (Some(_), Some(_)) => return Err("`schemas` fits more than one resource type".to_owned()),
                (None, _) => {}
            }
        }
        self.fallback.clone().ok_or_else(|| {
            "expected its resource type in `meta.resourceType` or `schemas`, or `--type`".to_owned()
        })
    }

    fn added(&self, resource_type: &CompiledType, patch: &Object) -> Result<Vec<Member>, String> {
        let name = resource_type.members().map(|members| resource_type.attribute(members).name());
        let name = name.ok_or_else(|| format!("a {} has no members", resource_type.name()))?;
        let expected = || format!("expected `Operations` that `add` to the path `{name}` and no others");
        let operations = patch.get("Operations").ok_or_else(expected)?;
        let mut members = Vec::new();
        for operation in operations.values() {
            let operation = operation.as_object().ok_or_else(expected)?;
            let is = |key: &str, text: &str| {
                operation.get_str(key).is_some_and(|found| found.eq_ignore_ascii_case(text))
            };
            let value = operation.get("value").filter(|_| is("op", "add") && is("path", name));
            let value = value.ok_or_else(expected)?;
            let added = self.ingest().exported_members(resource_type, value);
            members.extend(stored_members(added.map_err(|error| error.log_line())?)?);
        }
        Ok(members)
    }

    fn ingest(&self) -> Ingest<'_> {
        Ingest::new(&self.registry, &self.compat).with_exported_members()
    }
}

/// Members as the store takes them. An empty resource type stands for any.
fn stored_members(members: Vec<MemberInput>) -> Result<Vec<Member>, String> {
    let stored = |member: MemberInput| {
        let value = ResourceId::parse(member.value())
            .map_err(|_| "expected an id in `value` of each of the `members`".to_owned())?;
        let resource_type = member.resource_type().unwrap_or_default().into();
        Ok(Member { value, resource_type, display: member.display().map(Into::into) })
    };
    members.into_iter().map(stored).collect()
}

/// How many bytes a value has as JSON.
fn json_size(value: &impl serde::Serialize) -> usize {
    let mut size = Counter(0);
    // INVARIANT: what was read as JSON can be written as JSON, and counting never fails.
    let _ = serde_json::to_writer(&mut size, value);
    size.0
}

/// Counts bytes.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says whether `schemas` lists a URI.
pub(super) fn lists(object: &Object, uri: &str) -> bool {
    let listed = object.get("schemas").map(Value::values).into_iter().flatten();
    listed.filter_map(Value::as_str).any(|listed| listed.eq_ignore_ascii_case(uri))
}

fn hash(password: &ClearPassword) -> Result<String, String> {
    let prepared = password.prepare().map_err(|error| error.log_line())?;
    scim2_auth::hash_password(&prepared).map_err(|error| error.to_string())
}

/// The never-returned attributes of an export. A password among them is a hash, or somebody made a mistake that
/// must not put it into the store in plain text.
fn read_never_returned(resource_type: &CompiledType, given: Value) -> Result<Object, String> {
    let Value::Object(given) = given else { return Err(format!("`{NEVER_RETURNED}`: expected an object")) };
    if resource_type.take_never_returned(&mut given.clone()) != given {
        return Err(format!(
            "`{NEVER_RETURNED}` holds an attribute that a {} may return",
            resource_type.name()
        ));
    }
    match given.get("password") {
        Some(Value::String(hash)) if !hash.starts_with('$') => {
            Err(format!("`password` in `{NEVER_RETURNED}`: expected a hash such as `$argon2id$…`"))
        }
        _ => Ok(given),
    }
}

/// Checks the lengths of strings that are stored as they are in the line.
fn check_lengths(resource_type: &CompiledType, name: &str, value: &Value) -> Result<(), String> {
    let most = resource_type.string_limits().max_string;
    match longest_string(value) {
        length if length > most => {
            Err(format!("`{name}`: expected strings of at most {most} bytes, found one of {length}"))
        }
        _ => Ok(()),
    }
}

fn time(meta: &Object, name: &str) -> Result<Option<DateTime<Utc>>, String> {
    let expected = || format!("`meta.{name}`: expected a dateTime such as 2027-01-31T00:00:00Z");
    match meta.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let instant: Instant = value.as_str().and_then(|text| text.parse().ok()).ok_or_else(expected)?;
            let nanoseconds = instant.nanoseconds().min(999_999_999);
            DateTime::from_timestamp(instant.seconds(), nanoseconds).map(Some).ok_or_else(expected)
        }
    }
}

fn version(text: &str) -> Option<Version> {
    Version::from_etag(text).or_else(|| Version::parse(text).ok())
}

/// A body in the order of the line, which is that of the store it comes from: an attribute that was added
/// last stood last there, and does so here.
fn ordered(mut body: Object, id: &ResourceId, names: &[Box<str>]) -> Object {
    let mut ordered = Object::with_capacity(body.len() + 1);
    for name in names {
        if name.eq_ignore_ascii_case("id") {
            ordered.insert("id", id.as_str());
        } else if let Some(spelled) = body.get_key_value(name).map(|(name, _)| Box::<str>::from(name))
            && let Some(value) = body.remove(name)
        {
            ordered.insert(spelled, value);
        }
    }
    for (name, value) in body {
        ordered.insert(name, value);
    }
    ordered.insert("id", id.as_str());
    ordered
}

/// Why a line is not a resource. The caller adds the number of the line. Within a document of several lines, the
/// position includes the line.
fn unread(error: &JsonError) -> String {
    if error.line() > 1 { error.in_text("it") } else { error.in_line("it") }
}
