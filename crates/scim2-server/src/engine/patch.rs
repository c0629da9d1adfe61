//! Modifying a resource ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use http::StatusCode;
use scim2_core::validate::Ignored;
use scim2_core::{AttributeId, CompiledType, Object, Quirk, ResourceId, Value};
use scim2_patch::{Application, Applied, Limits, MemberDelta, PatchError, PatchErrorKind, PatchOp, Progress};
use scim2_protocol::{Detail, ErrorResponse, Preconditions, Projection};

use super::conflict::Claims;
use super::evaluation::Evaluation;
use super::incoming::differences;
use super::members::{self, Given, Roll, given_by};
use super::password::{Hashed, whole};
use super::replace::{contention, never_returned_paths};
use super::{Answer, Reply, fault, not_found, tolerated};
use crate::context::Context;
use crate::options::PatchResponse;
use crate::projection::{Plan, representation};
use crate::provider::ServiceProvider;
use crate::references;
use crate::store::{
    CONTENTION_LIMIT, Include, Member, MembersWrite, Outcome, ResourceStore, StoredResource, Write, json_size,
};

/// What a PATCH request is about.
struct Request<'a> {
    cx: &'a Context,
    type_: &'a Arc<CompiledType>,
    id: &'a str,
    projection: &'a Projection,
    conditions: &'a Preconditions,
    /// Whether the answer has a body.
    answers: bool,
}

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn patch(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        message: Object,
        projection: &Projection,
        conditions: &Preconditions,
    ) -> Answer {
        let options = &self.inner.options;
        let op = PatchOp::from_object(message, &options.compat, &self.patch_limits()).map_err(refused)?;
        let answers = match options.patch_response {
            PatchResponse::Auto => type_.members().is_none() || !projection.is_default(),
            PatchResponse::Body => true,
            PatchResponse::NoContent => matches!(projection, Projection::Attributes(_)),
        };
        let request = Request { cx, type_, id, projection, conditions, answers };
        match MemberDelta::split(&op, type_, &options.compat) {
            Some((delta, rest)) => {
                note(&request, delta.leniencies(), delta.ignored());
                match (rest.is_empty(), delta.replace_all()) {
                    (true, true) => self.replace_members(&request, &delta).await,
                    (true, false) => self.patch_members(&request, &delta).await,
                    (false, _) => self.patch_body(&request, &rest, Some(&delta)).await,
                }
            }
            None => self.patch_body(&request, &op, None).await,
        }
    }

    /// Refuses with 501 if PATCH is switched off.
    pub(crate) fn offers_patch(&self) -> Answer<()> {
        if self.inner.options.features.patch {
            Ok(())
        } else {
            Err(ErrorResponse::not_implemented("this service provider has no PATCH"))
        }
    }

    fn patch_limits(&self) -> Limits {
        let options = &self.inner.options.limits;
        let mut limits = Limits::DEFAULT;
        limits.max_operations = options.patch_operations;
        limits.max_path_length = options.filter_length;
        limits.max_filter_depth = options.filter_depth;
        limits.max_filter_terms = options.filter_terms;
        limits
    }

    /// Members alone: nothing is read before it is written, and such writes commute.
    async fn patch_members(&self, request: &Request<'_>, delta: &MemberDelta) -> Answer {
        let Request { cx, type_, id, conditions, .. } = *request;
        let members = self.members_write(cx, delta).await?;
        let plan = self.plan(cx, type_, request.projection, type_.members().as_slice());
        let include = if request.answers { plan.include() } else { Include::default() };
        for _ in 0..CONTENTION_LIMIT {
            let expected = if conditions.is_empty() {
                None
            } else {
                Some(self.current(cx, type_, id, Include::default(), conditions).await?.version)
            };
            let members = members.clone();
            let outcome =
                self.inner.store.write_members(cx, type_, id, expected.as_ref(), members, include).await;
            match outcome.map_err(|error| fault(cx, &error))? {
                Outcome::Done(stored) => return self.patched(request, stored, None, plan).await,
                Outcome::NotFound => return Err(not_found(type_, id)),
                Outcome::Conflict(_) => {}
            }
        }
        Err(contention())
    }

    /// These members and no others, and nothing else: only those that come are looked up.
    async fn replace_members(&self, request: &Request<'_>, delta: &MemberDelta) -> Answer {
        /// How often others may come between before it is left to the store, which then looks up all
        /// of them, and which nobody comes between.
        const PATIENCE: usize = 8;
        let Request { cx, type_, id, conditions, .. } = *request;
        let plan = self.plan(cx, type_, request.projection, type_.members().as_slice());
        let mut include = if request.answers { plan.include() } else { Include::default() };
        include.members = false;
        let tries = if conditions.is_empty() { PATIENCE } else { CONTENTION_LIMIT };
        for _ in 0..tries {
            if !conditions.is_empty() {
                self.current(cx, type_, id, Include::default(), conditions).await?;
            }
            let Some(roll) = self.roll(cx, type_, id, given_by(delta.add())?).await? else {
                return Err(not_found(type_, id));
            };
            let (expected, write) = (Some(&roll.version), roll.write.clone());
            let outcome = self.inner.store.write_members(cx, type_, id, expected, write, include).await;
            match outcome.map_err(|error| fault(cx, &error))? {
                Outcome::Done(stored) => return self.patched(request, stored, Some(roll), plan).await,
                Outcome::NotFound => return Err(not_found(type_, id)),
                Outcome::Conflict(_) => {}
            }
        }
        if conditions.is_empty() { self.patch_members(request, delta).await } else { Err(contention()) }
    }

    /// Any attributes. `delta` is what happens to the members where that is known already;
    /// otherwise they are loaded and patched like the rest.
    async fn patch_body(&self, request: &Request<'_>, op: &PatchOp, delta: Option<&MemberDelta>) -> Answer {
        let Request { cx, type_, id, conditions, .. } = *request;
        let load = type_.members().filter(|_| delta.is_none());
        let change = match delta {
            Some(delta) if !delta.replace_all() => Some(self.members_write(cx, delta).await?),
            _ => None,
        };
        let include = Include { never_returned: true, members: load.is_some(), groups: false };
        let mut hashed = Hashed::default();
        let mut evaluation = Evaluation::new(self, cx);
        for _ in 0..CONTENTION_LIMIT {
            let current = evaluation.current(type_, id, include, conditions).await?;
            let old = evaluation.run(|| current.attributes())?.map_err(|error| fault(cx, &error))?;
            let mut object = whole(type_, &old, current.never_returned.as_ref()).into_owned();
            references::compute(cx, type_, &mut object);
            if let Some(members) = load.map(|id| type_.attribute(id).name()) {
                let all = representation(cx, &current).map_err(|error| fault(cx, &error))?;
                if let Some(values) = all.get(members) {
                    object.insert(members, values.clone());
                }
            }
            let applied = self.apply(request, op, &mut object, &mut evaluation).await?;
            references::settle(&cx.registry, type_, &mut object);
            note(request, applied.leniencies(), applied.ignored());
            let written = [applied.attributes(), applied.given_on_request()].concat();
            let plan = self.plan(cx, type_, request.projection, &written);

            let mut never_returned = type_.take_never_returned(&mut object);
            let cleared: Vec<AttributeId> = applied
                .attributes()
                .iter()
                .copied()
                .filter(|id| {
                    type_.attribute(*id).is_never_returned() && type_.get(&never_returned, *id).is_none()
                })
                .collect();
            self.protect_password(type_, &mut never_returned, &mut hashed).await?;
            let mut roll = None;
            let members = match (delta, &change, load) {
                (_, Some(change), _) => change.clone(),
                (Some(delta), None, _) => {
                    let Some(all) = self.roll(cx, type_, id, given_by(delta.add())?).await? else {
                        return Err(not_found(type_, id));
                    };
                    if all.version != current.version {
                        continue;
                    }
                    roll.insert(all).write.clone()
                }
                (None, None, Some(id)) => {
                    let values = object.remove(type_.attribute(id).name()).unwrap_or_default();
                    self.loaded_members(cx, &current, &values).await?
                }
                (None, None, None) => MembersWrite::Keep,
            };
            let mut changed = evaluation.run(|| differences(type_, &old, &object))?;
            let old_never_returned = current.never_returned.as_ref();
            type_.keep_never_returned(
                &mut never_returned,
                old_never_returned.unwrap_or(&Object::new()),
                &cleared,
            );
            let is_named = |id| applied.attributes().contains(&id) || applied.touched().contains(&id);
            changed.extend(never_returned_paths(type_, &never_returned, old_never_returned, is_named));
            if changed.is_empty() && matches!(members, MembersWrite::Keep) {
                // S-3.5.2.1-08: what is already so is not written, and keeps its version.
                if roll.is_some() {
                    return self.patched(request, current, roll, plan).await;
                }
                let include = if request.answers { plan.include() } else { Include::default() };
                let stored = self.current(cx, type_, id, include, conditions).await?;
                return self.patched(request, stored, None, plan).await;
            }
            self.check_size(&old, &object)?;
            let include = Include { members: plan.include().members && roll.is_none(), ..plan.include() };
            let claims = Claims::of_changes(type_, &object, &changed);
            let write = Write {
                resource_type: Arc::clone(type_),
                id: current.id.clone(),
                body: object,
                never_returned,
                members,
                changed,
                include: if request.answers { include } else { Include::default() },
            };
            let outcome = match self.inner.store.replace(cx, &current.version, write).await {
                Ok(outcome) => outcome,
                Err(error) => return Err(self.write_fault(cx, type_, &claims, id, &error).await),
            };
            match outcome {
                Outcome::Done(stored) => return self.patched(request, stored, roll, plan).await,
                Outcome::NotFound => return Err(not_found(type_, id)),
                Outcome::Conflict(_) => {}
            }
        }
        Err(contention())
    }

    /// Applies the operations, and lets others run in between if that takes long.
    async fn apply(
        &self,
        request: &Request<'_>,
        op: &PatchOp,
        object: &mut Object,
        evaluation: &mut Evaluation<'_, S>,
    ) -> Answer<Applied> {
        let Request { cx, type_, .. } = *request;
        let mut application = Application::new(op, object, type_, &self.inner.options.compat);
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

    /// What a PATCH adds may not make a resource larger than a body may be: nobody could replace it
    /// as a whole any more, and without an end it would fill the memory of whoever reads it.
    fn check_size(&self, old: &Object, new: &Object) -> Answer<()> {
        let limit = self.inner.options.limits.max_body;
        let size = json_size(new);
        // One that is too large already, under an older limit, may still shrink.
        if size <= limit || size <= json_size(old) {
            return Ok(());
        }
        let detail = format!("the resource would be larger than {limit} bytes, the limit");
        Err(ErrorResponse::payload_too_large(Detail::of_names(detail)))
    }

    async fn patched(
        &self,
        request: &Request<'_>,
        stored: StoredResource,
        roll: Option<Roll>,
        plan: Plan,
    ) -> Answer {
        let cx = request.cx;
        match roll {
            _ if !request.answers => {}
            Some(roll) => return self.rolled_reply(cx, stored, roll, plan).await,
            None => return self.written_reply(cx, StatusCode::OK, stored, plan).await,
        }
        let location = Some(cx.location(&stored.resource_type, &stored.id));
        Ok(Reply { version: Some(stored.version), location, ..Reply::no_content() })
    }

    async fn members_write(&self, cx: &Context, delta: &MemberDelta) -> Answer<MembersWrite> {
        if delta.is_empty() {
            return Ok(MembersWrite::Keep);
        }
        let add = self.resolve_members(cx, given_by(delta.add())?).await?;
        if delta.replace_all() {
            return Ok(MembersWrite::Set(add));
        }
        // What is no id of ours is nobody's membership.
        let remove = delta.remove().iter().filter_map(|id| ResourceId::parse(id).ok()).collect();
        Ok(MembersWrite::Change { remove, add })
    }

    /// The members of a group that was loaded and patched. Those it had need not be looked up.
    async fn loaded_members(
        &self,
        cx: &Context,
        current: &StoredResource,
        values: &Value,
    ) -> Answer<MembersWrite> {
        let had = current.members.as_deref().unwrap_or_default();
        let had: HashMap<&str, &Member> = had.iter().map(|member| (member.value.as_str(), member)).collect();
        let (old, new): (Vec<_>, Vec<_>) =
            members::given(values)?.into_iter().partition(|given| had.contains_key(given.value()));
        let stay: HashSet<&str> = old.iter().map(Given::value).collect();
        let remove: Vec<ResourceId> = current
            .members
            .iter()
            .flatten()
            .filter(|member| !stay.contains(member.value.as_str()))
            .map(|member| member.value.clone())
            .collect();
        let mut add: Vec<Member> = old
            .iter()
            .filter_map(|given| {
                let member = had.get(given.value())?;
                let display =
                    given.display().filter(|display| member.display.as_deref() != Some(*display))?;
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

fn refused(error: PatchError) -> ErrorResponse {
    match error.kind() {
        PatchErrorKind::TooManyOperations(_) => {
            ErrorResponse::payload_too_large(Detail::of_names(error.to_string()))
        }
        _ => error.into(),
    }
}

/// Names, never values.
fn note(request: &Request<'_>, leniencies: &[Quirk], ignored: &[Ignored]) {
    tolerated(request.cx, request.type_.name(), leniencies);
    for ignored in ignored {
        request.cx.notes.left_out(ignored.reason.as_str(), request.type_.name(), &ignored.path);
    }
}
