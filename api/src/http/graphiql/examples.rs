//! The example tabs: `api/graphiql/examples/NN-title.graphql`, each with an optional `NN-title.variables.json`; and after
//! them the three days of `tests/days`, each a document of many operations, to be run one after the other.
//!
//! Ids and tokens differ in each database, so variables and headers hold placeholders, `{{open_project}}`, for which the
//! caller has the values. A document starts with a comment that says who runs it: `# as: client` gives the tab the header
//! `Authorization: Bearer {{client_token}}`, `# as: anyone` none.

use std::collections::BTreeMap;

use super::Tab;

/// Written by build.rs, in the order of the files' numbers.
static EXAMPLES: &[Example] = include!(concat!(env!("OUT_DIR"), "/graphiql_examples.rs"));

struct Example {
    /// The file's name without its ending: `03-post-a-project`.
    name: &'static str,
    document: &'static str,
    variables: Option<&'static str>,
}

/// The example tabs with their placeholders filled in. A tab that needs a value which is not there is left out, so that
/// every tab shown can be run as it is.
pub fn example_tabs(values: &BTreeMap<&str, String>) -> Vec<Tab> {
    EXAMPLES.iter().filter_map(|example| example.tab(values)).collect()
}

impl Example {
    fn tab(&self, values: &BTreeMap<&str, String>) -> Option<Tab> {
        let variables = match self.variables {
            Some(template) => Some(fill(template.trim_end(), values)?),
            None => None,
        };
        let headers = match self.role() {
            Some(role) => {
                let template = format!("{{\n  \"Authorization\": \"Bearer {{{{{role}_token}}}}\"\n}}");
                Some(fill(&template, values)?)
            }
            None => None,
        };
        Some(Tab { title: self.title(), query: self.document.to_owned(), variables, headers })
    }

    /// Whose token the tab carries: `client` for a first line `# as: client`.
    fn role(&self) -> Option<&'static str> {
        let role = self.document.lines().next()?.strip_prefix("# as:")?.trim();
        (role != "anyone").then_some(role)
    }

    /// `03-post-a-project` is "Post a project".
    fn title(&self) -> String {
        let words = self.name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').replace('-', " ");
        let mut letters = words.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}

/// Replaces each `{{name}}` in a JSON text; it stands inside a JSON string, and its value is escaped for one. None if a
/// value is missing.
fn fill(template: &str, values: &BTreeMap<&str, String>) -> Option<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}")?;
        let quoted = serde_json::to_string(values.get(name.trim())?).ok()?;
        filled.push_str(before);
        filled.push_str(quoted.strip_prefix('"')?.strip_suffix('"')?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn placeholders_are_filled_and_escaped() {
        let values = BTreeMap::from([("a", "x".to_owned()), ("b", "a \\ and \"hi\"".to_owned())]);
        let filled = fill(r#"{"one": "{{a}}", "two": "{{ b }}!"}"#, &values);
        assert_eq!(filled.as_deref(), Some(r#"{"one": "x", "two": "a \\ and \"hi\"!"}"#));
        assert_eq!(fill("{{missing}}", &values), None);
    }

    #[test]
    fn a_tab_knows_its_role_and_title() {
        let example = Example { name: "03-post-a-project", document: "# as: client\n{ a }", variables: None };
        assert_eq!(example.tab(&BTreeMap::new()), None);
        let tab = example.tab(&BTreeMap::from([("client_token", "t0k".to_owned())]));
        assert_eq!(
            tab,
            Some(Tab {
                title: "Post a project".into(),
                query: "# as: client\n{ a }".into(),
                variables: None,
                headers: Some("{\n  \"Authorization\": \"Bearer t0k\"\n}".into()),
            })
        );
    }

    /// The part of "runs without an edit" that needs no server: named operations, a role, and a value for exactly the
    /// variables that they declare. `tests/it/days.rs` and tests/peers run them all.
    #[test]
    fn every_example_has_named_operations_with_their_variables() -> Result<(), Box<dyn std::error::Error>> {
        assert!(!EXAMPLES.is_empty());
        for example in EXAMPLES {
            assert!(example.document.starts_with("# as: "), "{} does not say who runs it", example.name);
            let document = parse_query(example.document)?;
            let DocumentOperations::Multiple(operations) = &document.operations else {
                return Err(format!("{}: the operation has no name", example.name).into());
            };
            let day = example.name.ends_with("s-day");
            assert!(operations.len() == 1 || day, "{}: a day alone has several operations", example.name);
            let declared: BTreeSet<_> = operations
                .values()
                .flat_map(|operation| &operation.node.variable_definitions)
                .map(|variable| variable.node.name.node.to_string())
                .collect();
            let given: Map<String, Value> = serde_json::from_str(example.variables.unwrap_or("{}"))?;
            assert_eq!(given.keys().cloned().collect::<BTreeSet<_>>(), declared, "{}", example.name);
        }
        Ok(())
    }
}
