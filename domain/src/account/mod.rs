//! Accounts: registration, proof of the e-mail address, passwords, sessions, profiles.

mod access_token;
mod common_passwords;
mod directory;
mod find;
mod grant;
mod input;
mod new_password;
pub mod password;
mod profile;
mod register;
pub mod reset;
pub mod session;
mod suspension;
mod verify;

pub use directory::{UserFilter, UserOrder, users};
pub use find::{FreelancerFilter, FreelancerOrder, freelancers, skills_of, user};
pub use grant::grant_admin;
pub use new_password::change as change_password;
pub use profile::{ProfileUpdate, SkillLevel, profile_update};
pub use register::{Registration, register};
pub use session::{SignIn, SignedIn};
pub use suspension::{restore, suspend};
pub use verify::{resend_verification, verify};

pub(crate) use find::{admins, display_name, locked};
pub(crate) use suspension::{require_not_suspended, suspended};
