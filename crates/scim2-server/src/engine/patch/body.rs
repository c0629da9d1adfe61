//! A PATCH that changes the body of a resource: it is read, changed in memory, and written.

use std::collections::{HashMap, HashSet};

use scim2_core::{AttributeId, CompiledType, Object, ResourceId, Value};
use scim2_patch::{Application, Applied, MemberDelta, PatchOp, Progress};
use scim2_protocol::{Detail, ErrorResponse};

use super::{WantedAnswer, note, refused};
use crate::context::Context;
use crate::engine::commit::{Changed, MembersChange, differences, never_returned_differences};
use crate::engine::evaluation::Evaluation;
use crate::engine::password::{HashedPassword, whole};
use crate::engine::write_loop::{Change, ChangeRequest};
use crate::engine::{Answer, Reply, fault};
use crate::ingest::{ClearPassword, MemberInput, inputs, inputs_of};
use crate::projection::members_value;
use crate::provider::ServiceProvider;
use crate::references;
use crate::store::{
    Include, Member, MembersWrite, Outcome, ResourceStore, StoredResource, exceeds_json_size,
};

pub(super) struct BodyPatch<'a> {
    op: &'a PatchOp,
    /// What happens to the members, if that is known without them. Otherwise they are read and patched like any
    /// other attribute.
    delta: Option<&'a MemberDelta>,
    wanted: WantedAnswer<'a>,
    hashed: HashedPassword,
}

impl<'a> BodyPatch<'a> {
    pub(super) fn new(op: &'a PatchOp, delta: Option<&'a MemberDelta>, wanted: WantedAnswer<'a>) -> Self {
        Self { op, delta, wanted, hashed: HashedPassword::default() }
    }
}

impl<S: ResourceStore> Change<S> for BodyPatch<'_> {
    type Done = Reply;

    async fn attempt(
        &mut self,
        request: &ChangeRequest<'_, S>,
        evaluation: &mut Evaluation<'_, S>,
    ) -> Answer<Outcome<Reply>> {
        let ChangeRequest { provider, cx, type_, id, .. } = *request;
        let loaded = type_.members().filter(|_| self.delta.is_none());
        let include = Include { never_returned: true, members: loaded.is_some(), groups: false };
        let current = evaluation.current(request, include).await?;
        let old = evaluation.run(|| current.attributes())?.map_err(|error| fault(cx, &error))?;
        let old_never_returned = current.never_returned.as_ref();
        let mut object = whole(type_, &old, old_never_returned).into_owned();
        let sees_references = mentions_references(self.op);
        if sees_references {
            references::compute(cx, type_, &mut object);
        }
        if let Some(attribute) = loaded
            && let Some(values) = members_value(cx, &current, sees_references)
        {
            object.insert(type_.attribute(attribute).name(), values);
        }
        let applied = apply(request, self.op, &mut object, evaluation).await?;
        references::settle(&cx.registry, type_, &mut object);
        note(cx, type_, applied.leniencies(), applied.ignored());
        let answer = self.wanted.plan(request, &[applied.attributes(), applied.given_on_request()]);

        let mut never_returned = type_.take_never_returned(&mut object);
        let cleared = cleared(type_, &applied, &never_returned);
        let password = ClearPassword::take(&mut never_returned);
        provider.hash_password(password, &mut never_returned, &mut self.hashed).await?;
        let members = match (self.delta, loaded) {
            (Some(delta), _) if delta.replace_all() => {
                let members = inputs_of(delta.add())?;
                let Some(diff) = provider.membership_diff(cx, type_, id, members).await? else {
                    return Ok(Outcome::NotFound);
                };
                if diff.version != current.version {
                    return Ok(Outcome::Conflict(diff.version));
                }
                MembersChange::Diff(diff)
            }
            (Some(delta), _) => MembersChange::Write(provider.members_write(cx, delta).await?),
            (None, Some(attribute)) => {
                let values = object.remove(type_.attribute(attribute).name()).unwrap_or_default();
                MembersChange::Write(provider.loaded_members(cx, &current, &values).await?)
            }
            (None, None) => MembersChange::Write(MembersWrite::Keep),
        };
        let mut paths = evaluation.run(|| differences(type_, &old, &object))?;
        let kept = old_never_returned.unwrap_or(const { &Object::new() });
        type_.keep_never_returned(&mut never_returned, kept, &cleared);
        let is_named = |id| applied.attributes().contains(&id) || applied.touched().contains(&id);
        paths.extend(never_returned_differences(type_, old_never_returned, &never_returned, is_named));
        check_size(provider.inner.options.limits.max_body, &current, &object)?;
        drop(old);
        let changed = Changed { body: object, never_returned, paths, members };
        request.commit(current, changed, answer).await
    }
}

/// Applies the operations. If that takes long, other tasks run in between.
async fn apply<S: ResourceStore>(
    request: &ChangeRequest<'_, S>,
    op: &PatchOp,
    object: &mut Object,
    evaluation: &mut Evaluation<'_, S>,
) -> Answer<Applied> {
    let ChangeRequest { provider, cx, type_, .. } = *request;
    let mut application = Application::new(op, object, type_, &provider.inner.options.compat);
    loop {
        let (progress, spent) = evaluation.run(|| {
            let work = cx.work.begin();
            let progress = application.advance(&work, evaluation.left());
            (progress, work.spent())
        })?;
        let progress = progress.map_err(refused)?;
        evaluation.spend(spent).await?;
        match progress {
            Progress::Paused(rest) => application = rest,
            Progress::Done(applied) => return Ok(applied),
        }
    }
}

/// Says whether the operations may look at `$ref`, in a path or in a value. Only then is each `$ref` of the resource
/// computed before the PATCH, and removed after it.
fn mentions_references(op: &PatchOp) -> bool {
    op.operations().iter().any(|operation| {
        operation.value().is_some_and(value_names_reference)
            || operation.path().is_some_and(|path| names_reference(&path.to_string()))
    })
}

/// The keys of a value, and its strings, which may be JSON text. JSON nests no deeper than its reader allows.
fn value_names_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => names_reference(text),
        Value::Array(values) => values.iter().any(value_names_reference),
        Value::Object(object) => {
            object.iter().any(|(name, value)| names_reference(name) || value_names_reference(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn names_reference(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'$', rest) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"$ref")) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// The never-returned attributes that a PATCH unassigned.
fn cleared(type_: &CompiledType, applied: &Applied, never_returned: &Object) -> Vec<AttributeId> {
    let changed = applied.attributes().iter().copied();
    changed
        .filter(|id| type_.attribute(*id).is_never_returned() && type_.get(never_returned, *id).is_none())
        .collect()
}

/// A PATCH must not make a resource larger than the body of a request may be: no client could replace it any more,
/// and resources would grow without limit.
fn check_size(limit: usize, current: &StoredResource, new: &Object) -> Answer<()> {
    // A resource that is larger already, because the limit was higher, may still shrink.
    if !exceeds_json_size(new, limit.max(current.body.size())) {
        return Ok(());
    }
    let detail = format!("the resource would be larger than {limit} bytes, the limit");
    Err(ErrorResponse::payload_too_large(Detail::of_names(detail)))
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// The write that gives a group the members it has after a PATCH. Members that it had are not looked up.
    async fn loaded_members(
        &self,
        cx: &Context,
        current: &StoredResource,
        values: &Value,
    ) -> Answer<MembersWrite> {
        let had = current.members.as_deref().unwrap_or_default();
        let had: HashMap<&str, &Member> = had.iter().map(|member| (member.value.as_str(), member)).collect();
        let (old, new): (Vec<_>, Vec<_>) =
            inputs(values)?.into_iter().partition(|member| had.contains_key(member.value()));
        let stay: HashSet<&str> = old.iter().map(MemberInput::value).collect();
        let remove: Vec<ResourceId> = current
            .members
            .iter()
            .flatten()
            .filter(|member| !stay.contains(member.value.as_str()))
            .map(|member| member.value.clone())
            .collect();
        let mut add: Vec<Member> = old
            .iter()
            .filter_map(|input| {
                let member = had.get(input.value())?;
                let display =
                    input.display().filter(|display| member.display.as_deref() != Some(*display))?;
                Some(Member { display: Some(display.into()), ..(*member).clone() })
            })
            .collect();
        add.extend(self.resolve_members(cx, new).await?);
        Ok(match (remove.is_empty(), add.is_empty()) {
            (true, true) => MembersWrite::Keep,
            _ => MembersWrite::Change { remove, add },
        })
    }
}
