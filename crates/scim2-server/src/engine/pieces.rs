//! Streamed answers: groups of many members, alone and in lists.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::vec::IntoIter;

use bytes::Bytes;
use futures_util::stream::unfold;
use futures_util::{FutureExt as _, Stream};
use http::StatusCode;
use http_body_util::{BodyExt as _, Collected, Full};
use scim2_core::CompiledType;

use super::{Answer, Reply, fault};
use crate::context::Context;
use crate::in_flight::HeldBytes;
use crate::projection::{Plan, around_members, write_members, write_resource};
use crate::provider::ServiceProvider;
use crate::store::{MemberStream, ResourceStore, StoreError, StoredResource, StreamedResource};

/// The body of an answer.
pub(crate) enum Body {
    /// The whole body; empty if there is none.
    Whole(Full<Bytes>),
    /// The body as it is read. An error cuts it off.
    Pieces(Pin<Box<dyn Stream<Item = Result<Bytes, StoreError>> + Send>>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole(…)",
            Self::Pieces(_) => "Pieces(…)",
        })
    }
}

impl Body {
    /// The length of a whole body, in bytes.
    pub(crate) fn whole_length(&self) -> Option<usize> {
        match self {
            Self::Whole(body) => {
                http_body::Body::size_hint(body).exact().and_then(|size| size.try_into().ok())
            }
            Self::Pieces(_) => None,
        }
    }

    /// A whole body whose bytes stay counted until they are written.
    pub(crate) fn counted(self, held: HeldBytes) -> Self {
        match self {
            Self::Whole(body) => {
                // A whole body is one piece and ready at once.
                let bytes = body.collect().now_or_never().and_then(Result::ok).map(Collected::to_bytes);
                Self::Whole(Full::new(held.attach(bytes.unwrap_or_default())))
            }
            pieces => pieces,
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(body: Vec<u8>) -> Self {
        Self::Whole(Full::new(body.into()))
    }
}

/// About how many bytes of a large page are written at a time. No resource is split.
const PIECE: usize = 64 << 10;

/// How the answer shows each of its resource types.
pub(super) type Plans = Vec<(Arc<CompiledType>, Plan)>;

/// The plan for a resource: that of its type, which the store may hold as its own copy.
pub(super) fn plan_of<'p>(plans: &'p Plans, stored: &StoredResource) -> Option<&'p Plan> {
    let found = plans.iter().find(|(type_, _)| {
        Arc::ptr_eq(type_, &stored.resource_type) || type_.name() == stored.resource_type.name()
    });
    found.map(|(_, plan)| plan)
}

/// A part of a streamed body.
pub(super) enum Part {
    /// JSON text.
    Text(Bytes),
    /// Resources of a list, none of them its first, and the bytes they take.
    Resources(IntoIter<StoredResource>, HeldBytes),
    /// A group whose members are to be read.
    Group(Box<StoredResource>),
    /// The members of a group, and whether any was written.
    Members(MemberStream, Arc<CompiledType>, bool),
}

impl Part {
    /// The parts of a group whose members are streamed.
    pub(super) fn group(
        cx: &Context,
        plans: &Plans,
        stored: &StoredResource,
        members: MemberStream,
    ) -> Result<[Self; 3], StoreError> {
        let (before, after) = around_members(cx, stored, planned(plans, stored)?)?;
        let members = Self::Members(members, Arc::clone(&stored.resource_type), false);
        Ok([Self::Text(before.into()), members, Self::Text(after.into())])
    }
}

/// The plan for a resource of an answer.
pub(super) fn planned<'p>(plans: &'p Plans, stored: &StoredResource) -> Result<&'p Plan, StoreError> {
    plan_of(plans, stored)
        .ok_or_else(|| StoreError::internal("the store answered a resource of another type"))
}

/// Says whether the answer shows members that the page of the store left out.
pub(super) fn is_unread(stored: &StoredResource, plan: &Plan) -> bool {
    plan.include().members && stored.members.is_none() && stored.resource_type.members().is_some()
}

/// A body that is being written. The store is read only as fast as the client reads, and no longer than the
/// client is connected.
struct Writing<S> {
    provider: ServiceProvider<S>,
    cx: Context,
    plans: Plans,
    parts: VecDeque<Part>,
}

impl<S: ResourceStore> ServiceProvider<S> {
    /// The body that is made of these parts.
    pub(super) fn in_parts(&self, cx: &Context, plans: Plans, parts: impl Into<VecDeque<Part>>) -> Body {
        let (provider, cx) = (self.clone(), cx.clone());
        let writing = Writing { provider, cx, plans, parts: parts.into() };
        Body::Pieces(Box::pin(unfold(writing, |mut writing| async move {
            let next = writing.next().await.transpose()?;
            if let Err(error) = &next {
                // The client sees that the body is cut off; the log says why.
                fault(&writing.cx, error);
                writing.parts.clear();
            }
            Some((next, writing))
        })))
    }

    /// A resource as the answer to a write of it. If the store left out many members, they are read as for a
    /// GET. A resource that was deleted since is shown without them.
    pub(super) async fn written_reply(
        &self,
        cx: &Context,
        status: StatusCode,
        stored: StoredResource,
        plan: Plan,
    ) -> Answer {
        let type_ = &stored.resource_type;
        if !plan.include().members || stored.members.is_some() || type_.members().is_none() {
            return self.resource_reply(cx, status, stored, &plan).await;
        }
        // The write is done, so the bytes of its answer are counted but never refused.
        let cx = &Context { bytes: cx.bytes.counting_only(), ..cx.clone() };
        let found = self.inner.store.retrieve_streamed(cx, type_, stored.id.as_str(), plan.include()).await;
        let found = found.map_err(|error| fault(cx, &error))?.unwrap_or_else(|| stored.into());
        self.reply_streamed(cx, status, found, plan).await
    }

    /// A resource as the answer to a request.
    pub(super) async fn reply_streamed(
        &self,
        cx: &Context,
        status: StatusCode,
        found: StreamedResource,
        plan: Plan,
    ) -> Answer {
        let StreamedResource { resource: mut stored, members } = found;
        let Some(members) = members.filter(|_| plan.include().members) else {
            return self.resource_reply(cx, status, stored, &plan).await;
        };
        self.complete(cx, &mut stored, &plan).await?;
        let plans = vec![(Arc::clone(&stored.resource_type), plan)];
        let parts = Part::group(cx, &plans, &stored, members).map_err(|error| fault(cx, &error))?;
        Ok(Reply {
            status,
            location: Some(cx.location(&stored.resource_type, &stored.id)),
            version: Some(stored.version),
            body: self.in_parts(cx, plans, parts),
            is_public: false,
        })
    }
}

impl<S: ResourceStore> Writing<S> {
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        loop {
            match self.parts.pop_front() {
                None => return Ok(None),
                Some(Part::Text(text)) => return Ok(Some(text)),
                Some(Part::Resources(resources, held)) => {
                    if let Some(piece) = self.render(resources, held)? {
                        return Ok(Some(piece));
                    }
                }
                Some(Part::Group(stored)) => self.open(*stored).await?,
                Some(Part::Members(mut members, type_, mut any)) => {
                    let Some(piece) = members.next().await.transpose()? else { continue };
                    let plans = &self.plans;
                    let plan = plans.iter().find(|(planned, _)| planned.name() == type_.name());
                    let Some((_, plan)) = plan else { continue };
                    // About the size of an id, its URI and a name.
                    let mut json = Vec::with_capacity(piece.len().saturating_mul(224));
                    write_members(&mut json, &self.cx, &type_, plan, &piece, &mut any)?;
                    self.parts.push_front(Part::Members(members, type_, any));
                    if !json.is_empty() {
                        return Ok(Some(json.into()));
                    }
                }
            }
        }
    }

    /// Renders resources of a list until a piece is full, and drops them. The rest stays in the queue.
    fn render(
        &mut self,
        mut resources: IntoIter<StoredResource>,
        mut held: HeldBytes,
    ) -> Result<Option<Bytes>, StoreError> {
        let (mut json, mut written, mut unread) = (Vec::with_capacity(PIECE + PIECE / 4), 0_u64, None);
        while json.len() < PIECE
            && let Some(stored) = resources.next()
        {
            json.push(b',');
            let plan = planned(&self.plans, &stored)?;
            if is_unread(&stored, plan) {
                unread = Some(Part::Group(Box::new(stored)));
                break;
            }
            write_resource(&mut json, &self.cx, &stored, plan)?;
            written = written.saturating_add(stored.size());
        }
        // The bytes of these resources are counted until their text is written.
        let written = held.split(written);
        if resources.len() > 0 {
            self.parts.push_front(Part::Resources(resources, held));
        }
        if let Some(unread) = unread {
            self.parts.push_front(unread);
        }
        Ok((!json.is_empty()).then(|| written.attach(json)))
    }

    /// Begins to read a group of a list. A group that was deleted since it was found is shown as it was,
    /// without members.
    async fn open(&mut self, listed: StoredResource) -> Result<(), StoreError> {
        let plan = planned(&self.plans, &listed)?;
        let store = &self.provider.inner.store;
        let type_ = &listed.resource_type;
        let found = store.retrieve_streamed(&self.cx, type_, listed.id.as_str(), plan.include()).await?;
        let StreamedResource { resource: mut stored, members } = found.unwrap_or_else(|| listed.into());
        if plan.include().groups && stored.groups.is_none() {
            stored.groups = Some(store.groups_of(&self.cx, &stored.id).await?);
        }
        match members {
            Some(members) => {
                for part in Part::group(&self.cx, &self.plans, &stored, members)?.into_iter().rev() {
                    self.parts.push_front(part);
                }
            }
            None => {
                let mut json = Vec::with_capacity(1024);
                write_resource(&mut json, &self.cx, &stored, plan)?;
                self.parts.push_front(Part::Text(json.into()));
            }
        }
        Ok(())
    }
}
