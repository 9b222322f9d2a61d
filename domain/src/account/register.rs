//! Opening an account.

use entities::{Role, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;

use super::{input, password, session, verify};
use crate::{
    App,
    check::Check,
    error::{Code, Error, Result},
    search,
};

/// Who wants to join.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Their e-mail address.
    pub email: String,
    /// 8 to 128 characters, none of the common ones.
    pub password: SecretString,
    /// Their public name, 1 to 100 characters.
    pub display_name: String,
    /// CLIENT or FREELANCER.
    pub role: Role,
    /// What their client calls itself.
    pub user_agent: Option<String>,
}

/// Opens an account, signs in, and mails the link that proves the address.
pub async fn register(app: &App, input: Registration) -> Result<session::SignedIn> {
    let mut check = Check::new();
    let email = input::email(&mut check, &input.email);
    let display_name = input::display_name(&mut check, &input.display_name);
    input::role(&mut check, input.role);
    password::check_new(&mut check, "password", &input.password, &email.key, &display_name);
    check.done()?;
    // Asked before as well, so that a second attempt does not cost a hash.
    let taken =
        user::Entity::find().filter(user::Column::EmailKey.eq(&email.key)).one(app.db.reader()).await?;
    if taken.is_some() {
        return Err(Error::rejected("email", Code::Taken, TAKEN));
    }
    let password_hash = password::hash(app, input.password).await?;

    let tx = app.db.begin().await?;
    let now = app.clock.now();
    let person = user::Model {
        id: app.clock.new_id(),
        email: email.shown,
        email_key: email.key,
        password_hash,
        display_name,
        role: input.role,
        headline: None,
        bio: None,
        location: None,
        time_zone: None,
        hourly_rate: None,
        availability: None,
        rating: 0,
        review_count: 0,
        avatar_id: None,
        email_verified_at: None,
        suspended_at: None,
        suspension_reason: None,
        created_at: now,
        updated_at: now,
    };
    user::Entity::insert(user::ActiveModel::from(person.clone()))
        .exec_without_returning(&*tx)
        .await
        .map_err(|error| Error::taken(error, "email", TAKEN))?;
    search::index_person(&*tx, &person).await?;
    let session = session::open(app, &tx, person, input.user_agent).await?;
    verify::send(app, &tx, session.user.id).await?;
    tx.commit().await?;
    Ok(session)
}

const TAKEN: &str = "There is an account with this e-mail address. Sign in instead.";
