//! Payouts that Circle had accepted, and does not know any more by their ids.

use domain::entities::PaymentStatus;
use serde_json::{Value, json};

use super::{
    World,
    listed::{BY_ID, LIST},
    refused::{PAYOUTS, says},
};
use crate::support::{errors, ok, proxy::Fault, text};

const HOUR: i64 = 3_600;

impl World {
    /// A part that Circle has accepted and pays; its id there.
    async fn confirmed(&self, part: usize) -> (String, String) {
        let release = self.approve(part).await;
        self.app.drain().await;
        self.after(11).await;
        assert_eq!(self.standing(&release).await, "CONFIRMING");
        let id = self.order(&release).await.unwrap().circle_id.unwrap();
        (release, id)
    }

    /// paymentRetry is refused, and the payment is as it was; what it says.
    async fn still_confirms(&self, id: &str, what: &str) -> String {
        let payload = self.retry(&self.admin, id).await;
        assert_eq!(errors(&payload), ["paymentId:ILLEGAL_STATE"], "{what}: {payload}");
        assert_eq!(self.row(id).await.status, PaymentStatus::Confirming, "{what}");
        text(&payload["userErrors"][0]["message"])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_circle_does_not_know_is_ended_after_a_day_of_it_and_paid_anew() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let (release, id) = world.confirmed(0).await;
    let healthy = world.still_confirms(&release, "nothing is wrong").await;
    assert!(healthy.contains("goes on by itself"), "{healthy}");

    world.circle().forget_payout(&id).unwrap();
    world.circle().forget_recipient(&world.deal.freelancer.address()).unwrap();
    world.after(11).await;
    let standing = world.standing(&release).await;
    assert!(standing.starts_with("CONFIRMING: Circle refuses the payout"), "{standing}");
    let since = world.order(&release).await.unwrap().missing_since.expect("it was noted");
    let young = world.still_confirms(&release, "young").await;
    assert!(young.contains("may pass"), "{young}");
    world.after(23 * HOUR).await;
    world.still_confirms(&release, "not a day yet").await;
    world.after(HOUR).await;
    assert_eq!(world.order(&release).await.unwrap().missing_since, Some(since), "since the first time");

    // What says nothing ends nothing, however long it has been so.
    for (request, fault) in [
        (BY_ID, Fault::Status(500)),
        (BY_ID, Fault::Cut),
        (BY_ID, Fault::Status(404)),
        (BY_ID, says(403, 3)),
        (BY_ID, says(400, 2)),
        (BY_ID, says(401, 1)),
        (LIST, Fault::Status(500)),
        (LIST, says(404, 2)),
        ("GET /v1/payouts?pageAfter", Fault::Status(500)),
    ] {
        let what = format!("{request} {fault:?}");
        proxy.cure();
        if request.ends_with("pageAfter") {
            // A page that has something on it.
            proxy.on("GET /v1/payouts?from", Fault::Lie(json!([{ "id": "p1", "status": "pending" }])));
        }
        proxy.on(request, fault);
        world.still_confirms(&release, &what).await;
    }
    proxy.cure();
    assert_eq!(errors(&world.retry(&world.deal.freelancer, &release).await), [":FORBIDDEN"]);
    let asked = proxy.requests(PAYOUTS);
    let ended = ok(world.retry(&world.admin, &release).await)["payment"].clone();
    assert_eq!((&ended["id"], &ended["status"]), (&json!(release), &json!("FAILED")));
    assert!(text(&ended["failureReason"]).contains("does not know the payout any more"), "{ended}");
    assert_eq!(proxy.requests(PAYOUTS), asked, "its key is not used any more");
    let rows = "{ auditLog(first: 5, filter: { action: \"payment.retry\" }) { nodes { actor { id } } } }";
    let rows = world.app.gql(&world.admin.token, rows, json!({})).await;
    let rows = rows["data"]["auditLog"]["nodes"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 1, "what was refused has no effect: {rows:?}");
    assert_eq!(rows[0]["actor"]["id"], json!(world.admin.id));

    let again = text(&ok(world.retry(&world.admin, &release).await)["payment"]["id"]);
    world.app.drain().await;
    world.until_paid(&again, "anew").await;
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}

/// Its id finds nothing, and the list has it: it goes on as that says, whenever somebody looks.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_only_the_list_has_goes_on_by_it() {
    for days in [0, 2] {
        let (world, proxy) = World::behind_proxy(&[100]).await;
        let (release, id) = world.confirmed(0).await;
        for request in [BY_ID, PAYOUTS] {
            proxy.on(request, says(404, 2));
        }
        world.after(11).await;
        world.after(days * 24 * HOUR).await;
        assert_eq!(world.row(&release).await.status, PaymentStatus::Confirming);
        // Of another payee or amount it is not the one that was ordered.
        proxy.on(
            "GET /v1/payouts?from",
            Fault::Lie(json!([{ "id": id, "status": "complete",
            "amount": { "amount": "1.00", "currency": "USD" } }])),
        );
        proxy.on("GET /v1/payouts?pageAfter", Fault::Lie(json!([])));
        assert!(world.still_confirms(&release, "a lie").await.contains("developer"));
        proxy.cure();
        for request in [BY_ID, PAYOUTS] {
            proxy.on(request, says(404, 2));
        }
        let found = ok(world.retry(&world.admin, &release).await)["payment"].clone();
        assert_eq!((&found["id"], &found["status"]), (&json!(release), &json!("COMPLETED")));
        assert_eq!(found["failureReason"], Value::Null);
        let order = world.order(&release).await.unwrap();
        assert_eq!((order.circle_id, order.missing_since), (Some(id), None));
        assert_eq!(world.circle().accepted().len(), 1);
        world.app.finish().await;
    }
}

/// What was missing for a while and is there again has not been missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_is_there_again_goes_on() {
    let (world, proxy) = World::behind_proxy(&[100]).await;
    let (release, _) = world.confirmed(0).await;
    for request in [BY_ID, PAYOUTS] {
        proxy.on(request, says(404, 2));
    }
    world.after(11).await;
    assert!(world.order(&release).await.unwrap().missing_since.is_some());
    proxy.cure();
    world.until_paid(&release, "there again").await;
    assert_eq!(world.order(&release).await.unwrap().missing_since, None);
    assert_eq!(world.circle().accepted().len(), 1);
    world.app.finish().await;
}
