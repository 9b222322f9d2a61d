//! Everybody, every payment and every contract, for administrators.

use serde_json::{Value, json};

use crate::support::{TestApp, new_key, ok, text};

async fn ids(app: &TestApp, token: &str, document: &str, variables: Value) -> Vec<String> {
    let answer = app.gql(token, document, variables).await;
    let nodes = answer["data"]["it"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
    assert_eq!(answer["data"]["it"]["totalCount"], nodes.len(), "{answer}");
    nodes.iter().map(|node| text(&node["id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_name_address_role_and_standing() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let anna = app.client("anna").await;
    let bert = app.freelancer("bert").await;
    let raw = app.register("zoe_raw", "FREELANCER").await;
    let suspend =
        "mutation($input: UserSuspendInput!) { userSuspend(input: $input) { userErrors { message } } }";
    ok(app.mutate(&admin.token, suspend, json!({ "userId": bert.id, "reason": "x" })).await);

    let users =
        "query($filter: UserFilter, $orderBy: UserOrder) { it: users(filter: $filter, orderBy: $orderBy) {
        totalCount nodes { id email suspendedAt } } }";
    let by_age = json!([&raw, &bert, &anna, &admin].map(|someone| &someone.id));
    assert_eq!(json!(ids(&app, &admin.token, users, json!({})).await), by_age, "newest first");
    for (filter, wanted) in [
        (json!({ "search": "ANNA" }), vec![&anna]),
        (json!({ "search": "bert@EXAMPLE" }), vec![&bert]),
        (json!({ "search": "e_r" }), vec![&raw]),
        (json!({ "search": "%" }), vec![]),
        (json!({ "role": "FREELANCER" }), vec![&raw, &bert]),
        (json!({ "role": "ADMIN" }), vec![&admin]),
        (json!({ "suspended": true }), vec![&bert]),
        (json!({ "suspended": false, "role": "FREELANCER" }), vec![&raw]),
        (json!({ "verified": false }), vec![&raw]),
        (json!({ "verified": true, "search": "an" }), vec![&anna]),
    ] {
        let found = ids(&app, &admin.token, users, json!({ "filter": filter })).await;
        let wanted: Vec<_> = wanted.iter().map(|someone| someone.id.clone()).collect();
        assert_eq!(found, wanted, "{filter}");
    }
    for (direction, wanted) in [("ASC", [&admin, &anna, &bert, &raw]), ("DESC", [&raw, &bert, &anna, &admin])]
    {
        let order = json!({ "orderBy": { "field": "DISPLAY_NAME", "direction": direction } });
        let wanted: Vec<_> = wanted.iter().map(|someone| someone.id.clone()).collect();
        assert_eq!(ids(&app, &admin.token, users, order).await, wanted, "{direction}");
    }
    for (length, passes) in [(200, true), (201, false)] {
        let filter = json!({ "filter": { "search": "x".repeat(length) } });
        let answer = app.gql(&admin.token, users, filter).await;
        assert_eq!(answer.get("errors").is_none(), passes, "{answer}");
    }

    // Page after page, in both orders.
    let page = "query($field: UserOrderField!, $after: String) {
        users(first: 3, after: $after, orderBy: { field: $field, direction: ASC }) {
        pageInfo { hasNextPage endCursor } nodes { id } } }";
    for field in ["CREATED_AT", "DISPLAY_NAME"] {
        let first = app.gql(&admin.token, page, json!({ "field": field })).await["data"]["users"].clone();
        assert_eq!(first["pageInfo"]["hasNextPage"], true, "{first}");
        let after = json!({ "field": field, "after": first["pageInfo"]["endCursor"] });
        let rest = app.gql(&admin.token, page, after).await["data"]["users"].clone();
        assert_eq!(rest["nodes"], json!([{ "id": raw.id }]), "{field}: {rest}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_on_hold_are_found() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100, 50]).await, app.admin().await);
    let deposit = app.funded(&deal, &deal.milestones[0]).await;
    let waiting = text(&ok(app.fund(&deal, &deal.milestones[1], &new_key()).await)["payment"]["id"]);
    app.token("blacklist(address)", &deal.client.address()).await;
    let refund = ok(app.refund(&deal, &deal.milestones[0], Some("30"), &new_key()).await);
    let refund = text(&refund["payment"]["id"]);
    app.drain().await;

    let payments = "query($filter: PaymentFilter, $orderBy: PaymentOrder) {
        it: payments(filter: $filter, orderBy: $orderBy) { totalCount nodes { id status } } }";
    for (filter, wanted) in [
        (json!({ "status": ["ON_HOLD"] }), vec![&refund]),
        (json!({ "status": ["ON_HOLD", "AWAITING_FUNDS"] }), vec![&refund, &waiting]),
        (json!({ "kind": "DEPOSIT" }), vec![&waiting, &deposit]),
        (json!({ "kind": "DEPOSIT", "status": ["COMPLETED"] }), vec![&deposit]),
        (json!({ "rail": "CHAIN" }), vec![&refund, &waiting, &deposit]),
        (json!({ "rail": "CIRCLE" }), vec![]),
        (json!({ "contractId": deal.contract }), vec![&refund, &waiting, &deposit]),
        (json!({ "payerId": deal.freelancer.id }), vec![&refund]),
        (json!({ "payeeId": deal.client.id }), vec![&refund]),
        (json!({ "payerId": deal.client.id }), vec![&waiting, &deposit]),
        (json!({ "payerId": admin.id }), vec![]),
    ] {
        let found = ids(&app, &admin.token, payments, json!({ "filter": filter })).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter}");
    }
    let order = json!({ "orderBy": { "field": "AMOUNT" } });
    assert_eq!(
        ids(&app, &admin.token, payments, order).await,
        [&refund, &waiting, &deposit].map(String::clone)
    );
    let order = json!({ "orderBy": { "field": "UPDATED_AT", "direction": "DESC" } });
    assert_eq!(ids(&app, &admin.token, payments, order).await[0], refund);
    let wrong = app.gql(&admin.token, payments, json!({ "filter": { "contractId": "prj_1" } })).await;
    assert_eq!(wrong["errors"][0]["extensions"]["code"], "INVALID_ID", "{wrong}");
    app.token("unBlacklist(address)", &deal.client.address()).await;
    app.advance(chrono::Duration::minutes(11));
    app.drain().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_are_found_by_state_and_party() {
    let app = TestApp::start().await;
    let (deal, admin) = (app.deal(&[100]).await, app.admin().await);
    let other = app.client("olga").await;
    let project = app.project(&other).await;
    let proposal = app.proposal(&deal.freelancer, &project, &[40]).await;
    let offer = app.offer(&other, &proposal).await;

    let contracts = "query($filter: ContractFilter, $orderBy: ContractOrder) {
        it: contracts(filter: $filter, orderBy: $orderBy) { totalCount nodes { id status } } }";
    for (filter, wanted) in [
        (json!({}), vec![&offer, &deal.contract]),
        (json!({ "status": ["PENDING"] }), vec![&offer]),
        (json!({ "status": ["ACTIVE", "PENDING"] }), vec![&offer, &deal.contract]),
        (json!({ "status": ["COMPLETED"] }), vec![]),
        (json!({ "partyId": deal.freelancer.id }), vec![&offer, &deal.contract]),
        (json!({ "partyId": deal.client.id }), vec![&deal.contract]),
        (json!({ "partyId": other.id, "status": ["ACTIVE"] }), vec![]),
    ] {
        let found = ids(&app, &admin.token, contracts, json!({ "filter": filter })).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter}");
    }
    for field in ["AMOUNT", "UPDATED_AT"] {
        let order = json!({ "orderBy": { "field": field, "direction": "DESC" } });
        let found = ids(&app, &admin.token, contracts, order).await;
        let wanted = if field == "AMOUNT" { [&deal.contract, &offer] } else { [&offer, &deal.contract] };
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{field}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn these_lists_are_for_admins() {
    let app = TestApp::start().await;
    let (client, freelancer) = (app.client("carla").await, app.freelancer("felix").await);
    for document in [
        "{ users { nodes { id } } }",
        "{ payments { nodes { id } } }",
        "{ contracts { nodes { id } } }",
        "{ feeSchedules { version } }",
        "{ auditLog { nodes { id } } }",
        r#"{ analytics(input: { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", interval: DAY }) {
            total { proposals } } }"#,
    ] {
        for (token, wanted) in
            [("", "UNAUTHENTICATED"), (client.token.as_str(), "FORBIDDEN"), (&freelancer.token, "FORBIDDEN")]
        {
            let answer = app.gql(token, document, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], wanted, "{document}: {answer}");
            assert_eq!(answer["data"], json!(null), "{document}");
        }
    }
    app.finish().await;
}
