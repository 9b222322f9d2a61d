//! The order of matches by what their texts mean, where there is an assistant. What a match is worth and which ones are
//! shown at all stay with [`super::score`]; without the assistant, or when it fails, the order does too.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    hash::Hash,
    iter::once,
    time::Duration,
};

use entities::UserId;

use super::{
    Match, Ranking,
    score::{BEST, Factors},
    texts::{self, Subject},
};
use crate::{
    App,
    assistant::{self, Service, Silence},
    error::Result,
    ports::{
        PortError,
        openai::{Assistant, Vector},
    },
};

/// So many of the best by score are put in order.
pub(super) const CANDIDATES: usize = 30;
/// How long the assistant is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Texts that are compared for one list of matches, or for a page of such lists together.
const MOST_TEXTS: usize = 256;

/// The matches that are shown to who asks, in their order. The candidates are the best by score, the best first.
///
/// Five statements more with an assistant, whatever the number of lists. Of a page of lists the newest are put in order
/// by meaning, as far as [`MOST_TEXTS`] reach.
pub(super) async fn rank<A, B>(
    app: &App,
    asker: Option<UserId>,
    found: HashMap<A, Vec<(B, Factors)>>,
) -> Result<HashMap<A, Vec<Match<B>>>>
where
    A: Copy + Ord + Hash + Into<Subject>,
    B: Copy + Ord + Into<Subject>,
{
    let vectors = match &app.assistant {
        Some(assistant) => read(app, &**assistant, asker, &wanted(&found)).await?,
        None => HashMap::new(),
    };
    let ranked = found.into_iter().map(|(of, candidates)| {
        let vector = vectors.get(&of.into());
        let like = |id: B| similarity(vector?, vectors.get(&id.into())?);
        (of, order(candidates, like))
    });
    Ok(ranked.collect())
}

/// Whose texts are compared.
fn wanted<A, B>(found: &HashMap<A, Vec<(B, Factors)>>) -> BTreeSet<Subject>
where
    A: Copy + Ord + Into<Subject>,
    B: Copy + Into<Subject>,
{
    let mut lists: Vec<_> = found.iter().filter(|(_, candidates)| !candidates.is_empty()).collect();
    // Ids rise as time does.
    lists.sort_by_key(|(of, _)| Reverse(**of));
    let mut wanted = BTreeSet::new();
    for (of, candidates) in lists {
        let all = once((*of).into()).chain(candidates.iter().map(|(id, _)| (*id).into()));
        let more: BTreeSet<Subject> = all.filter(|subject| !wanted.contains(subject)).collect();
        if wanted.len() + more.len() <= MOST_TEXTS {
            wanted.extend(more);
        }
    }
    wanted
}

/// What the texts of some subjects mean; nothing when the assistant may not be asked, or does not say so in time.
async fn read(
    app: &App,
    assistant: &dyn Assistant,
    asker: Option<UserId>,
    subjects: &BTreeSet<Subject>,
) -> Result<HashMap<Subject, Vector>> {
    let texts = texts::of(app, subjects).await?;
    let texts = texts.into_iter().map(|(subject, text)| (subject, text.short()));
    // Who says nothing is like nobody.
    let (subjects, texts): (Vec<_>, Vec<_>) = texts.filter(|(_, text)| !text.is_empty()).unzip();
    if texts.is_empty() {
        return Ok(HashMap::new());
    }
    let call = async {
        let late =
            |_| PortError::Transient { port: "assistant", reason: format!("no answer within {PATIENCE:?}") };
        tokio::time::timeout(PATIENCE, assistant.embed(&texts)).await.map_err(late)?
    };
    let unknown = assistant.unknown(&texts);
    Ok(match assistant::ask(app, Service::Embeddings, asker, unknown, call).await? {
        Ok(vectors) => subjects.into_iter().zip(vectors).collect(),
        Err(silence) => {
            match silence {
                Silence::NoAnswer(error) => {
                    tracing::warn!(%error, "matches are shown by score: the assistant failed");
                }
                // Said once, when it began.
                quiet => tracing::debug!(%quiet, "matches are shown by score: the assistant is not asked"),
            }
            HashMap::new()
        }
    })
}

/// The likest first, then those that nothing can be said about; each in the order of their scores where they are alike.
fn order<B: Copy>(candidates: Vec<(B, Factors)>, like: impl Fn(B) -> Option<i32>) -> Vec<Match<B>> {
    let matched = candidates.into_iter().map(|(id, factors)| Match {
        id,
        factors,
        similarity: like(id),
        ranked_by: Ranking::Score,
    });
    let mut matches: Vec<_> = matched.collect();
    if matches.iter().any(|found| found.similarity.is_some()) {
        matches.sort_by_key(|found| Reverse(found.similarity));
        for found in &mut matches {
            found.ranked_by = Ranking::Semantic;
        }
    }
    matches.truncate(BEST);
    matches
}

/// How much two texts mean the same: the cosine between their vectors in thousandths, 0 where they point away from each
/// other. None where that makes no sense: other lengths, or no direction.
#[expect(clippy::float_arithmetic, reason = "vectors of meaning are floats, and no money")]
fn similarity(one: &[f32], other: &[f32]) -> Option<i32> {
    let product = |one: &[f32], other: &[f32]| -> f64 {
        one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
    };
    let cosine = product(one, other) / (product(one, one) * product(other, other)).sqrt();
    let sound = one.len() == other.len() && cosine.is_finite();
    sound.then(|| (cosine.clamp(0.0, 1.0) * 1_000.0).round() as i32)
}

#[cfg(test)]
mod tests {
    use entities::{ProjectId, UserId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_cosine_is_a_share_in_thousandths() {
        assert_eq!(similarity(&[1.0, 0.0], &[2.0, 0.0]), Some(1_000));
        assert_eq!(similarity(&[1.0, 0.0], &[0.0, 3.0]), Some(0));
        assert_eq!(similarity(&[1.0, 0.0], &[-1.0, 0.0]), Some(0));
        // 1 / sqrt(2) is .70710; 1 / sqrt(3) is .57735.
        assert_eq!(similarity(&[1.0, 0.0], &[0.5, 0.5]), Some(707));
        assert_eq!(similarity(&[1.0, 1.0, 1.0], &[0.0, 1.0, 0.0]), Some(577));
        // A length that f32 cannot hold any more.
        assert_eq!(similarity(&[3e38, 0.0], &[3e38, 3e38]), Some(707));
    }

    #[test]
    fn what_has_no_direction_is_like_nothing() {
        assert_eq!(similarity(&[0.0, 0.0], &[1.0, 0.0]), None);
        assert_eq!(similarity(&[], &[]), None);
        assert_eq!(similarity(&[1.0, 0.0], &[1.0]), None);
        assert_eq!(similarity(&[f32::INFINITY, 0.0], &[1.0, 0.0]), None);
    }

    fn factors(total: i32) -> Factors {
        Factors { skills: total, budget: total, rating: total, availability: total, success: total }
    }

    #[test]
    fn the_likest_come_first_and_ten_are_shown() {
        let candidates: Vec<_> = (0..12).map(|id| (id, factors(9_000 - id))).collect();
        // 3 and 11 are the likest, nothing is known of 0, all others are alike.
        let like = |id: i32| match id {
            0 => None,
            3 => Some(800),
            11 => Some(900),
            _ => Some(100),
        };
        let ranked = order(candidates.clone(), like);
        let ids: Vec<_> = ranked.iter().map(|found| found.id).collect();
        assert_eq!(ids, [11, 3, 1, 2, 4, 5, 6, 7, 8, 9]);
        assert!(ranked.iter().all(|found| found.ranked_by == Ranking::Semantic));
        let plain = order(candidates, |_| None);
        assert!(plain.iter().map(|found| found.id).eq(0..10));
        assert!(plain.iter().all(|found| found.ranked_by == Ranking::Score && found.similarity.is_none()));
    }

    #[test]
    fn the_newest_lists_get_what_room_there_is() {
        let project = |number: u128| ProjectId::from(Uuid::from_u128(number));
        let person = |number: u128| UserId::from(Uuid::from_u128(number));
        let mut found: HashMap<ProjectId, Vec<(UserId, Factors)>> = HashMap::new();
        for list in 0..20 {
            let candidates = (0..30).map(|number| (person(1_000 * list + number), factors(5_000)));
            found.insert(project(list), candidates.collect());
        }
        found.insert(project(99), Vec::new());
        let wanted = wanted(&found);
        // 8 lists of 31 texts fit.
        assert_eq!(wanted.len(), 248);
        assert!((12..20).all(|list| wanted.contains(&project(list).into())));
        assert!(!wanted.contains(&project(99).into()));
    }
}
