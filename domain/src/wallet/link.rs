//! Linking a wallet: we give out an EIP-4361 message, its owner signs it, we see who signed.

use chrono::Duration;
use entities::{UserId, wallet, wallet_challenge};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::find::of_user;
use crate::{
    Actor, App, Tx, account,
    clock::random_bytes,
    error::{Code, Error, Result},
    notification::{Notice, notify},
    payment::payout,
    policy::{Action, authorise},
    ports::chain::{
        Address,
        siwe::{self, Siwe},
    },
};

/// How long a message may be signed.
const GOOD_FOR: Duration = Duration::minutes(10);
/// The most wallets of one person.
const MOST_WALLETS: usize = 10;

/// The message that the holder of this address has to sign.
pub async fn link_begin(app: &App, actor: &Actor, address: &str) -> Result<String> {
    authorise(actor, Action::WalletLink, "", "account")?;
    let user = actor.signed_in()?.id;
    let address = Address::parse_user_input(address).map_err(|error| {
        Error::rejected("address", Code::Invalid, format!("That is no address: {error}."))
    })?;
    let now = app.clock.now();

    let tx = app.db.begin().await?;
    ensure_free(&tx, address, "address").await?;
    let row = wallet_challenge::Model {
        nonce: hex::encode(random_bytes::<16>()?),
        user_id: user,
        address: address.to_string(),
        expires_at: now + GOOD_FOR,
        used_at: None,
        created_at: now,
    };
    let message = message_of(app, &row, address)?;
    wallet_challenge::Entity::insert(wallet_challenge::ActiveModel::from(row))
        .exec_without_returning(&*tx)
        .await?;
    tx.commit().await?;
    Ok(message)
}

/// Takes the signed message and links the wallet. The first one becomes the payout wallet at once.
pub async fn link_complete(
    app: &App,
    actor: &Actor,
    message: &str,
    signature: &str,
) -> Result<wallet::Model> {
    authorise(actor, Action::WalletLink, "", "account")?;
    let user = actor.signed_in()?.id;
    let signed = siwe::parse(message).map_err(|error| bad_message(error.to_string()))?;
    ensure_ours(app, user, &signed)?;
    let signer = siwe::recover(message, signature)
        .map_err(|error| Error::rejected("signature", Code::Invalid, error.to_string()))?;
    if signer != signed.address {
        return Err(Error::rejected(
            "signature",
            Code::Invalid,
            "The signature is not of this message by this address. Contract wallets are not supported.",
        ));
    }

    let tx = app.db.begin().await?;
    // The person's row stands for the list of their wallets: two links at once wait for each other.
    let person = account::locked(&tx, user).await?;
    use_nonce(app, &tx, user, &signed, message).await?;
    ensure_free(&tx, signer, "message").await?;
    let others = of_user(&*tx, user).await?;
    if others.len() >= MOST_WALLETS {
        let message = format!("An account has at most {MOST_WALLETS} wallets.");
        return Err(Error::rejected("", Code::LimitReached, message));
    }
    let now = app.clock.now();
    let row = wallet::Model {
        id: app.clock.new_id(),
        user_id: person.id,
        address: signer.to_string(),
        chain_id: i64::try_from(signed.chain_id).map_err(|_| Error::bug("a chain id beyond 63 bits"))?,
        is_payout: others.is_empty(),
        payouts_from: now,
        verified_at: now,
    };
    wallet::Entity::insert(wallet::ActiveModel::from(row.clone()))
        .exec_without_returning(&*tx)
        .await
        .map_err(|error| Error::taken(error, "message", TAKEN))?;
    let notice = if row.is_payout {
        payout_changed(&row)
    } else {
        Notice::AccountWalletLinked { wallet: row.id, address: row.address.clone() }
    };
    notify(app, &tx, user, notice, &format!("{}:LINKED", row.id)).await?;
    if row.is_payout {
        payout::wake_for(app, &tx, user).await?;
    }
    tx.commit().await?;
    Ok(row)
}

/// What the owner of a new payout wallet is told.
pub(super) fn payout_changed(wallet: &wallet::Model) -> Notice {
    Notice::AccountWalletChanged {
        wallet: wallet.id,
        address: wallet.address.clone(),
        payouts_from: wallet.payouts_from.format("%-d %B %Y, %H:%M UTC").to_string(),
    }
}

/// The message of a challenge, always the same one: whoever signs has read what we wrote, and nothing else.
fn message_of(app: &App, challenge: &wallet_challenge::Model, address: Address) -> Result<String> {
    Ok(siwe::message(&Siwe {
        scheme: None,
        domain: domain(app)?,
        address,
        statement: Some("Link this wallet to your MegiLance account.".to_owned()),
        uri: app.settings.public_url.to_string(),
        chain_id: app.chain.chain_id(),
        nonce: challenge.nonce.clone(),
        issued_at: challenge.created_at,
        expiration_time: Some(challenge.expires_at),
        not_before: None,
        // Whose account it is: the message is worth nothing to anybody else.
        request_id: Some(challenge.user_id.to_string()),
        resources: Vec::new(),
    }))
}

/// What can be told of a message before the database is asked. It need not be ours to the letter yet:
/// [`use_nonce`] sees to that.
fn ensure_ours(app: &App, user: UserId, signed: &Siwe) -> Result<()> {
    let public_url = app.settings.public_url.as_str();
    if signed.domain != domain(app)? || signed.uri != public_url {
        return Err(bad_message(format!("The message is for {}; this is {public_url}.", signed.domain)));
    }
    let chain_id = app.chain.chain_id();
    if signed.chain_id != chain_id {
        return Err(bad_message(format!(
            "The message is for chain {}; this is {chain_id}.",
            signed.chain_id
        )));
    }
    if signed.request_id != Some(user.to_string()) {
        return Err(unknown());
    }
    if signed.is_over(app.clock.now()) {
        return Err(too_old());
    }
    Ok(())
}

/// Takes the nonce, once, and only with the very message that we gave out with it.
async fn use_nonce(app: &App, tx: &Tx, user: UserId, signed: &Siwe, message: &str) -> Result<()> {
    let now = app.clock.now();
    let found = wallet_challenge::Entity::find_by_id(signed.nonce.clone())
        .filter(wallet_challenge::Column::UserId.eq(user))
        .filter(wallet_challenge::Column::Address.eq(signed.address.to_string()))
        .filter(wallet_challenge::Column::UsedAt.is_null())
        .lock_exclusive()
        .one(&**tx)
        .await?
        .ok_or_else(unknown)?;
    if message_of(app, &found, signed.address)? != message {
        return Err(unknown());
    }
    if found.expires_at <= now {
        return Err(too_old());
    }
    wallet_challenge::ActiveModel { nonce: Set(found.nonce), used_at: Set(Some(now)), ..Default::default() }
        .update(&**tx)
        .await?;
    Ok(())
}

async fn ensure_free(tx: &Tx, address: Address, field: &str) -> Result<()> {
    let taken =
        wallet::Entity::find().filter(wallet::Column::Address.eq(address.to_string())).one(&**tx).await?;
    if taken.is_some() { Err(Error::rejected(field, Code::Taken, TAKEN)) } else { Ok(()) }
}

/// Who asks for the signature: the public URL's host with its port, if that is not the usual one.
fn domain(app: &App) -> Result<String> {
    let url = &app.settings.public_url;
    let host = url.host_str().ok_or_else(|| Error::bug("the public URL has no host"))?;
    Ok(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn bad_message(why: impl Into<String>) -> Error {
    Error::rejected("message", Code::Invalid, why)
}

fn unknown() -> Error {
    bad_message("This is not a message that we gave you, or you used it already. Begin again.")
}

fn too_old() -> Error {
    Error::rejected("message", Code::Expired, "The message is too old. Begin again.")
}

const TAKEN: &str = "This wallet is linked already. An address belongs to one account.";
