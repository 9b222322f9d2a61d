use chrono::Duration;
use domain::{
    entities::{NotificationKind, UserId, mail, wallet_challenge},
    ports::chain::siwe,
    wallet::{owner_of, payout_wallet},
};
use ethers_signers::{LocalWallet, Signer};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Someone, TestApp, errors, ok, text};

const BEGIN: &str = "mutation($input: WalletLinkBeginInput!) { walletLinkBegin(input: $input) {
    message userErrors { field code message } } }";
const COMPLETE: &str = "mutation($input: WalletLinkCompleteInput!) { walletLinkComplete(input: $input) {
    wallet { id address chainId isPayout payoutsFrom verifiedAt } userErrors { field code message } } }";
const SET_PAYOUT: &str = "mutation($input: WalletSetPayoutInput!) { walletSetPayout(input: $input) {
    wallet { id isPayout payoutsFrom } userErrors { field code message } } }";

/// A freelancer whose address is proven and who has no wallet.
async fn proven(app: &TestApp, name: &str) -> Someone {
    let someone = app.register(name, "FREELANCER").await;
    app.verify(&someone.email).await;
    someone
}

fn id(someone: &Someone) -> UserId {
    someone.id.parse().expect("a user's id")
}

/// A wallet with a fixed key.
fn key(number: u8) -> LocalWallet {
    LocalWallet::from_bytes(&[number; 32]).expect("a key")
}

fn address(wallet: &LocalWallet) -> String {
    format!("{:?}", wallet.address())
}

async fn sign(wallet: &LocalWallet, message: &str) -> String {
    format!("0x{}", wallet.sign_message(message).await.expect("signs"))
}

async fn begin(app: &TestApp, who: &Someone, address: &str) -> Value {
    app.mutate(&who.token, BEGIN, json!({"address": address})).await
}

async fn message(app: &TestApp, who: &Someone, wallet: &LocalWallet) -> String {
    text(&ok(begin(app, who, &address(wallet)).await)["message"])
}

async fn complete(app: &TestApp, who: &Someone, message: &str, signature: &str) -> Value {
    app.mutate(&who.token, COMPLETE, json!({"message": message, "signature": signature})).await
}

async fn link(app: &TestApp, who: &Someone, wallet: &LocalWallet) -> Value {
    let message = message(app, who, wallet).await;
    ok(complete(app, who, &message, &sign(wallet, &message).await).await)["wallet"].clone()
}

#[tokio::test]
async fn a_signed_message_links_the_wallet() {
    let app = TestApp::start().await;
    let ada = proven(&app, "ada").await;
    let first = link(&app, &ada, &key(1)).await;
    assert_eq!(first["isPayout"], true, "the first wallet is the payout wallet");
    assert_eq!(first["payoutsFrom"], first["verifiedAt"], "and does not rest");
    assert_eq!(first["address"].as_str().expect("text").to_lowercase(), address(&key(1)));
    assert_eq!(first["chainId"], app.app.chain.chain_id().to_string());
    let second = link(&app, &ada, &key(2)).await;
    assert_eq!(second["isPayout"], false);

    let own = app.gql(&ada.token, "{ viewer { wallets { id } } }", json!({})).await;
    assert_eq!(own["data"]["viewer"]["wallets"], json!([{"id": first["id"]}, {"id": second["id"]}]));
    let payout = payout_wallet(app.app.db.reader(), id(&ada)).await.expect("reads").expect("a payout wallet");
    assert_eq!(payout.address, address(&key(1)));
    let now = app.app.clock.now();
    let held = address(&key(2)).parse().expect("an address");
    assert_eq!(owner_of(app.app.db.reader(), held, now).await.expect("reads"), Some(id(&ada)));
    let before = now - Duration::seconds(1);
    assert_eq!(owner_of(app.app.db.reader(), held, before).await.expect("reads"), None, "not proven by then");
    app.finish().await;
}

#[tokio::test]
async fn an_address_belongs_to_one_account() {
    let app = TestApp::start().await;
    let (ada, eve) = (proven(&app, "ada").await, proven(&app, "eve").await);
    let early = message(&app, &eve, &key(1)).await;
    link(&app, &ada, &key(1)).await;
    assert_eq!(errors(&begin(&app, &eve, &address(&key(1))).await), ["address:TAKEN"]);
    let late = complete(&app, &eve, &early, &sign(&key(1), &early).await).await;
    assert_eq!(errors(&late), ["message:TAKEN"], "begun before it was taken");
    app.finish().await;
}

#[tokio::test]
async fn only_a_proven_person_links_and_only_a_real_address() {
    let app = TestApp::start().await;
    let unproven = app.register("bob", "FREELANCER").await;
    assert_eq!(errors(&begin(&app, &unproven, &address(&key(1))).await), [":UNVERIFIED"]);
    let ada = proven(&app, "ada").await;
    for bad in ["", "0x12", "ada.eth", "52908400098527886e0f7030069857d2e4169ee7"] {
        assert_eq!(errors(&begin(&app, &ada, bad).await), ["address:INVALID"], "{bad}");
    }
    let anonymous = app.gql("", BEGIN, json!({"input": {"address": address(&key(1))}})).await;
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}

#[tokio::test]
async fn a_message_is_good_once_for_one_person_for_ten_minutes() {
    let app = TestApp::start().await;
    let (ada, eve) = (proven(&app, "ada").await, proven(&app, "eve").await);
    let wallet = key(3);

    // Somebody else's: a thief of message and signature gets nothing.
    let adas = message(&app, &ada, &wallet).await;
    let signature = sign(&wallet, &adas).await;
    assert_eq!(errors(&complete(&app, &eve, &adas, &signature).await), ["message:INVALID"]);
    // Too old.
    app.advance(Duration::minutes(10));
    assert_eq!(errors(&complete(&app, &ada, &adas, &signature).await), ["message:EXPIRED"]);
    // Once.
    let fresh = message(&app, &ada, &wallet).await;
    let signature = sign(&wallet, &fresh).await;
    let (one, other) =
        tokio::join!(complete(&app, &ada, &fresh, &signature), complete(&app, &ada, &fresh, &signature));
    let linked = [&one, &other].iter().filter(|payload| payload["wallet"].is_object()).count();
    assert_eq!(linked, 1, "{one} {other}");
    assert_eq!(errors(&complete(&app, &ada, &fresh, &signature).await), ["message:INVALID"]);
    let used = wallet_challenge::Entity::find()
        .filter(wallet_challenge::Column::UsedAt.is_not_null())
        .count(app.app.db.reader())
        .await;
    assert_eq!(used.expect("counts"), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_message_of_our_own_making_only() {
    let app = TestApp::start().await;
    let ada = proven(&app, "ada").await;
    let wallet = key(4);
    let given = message(&app, &ada, &wallet).await;
    let ours = siwe::parse(&given).expect("we write what we read");

    // Another text of the same nonce, properly signed: every field is ours or it is refused.
    let forgeries = [
        siwe::Siwe { domain: "evil.example".to_owned(), ..ours.clone() },
        siwe::Siwe { uri: "https://evil.example/".to_owned(), ..ours.clone() },
        siwe::Siwe { chain_id: ours.chain_id + 1, ..ours.clone() },
        siwe::Siwe { nonce: "0123456789abcdef".to_owned(), ..ours.clone() },
        siwe::Siwe { request_id: None, ..ours.clone() },
        siwe::Siwe { statement: None, ..ours.clone() },
        siwe::Siwe { statement: Some("Win a prize.".to_owned()), ..ours.clone() },
        siwe::Siwe { resources: vec!["https://evil.example/".to_owned()], ..ours.clone() },
        siwe::Siwe { issued_at: ours.issued_at - Duration::days(1), ..ours.clone() },
        siwe::Siwe { expiration_time: None, ..ours.clone() },
        siwe::Siwe { not_before: Some(ours.issued_at), ..ours.clone() },
        siwe::Siwe { not_before: Some(ours.issued_at + Duration::days(1)), ..ours.clone() },
        siwe::Siwe { scheme: Some("http".to_owned()), ..ours.clone() },
        siwe::Siwe { address: address(&key(5)).parse().expect("an address"), ..ours.clone() },
    ];
    for forged in forgeries {
        let signer = if forged.address == ours.address { wallet.clone() } else { key(5) };
        let text = siwe::message(&forged);
        let refused = complete(&app, &ada, &text, &sign(&signer, &text).await).await;
        assert_eq!(errors(&refused), ["message:INVALID"], "{text}");
    }
    // Another signer, and what is no signature or no message at all.
    let refused = complete(&app, &ada, &given, &sign(&key(5), &given).await).await;
    assert_eq!(errors(&refused), ["signature:INVALID"]);
    assert_eq!(errors(&complete(&app, &ada, &given, "0x00").await), ["signature:INVALID"]);
    assert_eq!(errors(&complete(&app, &ada, "hello", "0x00").await), ["message:INVALID"]);
    // None of it spent the nonce.
    ok(complete(&app, &ada, &given, &sign(&wallet, &given).await).await);
    app.finish().await;
}

#[tokio::test]
async fn a_new_payout_wallet_rests_and_its_owner_is_told() {
    let rest = std::time::Duration::from_secs(24 * 3600);
    let app = TestApp::start_with(|settings| settings.wallet_rest = rest).await;
    let (ada, eve) = (proven(&app, "ada").await, proven(&app, "eve").await);
    let first = link(&app, &ada, &key(6)).await;
    let second = link(&app, &ada, &key(7)).await;
    let choose = async |who: &Someone, wallet: &Value, password: &str| {
        let input = json!({"walletId": wallet["id"], "password": password});
        app.mutate(&who.token, SET_PAYOUT, input).await
    };
    assert_eq!(errors(&choose(&ada, &second, "wrong password").await), ["password:INVALID"]);
    assert_eq!(errors(&choose(&eve, &second, PASSWORD).await), ["walletId:NOT_FOUND"]);
    let same = choose(&ada, &first, PASSWORD).await;
    assert_eq!(same["wallet"]["payoutsFrom"], first["payoutsFrom"], "no new rest for the wallet in use");

    let now = app.app.clock.now();
    let chosen = choose(&ada, &second, PASSWORD).await;
    assert_eq!(chosen["wallet"]["isPayout"], true);
    let payout = payout_wallet(app.app.db.reader(), id(&ada)).await.expect("reads").expect("a payout wallet");
    assert_eq!(payout.address, address(&key(7)));
    assert_eq!(payout.payouts_from, now + Duration::hours(24));
    let mails = mail::Entity::find()
        .filter(mail::Column::Kind.eq(NotificationKind::AccountWalletChanged))
        .order_by_asc(mail::Column::Id)
        .all(app.app.db.reader())
        .await
        .expect("reads");
    let told: Vec<_> =
        mails.iter().map(|mail| (mail.subject.as_str(), mail.text.contains(&address(&key(7))))).collect();
    assert_eq!(
        told,
        [
            ("Your payout wallet changed", false),
            ("A wallet was linked to your account", true),
            ("Your payout wallet changed", true)
        ],
        "each link, then the change"
    );
    app.finish().await;
}
