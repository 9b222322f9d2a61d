//! The sandbox's servers, driven over their real protocols by the clients that production uses.

mod s3;
mod smtp;
