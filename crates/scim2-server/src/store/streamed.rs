use std::fmt;
use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};

use super::{Member, StoreError, StoredResource};

/// A stored resource whose members may still have to be read: a group of a million members is answered while it
/// is read.
#[derive(Debug)]
pub struct StreamedResource {
    /// The resource.
    pub resource: StoredResource,
    /// Its members, if they were asked for and are not in [`StoredResource::members`].
    pub members: Option<MemberStream>,
}

impl From<StoredResource> for StreamedResource {
    /// A resource that was read as a whole.
    fn from(resource: StoredResource) -> Self {
        Self { resource, members: None }
    }
}

/// The function that returns the next members.
type Source = dyn FnMut(&mut TaskContext<'_>) -> Poll<Option<Result<Vec<Member>, StoreError>>> + Send;

/// The members of a group in order, some at a time, from the snapshot in which the group was read. Dropping the
/// stream ends the reading.
///
/// ```
/// use std::task::Poll;
/// use scim2_core::ResourceId;
/// use scim2_server::store::{Member, MemberStream};
///
/// # futures_util::FutureExt::now_or_never(async {
/// let mut left = vec![ResourceId::parse("grace")?, ResourceId::parse("ada")?];
/// let mut pieces = MemberStream::new(move |_| {
///     let next = left.pop().map(|value| Member { value, resource_type: "User".into(), display: None });
///     Poll::Ready(next.map(|member| Ok(vec![member])))
/// });
/// while let Some(piece) = pieces.next().await {
///     assert!(piece.is_ok_and(|members| members.len() == 1));
/// }
/// # Ok::<(), scim2_core::IdError>(())
/// # }).expect("it never waits")?;
/// # Ok::<(), scim2_core::IdError>(())
/// ```
pub struct MemberStream(Box<Source>);

impl MemberStream {
    /// A stream that calls `source` for each piece. `None` is the end. `source` is not called again after the
    /// end or after an error. A piece may be empty.
    #[must_use]
    pub fn new(
        source: impl FnMut(&mut TaskContext<'_>) -> Poll<Option<Result<Vec<Member>, StoreError>>> + Send + 'static,
    ) -> Self {
        Self(Box::new(source))
    }

    /// The next piece, `None` at the end.
    ///
    /// # Errors
    /// If the store cannot continue; the members that follow are then missing.
    pub async fn next(&mut self) -> Option<Result<Vec<Member>, StoreError>> {
        poll_fn(|task| (self.0)(task)).await
    }
}

impl From<Vec<Member>> for MemberStream {
    /// Members in memory, some hundreds at a time.
    fn from(members: Vec<Member>) -> Self {
        const PIECE: usize = 500;
        let mut members = members.into_iter();
        Self::new(move |_| {
            let piece: Vec<Member> = members.by_ref().take(PIECE).collect();
            Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
        })
    }
}

impl fmt::Debug for MemberStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberStream(…)")
    }
}
