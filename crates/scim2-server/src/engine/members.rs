//! Members of groups ([RFC 7643 §4.2](https://www.rfc-editor.org/rfc/rfc7643#section-4.2)).

use std::collections::HashSet;
use std::sync::Arc;

use http::StatusCode;
use scim2_core::validate::log_path;
use scim2_core::{CompiledType, ResourceId, ScimType, Version};
use scim2_protocol::{Detail, ErrorResponse};

use super::{Answer, fault, shorten};
use crate::context::Context;
use crate::ingest::MemberInput;
use crate::options::UnknownMember;
use crate::projection::Plan;
use crate::provider::ServiceProvider;
use crate::store::{
    Comparison, Member, MemberTarget, MembersWrite, ResourceStore, StoredResource, StreamedResource,
};

/// The most members that an answer holds in memory. With more, the answer is streamed.
const MAX_INLINE_MEMBERS: usize = 1000;

/// The members that a client sent, each once, by their ids.
struct UniqueMembers {
    ids: Vec<ResourceId>,
    displays: Vec<Option<Box<str>>>,
}

/// How the members of a group differ from the members that a client wants it to have.
pub(super) struct MembershipDiff {
    /// The version of the group that was compared.
    pub(super) version: Version,
    /// Removes and adds the members that differ.
    pub(super) write: MembersWrite,
    /// All members after the write, in order.
    members: Vec<Member>,
    /// The members that the write adds.
    added: Vec<ResourceId>,
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// Looks up the members. If a member is listed twice, the first entry counts.
    ///
    /// A member that does not exist is refused or left out, as the options say.
    pub(super) async fn resolve_members(&self, cx: &Context, given: Vec<MemberInput>) -> Answer<Vec<Member>> {
        let UniqueMembers { ids, displays } = self.unique_members(cx, given)?;
        let targets = self.targets(cx, &ids).await?;
        let mut members = Vec::with_capacity(ids.len());
        for ((value, display), target) in ids.into_iter().zip(displays).zip(targets) {
            match target {
                Some(target) => members.push(member(value, display, target)),
                None => self.unknown_member(cx, value.as_str())?,
            }
        }
        Ok(members)
    }

    /// Compares the members of a group with the members it is to have. Only new members are looked up. `None` if
    /// there is no such group.
    pub(super) async fn membership_diff(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        given: Vec<MemberInput>,
    ) -> Answer<Option<MembershipDiff>> {
        let UniqueMembers { ids, mut displays } = self.unique_members(cx, given)?;
        let compared = self.inner.store.compare_members(cx, type_, id, &ids).await;
        let Some(compared) = compared.map_err(|error| fault(cx, &error))? else { return Ok(None) };
        let Comparison { version, stay, leave: remove } = compared;
        self.spend_on_members(cx, stay.len().saturating_add(remove.len()))?;
        let mut ids: Vec<Option<ResourceId>> = ids.into_iter().map(Some).collect();
        let mut members = Vec::with_capacity(ids.len());
        let mut add = Vec::new();
        for (at, target) in stay {
            let Some(value) = ids.get_mut(at).and_then(Option::take) else { continue };
            let mut stays = Member { value, resource_type: target.resource_type, display: target.display };
            let display = displays.get_mut(at).and_then(Option::take);
            if let Some(display) = display.filter(|display| stays.display.as_ref() != Some(display)) {
                stays.display = Some(display);
                add.push(stays.clone());
            }
            members.push(stays);
        }
        let (new, displays): (Vec<ResourceId>, Vec<_>) =
            ids.into_iter().zip(displays).filter_map(|(id, display)| Some((id?, display))).unzip();
        let targets = self.targets(cx, &new).await?;
        for ((value, display), target) in new.iter().zip(displays).zip(targets) {
            let Some(target) = target else {
                self.unknown_member(cx, value.as_str())?;
                continue;
            };
            let own = target.display.clone();
            let comes = member(value.clone(), display, target);
            members.push(Member { display: comes.display.clone().or(own), ..comes.clone() });
            add.push(comes);
        }
        let write = match (remove.is_empty(), add.is_empty()) {
            (true, true) => MembersWrite::Keep,
            _ => MembersWrite::Change { remove, add },
        };
        Ok(Some(MembershipDiff { version, write, members, added: new }))
    }

    /// The answer to a write of a membership diff. The members are taken from the diff and not read again.
    pub(super) async fn reply_with_members(
        &self,
        cx: &Context,
        mut stored: StoredResource,
        diff: MembershipDiff,
        plan: Plan,
    ) -> Answer {
        if !plan.include().members {
            return self.resource_reply(cx, StatusCode::OK, stored, &plan).await;
        }
        // The write leaves out members that were deleted before it. Ids are never used again, so an added member that
        // exists now also existed then. If one is gone, the members are read.
        if self.targets(cx, &diff.added).await?.iter().any(Option::is_none) {
            stored.members = None;
            return self.written_reply(cx, StatusCode::OK, stored, plan).await;
        }
        if diff.members.len() > MAX_INLINE_MEMBERS {
            let members = Some(diff.members.into());
            let found = StreamedResource { resource: stored, members };
            return self.reply_streamed(cx, StatusCode::OK, found, plan).await;
        }
        stored.members = Some(diff.members);
        self.resource_reply(cx, StatusCode::OK, stored, &plan).await
    }

    async fn targets(&self, cx: &Context, ids: &[ResourceId]) -> Answer<Vec<Option<MemberTarget>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.store.resolve_members(cx, ids).await.map_err(|error| fault(cx, &error))
    }

    fn unique_members(&self, cx: &Context, given: Vec<MemberInput>) -> Answer<UniqueMembers> {
        let mut seen = HashSet::with_capacity(given.len());
        let first: Vec<bool> = given.iter().map(|given| seen.insert(given.value())).collect();
        let mut named =
            UniqueMembers { ids: Vec::with_capacity(given.len()), displays: Vec::with_capacity(given.len()) };
        for (input, _) in given.into_iter().zip(first).filter(|(_, first)| *first) {
            let (value, display) = input.into_parts();
            match ResourceId::parse(&value) {
                Ok(id) => {
                    named.ids.push(id);
                    named.displays.push(display);
                }
                Err(_) => self.unknown_member(cx, &value)?,
            }
        }
        Ok(named)
    }

    fn unknown_member(&self, cx: &Context, id: &str) -> Answer<()> {
        match self.inner.options.unknown_member {
            UnknownMember::Refuse => {
                let detail = format!("`members` names `{}`, which is not a resource here", shorten(id));
                let detail = Detail::new(detail, "`members` names an id that is not a resource here");
                Err(ErrorResponse::of_scim_type(ScimType::InvalidValue, detail))
            }
            UnknownMember::Drop => {
                cx.notes.left_out("unknown member", "", &log_path(id));
                Ok(())
            }
        }
    }
}

/// A new member. If its `display` equals the name of the resource, the client only sent back what it read, so
/// it is not stored.
fn member(value: ResourceId, display: Option<Box<str>>, target: MemberTarget) -> Member {
    let display = display.filter(|display| target.display.as_ref() != Some(display));
    Member { value, resource_type: target.resource_type, display }
}
