//! One story, two forms: HTML and text say the same.

use askama::Template;

use super::notice::Story;
use crate::{App, Error, error::Result};

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    title: &'a str,
    name: &'a str,
    lines: &'a [String],
    action: Option<(&'a str, String)>,
    home: &'a str,
}

#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
struct Text<'a> {
    name: &'a str,
    lines: &'a [String],
    action: Option<(&'a str, String)>,
    home: &'a str,
}

/// The HTML part.
pub(super) fn html(app: &App, story: &Story, name: &str) -> Result<String> {
    let home = app.settings.public_url.as_str();
    let page = Html { title: &story.title, name, lines: &story.lines, action: action(app, story)?, home };
    page.render().map_err(|error| Error::bug(format!("mail template: {error}")))
}

/// The text part.
pub(super) fn text(app: &App, story: &Story, name: &str) -> Result<String> {
    let home = app.settings.public_url.as_str();
    let page = Text { name, lines: &story.lines, action: action(app, story)?, home };
    page.render().map_err(|error| Error::bug(format!("mail template: {error}")))
}

fn action<'a>(app: &App, story: &'a Story) -> Result<Option<(&'a str, String)>> {
    story
        .action
        .as_ref()
        .map(|(label, path)| {
            let link = app.settings.public_url.join(path);
            link.map(|link| (*label, link.into())).map_err(|e| Error::bug(format!("mail link: {e}")))
        })
        .transpose()
}
