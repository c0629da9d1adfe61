use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt::Display;

use scim2_core::{AttributeDef, AttributeId, Compat, CompiledType, Value};
use scim2_names::eq_ignore_case;

use super::condition::{
    Comparison, CompiledFilter, Condition, ElementFilter, ExtensionSubject, Operand, Place, Subject,
};
use super::error::{Purpose, ResolveError, ResolveErrorKind as Kind};
use super::leniency::Noted;
use super::operand;
use super::resolve::{Resolver, Target};
use crate::{AttrExp, AttrPath, CompValue, CompareOp, Filter, ValuePath};

impl CompiledFilter {
    /// Compiles a filter for one resource type.
    ///
    /// # Errors
    /// Those of [`Resolver::filter`].
    pub fn new(filter: &Filter, type_: &CompiledType, compat: Compat) -> Result<Self, ResolveError> {
        Resolver::new(type_, compat).filter(filter)
    }
}

impl Resolver<'_> {
    /// Compiles a filter.
    ///
    /// # Errors
    /// All with the keyword `invalidFilter`:
    /// - [`UnknownAttribute`](Kind::UnknownAttribute), [`UnknownSchema`](Kind::UnknownSchema): the name
    ///   is unknown. If such a filter matched nothing, a client would create a second account;
    /// - [`WholeSchema`](Kind::WholeSchema), [`NotComplex`](Kind::NotComplex),
    ///   [`Complex`](Kind::Complex): the name is of something with another shape;
    /// - [`Operator`](Kind::Operator), [`Value`](Kind::Value): they do not fit the attribute's type;
    /// - [`NeverReturned`](Kind::NeverReturned): an attribute such as `password`.
    pub fn filter(&self, filter: &Filter) -> Result<CompiledFilter, ResolveError> {
        let compiler = Compiler::new(self);
        let condition = compiler.condition(filter, Scope::Resource)?;
        let Compiler { noted, absent, .. } = compiler;
        Ok(CompiledFilter { condition, leniencies: noted.into_quirks(), absent: absent.into_inner() })
    }

    /// Compiles the filter of a value path on `attribute`, as in the path of a PATCH operation.
    ///
    /// # Errors
    /// [`NotComplex`](Kind::NotComplex) if the attribute is simple and singular, so that there is no
    /// element to choose, and those of [`filter`](Self::filter).
    ///
    /// # Panics
    /// If `attribute` is another resource type's.
    pub fn element_filter(
        &self,
        filter: &Filter,
        attribute: AttributeId,
    ) -> Result<ElementFilter, ResolveError> {
        let def = self.type_.attribute(attribute);
        let compiler = Compiler::new(self);
        compiler.has_elements(def)?;
        let condition = compiler.condition(filter, Scope::Element(def))?;
        Ok(ElementFilter { condition, leniencies: compiler.noted.into_quirks() })
    }
}

/// The state of compiling one filter.
pub(super) struct Compiler<'r> {
    pub(super) resolver: &'r Resolver<'r>,
    type_: &'r CompiledType,
    pub(super) noted: Noted,
    /// The paths that count as absent, in lower case.
    absent: RefCell<Vec<Box<str>>>,
}

impl<'r> Compiler<'r> {
    fn new(resolver: &'r Resolver<'r>) -> Self {
        Self { resolver, type_: resolver.type_, noted: Noted::default(), absent: RefCell::new(Vec::new()) }
    }

    fn condition(&self, filter: &Filter, scope: Scope<'_>) -> Result<Condition, ResolveError> {
        let all = |operands: &[Filter]| -> Result<Vec<_>, _> {
            operands.iter().map(|operand| self.condition(operand, scope)).collect()
        };
        match filter {
            Filter::And(operands) => all(operands).map(Condition::and),
            Filter::Or(operands) => all(operands).map(Condition::or),
            Filter::Not(negation) => self.condition(negation.filter(), scope).map(Condition::not),
            Filter::Attr(exp) => match scope {
                Scope::Resource => self.attr_exp(exp),
                Scope::Element(parent) => self.attr_exp_in_brackets(exp, parent),
            },
            Filter::ValuePath(value_path) => self.value_path(value_path),
        }
    }

    fn value_path(&self, value_path: &ValuePath) -> Result<Condition, ResolveError> {
        let target = match self.find(value_path.attr()) {
            Err(error) if self.resolver.counts_as_absent(&error) => {
                self.note_absent(value_path.attr());
                for inner in value_path.filter().attr_paths() {
                    self.note_absent(format_args!("{}.{}", value_path.attr(), inner.path));
                }
                return Ok(Condition::Never);
            }
            found => found?,
        };
        let Target::Attribute(id) = target else {
            return Err(self.error(Kind::WholeSchema, value_path.attr().as_str()));
        };
        let def = self.type_.attribute(id);
        self.check_visible(def)?;
        self.has_elements(def)?;
        Ok(match self.condition(value_path.filter(), Scope::Element(def))? {
            Condition::Never => Condition::Never,
            condition => Condition::Element {
                subject: Subject::in_resource(self.type_, def),
                condition: Box::new(condition),
            },
        })
    }

    /// Only a complex attribute or a list has elements. A multi-valued sub-attribute is a list too:
    /// `valuePath = attrPath "["`, and an `attrPath` may end in a sub-attribute.
    fn has_elements(&self, def: &AttributeDef) -> Result<(), ResolveError> {
        if def.is_complex() || def.multi_valued() {
            Ok(())
        } else {
            Err(self.error(Kind::NotComplex, def.path()))
        }
    }

    fn attr_exp(&self, exp: &AttrExp) -> Result<Condition, ResolveError> {
        let path = exp.path();
        match self.find(path) {
            Ok(Target::Attribute(id)) => {
                let def = self.type_.attribute(id);
                self.test(def, exp, |def| Subject::in_resource(self.type_, def))
            }
            Ok(Target::Extension(extension)) if matches!(exp, AttrExp::Present { .. }) => {
                let uri = self.type_.extension(extension).uri().as_str().into();
                Ok(Condition::HasExtension(ExtensionSubject { extension, uri }))
            }
            Ok(Target::Extension(_) | Target::Resource) => Err(self.error(Kind::WholeSchema, path.as_str())),
            Err(error) if self.resolver.counts_as_absent(&error) => {
                self.note_absent(path);
                Ok(without_value(exp))
            }
            Err(error) => Err(error),
        }
    }

    fn attr_exp_in_brackets(&self, exp: &AttrExp, parent: &AttributeDef) -> Result<Condition, ResolveError> {
        match self.resolver.find_in_brackets(parent, exp.path(), &self.noted) {
            Ok(Some(sub)) => self.test(self.type_.attribute(sub), exp, Subject::in_element),
            Ok(None) => self.test(parent, exp, Subject::element),
            Err(error) if self.resolver.counts_as_absent(&error) => {
                self.note_absent(format_args!("{}.{}", parent.path(), exp.path()));
                Ok(without_value(exp))
            }
            Err(error) => Err(error),
        }
    }

    /// A test of a resolved attribute. `subject` is the way to its values.
    fn test(
        &self,
        def: &AttributeDef,
        exp: &AttrExp,
        subject: impl Fn(&AttributeDef) -> Subject,
    ) -> Result<Condition, ResolveError> {
        self.check_visible(def)?;
        let (op, value) = match exp {
            AttrExp::Present { .. } => return Ok(Condition::Present(subject(def))),
            AttrExp::Compare { op, value, .. } => (*op, value),
        };
        // `null` means "no value", so only `eq` and `ne` make sense.
        match (op, value) {
            (CompareOp::Eq, CompValue::Null) => return Ok(Condition::not(Condition::Present(subject(def)))),
            (CompareOp::Ne, CompValue::Null) => return Ok(Condition::Present(subject(def))),
            _ => {}
        }
        let def = if def.is_complex() {
            let value = self.type_.find_sub(def.id(), "value");
            let value = value.map(|id| self.type_.attribute(id));
            value.ok_or_else(|| self.error(Kind::Complex, def.path()))?
        } else {
            def
        };
        self.check_visible(def)?;
        let (operand, value) = operand::operand(self, def, op, value)?;
        let subject = subject(def);
        if let Some(condition) = self.primary(def, &subject, op, &operand) {
            return Ok(condition);
        }
        Ok(Condition::Compare(Comparison { subject, op, operand, value }))
    }

    /// An element that says nothing of `primary` is not the primary one
    /// ([RFC 7643 §2.4](https://www.rfc-editor.org/rfc/rfc7643#section-2.4)), so each element either
    /// satisfies `primary eq true` or does not, and that is all there is to ask.
    fn primary(
        &self,
        def: &AttributeDef,
        subject: &Subject,
        op: CompareOp,
        operand: &Operand,
    ) -> Option<Condition> {
        let parent = self.type_.attribute(def.parent()?);
        if !eq_ignore_case(def.name(), "primary") || !parent.multi_valued() || def.multi_valued() {
            return None;
        }
        let wanted = match (op, operand) {
            (CompareOp::Eq, Operand::Bool(value)) => *value,
            (CompareOp::Ne, Operand::Bool(value)) => !*value,
            _ => return None,
        };
        let is_primary = Condition::Compare(Comparison {
            subject: Subject::in_element(def),
            op: CompareOp::Eq,
            operand: Operand::Bool(true),
            value: Value::Bool(true),
        });
        let condition = if wanted { is_primary } else { Condition::not(is_primary) };
        if matches!(subject.place, Place::Sub(_)) {
            return Some(condition);
        }
        let element = |condition| Condition::Element {
            subject: Subject::in_resource(self.type_, parent),
            condition: Box::new(condition),
        };
        Some(match op {
            // `ne` holds for an absent value too.
            CompareOp::Ne => {
                Condition::or(vec![element(condition), Condition::not(element(Condition::Always))])
            }
            _ => element(condition),
        })
    }

    fn find(&self, path: &AttrPath) -> Result<Target, ResolveError> {
        self.resolver.find(path, Purpose::Filter, &self.noted)
    }

    #[cold]
    fn note_absent(&self, path: impl Display) {
        self.absent.borrow_mut().push(path.to_string().to_ascii_lowercase().into());
    }

    fn check_visible(&self, def: &AttributeDef) -> Result<(), ResolveError> {
        if def.is_never_returned() { Err(self.error(Kind::NeverReturned, def.path())) } else { Ok(()) }
    }

    fn error(&self, kind: Kind, subject: &str) -> ResolveError {
        ResolveError::new(kind, subject, self.type_, Purpose::Filter)
    }
}

/// The place of a condition.
#[derive(Clone, Copy)]
enum Scope<'t> {
    Resource,
    /// Within the brackets of this attribute.
    Element(&'t AttributeDef),
}

/// The result of a test of an attribute that no resource of the type has.
fn without_value(exp: &AttrExp) -> Condition {
    match exp {
        AttrExp::Compare { op: CompareOp::Ne, value, .. } if *value != CompValue::Null => Condition::Always,
        AttrExp::Compare { op: CompareOp::Eq, value: CompValue::Null, .. } => Condition::Always,
        AttrExp::Present { .. } | AttrExp::Compare { .. } => Condition::Never,
    }
}
