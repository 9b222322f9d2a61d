//! What the demo says.

use std::borrow::Cow;

use domain::entities::{BudgetType, ExperienceLevel, SkillId};

use crate::seed::Result;

/// Name, and the slug of its category.
pub(super) const SKILLS: [(&str, &str); 12] = [
    ("Rust", "web"),
    ("TypeScript", "web"),
    ("GraphQL", "web"),
    ("PostgreSQL", "data"),
    ("Data cleaning", "data"),
    ("Kotlin", "mobile"),
    ("Interface design", "design"),
    ("Illustration", "design"),
    ("Copy editing", "writing"),
    ("Translation", "writing"),
    ("Search advertising", "marketing"),
    ("Video editing", "video"),
];

/// A skill by its name.
pub(super) fn skill_named(skills: &[SkillId], name: &str) -> Result<SkillId> {
    let place = SKILLS.iter().position(|(known, _)| *known == name);
    place
        .and_then(|place| skills.get(place))
        .copied()
        .ok_or_else(|| format!("no skill is called {name}").into())
}

/// A project to post.
pub(super) struct Posting {
    pub(super) title: Cow<'static, str>,
    pub(super) description: &'static str,
    /// A category's slug.
    pub(super) category: &'static str,
    pub(super) skills: &'static [&'static str],
    pub(super) pays: BudgetType,
    /// Least and most, in USDC.
    pub(super) budget: (i64, i64),
    pub(super) level: ExperienceLevel,
}

/// A project without a proposal of the demo's freelancer.
pub(super) const RECIPES: Posting = Posting {
    title: Cow::Borrowed("Recipe cards that print well"),
    description: "Glaze recipes live in a notebook. We want them on the web, searchable by colour and temperature, and \
        printable on index cards that survive wet hands.",
    category: "web",
    skills: &["TypeScript", "Interface design"],
    pays: BudgetType::Fixed,
    budget: (300, 600),
    level: ExperienceLevel::Intermediate,
};

/// A project with proposals and no contract.
pub(super) const BOOKING: Posting = Posting {
    title: Cow::Borrowed("Booking page for pottery classes"),
    description: "Six wheels, three classes a week. People should see which seats are free, book one, and get a mail \
        the day before. No account needed.",
    category: "web",
    skills: &["Rust", "GraphQL", "PostgreSQL"],
    pays: BudgetType::Fixed,
    budget: (400, 900),
    level: ExperienceLevel::Intermediate,
};

/// A project whose contract is offered.
pub(super) const STOCK: Posting = Posting {
    title: Cow::Borrowed("Stock list that counts itself"),
    description: "Every sale in the shop or at the market should lower the same stock list. Today there are two \
        spreadsheets, and they never agree.",
    category: "data",
    skills: &["PostgreSQL", "Data cleaning"],
    pays: BudgetType::Fixed,
    budget: (350, 700),
    level: ExperienceLevel::Entry,
};

/// A project whose contract has a milestone in most states.
pub(super) const SHOP: Posting = Posting {
    title: Cow::Borrowed("Online shop for a pottery studio"),
    description: "Forty pieces, each one of a kind: once a bowl is sold it has to be gone from the shop. Shipping \
        labels, a cart, and photographs that load fast.",
    category: "web",
    skills: &["Rust", "TypeScript", "GraphQL"],
    pays: BudgetType::Fixed,
    budget: (800, 1_500),
    level: ExperienceLevel::Expert,
};

/// A project whose contract has refunds.
pub(super) const LETTERS: Posting = Posting {
    title: Cow::Borrowed("Archive of our monthly letter"),
    description: "Sixty letters to our customers are waiting in an old mail account. Import them, give each a page, \
        and make the next ones appear by themselves.",
    category: "web",
    skills: &["TypeScript", "Data cleaning"],
    pays: BudgetType::Fixed,
    budget: (200, 400),
    level: ExperienceLevel::Entry,
};

/// For the client's day: bids to weigh.
pub(super) const CATALOGUE: Posting = Posting {
    title: Cow::Borrowed("Catalogue for the spring fair"),
    description: "Twelve pages, twenty pieces, our photographs. People should want to touch the paper, and find the \
        price without looking for it.",
    category: "design",
    skills: &["Interface design", "Illustration"],
    pays: BudgetType::Fixed,
    budget: (300, 500),
    level: ExperienceLevel::Intermediate,
};

/// For the client's day: a bid to accept.
pub(super) const GLAZES: Posting = Posting {
    title: Cow::Borrowed("Five short texts about glazes"),
    description: "Each of our glazes has a story: ash from an oven, copper from a roof. A hundred words each, for a card \
        beside the bowl.",
    category: "writing",
    skills: &["Copy editing"],
    pays: BudgetType::Fixed,
    budget: (150, 300),
    level: ExperienceLevel::Entry,
};

/// For the freelancer's day: an offer.
pub(super) const KILN: Posting = Posting {
    title: Cow::Borrowed("Calendar for the kiln room"),
    description: "Five potters share two kilns. Who fires when, at which temperature, and who forgot to take their pots \
        out: on one screen beside the door.",
    category: "web",
    skills: &["TypeScript"],
    pays: BudgetType::Fixed,
    budget: (200, 400),
    level: ExperienceLevel::Entry,
};

/// For both days: a contract with work handed in, paid for and to be paid for.
pub(super) const STUDIO: Posting = Posting {
    title: Cow::Borrowed("Site for the open studio days"),
    description: "Thirty studios open their doors on one weekend. A map, a page for each, and photographs that visitors \
        may add to a wall.",
    category: "web",
    skills: &["Rust", "TypeScript"],
    pays: BudgetType::Fixed,
    budget: (400, 800),
    level: ExperienceLevel::Intermediate,
};

/// For both days: finished and paid, and nobody has written a review.
pub(super) const LABELS: Posting = Posting {
    title: Cow::Borrowed("Price labels from a phone"),
    description: "Type a price, take a picture, and the label printer in the back prints it. It has to work with clay on \
        one's fingers.",
    category: "mobile",
    skills: &["Kotlin"],
    pays: BudgetType::Fixed,
    budget: (50, 120),
    level: ExperienceLevel::Entry,
};

/// For the freelancer's day: something to quarrel about.
pub(super) const SENSOR: Posting = Posting {
    title: Cow::Borrowed("A kiln that calls when it is done"),
    description: "There is a sensor, and it speaks a protocol of its own. Read it every minute, keep the curve, and send \
        a message below a hundred degrees.",
    category: "data",
    skills: &["Rust", "PostgreSQL"],
    pays: BudgetType::Fixed,
    budget: (100, 250),
    level: ExperienceLevel::Expert,
};

/// For the admin's day: a quarrel.
pub(super) const DOOR: Posting = Posting {
    title: Cow::Borrowed("Drawings for the workshop door"),
    description: "Four drawings, one for each season, large enough to be painted on a door of two metres. We bring the \
        paint and the ladder.",
    category: "design",
    skills: &["Illustration"],
    pays: BudgetType::Fixed,
    budget: (150, 300),
    level: ExperienceLevel::Intermediate,
};

/// Of the other client, for the freelancer's day: a bid to better.
pub(super) const INDEX: Posting = Posting {
    title: Cow::Borrowed("One index for nine field guides"),
    description: "Nine books, nine indexes, forty spellings of the same fern. One index on the web, in which a reader \
        finds the page and the book.",
    category: "data",
    skills: &["PostgreSQL", "Data cleaning"],
    pays: BudgetType::Fixed,
    budget: (400, 800),
    level: ExperienceLevel::Intermediate,
};

/// Of the other client, for the freelancer's day: a bid to take back.
pub(super) const SIGNED: Posting = Posting {
    title: Cow::Borrowed("A page that sells signed copies"),
    description: "Twice a year an author signs two hundred books here. They should be sold in an hour, once each, and \
        nobody should pay for one that is gone.",
    category: "web",
    skills: &["TypeScript"],
    pays: BudgetType::Fixed,
    budget: (250, 450),
    level: ExperienceLevel::Intermediate,
};

/// Of the other client, for the freelancer's day: nothing sent yet.
pub(super) const SEARCH: Posting = Posting {
    title: Cow::Borrowed("Search in nine guides at once"),
    description: "A reader types what they saw: a yellow flower, five petals, in a bog. The answer is three pages out of \
        two thousand.",
    category: "web",
    skills: &["Rust", "GraphQL"],
    pays: BudgetType::Fixed,
    budget: (500, 900),
    level: ExperienceLevel::Expert,
};

/// What the other client posts.
pub(super) const PUBLISHER: [Posting; 4] = [
    Posting {
        title: Cow::Borrowed("Cover for a field guide to mosses"),
        description: "A cover and a spine in the line of our other guides: one plant, drawn closely, on a plain \
            ground. Print files in CMYK.",
        category: "design",
        skills: &["Illustration"],
        pays: BudgetType::Fixed,
        budget: (500, 1_200),
        level: ExperienceLevel::Expert,
    },
    Posting {
        title: Cow::Borrowed("Copy editing, 240 pages on tide pools"),
        description: "The author knows everything about barnacles and less about commas. We need a patient editor, \
            paid by the hour, six weeks from now.",
        category: "writing",
        skills: &["Copy editing"],
        pays: BudgetType::Hourly,
        budget: (30, 55),
        level: ExperienceLevel::Intermediate,
    },
    Posting {
        title: Cow::Borrowed("Identify birds offline: Android prototype"),
        description: "A walker has no network. The prototype should name forty common birds from a photograph on a \
            middling phone, in under two seconds.",
        category: "mobile",
        skills: &["Kotlin"],
        pays: BudgetType::Hourly,
        budget: (45, 90),
        level: ExperienceLevel::Expert,
    },
    Posting {
        title: Cow::Borrowed("Short film about how a guide is made"),
        description: "Three minutes from the first sketch to the printed sheet, for our stand at the book fair. We \
            have the footage; you have the patience.",
        category: "video",
        skills: &["Video editing"],
        pays: BudgetType::Fixed,
        budget: (600, 1_000),
        level: ExperienceLevel::Intermediate,
    },
];

/// Why the demo's freelancer should have it.
pub(super) const LETTER: &str = "I have built four shops and two booking systems for studios of your size. You would \
    see something working after the first week, and you pay only for what you have approved.";

/// Why somebody else should.
pub(super) const OTHER_LETTER: &str = "This is close to what I did for a ceramics school last year. I would begin with \
    how it looks on a phone, because that is where your customers are.";

/// Why a writer should.
pub(super) const SENTENCES: &str = "I have written for two museums and a paper mill. You get a first text within two \
    days, and I shorten it until nothing can go.";
