//! Replacing a resource ([RFC 7644 §3.5.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.1)).

use std::sync::Arc;

use http::StatusCode;
use scim2_core::validate::Purpose;
use scim2_core::{AttributeId, CompiledType, Mode, Object, Quirk, ScimType};
use scim2_protocol::{Detail, ErrorResponse, Precondition, Preconditions, Projection};

use super::conflict::Claims;
use super::evaluation::Evaluation;
use super::incoming::{Incoming, differences};
use super::password::{Hashed, whole};
use super::{Answer, fault, not_found, precondition_failed, shorten};
use crate::context::Context;
use crate::projection::foreign;
use crate::provider::ServiceProvider;
use crate::store::{CONTENTION_LIMIT, Include, MembersWrite, Outcome, ResourceStore, StoredResource, Write};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn replace(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        body: Object,
        projection: &Projection,
        conditions: &Preconditions,
    ) -> Answer {
        self.check_id(id, &body)?;
        let mut hashed = Hashed::default();
        let mut evaluation = Evaluation::new(self, cx);
        for _ in 0..CONTENTION_LIMIT {
            let include = Include { never_returned: true, ..Include::default() };
            let current = evaluation.current(type_, id, include, conditions).await?;
            let old = evaluation.run(|| current.attributes())?.map_err(|error| fault(cx, &error))?;
            let whole = whole(type_, &old, current.never_returned.as_ref());
            let purpose = Purpose::Replace { current: &whole };
            let incoming = self.incoming(cx, type_, body.clone(), purpose, &mut hashed).await?;
            let Incoming { mut body, mut never_returned, cleared, mentioned, members, written } = incoming;
            let plan = self.plan(cx, type_, projection, &written);
            foreign::keep(type_, &old, &mut body);

            let mut changed = evaluation.run(|| differences(type_, &old, &body))?;
            let old_never_returned = current.never_returned.as_ref();
            type_.keep_never_returned(
                &mut never_returned,
                old_never_returned.unwrap_or(&Object::new()),
                &cleared,
            );
            changed.extend(never_returned_paths(type_, &never_returned, old_never_returned, |id| {
                mentioned.contains(&id)
            }));
            // Members are kept apart from the body, and so is what keeps them.
            let preserves = self.inner.options.compat.allows(Quirk::PutPreservesAbsent);
            let roll = match type_.members() {
                Some(attribute) if mentioned.contains(&attribute) || !preserves => {
                    let Some(roll) = self.roll(cx, type_, id, members).await? else {
                        return Err(not_found(type_, id));
                    };
                    if roll.version != current.version {
                        continue;
                    }
                    Some(roll)
                }
                Some(attribute) => {
                    let path = type_.attribute(attribute).path();
                    cx.notes.tolerated(Quirk::PutPreservesAbsent, type_.name(), path);
                    None
                }
                None => None,
            };
            let members = roll.as_ref().map(|roll| roll.write.clone()).unwrap_or_default();
            if changed.is_empty() && matches!(members, MembersWrite::Keep) {
                // what is already so is not written, and keeps its version.
                if let Some(roll) = roll {
                    return self.rolled_reply(cx, current, roll, plan).await;
                }
                let stored = self.current(cx, type_, id, plan.include(), conditions).await?;
                return self.written_reply(cx, StatusCode::OK, stored, plan).await;
            }
            // What becomes of the members is known.
            let include = Include { members: plan.include().members && roll.is_none(), ..plan.include() };
            let claims = Claims::of_changes(type_, &body, &changed);
            let write = Write {
                resource_type: Arc::clone(type_),
                id: current.id.clone(),
                body,
                never_returned,
                members,
                changed,
                include,
            };
            let outcome = match self.inner.store.replace(cx, &current.version, write).await {
                Ok(outcome) => outcome,
                Err(error) => return Err(self.write_fault(cx, type_, &claims, id, &error).await),
            };
            match outcome {
                Outcome::Done(stored) => {
                    return match roll {
                        Some(roll) => self.rolled_reply(cx, stored, roll, plan).await,
                        None => self.written_reply(cx, StatusCode::OK, stored, plan).await,
                    };
                }
                Outcome::NotFound => return Err(not_found(type_, id)),
                // Another write came between: with conditions they are asked again.
                Outcome::Conflict(_) => {}
            }
        }
        Err(contention())
    }

    /// in `strict` a body that names another resource than the URI does is refused.
    fn check_id(&self, id: &str, body: &Object) -> Answer<()> {
        let other = body.get("id").filter(|other| !other.is_unassigned() && other.as_str() != Some(id));
        if self.inner.options.compat.mode() != Mode::Strict || other.is_none() {
            return Ok(());
        }
        let detail = format!("expected the id `{}` of the URI in `id`, found another one", shorten(id));
        let detail = Detail::new(detail, "expected the id of the URI in `id`, found another one");
        Err(ErrorResponse::of_scim_type(ScimType::Mutability, detail))
    }

    /// The resource that a change begins with, if the conditions of the request hold for it.
    pub(super) async fn current(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        include: Include,
        conditions: &Preconditions,
    ) -> Answer<StoredResource> {
        let stored = self.inner.store.retrieve(cx, type_, id, include).await;
        let Some(stored) = stored.map_err(|error| fault(cx, &error))? else {
            return Err(not_found(type_, id));
        };
        match conditions.for_change(Some(&stored.version)) {
            Precondition::Proceed => Ok(stored),
            Precondition::NotModified | Precondition::Failed => Err(precondition_failed(conditions)),
        }
    }
}

/// The paths of the never-returned attributes that a write changes: what it names counts as changed, since
/// a hash tells nobody whether the password is the old one. What was not there is not unassigned.
pub(super) fn never_returned_paths(
    type_: &CompiledType,
    new: &Object,
    old: Option<&Object>,
    is_named: impl Fn(AttributeId) -> bool,
) -> Vec<Box<str>> {
    let empty = Object::new();
    let old = old.unwrap_or(&empty);
    let changes = |id: &AttributeId| {
        let (mut new, mut old) = (type_.values_of(new, *id).peekable(), type_.values_of(old, *id).peekable());
        let any = new.peek().or(old.peek()).is_some();
        (any && is_named(*id)) || !new.eq(old)
    };
    type_
        .never_returned_attributes()
        .iter()
        .filter(|id| changes(id))
        .map(|id| type_.attribute(*id).path().into())
        .collect()
}

/// 503: other writes came between too often.
pub(super) fn contention() -> ErrorResponse {
    ErrorResponse::service_unavailable("the resource is changed by too many requests at once")
}
