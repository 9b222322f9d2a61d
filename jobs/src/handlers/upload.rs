//! Files.

use domain::{
    App, Result,
    queue::Outcome,
    upload::{
        delete,
        jobs::{ObjectDelete, UploadProcess},
        process,
    },
};

pub(crate) async fn upload_process(app: App, job: UploadProcess) -> Result<Outcome> {
    process::run(&app, job.id).await
}

pub(crate) async fn object_delete(app: App, job: ObjectDelete) -> Result<Outcome> {
    delete::run(&app, job.id).await
}
