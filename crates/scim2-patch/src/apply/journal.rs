//! The undo journal: the old values of the changed attributes.

use scim2_core::{AttributeId, CompiledType, ExtensionId, Object, Owner, Value};

use super::applied::{Before, Change};

/// The unit that the journal saves: a top-level attribute of the core, or an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Attribute(AttributeId),
    Extension(ExtensionId),
}

impl Slot {
    pub(super) fn of(top: AttributeId, type_: &CompiledType) -> Self {
        match type_.attribute(top).owner() {
            Owner::Common | Owner::Core => Self::Attribute(top),
            Owner::Extension(extension) => Self::Extension(extension),
        }
    }

    fn key(self, type_: &CompiledType) -> &str {
        match self {
            Self::Attribute(id) => type_.attribute(id).name(),
            Self::Extension(id) => type_.extension(id).uri().as_str(),
        }
    }
}

/// An undo journal. It copies an attribute once, before its first change. If values are only appended to a list, it
/// keeps the old length instead, so that adding one member does not copy ten thousand others.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: Vec<Entry>,
    // Attributes that count as changed even if their value is the same.
    forced: Vec<AttributeId>,
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    /// The length of the list before values were appended.
    grown_from: Option<usize>,
    /// The old value, or `Some(None)` if there was none. `None` if values were only appended.
    saved: Option<Option<Value>>,
}

impl Journal {
    /// Saves a slot before any change.
    pub(super) fn save(&mut self, slot: Slot, resource: &Object, type_: &CompiledType) {
        let entry = self.entry(slot);
        if entry.saved.is_none() {
            entry.saved = Some(resource.get(slot.key(type_)).cloned());
        }
    }

    /// Saves a slot before values are appended to the `len` that are there.
    pub(super) fn grow(&mut self, slot: Slot, len: usize) {
        let entry = self.entry(slot);
        if entry.saved.is_none() {
            entry.grown_from.get_or_insert(len);
        }
    }

    /// Counts an attribute as changed.
    pub(super) fn force(&mut self, top: AttributeId) {
        if !self.forced.contains(&top) {
            self.forced.push(top);
        }
    }

    /// Restores all old values.
    pub(super) fn undo(self, resource: &mut Object, type_: &CompiledType) {
        for entry in self.entries {
            let key = entry.slot.key(type_);
            match entry.saved {
                Some(None) => {
                    resource.remove(key);
                }
                Some(Some(mut value)) => {
                    truncate(&mut value, entry.grown_from);
                    resource.insert(key, value);
                }
                None => {
                    if let Some(value) = resource.get_mut(key) {
                        truncate(value, entry.grown_from);
                    }
                }
            }
        }
    }

    /// The top-level attributes whose value changed.
    pub(super) fn changes(self, resource: &Object, type_: &CompiledType) -> Vec<Change> {
        let mut changes: Vec<Change> =
            self.forced.iter().map(|forced| Change::new(*forced, Before::NeverReturned)).collect();
        let mut note = |id, before| {
            if !self.forced.contains(&id) {
                changes.push(Change::new(id, before));
            }
        };
        for Entry { slot, grown_from, saved } in self.entries {
            let now = resource.get(slot.key(type_));
            let before = saved.map(|saved| {
                saved.map(|mut value| {
                    truncate(&mut value, grown_from);
                    value
                })
            });
            match (slot, before) {
                (Slot::Attribute(id), Some(before)) => {
                    let before = before.filter(|value| !value.is_unassigned());
                    if before.as_ref() != assigned(now) {
                        note(id, Before::Value(before));
                    }
                }
                (Slot::Attribute(id), None) => {
                    if let Some(count) = grown_from
                        && now.and_then(Value::as_array).map(<[Value]>::len) != grown_from
                    {
                        note(id, Before::FirstOf(count));
                    }
                }
                (Slot::Extension(id), before) => {
                    let mut before = match before.flatten() {
                        Some(Value::Object(before)) => before,
                        _ => Object::new(),
                    };
                    for def in type_.top_level(Owner::Extension(id)) {
                        let before = before.remove(def.name()).filter(|value| !value.is_unassigned());
                        let now = now.and_then(Value::as_object).and_then(|now| now.get(def.name()));
                        if before.as_ref() != assigned(now) {
                            note(def.id(), Before::Value(before));
                        }
                    }
                }
            }
        }
        changes
    }

    fn entry(&mut self, slot: Slot) -> &mut Entry {
        let at = match self.entries.iter().position(|entry| entry.slot == slot) {
            Some(at) => at,
            None => {
                self.entries.push(Entry { slot, grown_from: None, saved: None });
                self.entries.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "`at` was found or pushed just above")]
        &mut self.entries[at]
    }
}

fn truncate(value: &mut Value, len: Option<usize>) {
    if let (Some(len), Value::Array(values)) = (len, value) {
        values.truncate(len);
    }
}

fn assigned(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_unassigned())
}
