//! What every life cycle promises, tested in one place: its table is what is legal, and nothing else is.

use std::fmt::Debug;

use sea_orm::Iterable;

use crate::error::Result;

/// Tries every step from every state. What the table lists must lead where it says; everything else must be an
/// error that names the state it is in and the one it was to reach.
pub(crate) fn every_pair_is_legal_or_names_both_states<State, Step>(
    steps: &[Step],
    legal: &[(State, Step, State)],
    next: fn(State, Step) -> Result<State>,
    to: fn(Step) -> State,
    name: fn(State) -> &'static str,
) where
    State: Iterable + Copy + PartialEq + Debug,
    Step: Copy + PartialEq + Debug,
{
    for from in State::iter() {
        for &step in steps {
            let legal = legal.iter().find(|(f, s, _)| (*f, *s) == (from, step)).map(|(_, _, to)| *to);
            match (next(from, step), legal) {
                (Ok(to), Some(wanted)) => assert_eq!(to, wanted, "{from:?} {step:?}"),
                (Err(error), None) => {
                    assert_eq!(error.code(), "ILLEGAL_STATE");
                    let message = error.to_string();
                    assert!(message.contains(name(from)), "{message}");
                    assert!(message.contains(name(to(step))), "{message}");
                }
                (got, wanted) => panic!("{from:?} {step:?}: {got:?}, wanted {wanted:?}"),
            }
        }
    }
}
