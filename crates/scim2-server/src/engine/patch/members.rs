//! A PATCH that changes members and nothing else. It reads no member that it does not name.

use scim2_core::ResourceId;
use scim2_patch::MemberDelta;

use super::WantedAnswer;
use crate::context::Context;
use crate::engine::evaluation::Evaluation;
use crate::engine::write_loop::{Change, ChangeRequest};
use crate::engine::{Answer, Reply, fault};
use crate::ingest::inputs_of;
use crate::provider::ServiceProvider;
use crate::store::{MembersWrite, Outcome, ResourceStore};

pub(super) struct MembersPatch<'a> {
    delta: &'a MemberDelta,
    wanted: WantedAnswer<'a>,
    attempts: usize,
}

impl<'a> MembersPatch<'a> {
    pub(super) fn new(delta: &'a MemberDelta, wanted: WantedAnswer<'a>) -> Self {
        Self { delta, wanted, attempts: 0 }
    }
}

impl<S: ResourceStore> Change<S> for MembersPatch<'_> {
    type Done = Reply;

    async fn attempt(
        &mut self,
        request: &ChangeRequest<'_, S>,
        _: &mut Evaluation<'_, S>,
    ) -> Answer<Outcome<Reply>> {
        /// How often a replacement of all members is tried by comparing them. After that the store looks up all of
        /// them under its lock, where no other write comes in between.
        const MAX_COMPARISONS: usize = 8;
        let ChangeRequest { provider, cx, type_, id, conditions } = *request;
        let answer = self.wanted.plan(request, &[type_.members().as_slice()]);
        let mut include = answer.include();
        self.attempts += 1;
        let may_compare = !conditions.is_empty() || self.attempts <= MAX_COMPARISONS;
        let expected = request.expected_version().await?;
        let (expected, write, diff) = if self.delta.replace_all() && may_compare {
            let members = inputs_of(self.delta.add())?;
            let Some(mut diff) = provider.membership_diff(cx, type_, id, members).await? else {
                return Ok(Outcome::NotFound);
            };
            include.members = false;
            (Some(diff.version.clone()), std::mem::take(&mut diff.write), Some(diff))
        } else {
            (expected, provider.members_write(cx, self.delta).await?, None)
        };
        let outcome =
            provider.inner.store.write_members(cx, type_, id, expected.as_ref(), write, include).await;
        match outcome.map_err(|error| fault(cx, &error))? {
            Outcome::Done(stored) => Ok(Outcome::Done(request.reply(stored, diff, answer).await?)),
            Outcome::NotFound => Ok(Outcome::NotFound),
            Outcome::Conflict(version) => Ok(Outcome::Conflict(version)),
        }
    }
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// The write that a delta asks for.
    pub(super) async fn members_write(&self, cx: &Context, delta: &MemberDelta) -> Answer<MembersWrite> {
        if delta.is_empty() {
            return Ok(MembersWrite::Keep);
        }
        let add = self.resolve_members(cx, inputs_of(delta.add())?).await?;
        if delta.replace_all() {
            return Ok(MembersWrite::Set(add));
        }
        // Text that cannot be one of our ids cannot be the id of a member.
        let remove = delta.remove().iter().filter_map(|id| ResourceId::parse(id).ok()).collect();
        Ok(MembersWrite::Change { remove, add })
    }
}
