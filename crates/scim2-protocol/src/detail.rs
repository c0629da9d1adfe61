use std::borrow::Cow;

/// The `detail` of an [`ErrorResponse`](crate::ErrorResponse), and what of it a log may keep.
///
/// A detail is read by the client that made the mistake, so it may repeat what that client sent. A log is
/// read by others and kept for long, so no attribute's value may get into it. The type keeps the two apart:
/// a literal holds nothing that a client sent and is logged as it is; a text that was put together is not
/// logged at all, unless its author says what may be.
///
/// ```
/// use scim2_core::ScimType;
/// use scim2_protocol::{Detail, ErrorResponse};
///
/// let literal = ErrorResponse::not_found("there is no such endpoint");
/// assert_eq!(literal.log_line.as_deref(), Some("there is no such endpoint"));
///
/// let sent = "PRIVATE";
/// let composed = ErrorResponse::of_scim_type(ScimType::InvalidValue, format!("found `{sent}`"));
/// assert_eq!(composed.log_line, None);
///
/// let detail = Detail::new(format!("expected a boolean for `active`, found `{sent}`"), "expected a boolean for `active`");
/// assert_eq!(ErrorResponse::forbidden(detail).log_line.as_deref(), Some("expected a boolean for `active`"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub(crate) text: Cow<'static, str>,
    pub(crate) log_line: Option<Cow<'static, str>>,
}

impl Detail {
    /// A line for the client, and the same line without values for the log.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>, log_line: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), log_line: Some(log_line.into()) }
    }

    /// A line that is put together of names, numbers and literals only, so that a log may keep it.
    #[must_use]
    pub fn of_names(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self { log_line: Some(text.clone()), text }
    }
}

impl From<&'static str> for Detail {
    fn from(literal: &'static str) -> Self {
        Self { text: Cow::Borrowed(literal), log_line: Some(Cow::Borrowed(literal)) }
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self { text: Cow::Owned(text), log_line: None }
    }
}
