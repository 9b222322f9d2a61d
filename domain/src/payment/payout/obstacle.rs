//! What stands in the way of a transfer on the chain, looked at before anything is signed: a nonce that was given out has to be
//! used.

use entities::{PaymentId, PaymentRail, Usdc, payment};
use sea_orm::ConnectionTrait;

use crate::{
    App,
    error::Result,
    payment::{numbers::height, record, transfers},
    ports::{
        PortError,
        chain::{Address, GasFees},
    },
};

/// What stands in the way of a transfer, as a reason that people understand.
pub(super) enum Obstacle {
    /// Somebody has to do something.
    Lasting(&'static str),
    /// It is over in a moment.
    Passing(&'static str),
}

/// What the treasury has and what a transfer may cost, asked for once.
pub(super) struct Means {
    usdc: Usdc,
    coin: u128,
    pub(super) gas_limit: u64,
    pub(super) fees: GasFees,
    /// What was signed and not seen in a block when the chain was asked: it may be off the balances, or may not.
    signed: Vec<PaymentId>,
}

/// What is signed and not seen in a block is spoken for.
#[derive(Default)]
struct SpokenFor {
    usdc: Usdc,
    /// In wei, at the most.
    gas: u128,
    payments: Vec<PaymentId>,
}

/// Looks at everything that a transfer needs.
pub(super) async fn look(
    app: &App,
    payment: &payment::Model,
    to: Address,
) -> Result<std::result::Result<Means, Obstacle>> {
    let lasting = |reason| Ok(Err(Obstacle::Lasting(reason)));
    if app.chain.usdc_paused().await? {
        return lasting("USDC is paused by its issuer");
    }
    if app.chain.blacklisted(to).await? {
        return lasting("the payee's address is blocked by the issuer of USDC");
    }
    let treasury = app.chain.treasury();
    let spoken = spoken_for(app.db.reader(), &[]).await?;
    let usdc = app.chain.usdc_balance(treasury).await?;
    if usdc < payment.net {
        return lasting("the treasury's USDC balance is low");
    }
    let gas_limit = match app.chain.transfer_gas(to, payment.net).await {
        Ok(gas) => gas,
        Err(error @ PortError::Refused { .. }) => {
            tracing::error!(payment = %payment.id, %error, "the chain would refuse this payout");
            return lasting("the chain refuses the transfer");
        }
        Err(error) => return Err(error.into()),
    };
    let fees = app.chain.gas_fees().await?;
    let coin = app.chain.native_balance(treasury).await?;
    let means = Means { usdc, coin, gas_limit, fees, signed: spoken.payments.clone() };
    Ok(match means.without(&spoken, payment.net)? {
        Some(obstacle) => Err(obstacle),
        None => Ok(means),
    })
}

impl Means {
    /// What they lack for this amount, after what has been signed since they were asked for. Whoever signs asks this in the
    /// transaction that gives out the nonce, so that of two who looked at once the second knows of the first.
    pub(super) async fn short_of(
        &self,
        conn: &impl ConnectionTrait,
        amount: Usdc,
    ) -> Result<Option<Obstacle>> {
        self.without(&spoken_for(conn, &self.signed).await?, amount)
    }

    fn without(&self, spoken: &SpokenFor, amount: Usdc) -> Result<Option<Obstacle>> {
        if self.usdc < spoken.usdc.plus(amount)? {
            // They may be mined already, and we have not seen it: the two parts of a split, for one.
            return Ok(Some(Obstacle::Passing("other payouts are on their way first")));
        }
        // Less than it may cost: the bytes would wait for it, and everything behind their nonce with them.
        let cost = cost(self.gas_limit, self.fees.max_fee_per_gas);
        if self.coin < cost {
            return Ok(Some(Obstacle::Lasting("the treasury has too little coin for gas")));
        }
        if self.coin < cost.saturating_add(spoken.gas) {
            return Ok(Some(Obstacle::Passing("other payouts need the treasury's coin for gas first")));
        }
        Ok(None)
    }
}

fn cost(gas_limit: u64, max_fee_per_gas: u64) -> u128 {
    u128::from(gas_limit).saturating_mul(u128::from(max_fee_per_gas))
}

/// What is signed and not seen in a block, and these payments whatever has become of them.
async fn spoken_for(conn: &impl ConnectionTrait, and: &[PaymentId]) -> Result<SpokenFor> {
    let under_way = record::submitted(conn, PaymentRail::Chain, and).await?;
    let payments: Vec<_> = under_way.iter().map(|payment| payment.id).collect();
    let mut spoken =
        SpokenFor { usdc: Usdc::sum(under_way.iter().map(|payment| payment.net))?, gas: 0, payments };
    let signed = transfers::signed_for(conn, &spoken.payments).await?;
    for rows in signed.values() {
        let mut dearest = 0;
        for row in rows {
            dearest = Ord::max(dearest, cost(height(row.gas_limit)?, height(row.max_fee_per_gas)?));
        }
        spoken.gas = spoken.gas.saturating_add(dearest);
    }
    Ok(spoken)
}
