//! What can be told before anything is looked up, and how denials are told.

use super::*;

const SIGN_IN: &str = "UNAUTHENTICATED: Sign in first: send \"Authorization: Bearer <access token>\"";
const SUSPENDED: &str = "FORBIDDEN: This account is suspended. Write to support to have it restored.";
const UNVERIFIED: &str =
    "UNVERIFIED: Prove your e-mail address first: open the link in the mail that we sent you.";

fn told_at_the_door(actor: &Actor, roles: &[Role]) -> String {
    match enter(actor, roles) {
        Ok(entered) => {
            assert_eq!(actor.person(), Some(entered));
            "enters".to_owned()
        }
        Err(error) => format!("{}: {error}", error.code()),
    }
}

#[test]
fn whoever_has_one_of_the_roles_enters_and_everybody_else_hears_why_not() {
    use Role::{Admin, Client, Freelancer};
    let needs = |role: &str| format!("FORBIDDEN: This needs the role {role}.");
    let (client, freelancer) = (person(rows::client(), Client), person(rows::freelancer(), Freelancer));
    let is = |actor: Actor, roles: &[Role], wanted: &str| {
        assert_eq!(told_at_the_door(&actor, roles), wanted, "{actor:?} {roles:?}");
    };
    for roles in [&[][..], &[Client], &[Freelancer], &[Client, Freelancer], &[Client, Freelancer, Admin]] {
        is(Actor::Anonymous, roles, SIGN_IN);
        // The system has no business at this door.
        is(Actor::System, roles, SIGN_IN);
        is(Actor::User(suspended(client.clone())), roles, SUSPENDED);
        is(Actor::User(suspended(unverified(client.clone()))), roles, SUSPENDED);
    }
    is(Actor::User(client.clone()), &[Client], "enters");
    is(Actor::User(client.clone()), &[Client, Freelancer], "enters");
    is(Actor::User(client.clone()), &[Freelancer], &needs("FREELANCER"));
    is(Actor::User(client.clone()), &[], &needs("ADMIN"));
    is(Actor::User(freelancer.clone()), &[Freelancer], "enters");
    is(Actor::User(freelancer.clone()), &[Client, Freelancer], "enters");
    is(Actor::User(freelancer.clone()), &[Client], &needs("CLIENT"));
    is(Actor::User(freelancer.clone()), &[Client, Admin], &needs("CLIENT"));
    is(Actor::User(freelancer.clone()), &[Admin], &needs("ADMIN"));
    is(Actor::User(unverified(client.clone())), &[Client], UNVERIFIED);
    // The role comes first: it does not change, the address can be proven.
    is(Actor::User(unverified(client)), &[Freelancer], &needs("FREELANCER"));
    is(Actor::User(unverified(freelancer)), &[Client, Freelancer], UNVERIFIED);
    let admin = Actor::Admin(person(rows::id(5), Admin));
    is(admin.clone(), &[Client, Freelancer], &needs("CLIENT or FREELANCER"));
    is(admin.clone(), &[Client], &needs("CLIENT"));
    is(admin, &[Admin], "enters");
}

#[test]
fn a_denial_is_told_in_words_and_what_is_hidden_looks_as_if_it_were_not_there() {
    let things = Things::new();
    let [anonymous, owner, other, freelancer, _, _, party, ..] = everybody();
    let tell = |actor: &Actor, action: Action<'_>| {
        let error = authorise(actor, action, "input.projectId", "project").unwrap_err();
        let field = match &error {
            Error::Rejected { problems } => problems[0].field.join("."),
            _ => String::new(),
        };
        format!("{}: {error} [{field}]", error.code())
    };
    let publish = Action::ProjectPublish(&things.project);
    assert!(authorise(&owner, publish, "input.projectId", "project").is_ok());
    assert_eq!(tell(&anonymous, publish), format!("{SIGN_IN} []"));
    assert_eq!(
        tell(&other, publish),
        "NOT_FOUND: There is no such project, or it is not yours. [input.projectId]"
    );
    assert_eq!(tell(&freelancer, publish), "FORBIDDEN: This needs the role CLIENT. []");
    assert_eq!(tell(&party, Action::DisputeJudge(&things.contract)), format!("FORBIDDEN: {PARTY} []"));
    let proven = person(rows::client(), Role::Client);
    assert_eq!(tell(&Actor::User(suspended(proven.clone())), publish), format!("{SUSPENDED} []"));
    assert_eq!(tell(&Actor::User(unverified(proven)), publish), format!("{UNVERIFIED} []"));
}
