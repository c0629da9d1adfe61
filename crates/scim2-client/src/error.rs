use std::error::Error;
use std::fmt;

use http::StatusCode;
use scim2_core::ScimType;
use scim2_protocol::ErrorResponse;

use crate::transport::TransportError;

/// Why a call failed.
///
/// ```
/// # use bytes::Bytes;
/// # use scim2_client::{BaseUrl, Client, ClientErrorKind, FnTransport, TransportError};
/// # use scim2_core::{Object, ScimType};
/// # futures_util::FutureExt::now_or_never(async {
/// # let transport = FnTransport(|_| async {
/// #     let mut response = http::Response::new(Bytes::from_static(
/// #         br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":409,"scimType":"uniqueness"}"#));
/// #     *response.status_mut() = http::StatusCode::CONFLICT;
/// #     Ok::<_, TransportError>(response)
/// # });
/// # let client = Client::new(transport, BaseUrl::parse("https://example.com")?);
/// let error = client
///     .endpoint::<Object>("/Users")
///     .create(&Object::from_iter([("userName", "ada")]), &Default::default())
///     .await
///     .unwrap_err();
/// assert_eq!(error.kind(), ClientErrorKind::Status);
/// assert_eq!(error.scim_type(), Some(&ScimType::Uniqueness));
/// assert_eq!(error.to_string(), "the service provider answered 409 uniqueness");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).expect("ready at once")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ClientError(Box<Inner>);

#[derive(Debug)]
enum Inner {
    Request(&'static str),
    Transport(TransportError),
    Status { status: StatusCode, error: Option<ErrorResponse>, body: String },
    UnexpectedBody { status: StatusCode, expected: &'static str, body: String, cause: Option<String> },
    Redirect { status: StatusCode, why: &'static str },
}

/// The kind of the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientErrorKind {
    /// The request was not sent: it cannot be written as a URL or as JSON.
    Request,
    /// There is no response.
    Transport,
    /// The service provider responded with an error.
    Status,
    /// The service provider responded with success, but with a body that cannot be read as the requested type.
    UnexpectedBody,
    /// The service provider redirects to another place, and the client does not follow.
    Redirect,
}

impl ClientError {
    /// How many bytes of a body are kept at most.
    pub const MAX_BODY_BYTES: usize = 1024;

    pub(crate) fn request(line: &'static str) -> Self {
        Self(Box::new(Inner::Request(line)))
    }

    pub(crate) fn status_error(status: StatusCode, error: Option<ErrorResponse>, body: String) -> Self {
        Self(Box::new(Inner::Status { status, error, body: cut(body) }))
    }

    pub(crate) fn unexpected_body(
        status: StatusCode,
        expected: &'static str,
        body: String,
        cause: Option<String>,
    ) -> Self {
        Self(Box::new(Inner::UnexpectedBody { status, expected, body: cut(body), cause }))
    }

    pub(crate) fn redirect(status: StatusCode, why: &'static str) -> Self {
        Self(Box::new(Inner::Redirect { status, why }))
    }

    /// The kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ClientErrorKind {
        match &*self.0 {
            Inner::Request(_) => ClientErrorKind::Request,
            Inner::Transport(_) => ClientErrorKind::Transport,
            Inner::Status { .. } => ClientErrorKind::Status,
            Inner::UnexpectedBody { .. } => ClientErrorKind::UnexpectedBody,
            Inner::Redirect { .. } => ClientErrorKind::Redirect,
        }
    }

    /// The status of the response, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &*self.0 {
            Inner::Request(_) | Inner::Transport(_) => None,
            Inner::Status { status, .. }
            | Inner::UnexpectedBody { status, .. }
            | Inner::Redirect { status, .. } => Some(*status),
        }
    }

    /// The SCIM error in the body, if there is one. If its status differs from [`status`](Self::status), the latter
    /// counts.
    #[must_use]
    pub fn error_response(&self) -> Option<&ErrorResponse> {
        match &*self.0 {
            Inner::Status { error, .. } => error.as_ref(),
            _ => None,
        }
    }

    /// The keyword of the SCIM error.
    #[must_use]
    pub fn scim_type(&self) -> Option<&ScimType> {
        self.error_response()?.scim_type.as_ref()
    }

    /// The beginning of the body, at most [`MAX_BODY_BYTES`](Self::MAX_BODY_BYTES) bytes, without the client's token.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        match &*self.0 {
            Inner::Status { body, .. } | Inner::UnexpectedBody { body, .. } => Some(body),
            _ => None,
        }
    }
}

impl From<TransportError> for ClientError {
    fn from(error: TransportError) -> Self {
        Self(Box::new(Inner::Transport(error)))
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Request(line) => f.write_str(line),
            Inner::Transport(error) => error.fmt(f),
            Inner::Status { status, error: Some(error), .. } if *status == error.status => {
                write!(f, "the service provider answered {error}")
            }
            Inner::Status { status, error: Some(error), .. } => {
                write!(f, "the service provider answered {}, and {error} in the body", status.as_str())
            }
            Inner::Status { status, error: None, .. } => {
                write!(f, "the service provider answered {} without a SCIM error", status.as_str())
            }
            Inner::UnexpectedBody { status, expected, cause, .. } => {
                write!(f, "expected {expected} in the answer {}", status.as_str())?;
                match cause {
                    Some(cause) => write!(f, ": {}", cause.escape_debug()),
                    None => Ok(()),
                }
            }
            Inner::Redirect { status, why } => {
                write!(f, "the service provider answered {}: {why}", status.as_str())
            }
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.0 {
            // This error already prints the line of the transport's error, so its source is the next cause.
            Inner::Transport(error) => error.source(),
            _ => None,
        }
    }
}

/// Cuts a text between two characters.
fn cut(mut text: String) -> String {
    let mut end = text.len().min(ClientError::MAX_BODY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
