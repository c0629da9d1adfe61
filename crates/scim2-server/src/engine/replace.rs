//! Replacing a resource ([RFC 7644 §3.5.1](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.1)).

use std::sync::Arc;

use scim2_core::validate::Purpose;
use scim2_core::{CompiledType, Mode, Object, Quirk, ScimType};
use scim2_protocol::{Detail, ErrorResponse, Preconditions, Projection};

use super::commit::{AnswerPlan, Changed, MembersChange, differences, never_returned_differences};
use super::evaluation::Evaluation;
use super::password::{HashedPassword, whole};
use super::request_body::RequestBody;
use super::write_loop::{Change, ChangeRequest};
use super::{Answer, Reply, fault, shorten};
use crate::context::Context;
use crate::ingest::Ingested;
use crate::projection::foreign;
use crate::provider::ServiceProvider;
use crate::store::{Include, MembersWrite, Outcome, ResourceStore};

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn replace(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        body: RequestBody<'_>,
        projection: &Projection,
        conditions: &Preconditions,
    ) -> Answer {
        if let Some(body) = body.parsed() {
            self.check_id(id, body)?;
        }
        let replacement = Replacement { body, projection, hashed: HashedPassword::default() };
        ChangeRequest { provider: self, cx, type_, id, conditions }.run(replacement).await
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
}

struct Replacement<'a> {
    body: RequestBody<'a>,
    projection: &'a Projection,
    hashed: HashedPassword,
}

impl<S: ResourceStore> Change<S> for Replacement<'_> {
    type Done = Reply;

    async fn attempt(
        &mut self,
        request: &ChangeRequest<'_, S>,
        evaluation: &mut Evaluation<'_, S>,
    ) -> Answer<Outcome<Reply>> {
        let ChangeRequest { provider, cx, type_, id, .. } = *request;
        let include = Include { never_returned: true, ..Include::default() };
        let current = evaluation.current(request, include).await?;
        let old = evaluation.run(|| current.attributes())?.map_err(|error| fault(cx, &error))?;
        let old_never_returned = current.never_returned.as_ref();
        let whole = whole(type_, &old, old_never_returned);
        let purpose = Purpose::Replace { current: &whole };
        let ingested = evaluation.ingest(type_, &mut self.body, purpose).await?;
        let Ingested { mut body, mut never_returned, password, cleared, mentioned, members, written, .. } =
            ingested;
        provider.hash_password(password, &mut never_returned, &mut self.hashed).await?;
        let plan = provider.plan(cx, type_, self.projection, &[&written]);
        foreign::keep(type_, &old, &mut body);

        let mut paths = evaluation.run(|| differences(type_, &old, &body))?;
        let kept = old_never_returned.unwrap_or(const { &Object::new() });
        type_.keep_never_returned(&mut never_returned, kept, &cleared);
        let is_named = |id| mentioned.contains(&id);
        paths.extend(never_returned_differences(type_, old_never_returned, &never_returned, is_named));
        // Members are not part of the body, so carrying them over is decided here.
        let preserves = provider.inner.options.compat.allows(Quirk::PutPreservesAbsent);
        let members = match type_.members() {
            Some(attribute) if mentioned.contains(&attribute) || !preserves => {
                let Some(diff) = provider.membership_diff(cx, type_, id, members).await? else {
                    return Ok(Outcome::NotFound);
                };
                if diff.version != current.version {
                    return Ok(Outcome::Conflict(diff.version));
                }
                MembersChange::Diff(diff)
            }
            Some(attribute) => {
                let path = type_.attribute(attribute).path();
                cx.notes.tolerated(Quirk::PutPreservesAbsent, type_.name(), path);
                MembersChange::Write(MembersWrite::Keep)
            }
            None => MembersChange::Write(MembersWrite::Keep),
        };
        drop(whole);
        drop(old);
        let changed = Changed { body, never_returned, paths, members };
        request.commit(current, changed, AnswerPlan { plan, has_body: true }).await
    }
}
