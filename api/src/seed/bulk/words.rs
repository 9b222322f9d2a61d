//! What the people of the larger market are called and say.

/// First names.
pub(super) const NAMES: [&str; 8] = ["Amara", "Bruno", "Chiara", "Daniyar", "Elif", "Farid", "Greta", "Hana"];
/// Family names.
pub(super) const FAMILIES: [&str; 8] =
    ["Abebe", "Berg", "Castro", "Dubois", "Eriksen", "Fontana", "Gupta", "Horvat"];
/// Where people are, and their time zone.
pub(super) const PLACES: [(&str, &str); 8] = [
    ("Vienna", "Europe/Vienna"),
    ("Nairobi", "Africa/Nairobi"),
    ("Lisbon", "Europe/Lisbon"),
    ("Manila", "Asia/Manila"),
    ("Bogotá", "America/Bogota"),
    ("Karachi", "Asia/Karachi"),
    ("Toronto", "America/Toronto"),
    ("Tbilisi", "Asia/Tbilisi"),
];
/// What is wanted, and in which category.
pub(super) const THINGS: [(&str, &str); 8] = [
    ("Website", "web"),
    ("Inventory app", "mobile"),
    ("Sales report", "data"),
    ("Logo", "design"),
    ("Product texts", "writing"),
    ("Search campaign", "marketing"),
    ("Product film", "video"),
    ("Filing system", "other"),
];
/// For whom.
pub(super) const OWNERS: [&str; 8] = [
    "a bakery",
    "a bicycle workshop",
    "a choir",
    "a plant nursery",
    "a dentist",
    "a cinema",
    "a sailing school",
    "a second-hand bookshop",
];
/// What there is now.
pub(super) const TODAY: [&str; 8] = [
    "Today there are two spreadsheets, and they never agree.",
    "We have a version from nine years ago that nobody dares to touch.",
    "Until now it was done on paper, and the paper gets wet.",
    "Somebody's nephew began it, and then moved to another city.",
    "There is nothing yet, only a drawer full of notes.",
    "What we have works on one computer, and that one is slow.",
    "Our customers ask for it every week.",
    "The old one costs more each year than we earn with it.",
];
/// What is wanted of it.
pub(super) const WISHES: [&str; 8] = [
    "It should work on a phone, because that is where people are.",
    "It has to be done before the season starts.",
    "Whoever works here must be able to change the texts without help.",
    "It should look like us, and not like everybody else.",
    "Please tell us what you need, and what we would see after the first week.",
    "We would like to see a draft before you go into the details.",
    "It need not do much, but that without fail.",
    "We pay for what we have seen and approved, step by step.",
];
/// Why somebody should be chosen.
pub(super) const LETTERS: [&str; 8] = [
    "I did something close to this last year, and it is still in use every day.",
    "I would begin with the part that your customers see, and show it to you within a week.",
    "I have read your description twice and have three questions, which I put at the end.",
    "What you describe is what I do most of the time, for firms of your size.",
    "I work in small steps, so that you can stop me before I go wrong.",
    "I live two streets away and know the problem from the other side of the counter.",
    "My rate is not the lowest; what I hand over needs no second hand to mend it.",
    "I am free from next week on, and I answer mails on the same day.",
];
/// What they are, in a line.
pub(super) const HEADLINES: [&str; 8] = [
    "Builds shops that load fast",
    "Designs for small firms",
    "Turns spreadsheets into answers",
    "Writes so that people read on",
    "Mobile apps that work offline",
    "Films, cut to the point",
    "Makes old systems talk",
    "Campaigns that pay for themselves",
];
/// What the parts of a work are called.
pub(super) const PARTS: [(&str, &str); 8] = [
    ("Draft", "The whole"),
    ("Design", "Build"),
    ("First half", "Second half"),
    ("Concept", "Delivery"),
    ("Prototype", "Launch"),
    ("Outline", "Final version"),
    ("Groundwork", "Finish"),
    ("Survey", "Result"),
];
/// What people say of each other afterwards.
pub(super) const PRAISE: [&str; 8] = [
    "Everything as agreed, and a day early.",
    "Good questions at the start, no surprises at the end.",
    "The result is better than what I had in mind.",
    "Took a little longer than planned, and said so in time.",
    "A pleasure to work with, and I would do it again.",
    "Knows the field, listens, and finishes things.",
    "Clear words, quick answers, careful work.",
    "Solid work; the handover could have been longer.",
];
