use std::time::{Duration, Instant};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

use super::*;

struct Query;

fn list_cost(first: Option<i32>, child: usize) -> usize {
    let rows = first.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(20);
    rows.min(100) * (child + 1)
}

#[Object]
impl Query {
    /// Another one.
    async fn again(&self) -> Query {
        Query
    }

    /// A number.
    async fn number(&self) -> i32 {
        1
    }

    /// A page.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn page(&self, first: Option<i32>) -> Vec<Query> {
        let _ = first;
        vec![]
    }
}

fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    apply(Schema::build(Query, EmptyMutation, EmptySubscription)).finish()
}

/// The code and the limit that refuse a query; nothing when it passes.
async fn refusal(query: &str) -> Option<(String, String)> {
    let text = |error: &ServerError, name: &str| match error.extensions.as_ref().and_then(|e| e.get(name)) {
        Some(async_graphql::Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let response = schema().execute(query).await;
    response.errors.first().map(|error| (text(error, "code"), text(error, "limit")))
}

async fn passes(query: &str) {
    assert_eq!(refusal(query).await, None, "{query}");
}

async fn exceeds(limit: &str, query: &str) {
    assert_eq!(refusal(query).await, Some((code::COST_EXCEEDED.into(), limit.into())), "{query}");
}

fn nested(depth: usize) -> String {
    format!("{{ {} number {} }}", "again { ".repeat(depth - 1), "}".repeat(depth - 1))
}

#[tokio::test]
async fn depth() {
    passes(&nested(DEPTH)).await;
    exceeds("depth", &nested(DEPTH + 1)).await;
    // In a fragment it counts as well.
    let query = format!("{{ again {{ ...F }} }} fragment F on Query {}", nested(DEPTH));
    exceeds("depth", &query).await;
}

#[tokio::test]
async fn nesting() {
    let query = |sets: usize| format!("{{ {} number {} }}", "... { ".repeat(sets - 1), "}".repeat(sets - 1));
    passes(&query(NESTING)).await;
    exceeds("nesting", &query(NESTING + 1)).await;
}

#[tokio::test]
async fn aliases_over_the_document() {
    let query = |count: usize| {
        let fields: Vec<String> = (0..count).map(|index| format!("a{index}: number")).collect();
        let (one, two) = fields.split_at(count / 2);
        format!("{{ {} again {{ {} }} }}", one.join(" "), two.join(" "))
    };
    passes(&query(ALIASES)).await;
    exceeds("number of aliases", &query(ALIASES + 1)).await;
}

#[tokio::test]
async fn directives_over_the_document() {
    let query = |count: usize| format!("{{ {} }}", "number @skip(if: false) ".repeat(count));
    passes(&query(ROOT_FIELDS)).await;
    let query = |count: usize| format!("{{ again {{ {} }} }}", "number @skip(if: false) ".repeat(count));
    passes(&query(DIRECTIVES)).await;
    exceeds("number of directives", &query(DIRECTIVES + 1)).await;
}

#[tokio::test]
async fn root_fields_with_fragments() {
    let query = |count: usize| format!("{{ ...F }} fragment F on Query {{ {} }}", "number ".repeat(count));
    passes(&query(ROOT_FIELDS)).await;
    exceeds("number of root fields", &query(ROOT_FIELDS + 1)).await;
}

#[tokio::test]
async fn tokens_before_parsing() {
    let query = |tokens: usize| format!("{{ again {{ {} }} }}", "number ".repeat(tokens - 5));
    passes(&query(TOKENS)).await;
    exceeds("token count", &query(TOKENS + 1)).await;
    // What is in strings and comments is no token.
    passes(&format!("# {}\n{{ number }}", "number ".repeat(TOKENS))).await;
    exceeds("bracket depth", &format!("{{ page(first: {}", "[".repeat(BRACKETS))).await;
}

#[test]
fn strings_are_one_token() {
    let words = "word ".repeat(TOKENS);
    assert!(tokens::check(&format!("{{ a(b: \"{words}\\\"{words}\") }}")).is_ok());
    assert!(tokens::check(&format!("{{ a(b: \"\"\"{words}\\\"\"\"{words}\n{words}\"\"\") }}")).is_ok());
    assert!(tokens::check(&format!("{{ a(b: \"\\\\\") {words} }}")).is_err());
    assert!(tokens::check("{ a(b: \"").is_ok(), "the parser refuses it");
}

#[tokio::test]
async fn definitions() {
    let query = |count: usize| {
        let fragments: Vec<String> =
            (1..count).map(|n| format!("fragment F{n} on Query {{ number }}")).collect();
        let spreads: Vec<String> = (1..count).map(|n| format!("...F{n}")).collect();
        format!("{{ again {{ {} }} }} {}", spreads.join(" "), fragments.join(" "))
    };
    passes(&query(DEFINITIONS)).await;
    exceeds("number of definitions", &query(DEFINITIONS + 1)).await;
}

/// Each fragment spreads the next one twice: 2^n fields.
fn doubled(length: usize) -> String {
    let mut query = String::from("{ again { ...F0 } }");
    for n in 0..length {
        query += &format!(" fragment F{n} on Query {{ ...F{0} ...F{0} }}", n + 1);
    }
    query + &format!(" fragment F{length} on Query {{ number }}")
}

#[tokio::test]
async fn doubled_spreads_are_refused_at_once() {
    passes(&doubled(9)).await;
    let limit = "number of selections with fragments expanded";
    exceeds(limit, &doubled(11)).await;
    exceeds(limit, &doubled(22)).await;
    let mut request = Request::new(doubled(26));
    let begun = Instant::now();
    assert!(prepare(&mut request).is_err());
    assert!(begun.elapsed() < Duration::from_millis(50), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn cycles_of_fragments() {
    for query in [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { again { ...B } } fragment B on Query { ...A }",
        "{ number } fragment A on Query { ...B } fragment B on Query { ...A }",
    ] {
        assert_eq!(refusal(query).await, Some((code::VALIDATION_FAILED.into(), String::new())), "{query}");
    }
}

#[tokio::test]
async fn cost_is_reported_and_limited() {
    let answer = schema().execute("{ page(first: 10) { number again { number } } }").await;
    let cost = answer.extensions.get("cost").and_then(|cost| cost.clone().into_json().ok());
    assert_eq!(cost, Some(serde_json::json!({ "requested": 40, "limit": COST })));

    passes("{ page(first: 100) { page(first: 99) { number } } }").await;
    exceeds("cost", "{ page(first: 100) { page(first: 100) { number again { number } } } }").await;
    // However deep the depth allows lists in lists, their cost does not overflow.
    let deep = format!("{{ {} number {} }}", "page(first: 100) {".repeat(8), "}".repeat(8));
    exceeds("cost", &deep).await;
}

#[tokio::test]
async fn introspection_by_graphiql_passes() {
    let of_type = "ofType { kind name isOneOf ".repeat(9) + &"}".repeat(9);
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
         subscriptionType {{ name kind }} types {{ ...FullType }}
         directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description specifiedByURL
           fields(includeDeprecated: true) {{ name description
             args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }}
           inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue
           isDeprecated deprecationReason }}
         fragment TypeRef on __Type {{ kind name {of_type} }}"
    );
    let mut request = Request::new(query.clone());
    assert!(prepare(&mut request).is_ok_and(|operation| operation.introspects));
    passes(&query.replace(" isOneOf", "")).await;
}

#[tokio::test]
async fn introspection_does_not_multiply() {
    let lists = |n: usize| {
        format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type {".repeat(n), "} }".repeat(n))
    };
    passes(&lists(2)).await;
    exceeds("depth of introspected lists", &lists(3)).await;
    let deep = |n: usize| {
        format!("{{ __type(name: \"Query\") {{ {} name {} }} }}", "ofType {".repeat(n), "}".repeat(n))
    };
    passes(&deep(INTROSPECTION_DEPTH - 2)).await;
    exceeds("introspection depth", &deep(INTROSPECTION_DEPTH - 1)).await;
}

#[tokio::test]
async fn a_closed_schema_explains_nothing() {
    let closed = apply_closed(Schema::build(Query, EmptyMutation, EmptySubscription)).finish();
    for query in ["{ __schema { types { name } } }", "{ __type(name: \"Query\") { name } }"] {
        let answer = closed.execute(query).await;
        assert_eq!(answer.errors.len(), 1, "{query}");
    }
    for query in
        ["{ numbre }", "{ number(frist: 1) }", "{ page(frist: 1) { number } }", "{ number @skip(fi: true) }"]
    {
        let errors = closed.execute(query).await.errors;
        assert!(!errors.is_empty(), "{query}");
        assert!(!errors.iter().any(|error| error.message.contains("Did you mean")), "{errors:?}");
    }
    assert!(closed.execute("{ __typename number }").await.is_ok());
}

#[tokio::test]
async fn codes() {
    let code_of = async |query: &str| refusal(query).await.map(|(code, _)| code).unwrap_or_default();
    assert_eq!(code_of("{").await, code::PARSE_FAILED);
    assert_eq!(code_of("{ wrong }").await, code::VALIDATION_FAILED);
    assert_eq!(code_of("query A { number } query B { number }").await, code::OPERATION_UNKNOWN);
    assert_eq!(code_of("query($n: Int!) { page(first: $n) { number } }").await, code::BAD_INPUT);
    assert_eq!(code_of("query($n: Int! = 1) { page(first: $n) { number } }").await, "");
}

#[tokio::test]
async fn a_long_list_of_errors_is_cut() {
    let query = format!("{{ again {{ {} }} }}", "wrong ".repeat(1_000));
    assert_eq!(schema().execute(&query).await.errors.len(), ERRORS);
}

#[test]
fn the_address_of_an_attempt_is_found_wherever_it_stands() {
    let by_variable =
        Request::new("mutation($i: I!) { ...F } fragment F on M { a: sessionCreate(input: $i) { x } }")
            .variables(Variables::from_json(
                serde_json::json!({ "i": { "email": "a@b.c", "password": "secret" } }),
            ));
    let part = Request::new("mutation($e: String!) { sessionCreate(input: { email: $e }) { x } }")
        .variables(Variables::from_json(serde_json::json!({ "e": "a@b.c" })));
    let literal = Request::new("mutation { sessionCreate(input: { email: \"a@b.c\" }) { x } }");
    for mut request in [by_variable, part, literal] {
        let operation = prepare(&mut request).expect("within the limits");
        assert_eq!(operation.mutations.len(), 1);
        assert_eq!(operation.mutations[0].name.as_str(), "sessionCreate");
        assert_eq!(operation.mutations[0].email.as_deref(), Some("a@b.c"));
        assert!(!format!("{operation:?}").contains("secret"));
    }
}
