//! Documents written from the schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
};
use serde_json::Value;

/// What the fields on a way are asked with that need arguments.
const ARGUMENTS: &[(&str, &str)] =
    &[("ledgerStatement", r#"(from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z")"#)];

fn arguments(field: &str) -> &'static str {
    ARGUMENTS.iter().find(|(name, _)| *name == field).map_or("", |(_, arguments)| *arguments)
}

/// What a field answers with.
struct Field {
    of: String,
    needs_arguments: bool,
}

/// The output types of the schema.
pub(super) struct Sdl {
    fields: BTreeMap<String, BTreeMap<String, Field>>,
    implements: BTreeMap<String, BTreeSet<String>>,
}

impl Sdl {
    pub(super) fn read() -> Self {
        let (mut fields, mut implements) = (BTreeMap::new(), BTreeMap::<_, BTreeSet<String>>::new());
        for definition in parse_schema(api::graphql::sdl()).unwrap().definitions {
            let TypeSystemDefinition::Type(found) = definition else { continue };
            let name = found.node.name.node.to_string();
            let of = match found.node.kind {
                TypeKind::Object(object) => {
                    for interface in object.implements {
                        implements.entry(interface.node.to_string()).or_default().insert(name.clone());
                    }
                    object.fields
                }
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            let of = of.into_iter().map(|field| (field.node.name.node.to_string(), Field::of(&field.node)));
            fields.insert(name, of.collect());
        }
        Self { fields, implements }
    }

    /// The types that implement an interface.
    pub(super) fn implementors(&self, interface: &str) -> Vec<String> {
        self.implements[interface].iter().cloned().collect()
    }

    /// Every field that answers with a connection.
    pub(super) fn connections(&self) -> BTreeSet<String> {
        let of = |(kind, fields): (&String, &BTreeMap<String, Field>)| {
            let connections = fields.iter().filter(|(_, field)| field.of.ends_with("Connection"));
            connections.map(|(name, _)| format!("{kind}.{name}")).collect::<Vec<_>>()
        };
        self.fields.iter().flat_map(of).collect()
    }

    /// The field that a way ends with.
    pub(super) fn end_of(&self, way: &str) -> String {
        let (mut kind, mut end) = ("Query".to_owned(), String::new());
        for step in way.split(['/', '.']) {
            end = format!("{kind}.{step}");
            kind = self.kind_of(&kind, step);
        }
        end
    }

    /// The type of a field, or of a connection's nodes.
    fn kind_of(&self, kind: &str, field: &str) -> String {
        let field = self.fields[kind].get(field).unwrap_or_else(|| panic!("{kind} has no {field}"));
        field.of.strip_suffix("Connection").unwrap_or(&field.of).to_owned()
    }

    /// The document that goes a way, and reads everything at its end.
    pub(super) fn document(&self, way: &str, rows: usize) -> String {
        let (mut document, mut close) = ("{ ".to_owned(), " }".to_owned());
        let mut kind = "Query".to_owned();
        let lists: Vec<&str> = way.split('/').collect();
        for (depth, list) in lists.iter().enumerate() {
            let steps: Vec<&str> = list.split('.').collect();
            let (connection, to_it) = steps.split_last().unwrap();
            for step in to_it {
                kind = self.kind_of(&kind, step);
                write!(document, "{step}{} {{ ", arguments(step)).unwrap();
                close.insert_str(0, " }");
            }
            kind = self.kind_of(&kind, connection);
            let first = if depth == 0 { rows } else { 2 };
            let id = if self.fields[&kind].contains_key("id") { "id " } else { "" };
            write!(document, "{connection}(first: {first}) {{ totalCount nodes {{ __typename {id}").unwrap();
            close.insert_str(0, " } }");
        }
        let mut fragments = BTreeMap::new();
        document.push_str(&self.everything(&kind, &mut fragments));
        document.push_str(&close);
        for (kind, scalars) in fragments {
            write!(document, "\nfragment Of{kind} on {kind} {{ __typename {scalars} }}").unwrap();
        }
        document
    }

    /// Every field of a type that needs no argument, and the scalars of what is right below.
    fn everything(&self, kind: &str, fragments: &mut BTreeMap<String, String>) -> String {
        let mut selection = self.scalars(kind);
        for (name, field) in &self.fields[kind] {
            let below = self.fields.contains_key(&field.of);
            if below && !field.needs_arguments && !field.of.ends_with("Connection") {
                write!(selection, " {name} {{ ...Of{} }}", field.of).unwrap();
                fragments.insert(field.of.clone(), self.scalars(&field.of));
            }
        }
        selection
    }

    fn scalars(&self, kind: &str) -> String {
        let scalars = self.fields[kind]
            .iter()
            .filter(|(_, field)| !field.needs_arguments && !self.fields.contains_key(&field.of));
        scalars.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// How many rows the last list of a way has below each parent.
    pub(super) fn rows_at_the_end(way: &str, answer: &Value) -> Vec<usize> {
        let mut parents = vec![answer];
        let mut rows = Vec::new();
        for list in way.split('/') {
            let mut nodes = Vec::new();
            rows.clear();
            for parent in parents {
                let list = list.split('.').fold(parent, |value, step| &value[step]);
                let found = list["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
                rows.push(found.len());
                nodes.extend(found);
            }
            parents = nodes;
        }
        rows
    }
}

impl Field {
    fn of(definition: &FieldDefinition) -> Self {
        let mut ty = &definition.ty.node;
        let of = loop {
            match &ty.base {
                BaseType::Named(name) => break name.to_string(),
                BaseType::List(inner) => ty = inner,
            }
        };
        let needed =
            |argument: &InputValueDefinition| !argument.ty.node.nullable && argument.default_value.is_none();
        let needs_arguments = definition.arguments.iter().any(|argument| needed(&argument.node));
        Self { of, needs_arguments }
    }
}
