//! The statements of matches, the same text for both databases. Ids are parameters, all else is our own.

use entities::{ContractStatus, ProjectStatus, Role};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use crate::{App, error::Result};

/// The rows of a statement.
pub(super) async fn ask(app: &App, sql: String, ids: Vec<Value>) -> Result<Vec<QueryResult>> {
    let conn = app.db.reader();
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, ids);
    Ok(conn.query_all_raw(statement).await?)
}

/// Budget, and how many skills are asked for, of some projects. A withdrawn skill is not asked for.
pub(super) fn wanted(projects: usize) -> String {
    format!(
        "SELECT projects.id AS id, budget_type, budget_min, budget_max,
                (SELECT COUNT(*) FROM project_skills
                 INNER JOIN skills ON skills.id = project_skills.skill_id
                 WHERE project_skills.project_id = projects.id AND skills.deleted_at IS NULL) AS skills
         FROM projects WHERE projects.id IN ({})",
        numbered(projects)
    )
}

/// For each of some projects the freelancers who know most of what it asks for, and have not bid on it.
pub(super) fn sharing(projects: usize, most: usize) -> String {
    format!(
        "SELECT project_id, user_id, hourly_rate, rating, review_count, points, {}
         FROM (SELECT project_skills.project_id AS project_id, users.id AS user_id, users.hourly_rate AS hourly_rate,
                      users.rating AS rating, users.review_count AS review_count,
                      CAST(SUM(user_skills.proficiency) AS BIGINT) AS points,
                      ROW_NUMBER() OVER (PARTITION BY project_skills.project_id
                                         ORDER BY SUM(user_skills.proficiency) DESC, users.rating DESC, users.id) AS place
               FROM project_skills
               INNER JOIN skills ON skills.id = project_skills.skill_id
               INNER JOIN user_skills ON user_skills.skill_id = project_skills.skill_id
               INNER JOIN users ON users.id = user_skills.user_id
               WHERE project_skills.project_id IN ({}) AND skills.deleted_at IS NULL AND {}
                 AND NOT EXISTS (SELECT 1 FROM proposals
                                 WHERE proposals.project_id = project_skills.project_id
                                   AND proposals.freelancer_id = users.id)
               GROUP BY project_skills.project_id, users.id, users.hourly_rate, users.rating, users.review_count)
              AS candidates
         WHERE place <= {most}",
        work(),
        numbered(projects),
        able(),
    )
}

/// The best rated freelancers.
pub(super) fn best_rated(most: usize) -> String {
    format!(
        "SELECT user_id, hourly_rate, rating, review_count, {}
         FROM (SELECT users.id AS user_id, users.hourly_rate AS hourly_rate, users.rating AS rating,
                      users.review_count AS review_count
               {}) AS candidates
         ORDER BY rating DESC, review_count DESC, user_id",
        work(),
        from_best_rated(most),
    )
}

/// Which of the best rated bid on which of some projects.
pub(super) fn bids_of_best_rated(projects: usize, most: usize) -> String {
    format!(
        "SELECT project_id, freelancer_id AS user_id FROM proposals
         WHERE project_id IN ({}) AND freelancer_id IN (SELECT users.id {})",
        numbered(projects),
        from_best_rated(most),
    )
}

/// Those of some people who are freelancers.
pub(super) fn freelancers(people: usize) -> String {
    format!(
        "SELECT user_id, hourly_rate, rating, review_count, {}
         FROM (SELECT users.id AS user_id, users.hourly_rate AS hourly_rate, users.rating AS rating,
                      users.review_count AS review_count
               FROM users WHERE users.id IN ({}) AND users.role = '{}') AS candidates",
        work(),
        numbered(people),
        Role::Freelancer.as_str(),
    )
}

/// What some people know, and how well.
pub(super) fn known_skills(people: usize) -> String {
    format!("SELECT user_id, skill_id, proficiency FROM user_skills WHERE user_id IN ({})", numbered(people))
}

/// Which OPEN projects some people bid on.
pub(super) fn open_bids(people: usize) -> String {
    format!(
        "SELECT proposals.freelancer_id AS user_id, proposals.project_id AS project_id
         FROM proposals INNER JOIN projects ON projects.id = proposals.project_id
         WHERE proposals.freelancer_id IN ({}) AND projects.status = '{}'",
        numbered(people),
        ProjectStatus::Open.as_str(),
    )
}

/// The newest projects that take proposals.
pub(super) fn newest(most: usize) -> String {
    format!("SELECT id, budget_type, budget_min, budget_max {}", from_newest(most))
}

/// What those ask for.
pub(super) fn skills_of_newest(most: usize) -> String {
    format!(
        "SELECT project_skills.project_id AS project_id, project_skills.skill_id AS skill_id
         FROM project_skills INNER JOIN skills ON skills.id = project_skills.skill_id
         WHERE skills.deleted_at IS NULL AND project_skills.project_id IN (SELECT id {})",
        from_newest(most)
    )
}

/// What some projects say that were published.
pub(super) fn project_texts(projects: usize) -> String {
    format!(
        "SELECT id, title, description FROM projects WHERE id IN ({}) AND published_at IS NOT NULL",
        numbered(projects)
    )
}

/// The names of what some projects ask for, the most wanted first.
pub(super) fn project_skill_names(projects: usize) -> String {
    format!(
        "SELECT project_skills.project_id AS project_id, skills.name AS name
         FROM project_skills INNER JOIN skills ON skills.id = project_skills.skill_id
         WHERE project_skills.project_id IN ({}) AND skills.deleted_at IS NULL
         ORDER BY project_skills.position, skills.id",
        numbered(projects)
    )
}

/// What some people say of themselves.
pub(super) fn freelancer_texts(people: usize) -> String {
    format!("SELECT id, headline, bio FROM users WHERE id IN ({})", numbered(people))
}

/// The names of what some people know, the best known first.
pub(super) fn freelancer_skill_names(people: usize) -> String {
    format!(
        "SELECT user_skills.user_id AS user_id, skills.name AS name
         FROM user_skills INNER JOIN skills ON skills.id = user_skills.skill_id
         WHERE user_skills.user_id IN ({}) AND skills.deleted_at IS NULL
         ORDER BY user_skills.proficiency DESC, skills.id",
        numbered(people)
    )
}

fn from_newest(most: usize) -> String {
    // Ids rise as time does.
    format!(
        "FROM projects
         WHERE status = '{}' AND client_id NOT IN (SELECT users.id FROM users WHERE users.suspended_at IS NOT NULL)
         ORDER BY id DESC LIMIT {most}",
        ProjectStatus::Open.as_str()
    )
}

fn from_best_rated(most: usize) -> String {
    format!(
        "FROM users WHERE {} ORDER BY users.rating DESC, users.review_count DESC, users.id LIMIT {most}",
        able()
    )
}

/// Freelancers who may take work on.
fn able() -> String {
    format!("users.role = '{}' AND users.suspended_at IS NULL", Role::Freelancer.as_str())
}

/// How many contracts of a candidate run, were completed, and ended.
fn work() -> String {
    use ContractStatus::{Active, Completed, Disputed, Paused, Terminated};
    let count = |states: &[ContractStatus], name: &str| {
        let states: Vec<_> = states.iter().map(|state| format!("'{}'", state.as_str())).collect();
        format!(
            "(SELECT COUNT(*) FROM contracts
              WHERE contracts.freelancer_id = candidates.user_id AND contracts.status IN ({})) AS {name}",
            states.join(", ")
        )
    };
    [
        count(&[Active, Paused, Disputed], "running"),
        count(&[Completed], "completed"),
        count(&[Completed, Terminated], "ended"),
    ]
    .join(", ")
}

/// `$1, $2, ...`: so many parameters.
fn numbered(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}
