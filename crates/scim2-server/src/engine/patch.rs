//! Modifying a resource ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)).

use std::sync::Arc;

use scim2_core::validate::Ignored;
use scim2_core::{AttributeId, CompiledType, Quirk};
use scim2_patch::{Limits, MemberDelta, PatchError, PatchErrorKind, PatchOp};
use scim2_protocol::{Detail, ErrorResponse, Preconditions, Projection};

use self::body::BodyPatch;
use self::members::MembersPatch;
use super::commit::AnswerPlan;
use super::evaluation::Evaluation;
use super::request_body::RequestBody;
use super::write_loop::ChangeRequest;
use super::{Answer, tolerated};
use crate::context::Context;
use crate::options::PatchResponse;
use crate::provider::ServiceProvider;
use crate::store::ResourceStore;

mod body;
mod members;

impl<S: ResourceStore> ServiceProvider<S> {
    pub(crate) async fn patch(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        mut message: RequestBody<'_>,
        projection: &Projection,
        conditions: &Preconditions,
    ) -> Answer {
        let options = &self.inner.options;
        let mut evaluation = Evaluation::new(self, cx);
        evaluation.spend(message.cost()).await?;
        let message = message.take(self)?;
        let op = evaluation.run(|| PatchOp::from_object(message, &options.compat, &self.patch_limits()))?;
        let op = op.map_err(refused)?;
        // The change may take a turn of its own.
        drop(evaluation);
        let has_body = match options.patch_response {
            PatchResponse::Auto => type_.members().is_none() || !projection.is_default(),
            PatchResponse::Body => true,
            PatchResponse::NoContent => matches!(projection, Projection::Attributes(_)),
        };
        let wanted = WantedAnswer { projection, has_body };
        let request = ChangeRequest { provider: self, cx, type_, id, conditions };
        match MemberDelta::split(&op, type_, &options.compat) {
            Some((delta, rest)) => {
                note(cx, type_, delta.leniencies(), delta.ignored());
                if rest.is_empty() {
                    request.run(MembersPatch::new(&delta, wanted)).await
                } else {
                    request.run(BodyPatch::new(&rest, Some(&delta), wanted)).await
                }
            }
            None => request.run(BodyPatch::new(&op, None, wanted)).await,
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
}

/// The answer that the client wants to a PATCH.
#[derive(Clone, Copy)]
struct WantedAnswer<'a> {
    projection: &'a Projection,
    /// Whether the answer has a body; without one it is 204.
    has_body: bool,
}

impl WantedAnswer<'_> {
    /// What the answer shows if the PATCH wrote these attributes and sub-attributes.
    fn plan<S: ResourceStore>(
        self,
        request: &ChangeRequest<'_, S>,
        written: &[&[AttributeId]],
    ) -> AnswerPlan {
        let plan = request.provider.plan(request.cx, request.type_, self.projection, written);
        AnswerPlan { plan, has_body: self.has_body }
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

/// Notes names, never values.
fn note(cx: &Context, type_: &CompiledType, leniencies: &[Quirk], ignored: &[Ignored]) {
    tolerated(cx, type_.name(), leniencies);
    for ignored in ignored {
        cx.notes.left_out(ignored.reason.as_str(), type_.name(), &ignored.path);
    }
}
