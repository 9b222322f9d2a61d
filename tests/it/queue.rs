//! The queue: our half of it, and apalis' half under our guards. On SQLite, and on PostgreSQL when
//! `DATABASE_URL` is set.

mod fixture;
mod life;
mod pool;
mod read;
mod sweep;
mod whole;
