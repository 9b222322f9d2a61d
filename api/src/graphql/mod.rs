//! The schema: the merged roots. One file a noun, with that noun's types, queries and mutations.

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder};
use domain::App;

use self::connection::Listing;
use crate::loaders::Turns;

pub mod connection;
pub mod enums;
pub mod events;
pub mod limits;
pub mod scalars;
pub mod support;

pub mod admin;
pub mod amendment;
pub mod category;
pub mod contract;
pub mod dispute;
pub mod draft;
pub mod fraud;
pub mod invitation;
pub mod job;
pub mod ledger;
pub mod matching;
pub mod milestone;
pub mod node;
pub mod notification;
pub mod password;
pub mod payment;
pub mod people;
pub mod portfolio;
pub mod price;
pub mod profile;
pub mod project;
pub mod proposal;
pub mod rate_limit;
pub mod review;
pub mod saved;
pub mod scheduled_task;
pub mod session;
pub mod skill;
pub mod treasury;
pub mod upload;
pub mod user;
pub mod wallet;

/// The schema that the router serves.
pub type Schema = async_graphql::Schema<QueryRoot, MutationRoot, SubscriptionRoot>;

/// Everything that can be read.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct QueryRoot(
    node::NodeQuery,
    people::UserQuery,
    project::ProjectQuery,
    skill::SkillQuery,
    category::CategoryQuery,
    contract::ContractQuery,
    dispute::DisputeQuery,
    fraud::FraudQuery,
    payment::PaymentQuery,
    payment::QuoteQuery,
    price::PriceQuery,
    job::JobQuery,
    scheduled_task::ScheduledTaskQuery,
    rate_limit::RateLimitQuery,
    treasury::TreasuryQuery,
    admin::AdminQuery,
);

// In groups, because each step into a merged object nests its futures, and the compiler follows only so many.
/// Everything that can be done: one mutation an intent.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct MutationRoot(PeopleMutation, MarketMutation, WorkMutation, MoneyMutation, OperatorMutation);

/// What people do with their accounts.
#[derive(MergedObject, Default)]
pub struct PeopleMutation(
    session::SessionMutation,
    password::PasswordMutation,
    profile::UserMutation,
    portfolio::PortfolioMutation,
    saved::SavedMutation,
    wallet::WalletMutation,
    upload::UploadMutation,
    notification::NotificationMutation,
);

/// What people do until they have a contract.
#[derive(MergedObject, Default)]
pub struct MarketMutation(
    project::ProjectMutation,
    invitation::InvitationMutation,
    project::life::ProjectLifeMutation,
    proposal::change::ProposalMutation,
    draft::DraftMutation,
);

/// What people do under a contract.
#[derive(MergedObject, Default)]
pub struct WorkMutation(
    contract::ContractMutation,
    contract::ContractRunningMutation,
    amendment::AmendmentMutation,
    milestone::MilestoneMutation,
    dispute::change::DisputeMutation,
    review::ReviewMutation,
);

/// What is done with payments.
#[derive(MergedObject, Default)]
pub struct MoneyMutation(payment::PaymentMutation, payment::PaymentManageMutation);

/// What administrators do beside.
#[derive(MergedObject, Default)]
pub struct OperatorMutation(
    skill::manage::SkillMutation,
    category::CategoryMutation,
    job::JobMutation,
    scheduled_task::ScheduledTaskMutation,
    treasury::TreasuryMutation,
    admin::AdminMutation,
);

/// Everything that can be listened to.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct SubscriptionRoot(
    payment::PaymentSubscription,
    notification::NotificationSubscription,
    job::JobSubscription,
);

/// The schema over an application. It explains itself unless the settings say no.
pub fn schema(app: App) -> Schema {
    let limited =
        if app.settings.introspection { limits::apply(builder()) } else { limits::apply_closed(builder()) };
    limited.extension(Turns::new(app.clone())).data(events::EventFeed::new(app.clone())).data(app).finish()
}

/// The schema in its definition language, sorted, so that two prints differ only where the schema does.
pub fn sdl() -> String {
    let sorted = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    builder().finish().sdl_with_options(sorted)
}

/// The roots, with a description for the connections, whose types async-graphql makes.
fn builder() -> SchemaBuilder<QueryRoot, MutationRoot, SubscriptionRoot> {
    macro_rules! lists {
        ($($node:path),* $(,)?) => {
            async_graphql::Schema::build(QueryRoot::default(), MutationRoot::default(), SubscriptionRoot::default())
                $(.override_output_type_description::<Listing<$node>>("A page of a list, with its cursors and the count of the whole."))*
        };
    }
    lists!(
        admin::AuditEntry,
        admin::unallocated::UnallocatedDeposit,
        amendment::Amendment,
        contract::Contract,
        invitation::Invitation,
        dispute::Dispute,
        job::Job,
        ledger::LedgerEntry,
        notification::Notification,
        payment::Payment,
        portfolio::PortfolioItem,
        project::Project,
        proposal::Proposal,
        treasury::Reconciliation,
        review::Review,
        session::open::UserSession,
        skill::Skill,
        user::User,
    )
}
