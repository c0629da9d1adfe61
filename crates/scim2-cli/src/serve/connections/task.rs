//! The task of a connection.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use hyper_util::server::graceful::GracefulConnection;

use super::Lease;
use super::activity::Ending;

/// Serves a connection until it ends, or until its activity asks it to end.
pub(in super::super) async fn drive<C>(connection: C, lease: Lease)
where
    C: GracefulConnection<Error: fmt::Display>,
{
    let mut connection = pin!(connection);
    let mut asked = false;
    let activity = lease.activity();
    poll_fn(|cx| {
        if activity.poll_ending(cx, Ending::AfterRequest).is_ready() {
            if activity.ending() == Ending::Now {
                return Poll::Ready(());
            }
            if !asked {
                asked = true;
                // Read the bytes that have arrived: if they are a whole request, it is still answered.
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                // Without a request, the HTTP library would wait for the rest of the first head.
                if !activity.has_begun() {
                    return Poll::Ready(());
                }
                connection.as_mut().graceful_shutdown();
            }
        }
        connection.as_mut().poll(cx).map(|ended| {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        })
    })
    .await;
}
