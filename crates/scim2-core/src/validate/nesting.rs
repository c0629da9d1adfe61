//! Which extensions of a body lie in others; see [`CompiledType::NESTING`].

use crate::compiled::{CompiledType, ExtensionId};
use crate::value::Object;

/// Where the extensions of a body were met first: that is where they lie. It holds nothing for a resource type
/// whose extensions cannot lie in each other.
pub(super) struct Nesting {
    /// Of each extension in which other one it was met, if in any; `None` if it was not met.
    met: Vec<Option<Option<ExtensionId>>>,
    /// The extension whose object is being read.
    inside: Option<ExtensionId>,
}

impl Nesting {
    pub(super) fn none(type_: &CompiledType) -> Self {
        let len = if type_.can_nest() { type_.extensions().count() } else { 0 };
        Self { met: vec![None; len], inside: None }
    }

    /// Notes where something of an extension stands.
    pub(super) fn meet(&mut self, id: ExtensionId) {
        if let Some(met) = self.met.get_mut(id.index()) {
            met.get_or_insert(self.inside.filter(|outer| *outer != id));
        }
    }

    /// What follows is of this extension's object. Returns what was around it, for [`leave`](Self::leave).
    pub(super) fn enter(&mut self, id: ExtensionId) -> Option<ExtensionId> {
        self.meet(id);
        self.inside.replace(id)
    }

    pub(super) fn leave(&mut self, around: Option<ExtensionId>) {
        self.inside = around;
    }

    /// Notes it in the canonical form. What a replace carries over lies where it lay.
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
