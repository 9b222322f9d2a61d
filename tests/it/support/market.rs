//! A project on its way to a milestone in any state, by the same mutations that people send.

use serde_json::{Value, json};
use ulid::Ulid;

use super::{CONFIRMATIONS, Someone, TestApp, ok, text, with};

/// An active contract between two people.
pub struct Deal {
    pub client: Someone,
    pub freelancer: Someone,
    pub contract: String,
    /// The milestones, in order.
    pub milestones: Vec<String>,
}

/// What a money mutation on a milestone answers, cut down to what tests look at.
pub const PAYMENT: &str =
    "milestone { id status } payment { id kind status amount { amount } fee { amount } net { amount }
    depositAddress paymentUri expiresAt received { amount } requiredConfirmations }
    userErrors { field code message }";

impl TestApp {
    /// An open project, `prj_...`.
    pub async fn project(&self, client: &Someone) -> String {
        let category =
            self.gql("", "{ categories { id } }", json!({})).await["data"]["categories"][0]["id"].clone();
        let input = json!({
            "title": "A web shop for plants",
            "description": "A small shop with a catalogue, a basket and a way to pay. Plants are shown with care hints.",
            "categoryId": category, "budgetType": "FIXED", "experienceLevel": "INTERMEDIATE",
            "budgetMin": { "amount": "100" }, "budgetMax": { "amount": "5000" }, "publish": true,
        });
        let query = "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) {
            project { id status } userErrors { field code message } } }";
        text(&ok(self.mutate(&client.token, query, input).await)["project"]["id"])
    }

    /// A proposal on it over milestones of these amounts, `ppl_...`.
    pub async fn proposal(&self, freelancer: &Someone, project: &str, amounts: &[u32]) -> String {
        let milestones: Vec<Value> = amounts
            .iter()
            .enumerate()
            .map(|(i, amount)| json!({ "title": format!("Part {}", i + 1), "amount": { "amount": amount.to_string() } }))
            .collect();
        let input = json!({
            "projectId": project, "coverLetter": "I have built many shops like this one, and plants grow on my desk.",
            "bid": { "amount": amounts.iter().sum::<u32>().to_string() },
            "availability": "IMMEDIATE", "milestones": milestones,
        });
        let query = "mutation($input: ProposalSubmitInput!) { proposalSubmit(input: $input) {
            proposal { id status } userErrors { field code message } } }";
        text(&ok(self.mutate(&freelancer.token, query, input).await)["proposal"]["id"])
    }

    /// An offer on it, `ctr_...`.
    pub async fn offer(&self, client: &Someone, proposal: &str) -> String {
        let input = json!({ "proposalId": proposal, "description": "The shop as described, in parts." });
        let query = "mutation($input: ProposalAcceptInput!) { proposalAccept(input: $input) {
            contract { id status } userErrors { field code message } } }";
        text(&ok(self.mutate(&client.token, query, input).await)["contract"]["id"])
    }

    /// Two new people with an active contract over milestones of these amounts.
    pub async fn deal(&self, amounts: &[u32]) -> Deal {
        self.deal_of("carla", "felix", amounts).await
    }

    /// The same between two people of these names.
    pub async fn deal_of(&self, client: &str, freelancer: &str, amounts: &[u32]) -> Deal {
        let (client, freelancer) = (self.client(client).await, self.freelancer(freelancer).await);
        let project = self.project(&client).await;
        let proposal = self.proposal(&freelancer, &project, amounts).await;
        let contract = self.offer(&client, &proposal).await;
        let query = "mutation($input: ContractAcceptInput!) { contractAccept(input: $input) {
            contract { id status milestones { id } } userErrors { field code message } } }";
        let payload = ok(self.mutate(&freelancer.token, query, json!({ "contractId": contract })).await);
        assert_eq!(payload["contract"]["status"], "ACTIVE");
        let milestones = payload["contract"]["milestones"].as_array().unwrap();
        let milestones = milestones.iter().map(|milestone| text(&milestone["id"])).collect();
        Deal { client, freelancer, contract, milestones }
    }

    /// milestoneFund; the payload.
    pub async fn fund(&self, deal: &Deal, milestone: &str, key: &str) -> Value {
        let query = format!(
            "mutation($input: MilestoneFundInput!) {{ milestoneFund(input: $input) {{ {PAYMENT} }} }}"
        );
        let input = json!({ "milestoneId": milestone, "idempotencyKey": key });
        self.mutate(&deal.client.token, &query, input).await
    }

    /// A funded milestone; the deposit's id.
    pub async fn funded(&self, deal: &Deal, milestone: &str) -> String {
        let payload = ok(self.fund(deal, milestone, &new_key()).await);
        let address = text(&payload["payment"]["depositAddress"]);
        let micro =
            domain::money::Usdc::from_decimal(text(&payload["payment"]["amount"]["amount"]).parse().unwrap());
        self.evm
            .pay(&deal.client.address(), &address, micro.unwrap().micro().try_into().unwrap())
            .await
            .unwrap();
        self.mine(u64::from(CONFIRMATIONS)).await;
        let id = text(&payload["payment"]["id"]);
        assert_eq!(self.payment(&deal.client, &id).await["status"], "COMPLETED");
        id
    }

    /// A milestone that two wallets of its client paid, so many USDC each, the second one last: whose that one is.
    pub async fn funded_by_two(&self, deal: &Deal, milestone: &str, first: u64, second: u64) -> Someone {
        let mut other = self.register("carla-two", "CLIENT").await;
        other.token.clone_from(&deal.client.token);
        self.link(&other).await;
        let payload = ok(self.fund(deal, milestone, &new_key()).await);
        let treasury = text(&payload["payment"]["depositAddress"]);
        self.evm.pay(&deal.client.address(), &treasury, first * 1_000_000).await.unwrap();
        self.evm.mine(1).unwrap();
        self.evm.pay(&other.address(), &treasury, second * 1_000_000).await.unwrap();
        self.mine(5).await;
        assert_eq!(self.status_of(deal, milestone).await, "FUNDED");
        other
    }

    /// A submitted milestone, funded before.
    pub async fn submitted(&self, deal: &Deal, milestone: &str) {
        self.funded(deal, milestone).await;
        self.submit(deal, milestone).await;
    }

    /// Hands in work for a funded milestone.
    pub async fn submit(&self, deal: &Deal, milestone: &str) {
        ok(self.try_submit(deal, milestone).await);
    }

    /// milestoneSubmit; the payload.
    pub async fn try_submit(&self, deal: &Deal, milestone: &str) -> Value {
        let query = "mutation($input: MilestoneSubmitInput!) { milestoneSubmit(input: $input) {
            milestone { id status autoReleaseAt } userErrors { field code message } } }";
        let input = json!({ "milestoneId": milestone, "note": "Done as agreed." });
        self.mutate(&deal.freelancer.token, query, input).await
    }

    /// A paid milestone: funded, handed in, approved, and the payout final.
    pub async fn paid(&self, deal: &Deal, milestone: &str) {
        self.submitted(deal, milestone).await;
        ok(self.approve(deal, milestone, &new_key()).await);
        self.settle().await;
        assert_eq!(self.status_of(deal, milestone).await, "PAID");
    }

    /// Lets what is to be paid out be sent and get its confirmations.
    pub async fn settle(&self) {
        for _ in 0..2 {
            self.mine(u64::from(CONFIRMATIONS) + 1).await;
        }
    }

    /// Some fields of the deal's contract, as its client sees them.
    pub async fn contract_of(&self, deal: &Deal, fields: &str) -> Value {
        let query = format!("query($id: ID!) {{ contract(id: $id) {{ {fields} }} }}");
        let answer = self.gql(&deal.client.token, &query, json!({ "id": deal.contract })).await;
        assert!(answer["data"]["contract"].is_object(), "{answer}");
        answer["data"]["contract"].clone()
    }

    /// A mutation of the contract that takes its id, and more: its payload.
    pub async fn on_contract(&self, token: &str, mutation: &str, deal: &Deal, more: Value) -> Value {
        let seen = "contract { status pausedAt endedAt endReason endedBy { id } project { status } }";
        self.call(token, mutation, seen, with(json!({ "contractId": deal.contract }), more)).await
    }

    /// milestoneApprove; the payload.
    pub async fn approve(&self, deal: &Deal, milestone: &str, key: &str) -> Value {
        let query = format!(
            "mutation($input: MilestoneApproveInput!) {{ milestoneApprove(input: $input) {{ {PAYMENT} }} }}"
        );
        let input = json!({ "milestoneId": milestone, "idempotencyKey": key });
        self.mutate(&deal.client.token, &query, input).await
    }

    /// milestoneRefund by the freelancer; the payload.
    pub async fn refund(&self, deal: &Deal, milestone: &str, amount: Option<&str>, key: &str) -> Value {
        let query = format!(
            "mutation($input: MilestoneRefundInput!) {{ milestoneRefund(input: $input) {{ {PAYMENT} }} }}"
        );
        let mut input =
            json!({ "milestoneId": milestone, "reason": "I cannot do it.", "idempotencyKey": key });
        if let Some(amount) = amount {
            input["amount"] = json!({ "amount": amount });
        }
        self.mutate(&deal.freelancer.token, &query, input).await
    }

    /// A payment as somebody sees it; null when they do not.
    pub async fn payment(&self, viewer: &Someone, id: &str) -> Value {
        let query = "query($id: ID!) { payment(id: $id) { id kind status failureReason transactionHash confirmations
            amount { amount } net { amount } fee { amount } received { amount } completedAt
            transfers { from amount { amount } confirmations credited } milestone { id status } jobs { totalCount } } }";
        self.gql(&viewer.token, query, json!({ "id": id })).await["data"]["payment"].clone()
    }

    /// A milestone's status as the client sees it.
    pub async fn status_of(&self, deal: &Deal, milestone: &str) -> String {
        let query = "query($id: ID!) { node(id: $id) { ... on Milestone { status } } }";
        text(&self.gql(&deal.client.token, query, json!({ "id": milestone })).await["data"]["node"]["status"])
    }
}

/// A new idempotency key.
pub fn new_key() -> String {
    uuid::Uuid::from_u128(Ulid::new().0).to_string()
}
