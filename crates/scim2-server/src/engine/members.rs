//! Members of groups ([RFC 7643 §4.2](https://www.rfc-editor.org/rfc/rfc7643#section-4.2)).

use std::collections::HashSet;
use std::sync::Arc;

use http::StatusCode;
use scim2_core::validate::log_path;
use scim2_core::{CompiledType, Object, ResourceId, ScimType, Value, Version};
use scim2_protocol::{Detail, ErrorResponse};

use super::{Answer, fault, shorten};
use crate::context::Context;
use crate::options::UnknownMember;
use crate::projection::Plan;
use crate::provider::ServiceProvider;
use crate::store::{
    Comparison, Member, MemberTarget, MembersWrite, ResourceStore, StoredResource, StreamedResource,
};

/// Of more members than this an answer is written in pieces.
const MANY: usize = 1000;

/// A member as a client gave it. Its `type` and `$ref` are computed, whatever the client says.
#[derive(Debug)]
pub(super) struct Given {
    value: Box<str>,
    display: Option<Box<str>>,
}

impl Given {
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn display(&self) -> Option<&str> {
        self.display.as_deref()
    }
}

/// Reads the values of `members`.
pub(super) fn given(members: &Value) -> Answer<Vec<Given>> {
    members.values().map(|member| given_one(member.as_object())).collect()
}

/// Reads members one by one.
pub(super) fn given_by(members: &[Object]) -> Answer<Vec<Given>> {
    members.iter().map(|member| given_one(Some(member))).collect()
}

fn given_one(object: Option<&Object>) -> Answer<Given> {
    let text = |name: &str| object.and_then(|object| object.get_str(name)).filter(|text| !text.is_empty());
    match text("value") {
        Some(value) => Ok(Given { value: value.into(), display: text("display").map(Into::into) }),
        None => Err(ErrorResponse::of_scim_type(
            ScimType::InvalidValue,
            "expected an id in `value` of each of the `members`",
        )),
    }
}

/// The members a client gave by their ids, each once.
struct Named {
    ids: Vec<ResourceId>,
    displays: Vec<Option<Box<str>>>,
}

/// What is to become of all members of a group, worked out at one version of it.
pub(super) struct Roll {
    /// The version it holds for.
    pub(super) version: Version,
    /// Who goes and who comes, nobody else.
    pub(super) write: MembersWrite,
    /// Those the group then has, in their order.
    members: Vec<Member>,
    /// Those of them that it does not have yet.
    new: Vec<ResourceId>,
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// Finds out what the members are. Of members given twice the first counts.
    ///
    /// One that does not exist is refused or left out, as the options say.
    pub(super) async fn resolve_members(&self, cx: &Context, given: Vec<Given>) -> Answer<Vec<Member>> {
        let Named { ids, displays } = self.named(cx, given)?;
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

    /// Works out what makes these the members of a group. Only those that are no members yet are
    /// looked up. `None` if there is no such group.
    pub(super) async fn roll(
        &self,
        cx: &Context,
        type_: &Arc<CompiledType>,
        id: &str,
        given: Vec<Given>,
    ) -> Answer<Option<Roll>> {
        let Named { ids, mut displays } = self.named(cx, given)?;
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
        Ok(Some(Roll { version, write, members, new }))
    }

    /// The answer to a write that has made the members of a group those of a roll: they are not
    /// read again.
    pub(super) async fn rolled_reply(
        &self,
        cx: &Context,
        mut stored: StoredResource,
        roll: Roll,
        plan: Plan,
    ) -> Answer {
        if !plan.include().members {
            return self.resource_reply(cx, StatusCode::OK, stored, &plan).await;
        }
        // An id is of one resource for ever: one that is there still was there when it came.
        if self.targets(cx, &roll.new).await?.iter().any(Option::is_none) {
            stored.members = None;
            return self.written_reply(cx, StatusCode::OK, stored, plan).await;
        }
        if roll.members.len() > MANY {
            let members = Some(roll.members.into());
            let found = StreamedResource { resource: stored, members };
            return self.reply_streamed(cx, StatusCode::OK, found, plan).await;
        }
        stored.members = Some(roll.members);
        self.resource_reply(cx, StatusCode::OK, stored, &plan).await
    }

    async fn targets(&self, cx: &Context, ids: &[ResourceId]) -> Answer<Vec<Option<MemberTarget>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.store.resolve_members(cx, ids).await.map_err(|error| fault(cx, &error))
    }

    fn named(&self, cx: &Context, given: Vec<Given>) -> Answer<Named> {
        let mut seen = HashSet::with_capacity(given.len());
        let first: Vec<bool> = given.iter().map(|given| seen.insert(&*given.value)).collect();
        let mut named =
            Named { ids: Vec::with_capacity(given.len()), displays: Vec::with_capacity(given.len()) };
        for (Given { value, display }, _) in given.into_iter().zip(first).filter(|(_, first)| *first) {
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
                let detail = format!("`members` names `{}`, which is no resource here", shorten(id));
                let detail = Detail::new(detail, "`members` names what is no resource here");
                Err(ErrorResponse::of_scim_type(ScimType::InvalidValue, detail))
            }
            UnknownMember::Drop => {
                cx.notes.left_out("unknown member", "", &log_path(id));
                Ok(())
            }
        }
    }
}

/// A member that comes. What a client read here and sends back is no name of its own.
fn member(value: ResourceId, display: Option<Box<str>>, target: MemberTarget) -> Member {
    let display = display.filter(|display| target.display.as_ref() != Some(display));
    Member { value, resource_type: target.resource_type, display }
}
