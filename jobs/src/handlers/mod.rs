//! One thin file a noun: a job's ids in, a service of `domain` called, its outcome out.

pub(crate) mod notification;
pub(crate) mod payment;
pub(crate) mod schedule;
pub(crate) mod upload;
