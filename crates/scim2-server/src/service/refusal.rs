use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};
use scim2_protocol::{Detail, ErrorResponse};

use crate::ports::{AuthError, Authenticator};

/// An error with its headers and the fields of its log line.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: Box<ErrorResponse>,
    /// The methods that a 405 names.
    pub(super) allow: Option<&'static str>,
    /// `WWW-Authenticate`
    pub(super) challenge: Option<Box<HeaderValue>>,
    /// `Retry-After`, in seconds.
    pub(super) retry_after: Option<u32>,
    /// The header in which a 415 names the accepted media types.
    pub(super) accept: Option<&'static str>,
    /// The reason code of a refused credential.
    pub(super) reason: Option<&'static str>,
    /// The name of the credential.
    pub(super) credential: Option<Arc<str>>,
}

impl Refusal {
    /// The refusal of a request whose credential was not accepted.
    pub(super) fn of_credential(error: &AuthError, authenticator: &impl Authenticator) -> Self {
        let detail = error.detail();
        let log_line = match authenticator.advice().filter(|_| is_not_valid(error)) {
            Some(advice) => format!("{detail}; {advice}").into(),
            None => std::borrow::Cow::Borrowed(detail),
        };
        let detail = Detail::new(detail, log_line);
        let refused = match error {
            AuthError::TooManyFailures(_) => ErrorResponse::too_many_requests(detail),
            AuthError::Unavailable => ErrorResponse::service_unavailable(detail),
            _ => ErrorResponse::unauthorized(detail),
        };
        let is_401 = refused.status == StatusCode::UNAUTHORIZED;
        Self {
            challenge: is_401.then(|| challenge(error, authenticator.challenge())).flatten().map(Box::new),
            retry_after: match error {
                AuthError::TooManyFailures(seconds) => Some(*seconds),
                _ => None,
            },
            reason: Some(error.code()),
            credential: error.credential().cloned(),
            ..refused.into()
        }
    }

    /// Adds the method of the request, and the credential if it needed one.
    pub(super) fn of(self, method: &Method, credential: Option<&Arc<str>>) -> Self {
        let is_415 = self.error.status == StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let accept = is_415.then_some(match *method {
            Method::POST => "accept-post",
            Method::PATCH => "accept-patch",
            // RFC 9110 §15.5.16
            _ => "accept",
        });
        Self { accept, credential: credential.map(Arc::clone), ..self }
    }
}

/// The challenge of the authenticator, which says `invalid_token` if a bearer token came
/// ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
fn challenge(error: &AuthError, challenge: &str) -> Option<HeaderValue> {
    let is_bearer = challenge.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    let challenge = if is_bearer && error.is_invalid_token() {
        let separator = if challenge.contains(' ') { "," } else { "" };
        // INVARIANT: details hold neither quotes nor backslashes.
        let detail = error.detail();
        format!("{challenge}{separator} error=\"invalid_token\", error_description=\"{detail}\"")
    } else {
        challenge.to_owned()
    };
    HeaderValue::from_str(&challenge).ok()
}

/// Says whether the credential is well-formed but not accepted.
fn is_not_valid(error: &AuthError) -> bool {
    matches!(error, AuthError::Invalid | AuthError::Expired(_) | AuthError::Revoked(_))
}

impl From<ErrorResponse> for Refusal {
    fn from(error: ErrorResponse) -> Self {
        Self {
            error: Box::new(error),
            allow: None,
            challenge: None,
            retry_after: None,
            accept: None,
            reason: None,
            credential: None,
        }
    }
}
