use std::borrow::Cow;

/// The `detail` of an [`ErrorResponse`](crate::ErrorResponse), and a form of it for logs.
///
/// The client that made the mistake reads the detail, so it may repeat what the client sent. Other people read the log,
/// and it is kept for long, so it must not hold values of attributes. This type keeps the two apart:
/// a literal holds nothing that a client sent, and is logged unchanged. A composed text is not
/// logged at all, unless its author gives a line for the log.
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

    /// A line composed of names, numbers and literals only, so that it may be logged.
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
