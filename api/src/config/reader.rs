//! Reads settings one after the other and remembers everything that is wrong.

use std::fmt;

use secrecy::SecretString;

use super::settings::Setting;

/// Where the values come from: the environment, or a test.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A setting that is missing, wrong or unsafe. Never shows the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which setting.
    pub setting: &'static str,
    /// What is wrong with it, to be read after its name.
    pub wrong: String,
    /// What to do about it.
    pub cure: &'static str,
}

/// Everything that is wrong with the settings; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "one setting has to be changed")?,
            count => write!(f, "{count} settings have to be changed")?,
        }
        for Problem { setting, wrong, cure } in &self.0 {
            write!(f, "\n\n  {setting} {wrong}.\n    {cure}")?;
        }
        write!(
            f,
            "\n\nEvery setting is explained in .env.example. To try things out, `megilance dev` needs none."
        )
    }
}

impl std::error::Error for Problems {}

/// Collects values and problems.
pub(super) struct Reader<'a> {
    lookup: Lookup<'a>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(lookup: Lookup<'a>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// Notes what is wrong with a setting.
    pub(super) fn wrong(&mut self, setting: Setting, wrong: impl Into<String>) {
        let Setting { name, cure } = setting;
        self.problems.push(Problem { setting: name, wrong: wrong.into(), cure });
    }

    /// The text of a setting; an empty one counts as left out.
    pub(super) fn text(&self, setting: Setting) -> Option<String> {
        (self.lookup)(setting.name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The text of a setting that must be there.
    pub(super) fn required(&mut self, setting: Setting) -> Option<String> {
        let text = self.text(setting);
        if text.is_none() {
            self.wrong(setting, "is missing");
        }
        text
    }

    /// A value that must be there and make sense.
    pub(super) fn parsed<T>(
        &mut self,
        setting: Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.required(setting)?;
        self.take(setting, &text, parse)
    }

    /// A value that must make sense if it is there.
    pub(super) fn optional<T>(
        &mut self,
        setting: Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(setting)?;
        self.take(setting, &text, parse)
    }

    /// A secret that must be there and pass a check.
    pub(super) fn secret(
        &mut self,
        setting: Setting,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Option<SecretString> {
        self.parsed(setting, |text| check(text).map(|()| text.into()))
    }

    fn take<T>(
        &mut self,
        setting: Setting,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|wrong| self.wrong(setting, wrong)).ok()
    }

    /// What was built of the values, or everything that was wrong. A builder gives `None` only after a problem.
    pub(super) fn done<T>(self, built: Option<T>) -> Result<T, Problems> {
        match built {
            Some(built) if self.problems.is_empty() => Ok(built),
            _ => Err(Problems(self.problems)),
        }
    }
}
