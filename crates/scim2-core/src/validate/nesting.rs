//! Which extensions of a body are inside others; see [`CompiledType::NESTING`].

use crate::compiled::{CompiledType, ExtensionId};
use crate::value::Object;

/// Where each extension of a body was found first, which is where it belongs. Empty for a resource type whose
/// extensions cannot be inside each other.
pub(super) struct Nesting {
    /// For each extension, the extension it was found in, if any; `None` if it was not found.
    met: Vec<Option<Option<ExtensionId>>>,
    /// The extension whose object is being read.
    inside: Option<ExtensionId>,
}

impl Nesting {
    pub(super) fn none(type_: &CompiledType) -> Self {
        let len = if type_.can_nest() { type_.extensions().count() } else { 0 };
        Self { met: vec![None; len], inside: None }
    }

    /// Records where a part of an extension was found.
    pub(super) fn meet(&mut self, id: ExtensionId) {
        if let Some(met) = self.met.get_mut(id.index()) {
            met.get_or_insert(self.inside.filter(|outer| *outer != id));
        }
    }

    /// Starts reading the object of this extension. Returns the extension around it, for
    /// [`leave`](Self::leave).
    pub(super) fn enter(&mut self, id: ExtensionId) -> Option<ExtensionId> {
        self.meet(id);
        self.inside.replace(id)
    }

    pub(super) fn leave(&mut self, around: Option<ExtensionId>) {
        self.inside = around;
    }

    /// Writes the record into the canonical form. Extensions that a replace carries over stay where they were.
    pub(super) fn note(self, type_: &CompiledType, object: &mut Object, current: Option<&Object>) {
        if self.met.is_empty() {
            return;
        }
        for ((id, _), met) in type_.extensions().zip(self.met) {
            let outer = met.unwrap_or_else(|| type_.outer_extension(current?, id));
            if let Some(outer) = outer {
                type_.put_within(object, id, outer);
            }
        }
        type_.forget_nesting(object);
    }
}
