//! The shape of a parsed document, found in one walk: every fragment is weighed once, however often it is spread.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, ServerResult, Value, Variables};

use super::refusal::{code, exceeded, refused};
use super::{ALIASES, DEFINITIONS, DEPTH, DIRECTIVES, INTROSPECTION_DEPTH, NESTING, ROOT_FIELDS, SELECTIONS};

/// The lists of introspection that lead from a type to more types.
const TYPE_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];
/// How many of [`TYPE_LISTS`] may stand inside each other: each multiplies the answer by its length.
const TYPE_LIST_DEPTH: usize = 2;

/// The operation of a checked document that will run.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Its name, unless it has none.
    pub name: Option<String>,
    /// What a mutation does, in order, fragments expanded; empty for the other kinds.
    pub mutations: Vec<RootField>,
    /// Whether the document asks about the schema itself.
    pub introspects: bool,
    required: Vec<(Name, String)>,
}

/// A field at the root of a mutation.
#[derive(Debug, Clone)]
pub struct RootField {
    /// The field's name, not its alias.
    pub name: Name,
    /// `input.email`, if it has one: attempts are counted for each address. No other input is kept here.
    pub email: Option<String>,
}

impl Operation {
    /// Refuses a request that leaves out a variable which has to be there.
    pub(super) fn require_variables(&self, variables: &Variables) -> ServerResult<()> {
        let missing =
            self.required.iter().find(|(name, _)| matches!(variables.get(name), None | Some(Value::Null)));
        match missing {
            None => Ok(()),
            Some((name, of)) => {
                let message = format!("The variable \"${name}\" of the required type \"{of}\" is not given.");
                Err(refused(code::BAD_INPUT, message, None))
            }
        }
    }
}

/// Checks a document against the limits and finds the operation to run: the one named `wanted`, or the only one.
pub(super) fn check(
    document: &ExecutableDocument,
    wanted: Option<&str>,
    variables: &Variables,
) -> ServerResult<Operation> {
    let definitions = document.operations.iter().len() + document.fragments.len();
    if definitions > DEFINITIONS {
        return Err(exceeded("number of definitions", definitions, DEFINITIONS, None));
    }
    let mut scale = Scale {
        fragments: &document.fragments,
        weighed: HashMap::new(),
        aliases: 0,
        directives: 0,
        introspects: false,
    };
    for (_, operation) in document.operations.iter() {
        scale.operation(operation)?;
    }
    // A fragment that nothing spreads is still validated.
    for name in document.fragments.keys() {
        scale.fragment(name, 0)?;
    }
    let introspects = scale.introspects;

    let (name, operation) = choose(&document.operations, wanted)?;
    let mut mutations = Vec::new();
    if operation.node.ty == OperationType::Mutation {
        let set = &operation.node.selection_set.node;
        collect(document, set, variables, &mut mutations);
    }
    Ok(Operation {
        kind: operation.node.ty,
        name: name.map(ToString::to_string),
        mutations,
        introspects,
        required: operation.node.variable_definitions.iter().filter_map(required).collect(),
    })
}

fn choose<'a>(
    operations: &'a DocumentOperations,
    wanted: Option<&str>,
) -> ServerResult<(Option<&'a Name>, &'a Positioned<OperationDefinition>)> {
    let mut all = operations.iter();
    let unknown = |message: String| refused(code::OPERATION_UNKNOWN, message, None);
    match wanted {
        Some(wanted) => all
            .find(|(name, _)| name.is_some_and(|name| name == wanted))
            .ok_or_else(|| unknown(format!("The document has no operation named \"{wanted}\"."))),
        None if all.len() > 1 => {
            Err(unknown("The document has several operations: say by operationName which one to run.".into()))
        }
        None => all.next().ok_or_else(|| unknown("The document has no operation.".into())),
    }
}

fn required(variable: &Positioned<VariableDefinition>) -> Option<(Name, String)> {
    let of = &variable.node.var_type.node;
    let needed = !of.nullable && variable.node.default_value.is_none();
    needed.then(|| (variable.node.name.node.clone(), of.to_string()))
}

/// The fields at the root. Weighed before, so it ends, and soon.
fn collect(
    document: &ExecutableDocument,
    set: &SelectionSet,
    variables: &Variables,
    found: &mut Vec<RootField>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => found
                .push(RootField { name: field.node.name.node.clone(), email: email(&field.node, variables) }),
            Selection::InlineFragment(fragment) => {
                collect(document, &fragment.node.selection_set.node, variables, found);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(document, &fragment.node.selection_set.node, variables, found);
                }
            }
        }
    }
}

/// `input.email`, wherever it is written: in the document, in a variable, or as one.
fn email(field: &Field, variables: &Variables) -> Option<String> {
    let input = field.get_argument("input")?.node.clone();
    let input = input.into_const_with(|name| variables.get(&name).cloned().ok_or(())).ok()?;
    match input {
        Value::Object(input) => match input.get("email") {
            Some(Value::String(email)) => Some(email.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// What a selection set weighs with its fragments expanded. Sums saturate.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    /// Fields, spreads and inline fragments.
    selections: usize,
    /// Fields at its top.
    fields: usize,
    /// Fields inside each other.
    depth: usize,
    /// Selection sets inside each other, fragments included.
    nesting: usize,
    /// [`TYPE_LISTS`] inside each other.
    type_lists: usize,
}

impl Weight {
    /// Adds what stands beside it.
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.fields = self.fields.saturating_add(other.fields);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.type_lists = self.type_lists.max(other.type_lists);
    }

    /// It, as the content of a fragment.
    fn inside(self) -> Self {
        Self { selections: self.selections.saturating_add(1), nesting: self.nesting + 1, ..self }
    }
}

/// Walks a document.
struct Scale<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// None while the fragment is being weighed: meeting it again then is a cycle.
    weighed: HashMap<&'a str, Option<Weight>>,
    aliases: usize,
    directives: usize,
    introspects: bool,
}

impl<'a> Scale<'a> {
    fn operation(&mut self, operation: &'a Positioned<OperationDefinition>) -> ServerResult<()> {
        self.directives(&operation.node.directives)?;
        for variable in &operation.node.variable_definitions {
            self.directives(&variable.node.directives)?;
        }
        let weight = self.set(&operation.node.selection_set, 1)?;
        for (limit, requested, maximum) in [
            ("number of root fields", weight.fields, ROOT_FIELDS),
            ("depth", weight.depth, DEPTH),
            ("nesting", weight.nesting, NESTING),
            ("number of selections with fragments expanded", weight.selections, SELECTIONS),
        ] {
            if requested > maximum {
                return Err(exceeded(limit, requested, maximum, Some(operation.pos)));
            }
        }
        Ok(())
    }

    /// `level` bounds this recursion on its way down; the weight of what it finds is checked on the way up.
    fn set(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> ServerResult<Weight> {
        if level > NESTING {
            return Err(exceeded("nesting", level, NESTING, Some(set.pos)));
        }
        let mut weight = Weight { nesting: 1, ..Weight::default() };
        for selection in &set.node.items {
            self.directives(selection.node.directives())?;
            weight.add(match &selection.node {
                Selection::Field(field) => self.field(field, level)?,
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.node.selection_set, level + 1)?.inside()
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, level)?.inside()
                }
            });
        }
        Ok(weight)
    }

    fn field(&mut self, field: &'a Positioned<Field>, level: usize) -> ServerResult<Weight> {
        if field.node.alias.is_some() {
            self.aliases += 1;
            if self.aliases > ALIASES {
                return Err(exceeded("number of aliases", self.aliases, ALIASES, Some(field.pos)));
            }
        }
        let below = if field.node.selection_set.node.items.is_empty() {
            Weight::default()
        } else {
            self.set(&field.node.selection_set, level + 1)?
        };
        let name = field.node.name.node.as_str();
        let mut weight = Weight {
            selections: below.selections.saturating_add(1),
            fields: 1,
            depth: below.depth + 1,
            nesting: below.nesting + 1,
            type_lists: below.type_lists + usize::from(TYPE_LISTS.contains(&name)),
        };
        if matches!(name, "__schema" | "__type") {
            self.introspects = true;
            if weight.depth > INTROSPECTION_DEPTH {
                return Err(exceeded(
                    "introspection depth",
                    weight.depth,
                    INTROSPECTION_DEPTH,
                    Some(field.pos),
                ));
            }
            if weight.type_lists > TYPE_LIST_DEPTH {
                let requested = weight.type_lists;
                return Err(exceeded(
                    "depth of introspected lists",
                    requested,
                    TYPE_LIST_DEPTH,
                    Some(field.pos),
                ));
            }
            // Introspection has its own depth: it weighs nothing in the operation's.
            (weight.depth, weight.type_lists) = (1, 0);
        }
        Ok(weight)
    }

    fn fragment(&mut self, name: &'a Name, level: usize) -> ServerResult<Weight> {
        match self.weighed.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                let message = format!("The fragment \"{name}\" contains itself.");
                return Err(refused(code::VALIDATION_FAILED, message, None));
            }
            None => {}
        }
        // A spread of nothing: validation says so, with its place.
        let Some(fragment) = self.fragments.get(name) else { return Ok(Weight::default()) };
        self.weighed.insert(name, None);
        self.directives(&fragment.node.directives)?;
        let weight = self.set(&fragment.node.selection_set, level + 1)?;
        self.weighed.insert(name, Some(weight));
        Ok(weight)
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> ServerResult<()> {
        self.directives += directives.len();
        match directives.first() {
            Some(first) if self.directives > DIRECTIVES => {
                Err(exceeded("number of directives", self.directives, DIRECTIVES, Some(first.pos)))
            }
            _ => Ok(()),
        }
    }
}
