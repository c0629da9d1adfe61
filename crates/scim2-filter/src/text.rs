use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use smol_str::SmolStr;

/// A string of a filter. Up to 23 bytes are stored inline, so parsing an ordinary filter
/// allocates nothing for its names and values.
///
/// ```
/// use scim2_filter::{CompValue, Text};
///
/// let CompValue::String(text) = CompValue::from("bjensen") else { unreachable!() };
/// assert_eq!(&*text, "bjensen");
/// assert_eq!(text, Text::from("bjensen"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(SmolStr);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(SmolStr::new(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
