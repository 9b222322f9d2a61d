//! Freelancers for a project, and projects for a freelancer; what work may cost is in `matching/price.rs`.

use domain::entities::{BudgetType, ContractStatus, ProjectId, ProjectStatus};
use serde_json::{Value, json};

use self::rows::{Posted, bid, hired, knows, post, shape, suspend};
use crate::{
    market::skill,
    support::{Someone, TestApp, text},
};

mod price;
mod rows;

const FOR_PROJECT: &str = "query($id: ID!) { project(id: $id) { matches { freelancer { id } score
    factors { skills budget rating availability success } } } }";
const FOR_FREELANCER: &str = "query($id: ID!) { user(id: $id) { matches { project { id } score
    factors { skills budget rating availability success } } } }";

/// What somebody sees of a project's matches.
async fn for_project(app: &TestApp, token: &str, project: ProjectId) -> Value {
    let answer = app.gql(token, FOR_PROJECT, json!({ "id": project.to_string() })).await;
    assert!(answer["data"]["project"].is_object(), "{answer}");
    answer["data"]["project"]["matches"].clone()
}

/// What somebody sees of a person's matches.
async fn for_person(app: &TestApp, token: &str, person: &Someone) -> Value {
    let answer = app.gql(token, FOR_FREELANCER, json!({ "id": person.id })).await;
    assert!(answer["data"]["user"].is_object(), "{answer}");
    answer["data"]["user"]["matches"].clone()
}

/// The ids of matches, in their order.
fn ids(matches: &Value, of: &str) -> Vec<String> {
    matches
        .as_array()
        .unwrap_or_else(|| panic!("{matches}"))
        .iter()
        .map(|found| text(&found[of]["id"]))
        .collect()
}

/// The one match of a project, as its client sees it.
async fn only(app: &TestApp, client: &Someone, project: ProjectId) -> Value {
    let matches = for_project(app, &client.token, project).await;
    assert_eq!(matches.as_array().map(Vec::len), Some(1), "{matches}");
    matches[0].clone()
}

/// A client and a freelancer: enough for most rules.
async fn pair(app: &TestApp) -> (Someone, Someone) {
    (app.register("carla", "CLIENT").await, app.register("felix", "FREELANCER").await)
}

/// Match: skills are the share of what is asked for, weighted by proficiency (1 to 5); none required .5.
#[tokio::test]
async fn rule_match_skills_are_the_share_weighted_by_proficiency() {
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let mut skills = Vec::new();
    for name in ["Rust", "SQL", "Rust on rails"] {
        skills.push(skill(&app, name).await);
    }
    knows(&app, &freelancer, &skills[0], 5).await;
    knows(&app, &freelancer, &skills[1], 1).await;
    for (asked, share) in [
        (vec![], 0.5),
        (vec![0], 1.0),
        (vec![1], 0.2),
        // A skill whose name holds another's is another skill.
        (vec![2], 0.0),
        (vec![0, 1], 0.6),
        (vec![0, 2], 0.5),
        (vec![0, 1, 2], 0.4),
    ] {
        let wanted: Vec<String> = asked.iter().map(|index: &usize| skills[*index].clone()).collect();
        let project = post(&app, &client, Posted { skills: &wanted, ..Posted::OPEN }).await;
        assert_eq!(only(&app, &client, project).await["factors"]["skills"], share, "{asked:?}");
    }
    app.finish().await;
}

/// Match: budget in range 1, below .8, above max(0, 1 - over/max), unknown .5.
#[tokio::test]
async fn rule_match_budget_is_the_rate_against_the_range() {
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let hourly = Posted { kind: BudgetType::Hourly, budget: (20, 40), ..Posted::OPEN };
    let project = post(&app, &client, hourly).await;
    for (rate, share) in [
        (None, 0.5),
        (Some(19_999_999), 0.8),
        (Some(20_000_000), 1.0),
        (Some(40_000_000), 1.0),
        (Some(41_000_000), 0.975),
        (Some(79_000_000), 0.025),
        (Some(80_000_000), 0.0),
        (Some(81_000_000), 0.0),
    ] {
        shape(&app, &freelancer, rate, 0, 0).await;
        assert_eq!(only(&app, &client, project).await["factors"]["budget"], share, "{rate:?}");
    }
    // A rate an hour says nothing of one price for the whole.
    let fixed = post(&app, &client, Posted::OPEN).await;
    assert_eq!(only(&app, &client, fixed).await["factors"]["budget"], 0.5);
    app.finish().await;
}

/// Match: rating (avg-1)/4 x (.7+.3 min(1, n/10)), none .3.
#[tokio::test]
async fn rule_match_rating_counts_more_with_more_reviews() {
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let project = post(&app, &client, Posted::OPEN).await;
    for (rating, reviews, share) in [
        (0, 0, 0.3),
        (100, 1, 0.0),
        (100, 10, 0.0),
        (500, 1, 0.73),
        (500, 9, 0.97),
        (500, 10, 1.0),
        (500, 11, 1.0),
        (300, 10, 0.5),
    ] {
        shape(&app, &freelancer, None, rating, reviews).await;
        assert_eq!(only(&app, &client, project).await["factors"]["rating"], share, "{rating} of {reviews}");
    }
    app.finish().await;
}

/// Match: availability by running work: 0 -> 1, <=3 -> .7, <=5 -> .4, else .2.
#[tokio::test]
async fn rule_match_availability_falls_with_running_work() {
    use ContractStatus::{Active, Completed, Declined, Disputed, Paused, Pending};
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let project = post(&app, &client, Posted::OPEN).await;
    for (next, share) in [
        // What is offered, over, or never was, takes no time.
        (Pending, 1.0),
        (Completed, 1.0),
        (Declined, 1.0),
        (Active, 0.7),
        (Paused, 0.7),
        (Disputed, 0.7),
        (Active, 0.4),
        (Active, 0.4),
        (Active, 0.2),
    ] {
        hired(&app, &client, &freelancer, next).await;
        assert_eq!(only(&app, &client, project).await["factors"]["availability"], share, "{next:?}");
    }
    app.finish().await;
}

/// Match: success is completed of all that ended, none .5.
#[tokio::test]
async fn rule_match_success_is_completed_of_all_ended() {
    use ContractStatus::{Completed, Lapsed, Retracted, Terminated};
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let project = post(&app, &client, Posted::OPEN).await;
    assert_eq!(only(&app, &client, project).await["factors"]["success"], 0.5);
    for (next, share) in [
        // What was never accepted did not end either.
        (Lapsed, 0.5),
        (Retracted, 0.5),
        (Terminated, 0.0),
        (Completed, 0.5),
        (Completed, 0.6667),
        (Terminated, 0.5),
    ] {
        hired(&app, &client, &freelancer, next).await;
        assert_eq!(only(&app, &client, project).await["factors"]["success"], share, "{next:?}");
    }
    app.finish().await;
}

/// Match: .4 skills + .2 budget + .2 rating + .1 availability + .1 success; shown above .3.
#[tokio::test]
async fn rule_match_is_shown_above_three_tenths() {
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let wanted = [skill(&app, "Rust").await];
    let project = post(&app, &client, Posted { skills: &wanted, ..Posted::OPEN }).await;
    // .2 x .5 + .1 x 1 + .1 x 1 is .3: not above.
    hired(&app, &client, &freelancer, ContractStatus::Completed).await;
    shape(&app, &freelancer, None, 100, 10).await;
    assert_eq!(for_project(&app, &client.token, project).await, json!([]));
    assert_eq!(for_person(&app, &freelancer.token, &freelancer).await, json!([]));
    // A mean of 1.01 is .0025: with .2 of it .3005.
    shape(&app, &freelancer, None, 101, 10).await;
    assert_eq!(only(&app, &client, project).await["score"], 0.3005);
    assert_eq!(for_person(&app, &freelancer.token, &freelancer).await[0]["score"], 0.3005);
    // Everything: 1.
    knows(&app, &freelancer, &wanted[0], 5).await;
    shape(&app, &freelancer, Some(30_000_000), 500, 10).await;
    let hourly = Posted { kind: BudgetType::Hourly, budget: (20, 40), skills: &wanted, ..Posted::OPEN };
    let hourly = post(&app, &client, hourly).await;
    let whole = json!({ "skills": 1.0, "budget": 1.0, "rating": 1.0, "availability": 1.0, "success": 1.0 });
    let found = only(&app, &client, hourly).await;
    assert_eq!((&found["score"], &found["factors"]), (&json!(1.0), &whole));
    let found = for_person(&app, &freelancer.token, &freelancer).await;
    assert_eq!(ids(&found, "project"), [hourly.to_string(), project.to_string()]);
    assert_eq!((&found[0]["score"], &found[0]["factors"]), (&json!(1.0), &whole));
    app.finish().await;
}

/// Match: the best 10, ties by id.
#[tokio::test]
async fn rule_match_shows_the_best_10() {
    let app = TestApp::start().await;
    let client = app.register("carla", "CLIENT").await;
    let mut freelancers = Vec::new();
    for number in 0..11 {
        freelancers.push(app.register(&format!("felix-{number}"), "FREELANCER").await);
    }
    let mut projects = Vec::new();
    for _ in 0..11 {
        projects.push(post(&app, &client, Posted::OPEN).await.to_string());
    }
    let mut expected: Vec<String> = freelancers.iter().map(|someone| someone.id.clone()).collect();
    expected.sort();
    projects.sort();
    let project = projects[0].parse().unwrap();
    let found = for_project(&app, &client.token, project).await;
    assert_eq!(ids(&found, "freelancer"), expected[..10]);
    let found = for_person(&app, &freelancers[0].token, &freelancers[0]).await;
    assert_eq!(ids(&found, "project"), projects[..10]);
    // The last of them becomes the best.
    let last = freelancers.iter().find(|someone| someone.id == expected[10]).unwrap();
    shape(&app, last, None, 500, 10).await;
    let found = for_project(&app, &client.token, project).await;
    assert_eq!(ids(&found, "freelancer")[0], expected[10]);
    assert_eq!(ids(&found, "freelancer")[1..], expected[..9]);
    app.finish().await;
}

#[tokio::test]
async fn who_is_suspended_or_has_bid_is_left_out_and_only_whose_it_is_sees_it() {
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let (other, admin) = (app.register("otto", "FREELANCER").await, app.admin().await);
    let wanted = [skill(&app, "Rust").await];
    // One who shares a skill, and one who does not: each is found in another way.
    knows(&app, &freelancer, &wanted[0], 5).await;
    let project = post(&app, &client, Posted { skills: &wanted, ..Posted::OPEN }).await;
    for token in [&client.token, &admin.token] {
        let found = for_project(&app, token, project).await;
        assert_eq!(ids(&found, "freelancer"), [freelancer.id.clone(), other.id.clone()]);
    }
    for token in ["", &freelancer.token, &other.token] {
        assert!(for_project(&app, token, project).await.is_null());
    }
    for token in ["", &client.token, &other.token] {
        assert!(for_person(&app, token, &freelancer).await.is_null());
    }
    assert_eq!(for_person(&app, &client.token, &client).await, json!([]));

    bid(&app, &freelancer, project, 1_000_000).await;
    assert_eq!(
        ids(&for_project(&app, &client.token, project).await, "freelancer"),
        std::slice::from_ref(&other.id)
    );
    assert_eq!(for_person(&app, &admin.token, &freelancer).await, json!([]));
    bid(&app, &other, project, 1_000_000).await;
    assert_eq!(for_project(&app, &client.token, project).await, json!([]));

    let next = post(&app, &client, Posted { skills: &wanted, ..Posted::OPEN }).await;
    suspend(&app, &freelancer).await;
    assert_eq!(
        ids(&for_project(&app, &client.token, next).await, "freelancer"),
        std::slice::from_ref(&other.id)
    );
    suspend(&app, &other).await;
    assert_eq!(for_project(&app, &client.token, next).await, json!([]));
    app.finish().await;
}

#[tokio::test]
async fn only_open_projects_of_who_is_not_suspended_are_shown() {
    let app = TestApp::start().await;
    let (client, freelancer) = pair(&app).await;
    let clio = app.register("clio", "CLIENT").await;
    let open = post(&app, &client, Posted::OPEN).await;
    for status in [ProjectStatus::Draft, ProjectStatus::OnHold, ProjectStatus::Completed] {
        post(&app, &client, Posted { status, ..Posted::OPEN }).await;
    }
    let theirs = post(&app, &clio, Posted::OPEN).await;
    let mut expected = [open.to_string(), theirs.to_string()];
    expected.sort();
    let found = for_person(&app, &freelancer.token, &freelancer).await;
    assert_eq!(ids(&found, "project"), expected);
    suspend(&app, &clio).await;
    let found = for_person(&app, &freelancer.token, &freelancer).await;
    assert_eq!(ids(&found, "project"), [open.to_string()]);
    app.finish().await;
}
