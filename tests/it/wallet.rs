//! Linking wallets by a signed message, and choosing where payouts go.

use chrono::Duration;
use domain::{
    ports::chain::siwe,
    wallet::{owner_of, payout_wallet},
};
use entities::{user, wallet_challenge};
use ethers_signers::{LocalWallet, Signer};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::TestApp;

const BEGIN: &str = "mutation($address: String!) { walletLinkBegin(input: {address: $address}) {
    message userErrors { field code } } }";
const COMPLETE: &str = "mutation($message: String!, $signature: String!) {
    walletLinkComplete(input: {message: $message, signature: $signature}) {
        wallet { id address chainId isPayout payoutsFrom verifiedAt } userErrors { field code message } } }";
const SET_PAYOUT: &str = "mutation($input: WalletSetPayoutInput!) { walletSetPayout(input: $input) {
    wallet { id isPayout payoutsFrom } userErrors { field code } } }";
const PASSWORD: &str = "four unrelated words";

struct Person {
    token: String,
    id: entities::UserId,
}

/// A new account; its address is proven unless told otherwise.
async fn person(app: &TestApp, name: &str, verified: bool) -> Person {
    let query = "mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
        session { accessToken } user { id } } }";
    let email = format!("{name}@example.com");
    let input = json!({"email": email, "password": PASSWORD, "displayName": name, "role": "FREELANCER"});
    let payload = app.gql(None, query, json!({"input": input})).await["data"]["accountRegister"].clone();
    let id = payload["user"]["id"].as_str().expect("an id").parse().expect("a user's id");
    if verified {
        user::Entity::update_many()
            .set(user::ActiveModel { email_verified_at: Set(Some(app.app.clock.now())), ..Default::default() })
            .filter(user::Column::Id.eq(id))
            .exec(app.app.db.writer())
            .await
            .expect("updates");
    }
    Person { token: payload["session"]["accessToken"].as_str().expect("a token").to_owned(), id }
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

async fn begin(app: &TestApp, who: &Person, address: &str) -> Value {
    app.gql(Some(&who.token), BEGIN, json!({"address": address})).await["data"]["walletLinkBegin"].clone()
}

async fn message(app: &TestApp, who: &Person, wallet: &LocalWallet) -> String {
    let begun = begin(app, who, &address(wallet)).await;
    begun["message"].as_str().unwrap_or_else(|| panic!("no message: {begun}")).to_owned()
}

async fn complete(app: &TestApp, who: &Person, message: &str, signature: &str) -> Value {
    let variables = json!({"message": message, "signature": signature});
    app.gql(Some(&who.token), COMPLETE, variables).await["data"]["walletLinkComplete"].clone()
}

async fn link(app: &TestApp, who: &Person, wallet: &LocalWallet) -> Value {
    let message = message(app, who, wallet).await;
    let linked = complete(app, who, &message, &sign(wallet, &message).await).await;
    assert_eq!(linked["userErrors"], json!([]));
    linked["wallet"].clone()
}

fn error(payload: &Value) -> (&str, &str) {
    let error = &payload["userErrors"][0];
    (error["field"][0].as_str().unwrap_or_default(), error["code"].as_str().unwrap_or("no error"))
}

#[tokio::test]
async fn a_signed_message_links_the_wallet() {
    let app = TestApp::start().await;
    let ada = person(&app, "ada", true).await;
    let first = link(&app, &ada, &key(1)).await;
    assert_eq!(first["isPayout"], true, "the first wallet is the payout wallet");
    assert_eq!(first["payoutsFrom"], first["verifiedAt"], "and does not rest");
    assert_eq!(first["address"].as_str().expect("text").to_lowercase(), address(&key(1)));
    assert_eq!(first["chainId"], app.app.chain.chain_id().to_string());
    let second = link(&app, &ada, &key(2)).await;
    assert_eq!(second["isPayout"], false);

    let own = app.gql(Some(&ada.token), "{ viewer { wallets { id } } }", json!({})).await;
    assert_eq!(own["data"]["viewer"]["wallets"], json!([{"id": first["id"]}, {"id": second["id"]}]));
    let payout = payout_wallet(app.db(), ada.id).await.expect("reads").expect("a payout wallet");
    assert_eq!(payout.address, address(&key(1)));
    let now = app.app.clock.now();
    let held = address(&key(2)).parse().expect("an address");
    assert_eq!(owner_of(app.db(), held, now).await.expect("reads"), Some(ada.id));
    let before = now - Duration::seconds(1);
    assert_eq!(owner_of(app.db(), held, before).await.expect("reads"), None, "not proven by then");
    app.finish().await;
}

#[tokio::test]
async fn an_address_belongs_to_one_account() {
    let app = TestApp::start().await;
    let (ada, eve) = (person(&app, "ada", true).await, person(&app, "eve", true).await);
    let early = message(&app, &eve, &key(1)).await;
    link(&app, &ada, &key(1)).await;
    assert_eq!(error(&begin(&app, &eve, &address(&key(1))).await), ("address", "TAKEN"));
    let late = complete(&app, &eve, &early, &sign(&key(1), &early).await).await;
    assert_eq!(error(&late), ("message", "TAKEN"), "begun before it was taken");
    app.finish().await;
}

#[tokio::test]
async fn only_a_proven_person_links_and_only_a_real_address() {
    let app = TestApp::start().await;
    let unproven = person(&app, "bob", false).await;
    assert_eq!(error(&begin(&app, &unproven, &address(&key(1))).await), ("", "UNVERIFIED"));
    let ada = person(&app, "ada", true).await;
    for bad in ["", "0x12", "ada.eth", "52908400098527886e0f7030069857d2e4169ee7"] {
        assert_eq!(error(&begin(&app, &ada, bad).await), ("address", "INVALID"), "{bad}");
    }
    let anonymous = app.gql(None, BEGIN, json!({"address": address(&key(1))})).await;
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}

#[tokio::test]
async fn a_message_is_good_once_for_one_person_for_ten_minutes() {
    let app = TestApp::start().await;
    let (ada, eve) = (person(&app, "ada", true).await, person(&app, "eve", true).await);
    let wallet = key(3);

    // Somebody else's: a thief of message and signature gets nothing.
    let adas = message(&app, &ada, &wallet).await;
    let signature = sign(&wallet, &adas).await;
    assert_eq!(error(&complete(&app, &eve, &adas, &signature).await), ("message", "INVALID"));
    // Too old.
    app.advance(Duration::minutes(10)).await;
    assert_eq!(error(&complete(&app, &ada, &adas, &signature).await), ("message", "EXPIRED"));
    // Once.
    let fresh = message(&app, &ada, &wallet).await;
    let signature = sign(&wallet, &fresh).await;
    let (one, other) =
        tokio::join!(complete(&app, &ada, &fresh, &signature), complete(&app, &ada, &fresh, &signature));
    let linked = [&one, &other].iter().filter(|payload| payload["wallet"].is_object()).count();
    assert_eq!(linked, 1, "{one} {other}");
    assert_eq!(error(&complete(&app, &ada, &fresh, &signature).await), ("message", "INVALID"));
    let used = wallet_challenge::Entity::find()
        .filter(wallet_challenge::Column::UsedAt.is_not_null())
        .all(app.db())
        .await
        .expect("reads");
    assert_eq!(used.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn a_message_of_our_own_making_only() {
    let app = TestApp::start().await;
    let ada = person(&app, "ada", true).await;
    let wallet = key(4);
    let given = message(&app, &ada, &wallet).await;
    let ours = siwe::parse(&given).expect("we write what we read");

    // Another text of the same nonce, properly signed: every field is ours or it is refused.
    let changes: [(&str, &dyn Fn(&mut siwe::Siwe)); 6] = [
        ("domain", &|m| m.domain = "evil.example".to_owned()),
        ("uri", &|m| m.uri = "https://evil.example/".to_owned()),
        ("chain", &|m| m.chain_id += 1),
        ("nonce", &|m| m.nonce = "0123456789abcdef".to_owned()),
        ("account", &|m| m.request_id = None),
        ("address", &|m| m.address = address(&key(5)).parse().expect("an address")),
    ];
    for (what, change) in changes {
        let mut forged = ours.clone();
        change(&mut forged);
        let signer = if what == "address" { key(5) } else { wallet.clone() };
        let text = siwe::message(&forged);
        let refused = complete(&app, &ada, &text, &sign(&signer, &text).await).await;
        assert_eq!(error(&refused), ("message", "INVALID"), "{what}");
    }
    // Another signer, and what is no signature or no message at all.
    let refused = complete(&app, &ada, &given, &sign(&key(5), &given).await).await;
    assert_eq!(error(&refused), ("signature", "INVALID"));
    assert_eq!(error(&complete(&app, &ada, &given, "0x00").await), ("signature", "INVALID"));
    assert_eq!(error(&complete(&app, &ada, "hello", "0x00").await), ("message", "INVALID"));
    // None of it spent the nonce.
    let linked = complete(&app, &ada, &given, &sign(&wallet, &given).await).await;
    assert_eq!(linked["userErrors"], json!([]));
    app.finish().await;
}

#[tokio::test]
async fn a_new_payout_wallet_rests_and_its_owner_is_told() {
    let app = TestApp::start().await;
    let (ada, eve) = (person(&app, "ada", true).await, person(&app, "eve", true).await);
    let first = link(&app, &ada, &key(6)).await;
    let second = link(&app, &ada, &key(7)).await;
    let choose = async |who: &Person, wallet: &Value, password: &str| {
        let input = json!({"walletId": wallet["id"], "password": password});
        app.gql(Some(&who.token), SET_PAYOUT, json!({"input": input})).await["data"]["walletSetPayout"].clone()
    };
    assert_eq!(error(&choose(&ada, &second, "wrong password").await), ("password", "INVALID"));
    assert_eq!(error(&choose(&eve, &second, PASSWORD).await), ("walletId", "NOT_FOUND"));
    let same = choose(&ada, &first, PASSWORD).await;
    assert_eq!(same["wallet"]["payoutsFrom"], first["payoutsFrom"], "no new rest for the wallet in use");

    let now = app.app.clock.now();
    let chosen = choose(&ada, &second, PASSWORD).await;
    assert_eq!(chosen["wallet"]["isPayout"], true);
    let payout = payout_wallet(app.db(), ada.id).await.expect("reads").expect("a payout wallet");
    assert_eq!(payout.address, address(&key(7)));
    assert_eq!(payout.payouts_from, now + Duration::from_std(app.app.settings.wallet_rest).expect("fits"));
    let mails = entities::mail::Entity::find()
        .filter(entities::mail::Column::Kind.eq(entities::NotificationKind::AccountWalletChanged))
        .order_by_asc(entities::mail::Column::Id)
        .all(app.db())
        .await
        .expect("reads");
    let told: Vec<bool> = mails.iter().map(|mail| mail.text.contains(&address(&key(7)))).collect();
    assert_eq!(told, [false, true], "the first link, then the change");
    app.finish().await;
}
