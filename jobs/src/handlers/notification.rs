//! Mails.

use domain::{
    App, Result,
    notification::{jobs::MailSend, mail},
    queue::Outcome,
};

pub(crate) async fn mail_send(app: App, job: MailSend) -> Result<Outcome> {
    mail::send(&app, job.id).await
}
