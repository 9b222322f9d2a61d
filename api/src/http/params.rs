//! The parameters of a GraphQL request, from a body, a query string or a message.

use async_graphql::{Request, Variables};
use serde_json::{Map, Value};

use super::problem::Problem;

/// The parameters of a request, of the right types.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Params {
    pub(super) query: Option<String>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
    pub(super) extensions: Map<String, Value>,
}

impl Params {
    /// From the JSON of a body or a message.
    pub(super) fn from_json(body: &[u8]) -> Result<Self, Problem> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Problem::bad(
                "The body is empty: send {\"query\": \"{ __typename }\"} as application/json.",
            ));
        }
        let value = serde_json::from_slice(body)
            .map_err(|error| Problem::bad(format!("The body is not valid JSON in UTF-8: {error}.")))?;
        Self::from_value(value)
    }

    /// From a JSON value.
    pub(super) fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Object(mut members) => Ok(Self {
                query: text(members.remove("query"), "query")?,
                operation_name: text(members.remove("operationName"), "operationName")?,
                variables: map(members.remove("variables"), "variables")?,
                extensions: map(members.remove("extensions"), "extensions")?,
            }),
            Value::Array(_) => Err(Problem::bad(
                "Batches are not supported: send one operation a request, or several fields in one operation.",
            )),
            _ => Err(Problem::bad("The body has to be a JSON object with \"query\".")),
        }
    }

    /// From the pairs of a query string: `variables` and `extensions` are JSON text there.
    pub(super) fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut members = Map::new();
        for (name, text) in pairs {
            let value = match name.as_str() {
                "query" | "operationName" => Value::String(text),
                "variables" | "extensions" if text.is_empty() => Value::Null,
                "variables" | "extensions" => serde_json::from_str(&text)
                    .map_err(|error| Problem::bad(format!("\"{name}\" is not valid JSON: {error}.")))?,
                _ => continue,
            };
            if members.insert(name.clone(), value).is_some() {
                return Err(Problem::bad(format!("\"{name}\" is given twice.")));
            }
        }
        Self::from_value(Value::Object(members))
    }

    /// As async-graphql wants it, with the document that was sent or remembered.
    pub(super) fn into_request(self, query: String) -> Request {
        let mut request = Request::new(query).variables(Variables::from_json(Value::Object(self.variables)));
        // An empty name is what some clients send for none.
        request.operation_name = self.operation_name.filter(|name| !name.is_empty());
        request
    }
}

fn text(value: Option<Value>, name: &str) -> Result<Option<String>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::bad(format!("\"{name}\" has to be a string."))),
    }
}

fn map(value: Option<Value>, name: &str) -> Result<Map<String, Value>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(Problem::bad(format!("\"{name}\" has to be an object."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_checked() {
        for wrong in ["{\"a\":1}", "0", "false", "[\"array\"]", "\"text\""] {
            if wrong != "\"text\"" {
                for name in ["query", "operationName"] {
                    assert!(Params::from_json(format!("{{\"{name}\": {wrong}}}").as_bytes()).is_err());
                }
            }
            if !wrong.starts_with('{') {
                for name in ["variables", "extensions"] {
                    assert!(Params::from_json(format!("{{\"{name}\": {wrong}}}").as_bytes()).is_err());
                }
            }
        }
        let nothing =
            br#"{"query": null, "operationName": null, "variables": null, "extensions": null, "id": 1}"#;
        assert_eq!(Params::from_json(nothing).ok(), Some(Params::default()));
    }

    #[test]
    fn bodies_that_are_no_request() {
        for body in ["", " ", "{", "{ \"not a JSON", "[]", "[{\"query\": \"{ a }\"}]", "1", "\"{ a }\""] {
            assert!(Params::from_json(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Params::from_json(&[b'"', 0xFF, b'"']).is_err());
        let batch = Params::from_json(b"[]").expect_err("a batch").error.message;
        assert!(batch.contains("Batches"), "{batch}");
    }

    #[test]
    fn query_strings() {
        let pairs = |pairs: &[(&str, &str)]| {
            Params::from_pairs(pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect())
        };
        let params =
            pairs(&[("query", "{ a }"), ("variables", "{\"a\": 1}"), ("other", "x")]).expect("right");
        assert_eq!(params.query.as_deref(), Some("{ a }"));
        assert_eq!(params.variables["a"], 1);
        assert!(pairs(&[("variables", "{")]).is_err());
        assert!(pairs(&[("variables", "[]")]).is_err());
        assert!(pairs(&[("query", "a"), ("query", "b")]).is_err());
    }
}
