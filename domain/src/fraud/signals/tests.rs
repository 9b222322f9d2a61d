use super::*;

/// Somebody about whom nothing is suspicious, at the very edge of everything.
fn person() -> PersonFacts {
    PersonFacts {
        email_proven: true,
        age: WEEK,
        has_wallet: true,
        proposals_a_day: PROPOSALS_A_DAY,
        fraud_disputes: 0,
        disputes_lost: LOST - 1,
        cancelled: CANCELLED - 1,
        rating: RATING,
        review_count: REVIEWS,
        suspensions: 0,
        suspended: false,
        agents_a_day: AGENTS_A_DAY - 1,
    }
}

/// The same of a project: its budget is ten times the median.
fn project() -> ProjectFacts<'static> {
    ProjectFacts {
        texts: ["A web shop", "With a catalogue and a basket."],
        budget_max: Usdc(10_000_000_000),
        large: LARGE_FIXED,
        others: vec![Usdc(1_000_000_000); PROJECTS_COMPARED],
        repeats: (1, 0),
        client_age: WEEK,
    }
}

/// The same of a proposal.
fn proposal() -> ProposalFacts<'static> {
    ProposalFacts {
        letter: "I have built many shops.",
        repeats: (0, 1),
        bid: Usdc(50),
        budget: (Usdc(100), Usdc(500)),
        after: Some(SECONDS_AFTER_POSTING),
    }
}

fn kinds(signals: &[Signal]) -> Vec<Kind> {
    assert!(signals.iter().all(|signal| signal.points == signal.kind.points() && !signal.detail.is_empty()));
    signals.iter().map(|signal| signal.kind).collect()
}

#[test]
fn nothing_is_suspicious_about_a_person_just_inside_and_each_signal_comes_just_outside() {
    assert!(of_person(&person()).is_empty());
    let is = |change: fn(&mut PersonFacts), wanted: &[Kind]| {
        let mut facts = person();
        change(&mut facts);
        assert_eq!(kinds(&of_person(&facts)), wanted, "{facts:?}");
    };
    is(|it| it.email_proven = false, &[Kind::EmailUnproven]);
    is(|it| it.age = WEEK - 1, &[Kind::AccountYoung]);
    is(|it| it.age = DAY, &[Kind::AccountYoung]);
    is(|it| it.age = DAY - 1, &[Kind::AccountNew]);
    is(|it| it.has_wallet = false, &[Kind::NoWallet]);
    is(|it| it.proposals_a_day += 1, &[Kind::ManyProposals]);
    is(|it| it.fraud_disputes = 1, &[Kind::FraudDisputes]);
    is(|it| it.disputes_lost += 1, &[Kind::DisputesLost]);
    is(|it| it.cancelled += 1, &[Kind::ManyCancelled]);
    is(|it| it.rating -= 1, &[Kind::LowRating]);
    is(|it| (it.rating, it.review_count) = (100, REVIEWS - 1), &[]);
    is(|it| (it.rating, it.review_count) = (0, 0), &[]);
    is(|it| it.suspensions = 1, &[Kind::Suspended]);
    is(|it| it.suspended = true, &[Kind::Suspended]);
    is(|it| it.agents_a_day += 1, &[Kind::ManySessions]);
}

#[test]
fn nothing_is_suspicious_about_a_project_just_inside_and_each_signal_comes_just_outside() {
    assert!(of_project(&project()).is_empty());
    let is = |change: fn(&mut ProjectFacts<'static>), wanted: &[Kind]| {
        let mut facts = project();
        change(&mut facts);
        assert_eq!(kinds(&of_project(&facts)), wanted, "{facts:?}");
    };
    is(|it| it.budget_max.0 += 1, &[Kind::UnusualBudget]);
    is(|it| it.budget_max.0 = 100_000_000, &[]);
    is(|it| it.budget_max.0 = 99_999_999, &[Kind::UnusualBudget]);
    // Too few to say what is usual.
    is(|it| (it.budget_max.0, it.others) = (i64::MAX, vec![Usdc(1); PROJECTS_COMPARED - 1]), &[]);
    is(|it| it.others = vec![Usdc(i64::MAX); PROJECTS_COMPARED], &[Kind::UnusualBudget]);
    is(|it| it.texts[0] = "Shop, mail joe@example.com", &[Kind::ContactDetails]);
    is(|it| it.texts[1] = "I pay by PayPal alone.", &[Kind::OutsidePayment]);
    is(|it| it.repeats = (2, 0), &[Kind::RepeatedText]);
    is(|it| it.repeats = (0, 2), &[Kind::RepeatedText]);
    is(|it| it.repeats = (1, 1), &[Kind::RepeatedText]);
    is(|it| it.client_age -= 1, &[Kind::LargeBudgetOfNewClient]);
    is(|it| (it.client_age, it.budget_max.0) = (0, LARGE_FIXED.0 - 1), &[]);
    is(
        |it| {
            (it.client_age, it.large, it.budget_max, it.others) = (0, LARGE_HOURLY, LARGE_HOURLY, Vec::new())
        },
        &[Kind::LargeBudgetOfNewClient],
    );
}

#[test]
fn nothing_is_suspicious_about_a_proposal_just_inside_and_each_signal_comes_just_outside() {
    assert!(of_proposal(&proposal()).is_empty());
    let is = |change: fn(&mut ProposalFacts<'static>), wanted: &[Kind]| {
        let mut facts = proposal();
        change(&mut facts);
        assert_eq!(kinds(&of_proposal(&facts)), wanted, "{facts:?}");
    };
    is(|it| it.bid.0 = 49, &[Kind::LowBid]);
    is(|it| it.bid.0 = 1_500, &[]);
    is(|it| it.bid.0 = 1_501, &[Kind::HighBid]);
    is(|it| it.letter = "Telegram: @joe_dev", &[Kind::ContactDetails]);
    is(|it| it.letter = "Western Union, please.", &[Kind::OutsidePayment]);
    is(|it| it.repeats = (2, 0), &[Kind::RepeatedText]);
    is(|it| it.after = Some(SECONDS_AFTER_POSTING - 1), &[Kind::SentAtOnce]);
    is(|it| it.after = Some(0), &[Kind::SentAtOnce]);
    is(|it| it.after = None, &[]);
}

fn weighing(points: i32) -> Signal {
    Signal { kind: Kind::EmailUnproven, points, detail: "The e-mail address is not proven.".to_owned() }
}

#[test]
fn a_score_is_the_sum_and_at_most_100() {
    assert_eq!(score(&[]), 0);
    assert_eq!(score(&[weighing(30), weighing(69)]), 99);
    assert_eq!(score(&[weighing(30), weighing(70)]), 100);
    assert_eq!(score(&[weighing(30), weighing(71)]), 100);
    assert_eq!(score(&[weighing(i32::MAX), weighing(i32::MAX)]), 100);
}

#[test]
fn bands_begin_at_30_60_and_85() {
    for (at, band) in [
        (0, Band::Low),
        (29, Band::Low),
        (30, Band::Medium),
        (59, Band::Medium),
        (60, Band::High),
        (84, Band::High),
        (85, Band::Critical),
        (100, Band::Critical),
    ] {
        assert_eq!(Band::of(at), band, "{at}");
    }
}

#[test]
fn an_owners_signals_weigh_half() {
    let half: Vec<Signal> = halved(vec![weighing(30), weighing(10)], "Its client").collect();
    assert_eq!(half.iter().map(|signal| signal.points).collect::<Vec<_>>(), [15, 5]);
    assert_eq!(half[0].detail, "Its client: The e-mail address is not proven.");
}

#[test]
fn a_day_is_any_24_hours() {
    let at = |hour: i64| DateTime::<Utc>::UNIX_EPOCH + Duration::hours(hour);
    assert_eq!(busiest_day(Vec::new()), 0);
    assert_eq!(busiest_day([30, 0, 24, 47].map(at).to_vec()), 3);
    assert_eq!(busiest_day([0, 24, 48].map(at).to_vec()), 1);
    let named = |hour: i64, name: &str| (at(hour), name.to_owned());
    assert_eq!(most_names_a_day(Vec::new()), 0);
    assert_eq!(most_names_a_day(vec![named(5, "a"), named(0, "a"), named(23, "b"), named(24, "c")]), 3);
    assert_eq!(most_names_a_day(vec![named(0, "a"), named(24, "b"), named(48, "c")]), 1);
}
