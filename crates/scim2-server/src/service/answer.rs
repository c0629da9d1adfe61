use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use crate::engine;
use crate::store::StoreError;

/// The body of a response. Nearly all bodies are whole, and their length is known. A group of many members is
/// streamed: it is read only as fast as the client reads, and no further when the client has disconnected.
///
/// An error means that the store could not continue. The connection must then be cut off, so that the client
/// does not take the part for the whole.
#[derive(Debug)]
pub struct ResponseBody(engine::Body);

impl ResponseBody {
    pub(super) fn new(body: engine::Body) -> Self {
        Self(body)
    }
}

impl Default for ResponseBody {
    /// No body.
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<u8>> for ResponseBody {
    fn from(body: Vec<u8>) -> Self {
        Self(engine::Body::Whole(body.into()))
    }
}

impl From<Full<Bytes>> for ResponseBody {
    fn from(body: Full<Bytes>) -> Self {
        Self(engine::Body::Whole(body))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        match &mut self.get_mut().0 {
            engine::Body::Whole(body) => Pin::new(body).poll_frame(task).map_err(|never| match never {}),
            engine::Body::Pieces(pieces) => {
                pieces.as_mut().poll_next(task).map(|next| next.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            engine::Body::Whole(body) => body.is_end_stream(),
            engine::Body::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            engine::Body::Whole(body) => body.size_hint(),
            engine::Body::Pieces(_) => SizeHint::default(),
        }
    }
}
