//! Applies the operations in steps, so that other work can run during a long PATCH.

use scim2_core::work::Work;
use scim2_core::{Compat, CompiledType, ExtensionId, Object, Value};

use super::Patch;
use super::applied::{Applied, Change};
use super::journal::Journal;
use crate::context::{Context, Notes};
use crate::error::{PatchError, PatchErrorKind};
use crate::patch_op::{Operation, PatchOp};

/// Applies operations in steps, all or none, as [`apply`](crate::apply) does. It can move to another thread between two
/// steps. If it is dropped before the last step, the resource is changed in part.
///
/// ```
/// use scim2_core::work::Work;
/// use scim2_core::{Compat, Registry};
/// use scim2_patch::{Application, PatchOp, Progress};
///
/// let registry = Registry::standard();
/// let user = registry.resource_type("User").expect("a standard type");
/// let (compat, mut ada) = (Compat::default(), serde_json::from_str(r#"{"userName":"ada"}"#)?);
/// let op = PatchOp::new().replace("title", "Countess")?.replace("nickName", "Ada")?;
///
/// let mut application = Application::new(&op, &mut ada, user, &compat);
/// let (mut pauses, work) = (0, Work::with_limit(1 << 20));
/// let applied = loop {
///     match application.advance(&work, 0)? {
///         Progress::Paused(rest) => (application, pauses) = (rest, pauses + 1),
///         Progress::Done(applied) => break applied,
///     }
/// };
/// assert_eq!((applied.changed(), pauses), (true, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "the resource is changed in part until the last step is done"]
pub struct Application<'a> {
    op: &'a PatchOp,
    resource: &'a mut Object,
    type_: &'a CompiledType,
    compat: &'a Compat,
    /// The number of operations that are applied.
    done: usize,
    notes: Notes,
    journal: Journal,
    /// Which extension was nested in which before the first step, if the type allows nesting.
    nesting: Option<Value>,
    /// The extensions that got their first data, each with the operation that added it.
    begun: Vec<(ExtensionId, &'a Operation)>,
    /// The first unknown name that was ignored, and its operation.
    unknown: Option<(&'a Operation, Box<PatchErrorKind>)>,
}

/// The result of one step of an [`Application`].
#[derive(Debug)]
pub enum Progress<'a> {
    /// Operations are left.
    Paused(Application<'a>),
    /// All operations are applied.
    Done(Applied),
}

impl<'a> Application<'a> {
    /// Prepares the application. Nothing is changed yet.
    pub fn new(
        op: &'a PatchOp,
        resource: &'a mut Object,
        type_: &'a CompiledType,
        compat: &'a Compat,
    ) -> Self {
        let nesting = if type_.can_nest() { resource.get(CompiledType::NESTING).cloned() } else { None };
        Self {
            nesting,
            op,
            resource,
            type_,
            compat,
            done: 0,
            notes: Notes::new(op.is_rest_of_understood()),
            journal: Journal::default(),
            begun: Vec::new(),
            unknown: None,
        }
    }

    /// Applies at least one operation, and further ones until more than `pause` bytes of `work` are spent.
    ///
    /// # Errors
    /// As [`apply_within`](crate::apply_within). The resource is then the same as before the first step.
    pub fn advance(self, work: &Work<'_>, pause: u64) -> Result<Progress<'a>, PatchError> {
        let Self { op, resource, type_, compat, mut done, notes, journal, nesting, mut begun, mut unknown } =
            self;
        let mut cx = Context { type_, compat, notes, work };
        if done == 0 {
            op.leniencies().iter().for_each(|quirk| cx.tolerate(*quirk));
        }
        let before = work.spent();
        let mut patch = Patch { cx, journal, resource, begun: Vec::new() };
        let mut failed = None;
        for operation in op.operations().iter().skip(done) {
            if done > self.done && work.spent() - before > pause {
                let Patch { cx: Context { notes, .. }, journal, resource, .. } = patch;
                return Ok(Progress::Paused(Self {
                    op,
                    resource,
                    type_,
                    compat,
                    done,
                    notes,
                    journal,
                    nesting,
                    begun,
                    unknown,
                }));
            }
            if let Err(kind) = patch.operation(operation) {
                failed = Some((operation, kind));
                break;
            }
            unknown = unknown.or(patch.cx.take_unknown().map(|kind| (operation, kind)));
            begun.extend(patch.begun.drain(..).map(|extension| (extension, operation)));
            done += 1;
        }
        // A later operation may add the required attributes of a new extension, so they are checked at the end.
        let incomplete = || {
            begun.iter().find_map(|(extension, operation)| {
                patch.check_complete(*extension).err().map(|kind| (*operation, kind))
            })
        };
        let failed = failed
            .or_else(|| {
                unknown.filter(|_| !patch.cx.notes.understood).map(|(operation, kind)| (operation, *kind))
            })
            .or_else(incomplete);
        let Patch { cx, journal, resource, .. } = patch;
        if let Some((operation, kind)) = failed {
            journal.undo(resource, type_);
            if type_.can_nest() {
                resource.remove(CompiledType::NESTING);
            }
            if let Some(nesting) = nesting {
                resource.insert(CompiledType::NESTING, nesting);
            }
            let path = operation.path().map(ToString::to_string);
            return Err(PatchError::new(kind).at(operation.number(), operation.op(), path.as_deref()));
        }
        let mut changes = journal.changes(resource, type_);
        for touched in cx.notes.touched.iter().map(|id| type_.attribute(*id)) {
            let top = touched.parent().unwrap_or(touched.id());
            if !changes.iter().any(|change| change.attribute() == top) {
                changes.push(Change::unchanged(top, resource, type_));
            }
        }
        Ok(Progress::Done(Applied::new(changes, cx)))
    }
}
