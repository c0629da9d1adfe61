//! Named tolerance: what real clients do that the RFCs do not allow, each behind a switch.

use std::fmt;
use std::str::FromStr;

macro_rules! quirks {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $default:literal;)*) => {
        /// A tolerated deviation of a real client, named after its row in the table of dialects.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Quirk {
            $($(#[$doc])* $variant,)*
        }

        impl Quirk {
            /// All quirks, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as configuration spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whether the mode `default` tolerates it.
            #[must_use]
            pub const fn by_default(self) -> bool {
                match self { $(Self::$variant => $default,)* }
            }
        }
    };
}

quirks! {
    /// A path ends in a slash: `/Users/` is `/Users` (Microsoft's test collection).
    TrailingSlash = "trailing-slash", true;
    /// `emails[type eq "work"].value eq "x"` in a filter means
    /// `emails[type eq "work" and value eq "x"]` (Entra ID).
    FilterSubattrOutside = "filter-subattr-outside", true;
    /// A bare word in a filter is a string if the attribute is one (Entra ID, Zoom).
    FilterUnquoted = "filter-unquoted", true;
    /// `TRUE` and `NULL` are literals, and the space before a literal may be missing.
    FilterLoose = "filter-loose", true;
    /// `primary eq "True"`: a string literal is read as the boolean or number the attribute is
    /// (Entra ID).
    StringBoolFilter = "string-bool-filter", true;
    /// readOnly attributes in the value of a path-less PATCH are ignored (Okta, authentik).
    ReadonlySent = "readonly-sent", true;
    /// `"active": "False"` is a boolean (Entra ID, OneLogin).
    StringBool = "string-bool", true;
    /// `schemas` may be missing or lack an extension: it is derived from the keys (Entra ID, OneLogin).
    SchemasIncomplete = "schemas-incomplete", true;
    /// Extensions nobody registered are ignored and logged (Entra ID).
    UnknownExt = "unknown-ext", true;
    /// Attributes that no schema knows are ignored and logged.
    UnknownAttribute = "unknown-attribute", true;
    /// Known misspellings of the URIs of schemas and messages are understood (old Entra ID jobs,
    /// OneLogin templates).
    UrnWrong = "urn-wrong", true;
    /// An extension attribute may come without its URN if exactly one extension has it and the core schema does
    /// not (Entra ID).
    ExtShortName = "ext-short-name", true;
    /// A string is read as a complex attribute's `value`: `"manager": "26118915"` (Entra ID).
    ManagerString = "manager-string", true;
    /// An array of one value is read as the value of a singular attribute (Entra ID).
    SingleAsArray = "single-as-array", true;
    /// The first of two primary values in POST and PUT wins (Entra ID, Ping).
    Primary = "primary", true;
    /// A message may lack `schemas` (authentik).
    PatchNoSchemas = "patch-no-schemas", true;
    /// Unknown members of a message are ignored (Microsoft's test collection).
    UnknownKeys = "unknown-keys", true;
    /// Keys of a body or of a path-less PATCH value may be paths: `name.givenName` (Entra ID).
    DottedKeys = "dotted-keys", true;
    /// `replace` whose value filter matches nothing creates the element (Entra ID).
    ValuepathCreate = "valuepath-create", true;
    /// `remove` whose value filter matches nothing succeeds (Okta).
    IdempotentRemove = "idempotent-remove", true;
    /// `remove` with a value removes only what the value lists (Entra ID, JumpCloud, authentik).
    RemoveWithValue = "remove-with-value", true;
    /// `replace` of a complex attribute with `""` unassigns it (Entra ID).
    EmptyStringRemove = "empty-string-remove", true;
    /// `{"members": […]}` as the value of the path `members` is unwrapped (Salesforce).
    WrappedValue = "wrapped-value", true;
    /// A string is read as an element of a multi-valued complex attribute (Microsoft's test collection).
    MemberString = "member-string", true;
    /// `displayName` of groups is unique (Entra ID's validator wants the 409).
    GroupDisplayUnique = "group-display-unique", true;
    /// A PUT keeps what it does not mention.
    PutPreservesAbsent = "put-preserves-absent", false;
    /// A user name may hold what the PRECIS profile refuses, spaces for example.
    UsernameAny = "username-any", false;
    /// `Authorization: TOKEN` without the word `Bearer` (some Okta applications).
    AuthNoScheme = "auth-no-scheme", false;
    /// An operation of a PATCH whose path holds an unknown name is skipped, if the service provider
    /// understands at least one other operation (seven projects report lost deactivations).
    UnknownPath = "unknown-path", true;
    /// An object with a `value` is read as that value where a simple value is expected: `"active": [{"$ref":
    /// null, "value": false}]` (serializers that wrap every value).
    ValueObject = "value-object", true;
    /// A text that is a JSON array or object is read where the attribute is complex or multi-valued:
    /// `"emails": "[{\"value\": \"a@example.com\"}]"` (workflow builders that send every value as text).
    JsonText = "json-text", true;
    /// `"`, `<` and `>` in the target of a GET or HEAD need not be percent-encoded (old Entra ID jobs, OneLogin).
    RawQuotes = "raw-quotes", true;
    /// `/scim/Bulk`, `/scim/v2/v2/Bulk` and `/scim/v2/%42ulk` are read as `/scim/v2/Bulk` (RFC 7644 §3.13, RFC
    /// 3986 §6.2.2.2). A proxy with rules for single paths must then know all these forms.
    PathVariants = "path-variants", false;
}

/// Which of the three modes a service provider runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The real world: tolerates what is safe.
    #[default]
    Default,
    /// The letter of the RFCs.
    Strict,
    /// The interoperability profile draft.
    Profile,
}

/// The tolerance of a service provider: a [`Mode`] and the quirks switched on.
///
/// ```
/// use scim2_core::{Compat, Mode, Quirk};
///
/// let compat = Compat::default().with(Quirk::StringBool, false);
/// assert!(!compat.allows(Quirk::StringBool));
/// assert!(compat.allows(Quirk::DottedKeys));
/// assert!(!Compat::strict().allows(Quirk::DottedKeys));
/// assert_eq!(Compat::profile().mode(), Mode::Profile);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Compat {
    mode: Mode,
    // One bit for each quirk, by its discriminant.
    on: u64,
}

impl Compat {
    /// Everything that real clients need and that is safe.
    #[must_use]
    pub fn new() -> Self {
        Quirk::ALL.iter().fold(Self { mode: Mode::Default, on: 0 }, |compat, quirk| {
            compat.with(*quirk, quirk.by_default())
        })
    }

    /// The letter of the RFCs: no quirk at all.
    #[must_use]
    pub const fn strict() -> Self {
        Self { mode: Mode::Strict, on: 0 }
    }

    /// The interoperability profile draft: no quirk, and narrower than the RFCs.
    #[must_use]
    pub const fn profile() -> Self {
        Self { mode: Mode::Profile, on: 0 }
    }

    /// Switches one quirk.
    #[must_use]
    pub const fn with(mut self, quirk: Quirk, on: bool) -> Self {
        let bit = 1 << quirk as u64;
        if on {
            self.on |= bit;
        } else {
            self.on &= !bit;
        }
        self
    }

    /// Says whether a quirk is tolerated.
    #[must_use]
    pub const fn allows(&self, quirk: Quirk) -> bool {
        self.on & (1 << quirk as u64) != 0
    }

    /// The mode.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Says whether the narrower rules of the interoperability profile hold.
    #[must_use]
    pub const fn is_profile(&self) -> bool {
        matches!(self.mode, Mode::Profile)
    }
}

impl Default for Compat {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Mode> for Compat {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Default => Self::new(),
            Mode::Strict => Self::strict(),
            Mode::Profile => Self::profile(),
        }
    }
}

impl fmt::Debug for Compat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Quirk::ALL.iter().filter(|quirk| self.allows(**quirk)).map(|quirk| quirk.name());
        f.debug_struct("Compat").field("mode", &self.mode).field("on", &on.collect::<Vec<_>>()).finish()
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Profile => "profile",
        })
    }
}

impl FromStr for Quirk {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL.iter().find(|quirk| quirk.name() == name).copied().ok_or(UnknownName("the name of a quirk"))
    }
}

impl FromStr for Mode {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Default, Self::Strict, Self::Profile]
            .into_iter()
            .find(|mode| mode.to_string() == name)
            .ok_or(UnknownName("`default`, `strict` or `profile`"))
    }
}

/// A name that is neither a [`Quirk`] nor a [`Mode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownName(&'static str);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0)
    }
}

impl std::error::Error for UnknownName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_has_a_bit_and_a_name_of_its_own() {
        assert!(Quirk::ALL.len() <= 64);
        for quirk in Quirk::ALL {
            assert_eq!(quirk.name().parse(), Ok(*quirk));
            assert_eq!(Compat::default().allows(*quirk), quirk.by_default());
            assert!(!Compat::strict().allows(*quirk));
            let alone = Compat::strict().with(*quirk, true);
            assert_eq!(Quirk::ALL.iter().filter(|other| alone.allows(**other)).count(), 1);
        }
    }
}
