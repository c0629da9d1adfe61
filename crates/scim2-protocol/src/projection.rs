use scim2_core::Compat;
use scim2_filter::AttrPath;

use crate::message_error::MessageError;
use crate::query_parameters::QueryParameters;

/// The attributes that a client wants in the response: the parameters `attributes` and `excludedAttributes`
/// ([RFC 7644 §3.9](https://www.rfc-editor.org/rfc/rfc7644#section-3.9)).
///
/// The two parameters exclude each other. If a client sends both, `attributes` wins; in the modes
/// `strict` and `profile` that is an error (A-27). Names are separated by commas and may have
/// spaces around them. Malformed and unknown names are ignored (A-28). In the mode `default` a value path in
/// `attributes` counts as its attribute: `emails[type eq "work"].value` as `emails`. An empty list counts as absent.
///
/// ```
/// use scim2_core::Compat;
/// use scim2_protocol::Projection;
///
/// let projection = Projection::from_query_str("attributes=userName,%20name.givenName", &Compat::default())?;
/// let Projection::Attributes(paths) = &projection else { unreachable!() };
/// assert_eq!(paths[1].sub_attribute(), Some("givenName"));
///
/// let both = "attributes=userName&excludedAttributes=emails";
/// assert!(Projection::from_query_str(both, &Compat::strict()).is_err());
/// # Ok::<(), scim2_protocol::MessageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Projection {
    /// Neither is given: attributes returned `always` or by `default`.
    #[default]
    Default,
    /// `attributes`: these, and those returned `always`.
    Attributes(Vec<AttrPath>),
    /// `excludedAttributes`: the default without these, but with those returned `always`.
    ExcludedAttributes(Vec<AttrPath>),
}

impl Projection {
    /// Reads only these two parameters, for a request for one resource.
    ///
    /// # Errors
    /// [`InvalidValue`](crate::MessageErrorKind::InvalidValue) if both are given in `strict` or
    /// `profile` mode, or one is not UTF-8.
    pub fn from_query_str(query: &str, compat: &Compat) -> Result<Self, MessageError> {
        QueryParameters::projection_from_query_str(query, compat)
    }

    /// Says whether the client chose nothing.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::Default)
    }

    pub(crate) fn from_names<'a>(
        attributes: impl Iterator<Item = &'a str>,
        excluded: impl Iterator<Item = &'a str>,
        compat: &Compat,
    ) -> Result<Self, MessageError> {
        let (mut attributes, mut excluded) = (attributes.peekable(), excluded.peekable());
        match (attributes.peek(), excluded.peek()) {
            (None, None) => Ok(Self::Default),
            (Some(_), Some(_)) if compat.mode() != scim2_core::Mode::Default => {
                Err(MessageError::invalid_value("excludedAttributes", "nothing beside `attributes`", "both"))
            }
            (Some(_), _) => {
                let named = |name: &'a str| name.parse().ok().or_else(|| before_brackets(name, compat));
                Ok(Self::Attributes(attributes.filter_map(named).collect()))
            }
            (None, Some(_)) => {
                Ok(Self::ExcludedAttributes(excluded.filter_map(|name| name.parse().ok()).collect()))
            }
        }
    }
}

/// The attribute of a value path: `emails[type eq "work"].value` becomes `emails`. A projection cannot choose values, so
/// the response shows all of them.
fn before_brackets(name: &str, compat: &Compat) -> Option<AttrPath> {
    let (attribute, _) = name.split_once('[')?;
    if compat.mode() == scim2_core::Mode::Default { attribute.parse().ok() } else { None }
}
