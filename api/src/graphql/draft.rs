//! Texts to begin with, written by an assistant.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use domain::draft;

use super::support::{actor, app, parse_id};
use crate::error::{UserError, answer};

/// What an assistant writes a draft of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::draft::Kind")]
pub enum DraftKind {
    /// The description of a project, for clients.
    ProjectDescription,
    /// The cover letter of a proposal, for freelancers.
    CoverLetter,
}

/// What to write.
#[derive(Debug, InputObject)]
pub struct DraftCreateInput {
    /// What sort of text.
    pub kind: DraftKind,
    /// The project that a COVER_LETTER is for, `prj_...`: one that you may see. Leave it out for a PROJECT_DESCRIPTION.
    pub project_id: Option<ID>,
    /// What the text has to say, in your own words and language: 1 to 2,000 characters. They are sent to the assistant's
    /// service as they are.
    pub notes: String,
}

impl DraftCreateInput {
    fn parse(self) -> domain::Result<draft::Wanted> {
        Ok(draft::Wanted {
            kind: self.kind.into(),
            project_id: self.project_id.map(|id| parse_id("projectId", &id)).transpose()?,
            notes: self.notes,
        })
    }
}

/// The draft, or why there is none.
#[derive(Debug, SimpleObject)]
pub struct DraftPayload {
    /// The text, no longer than its field takes: at most 10,000 characters of a PROJECT_DESCRIPTION, 5,000 of a
    /// COVER_LETTER. It is stored nowhere. Null when something has to be mended first.
    pub draft: Option<String>,
    /// What has to be mended; empty when it worked. NOT_CONFIGURED where there is no assistant, ILLEGAL_STATE when it
    /// gave no answer or rests after it failed several times, LIMIT_REACHED when all drafts of the day are written: the
    /// message says when to try again.
    pub user_errors: Vec<UserError>,
}

/// Having drafts written.
#[derive(Debug, Default)]
pub struct DraftMutation;

#[Object]
impl DraftMutation {
    /// Has an assistant write a text to begin with: of a project's description for a client, of a cover letter for a
    /// freelancer. Read it before you send it: it may be wrong. Nothing is stored. Sent to the assistant's service are
    /// your notes and, with a COVER_LETTER, what everybody may read of the project and of you: title, description,
    /// headline, bio and skills, no names and no e-mail addresses. Twenty at once, then one every three minutes, and
    /// a number a day for everybody together. Needs OPENAI_API_KEY; everything else works without. For people with a proven e-mail address.
    #[graphql(complexity = "100 + child_complexity")]
    async fn draft_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to write.")] input: DraftCreateInput,
    ) -> Result<DraftPayload> {
        let (app, actor) = (app(ctx)?, actor(ctx)?);
        let written = async { draft::create(app, actor, input.parse()?).await }.await;
        let (draft, user_errors) = answer(written)?;
        Ok(DraftPayload { draft, user_errors })
    }
}
