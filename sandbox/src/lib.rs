//! The outside world of a laptop, in this process and on loopback: an EVM chain, an S3 server, a
//! mailbox, and a Circle that pays out.
//!
//! Each part speaks the real protocol, so that the production clients talk to it unchanged, and keeps what it holds
//! below a folder that outlives a crash. Nothing here knows of MegiLance: no part reads our settings, our tables or
//! our types. Pages and controls for people are routes of the API (`api/src/http/`).

pub mod circle;
pub mod evm;
pub mod s3;
pub mod smtp;
