//! The schema is the manual: it is committed, current, and describes everything.

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};

#[test]
fn schema_graphql_is_current() {
    let committed = include_str!("../../schema.graphql");
    assert!(
        committed.trim_end() == api::graphql::sdl().trim_end(),
        "schema.graphql is stale: run `cargo run -- schema > schema.graphql` and read the difference"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let document = parse_schema(api::graphql::sdl()).unwrap();
    let mut bare = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(found) = definition else { continue };
        let name = found.node.name.node.to_string();
        let mut check = |path: String, description: Option<&str>| {
            if description.is_none_or(|text| text.trim().is_empty()) {
                bare.push(path);
            }
        };
        check(name.clone(), found.node.description.as_ref().map(|text| text.node.as_str()));
        let fields = match found.node.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            TypeKind::Enum(values) => {
                for value in values.values {
                    let description = value.node.description.as_ref().map(|text| text.node.as_str());
                    check(format!("{name}.{}", value.node.value.node), description);
                }
                continue;
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    let description = field.node.description.as_ref().map(|text| text.node.as_str());
                    check(format!("{name}.{}", field.node.name.node), description);
                }
                continue;
            }
            TypeKind::Scalar | TypeKind::Union(_) => continue,
        };
        for field in fields {
            let path = format!("{name}.{}", field.node.name.node);
            check(path.clone(), field.node.description.as_ref().map(|text| text.node.as_str()));
            for argument in field.node.arguments {
                let description = argument.node.description.as_ref().map(|text| text.node.as_str());
                check(format!("{path}({})", argument.node.name.node), description);
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

/// A mutation takes one input and gives a payload with user errors, as the conventions say.
#[test]
fn every_mutation_follows_the_conventions() {
    let document = parse_schema(api::graphql::sdl()).unwrap();
    let types: std::collections::HashMap<String, TypeKind> = document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(found) => Some((found.node.name.node.to_string(), found.node.kind)),
            _ => None,
        })
        .collect();
    let TypeKind::Object(mutations) = &types["Mutation"] else { panic!("an object") };
    for mutation in &mutations.fields {
        let name = &mutation.node.name.node;
        let arguments: Vec<_> =
            mutation.node.arguments.iter().map(|argument| argument.node.name.node.as_str()).collect();
        assert!(arguments.is_empty() || arguments == ["input"], "{name} takes one input: {arguments:?}");
        let payload = mutation.node.ty.node.to_string();
        assert!(payload.ends_with("Payload!"), "{name}: {payload}");
        let TypeKind::Object(payload) = &types[payload.trim_end_matches('!')] else { panic!("an object") };
        let errors = payload.fields.iter().find(|field| field.node.name.node == "userErrors");
        assert_eq!(errors.expect("userErrors").node.ty.node.to_string(), "[UserError!]!", "{name}");
        for field in payload.fields.iter().filter(|field| field.node.name.node != "userErrors") {
            let list = field.node.ty.node.to_string().starts_with('[');
            assert!(
                field.node.ty.node.nullable || list || field.node.name.node.ends_with("Count"),
                "{name}: a nullable thing"
            );
        }
    }
}
