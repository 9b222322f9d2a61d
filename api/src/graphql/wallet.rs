//! Wallets: linking them by a signature, choosing where payouts go.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{entities::wallet, ports::chain::Address, wallet as domain_wallet};
use secrecy::SecretString;

use super::{
    scalars::BigInt,
    support::{actor, app, parse_id},
};
use crate::error::{UserError, answer};

/// An EVM address whose holder proved that it is theirs.
#[derive(Debug, Clone)]
pub struct Wallet(pub wallet::Model);

/// An EVM address whose holder proved that it is theirs.
#[Object]
impl Wallet {
    /// Which wallet.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The address, spelt with its checksum (EIP-55).
    async fn address(&self) -> String {
        self.0
            .address
            .parse()
            .map_or_else(|_| self.0.address.clone(), |address: Address| address.checksummed())
    }

    /// The chain that the signed message named.
    async fn chain_id(&self) -> BigInt {
        BigInt(self.0.chain_id.into())
    }

    /// When its holder proved that it is theirs.
    async fn verified_at(&self) -> DateTime<Utc> {
        self.0.verified_at
    }

    /// Whether payouts go to it.
    async fn is_payout(&self) -> bool {
        self.0.is_payout
    }

    /// From when it can be paid: a wallet that replaces another one rests first.
    async fn payouts_from(&self) -> DateTime<Utc> {
        self.0.payouts_from
    }
}

/// The wallet that you want to link.
#[derive(Debug, InputObject)]
pub struct WalletLinkBeginInput {
    /// Its address: 0x and 40 hex digits.
    pub address: String,
}

/// The message to sign.
#[derive(Debug, SimpleObject)]
pub struct WalletLinkBeginPayload {
    /// An EIP-4361 message, good for ten minutes: have the wallet sign exactly this (`personal_sign`).
    pub message: Option<String>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// The signed message.
#[derive(Debug, InputObject)]
pub struct WalletLinkCompleteInput {
    /// The message of walletLinkBegin, unchanged.
    pub message: String,
    /// The wallet's signature of it: 65 bytes in hex.
    pub signature: String,
}

/// The linked wallet.
#[derive(Debug, SimpleObject)]
pub struct WalletLinkCompletePayload {
    /// The wallet; your first one is your payout wallet at once.
    pub wallet: Option<Wallet>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// The wallet that payouts shall go to.
#[derive(Debug, InputObject)]
pub struct WalletSetPayoutInput {
    /// One of your wallets.
    pub wallet_id: ID,
    /// Your password again.
    #[graphql(secret)]
    pub password: String,
}

/// A wallet that was changed.
#[derive(Debug, SimpleObject)]
pub struct WalletPayload {
    /// The wallet as it is now.
    pub wallet: Option<Wallet>,
    /// What you can mend; empty when it worked.
    pub user_errors: Vec<UserError>,
}

/// What can be done with wallets.
#[derive(Debug, Default)]
pub struct WalletMutation;

#[Object]
impl WalletMutation {
    /// Begins to link a wallet: gives the message that its holder signs. Needs a proven e-mail address.
    async fn wallet_link_begin(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wallet that you want to link.")] input: WalletLinkBeginInput,
    ) -> async_graphql::Result<WalletLinkBeginPayload> {
        let begun = domain_wallet::link_begin(app(ctx)?, actor(ctx)?, &input.address).await;
        let (message, user_errors) = answer(begun)?;
        Ok(WalletLinkBeginPayload { message, user_errors })
    }

    /// Links a wallet by the signed message. An address belongs to one account only.
    async fn wallet_link_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The signed message.")] input: WalletLinkCompleteInput,
    ) -> async_graphql::Result<WalletLinkCompletePayload> {
        let linked =
            domain_wallet::link_complete(app(ctx)?, actor(ctx)?, &input.message, &input.signature).await;
        let (wallet, user_errors) = answer(linked)?;
        Ok(WalletLinkCompletePayload { wallet: wallet.map(Wallet), user_errors })
    }

    /// Makes one of your wallets the one that payouts go to. It rests first: see payoutsFrom.
    async fn wallet_set_payout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wallet that payouts shall go to.")] input: WalletSetPayoutInput,
    ) -> async_graphql::Result<WalletPayload> {
        let password = SecretString::from(input.password);
        let chosen = match parse_id("walletId", &input.wallet_id) {
            Ok(wallet) => domain_wallet::set_payout(app(ctx)?, actor(ctx)?, wallet, password).await,
            Err(error) => Err(error),
        };
        let (wallet, user_errors) = answer(chosen)?;
        Ok(WalletPayload { wallet: wallet.map(Wallet), user_errors })
    }
}
