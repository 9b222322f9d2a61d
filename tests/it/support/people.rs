//! People for tests, made the way people are made: through the API and their mailbox.

use domain::entities::{Role, UserId, user};
use ethers_core::types::Address;
use ethers_signers::{LocalWallet, Signer};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use super::{TestApp, ok};

/// A person who is signed in, verified, and has a wallet.
#[derive(Clone)]
pub struct Someone {
    pub id: String,
    pub email: String,
    pub token: String,
    pub wallet: LocalWallet,
}

impl Someone {
    /// Their wallet's address, lower-case hex.
    pub fn address(&self) -> String {
        format!("{:?}", self.wallet.address())
    }
}

/// The password of everybody in the tests.
pub const PASSWORD: &str = "plum-ferry-anchor-42";

const REGISTER: &str = "mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
    session { accessToken } user { id } userErrors { field code message } } }";
const VERIFY: &str = "mutation($input: AccountVerifyInput!) { accountVerify(input: $input) {
    user { id } userErrors { field code message } } }";
const LINK_BEGIN: &str = "mutation($input: WalletLinkBeginInput!) { walletLinkBegin(input: $input) {
    message userErrors { field code message } } }";
const LINK_COMPLETE: &str = "mutation($input: WalletLinkCompleteInput!) { walletLinkComplete(input: $input) {
    wallet { id address isPayout } userErrors { field code message } } }";

impl TestApp {
    /// A client: registered, verified, with a wallet that holds plenty.
    pub async fn client(&self, name: &str) -> Someone {
        self.person(name, "CLIENT").await
    }

    /// A freelancer: registered, verified, with a payout wallet.
    pub async fn freelancer(&self, name: &str) -> Someone {
        self.person(name, "FREELANCER").await
    }

    /// An admin: a verified client to whom the command line granted it.
    pub async fn admin(&self) -> Someone {
        self.admin_named("admin").await
    }

    /// One of several admins.
    pub async fn admin_named(&self, name: &str) -> Someone {
        let someone = self.person(name, "CLIENT").await;
        domain::account::grant_admin(&self.app, &someone.email).await.unwrap();
        someone
    }

    /// Makes somebody an admin behind the back of `grant_admin`, which refuses people whose contracts run.
    pub async fn appoint(&self, someone: &Someone) {
        assert!(domain::account::grant_admin(&self.app, &someone.email).await.is_err());
        let id: UserId = someone.id.parse().unwrap();
        let change = user::ActiveModel { id: Set(id), role: Set(Role::Admin), ..Default::default() };
        change.update(self.app.db.writer()).await.unwrap();
    }

    async fn person(&self, name: &str, role: &str) -> Someone {
        let someone = self.register(name, role).await;
        self.verify(&someone.email).await;
        self.link(&someone).await;
        someone
    }

    /// Registered only: neither verified nor with a wallet.
    pub async fn register(&self, name: &str, role: &str) -> Someone {
        let email = format!("{name}@example.com");
        let input = json!({ "email": email, "password": PASSWORD, "displayName": name, "role": role });
        let payload = ok(self.mutate("", REGISTER, input).await);
        // A key of its own for each name, the same in each run.
        let mut key = [7_u8; 32];
        key[..name.len().min(32)].copy_from_slice(&name.as_bytes()[..name.len().min(32)]);
        Someone {
            id: text(&payload["user"]["id"]),
            email,
            token: text(&payload["session"]["accessToken"]),
            wallet: LocalWallet::from_bytes(&key).unwrap(),
        }
    }

    /// Opens the link of the mail that came.
    pub async fn verify(&self, email: &str) {
        self.drain().await;
        let mails = self.mails(email);
        let mail =
            mails.iter().find(|mail| mail.text.contains("verify?token=")).expect("a verification mail");
        let token = mail.text.split("verify?token=").nth(1).unwrap().split_whitespace().next().unwrap();
        ok(self.mutate("", VERIFY, json!({ "token": token })).await);
    }

    /// Links their wallet by a signed message.
    pub async fn link(&self, someone: &Someone) -> Value {
        let begin = json!({ "address": someone.address() });
        let payload = ok(self.mutate(&someone.token, LINK_BEGIN, begin).await);
        let message = text(&payload["message"]);
        let signature = someone.wallet.sign_message(&message).await.unwrap();
        let complete = json!({ "message": message, "signature": format!("0x{signature}") });
        ok(self.mutate(&someone.token, LINK_COMPLETE, complete).await)["wallet"].clone()
    }

    /// Links another wallet of somebody, with a key of this number, and chooses it for payouts: them with that wallet.
    pub async fn new_payout_wallet(&self, someone: &Someone, key: u8) -> Someone {
        let wallet = LocalWallet::from_bytes(&[key; 32]).unwrap();
        let other = Someone { wallet, ..someone.clone() };
        let linked = self.link(&other).await;
        let input = json!({ "walletId": linked["id"], "password": PASSWORD });
        ok(self.call(&other.token, "walletSetPayout", "wallet { id }", input).await);
        other
    }

    /// Lets outgoing money go on.
    pub async fn resume_outgoing(&self, admin: &Someone) {
        ok(self.call(&admin.token, "outgoingResume", "", json!({})).await);
    }

    /// What an address holds, in micro-USDC.
    pub async fn usdc_of(&self, address: &str) -> i64 {
        let address: Address = address.parse().unwrap();
        self.app.chain.usdc_balance(domain::ports::chain::Address(address.0)).await.unwrap().micro()
    }
}

/// A JSON string.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}
