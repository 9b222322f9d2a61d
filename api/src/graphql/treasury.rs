//! The treasury, for administrators: pausing outgoing money.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{entities::treasury_switch, treasury::switch};

use super::{
    support::{actor, app},
    user::User,
};
use crate::{
    error::{UserError, answer, fault},
    loaders::load,
};

/// What the platform holds, and whether it goes out.
#[derive(Debug, Default)]
pub struct Treasury;

/// What the platform holds, and whether it goes out.
#[Object]
impl Treasury {
    /// Since when, by whom and why outgoing payments are paused; null while they go out.
    async fn outgoing_paused(&self, ctx: &Context<'_>) -> Result<Option<OutgoingPause>> {
        Ok(switch::paused(app(ctx)?.db.reader()).await.map_err(fault)?.map(OutgoingPause))
    }
}

/// A pause of all outgoing payments. What was signed before goes on; everything else is held.
pub struct OutgoingPause(treasury_switch::Model);

/// A pause of all outgoing payments. What was signed before goes on; everything else is held.
#[Object]
impl OutgoingPause {
    /// Since when.
    async fn at(&self) -> Option<DateTime<Utc>> {
        self.0.paused_at
    }

    /// The administrator who paused them; null when the system did.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.paused_by else { return Ok(None) };
        load(ctx, id).await.map(|row| Some(User(row)))
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

/// Why outgoing payments are to be paused.
#[derive(Debug, InputObject)]
pub struct OutgoingPauseInput {
    /// Why, 3 to 500 characters: the other administrators are told.
    pub reason: String,
}

/// Letting outgoing payments go on.
#[derive(Debug, InputObject)]
pub struct OutgoingResumeInput {
    /// Why now, up to 500 characters, for the audit log.
    pub note: Option<String>,
}

/// The treasury after the change, or why there was none.
#[derive(SimpleObject)]
pub struct TreasuryPayload {
    /// The treasury; null when something has to be mended first.
    pub treasury: Option<Treasury>,
    /// What has to be mended; empty when it worked.
    pub user_errors: Vec<UserError>,
}

impl TreasuryPayload {
    fn of(result: domain::Result<()>) -> Result<Self> {
        let (done, user_errors) = answer(result)?;
        Ok(Self { treasury: done.map(|()| Treasury), user_errors })
    }
}

/// What administrators do with the treasury.
#[derive(Default)]
pub struct TreasuryMutation;

#[Object]
impl TreasuryMutation {
    /// Pauses every outgoing payment: what is not signed yet is held until `outgoingResume`. The other administrators are
    /// told. For admins.
    async fn outgoing_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Why.")] input: OutgoingPauseInput,
    ) -> Result<TreasuryPayload> {
        TreasuryPayload::of(switch::pause(app(ctx)?, actor(ctx)?, &input.reason).await)
    }

    /// Lets outgoing payments go on: whatever waits is looked at at once. For admins.
    async fn outgoing_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing has to be said.")] input: OutgoingResumeInput,
    ) -> Result<TreasuryPayload> {
        TreasuryPayload::of(switch::resume(app(ctx)?, actor(ctx)?, input.note.as_deref()).await)
    }
}
