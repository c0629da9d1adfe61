use core::fmt;

use crate::{AttrPath, CompValue};

/// A test of one attribute, the RFC's `attrExp`.
///
/// The grammar allows every operator with every value. Resolution decides whether the pair fits the attribute's type.
///
/// [RFC 7644 §3.4.2.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AttrExp {
    /// `title pr`: the attribute has a value.
    Present {
        /// The attribute.
        path: AttrPath,
    },
    /// `userName sw "J"`: one of the attribute's values compares with the value given.
    Compare {
        /// The attribute.
        path: AttrPath,
        /// The operator.
        op: CompareOp,
        /// The value to compare with.
        value: CompValue,
    },
}

impl AttrExp {
    /// The attribute that is tested.
    #[must_use]
    pub fn path(&self) -> &AttrPath {
        match self {
            Self::Present { path } | Self::Compare { path, .. } => path,
        }
    }
}

/// A comparison operator, the RFC's `compareOp`.
///
/// Read without regard to case, printed in lower case.
///
/// [RFC 7644 §3.4.2.2, Table 3](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `eq`: equal.
    Eq,
    /// `ne`: not equal.
    Ne,
    /// `co`: contains.
    Co,
    /// `sw`: starts with.
    Sw,
    /// `ew`: ends with.
    Ew,
    /// `gt`: greater than.
    Gt,
    /// `ge`: greater than or equal to.
    Ge,
    /// `lt`: less than.
    Lt,
    /// `le`: less than or equal to.
    Le,
}

impl CompareOp {
    /// Every operator, in the order of the RFC's table.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The operator that `word` names, in any letter case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let &[first, second] = word.as_bytes() else { return None };
        match [first.to_ascii_lowercase(), second.to_ascii_lowercase()] {
            [b'e', b'q'] => Some(Self::Eq),
            [b'n', b'e'] => Some(Self::Ne),
            [b'c', b'o'] => Some(Self::Co),
            [b's', b'w'] => Some(Self::Sw),
            [b'e', b'w'] => Some(Self::Ew),
            [b'g', b't'] => Some(Self::Gt),
            [b'g', b'e'] => Some(Self::Ge),
            [b'l', b't'] => Some(Self::Lt),
            [b'l', b'e'] => Some(Self::Le),
            _ => None,
        }
    }

    /// The operator in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// Says whether the operator compares by order: `gt`, `ge`, `lt`, `le`.
    #[must_use]
    pub fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    /// Says whether the operator searches in a string: `co`, `sw`, `ew`.
    #[must_use]
    pub fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }
}

impl fmt::Display for CompareOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_read_in_any_case_what_they_print() {
        for op in CompareOp::ALL {
            assert_eq!(CompareOp::parse(op.as_str()), Some(op));
            assert_eq!(CompareOp::parse(&op.as_str().to_ascii_uppercase()), Some(op));
        }
        for word in ["", "e", "eqq", "pr", "xx"] {
            assert_eq!(CompareOp::parse(word), None);
        }
    }
}
