# What people do daily. `just` is one of `cargo install just`, `pip install rust-just`, `apt install just`.

# What there is to do.
default:
    @just --list --unsorted

# The laptop: everything in one process, nothing to configure. http://127.0.0.1:8080
dev *ARGS:
    cargo run --release -- dev {{ARGS}}

# The tests on SQLite and the sandbox; needs nothing but Rust.
test *ARGS:
    cargo test --workspace {{ARGS}}

# The same on a throw-away PostgreSQL.
test-pg *ARGS:
    scripts/test-pg {{ARGS}}

# The real outside: Chromium, anvil with the real USDC, PostgreSQL, SeaweedFS, an SMTP server.
peers:
    scripts/peers

# Random SIGKILLs of API and workers, and of PostgreSQL, while journeys run; on SQLite, then on PostgreSQL. About an hour.
kills KILLS="200" JOURNEYS="50":
    KILLS={{KILLS}} JOURNEYS={{JOURNEYS}} scripts/peers "killed at random"

# Reorgs of depth 1 to 12 at each of 1 to 12 confirmations, on anvil with the real USDC contract, LANES chains at a time. About ten minutes.
reorgs LANES="4":
    REORGS=all REORG_LANES={{LANES}} scripts/peers "reorgs on anvil"

# A stuck payout, a paused token, blocked payees on anvil, with the real waiting: five minutes twice, then ten. About half an hour.
stuck:
    STUCK=wait scripts/peers "a stuck payout"
    FROZEN=wait scripts/peers "a paused token"

# schemathesis on every field of the schema, as four people at once: ten minutes on SQLite, ten on PostgreSQL.
fuzz SECONDS="600":
    FUZZ_SECONDS={{SECONDS}} scripts/peers schemathesis

# Every failpoint on the way of a deposit, a release and a refund, passed up to six times, on both databases: docs/FAULTS.md.
faults PASSES="6":
    FAULT_PASSES={{PASSES}} cargo test --workspace --test it faults:: -- --nocapture
    FAULT_PASSES={{PASSES}} scripts/test-pg faults:: -- --nocapture

# Random sequences of what people do, against plain arithmetic: so many through API, jobs and chain, 100,000 in memory.
model CASES="1000" PURE="100000":
    MODEL_CASES={{CASES}} PURE_CASES={{PURE}} cargo test --workspace --test it model:: -- --nocapture

# Bugs of order, planted one by one, and the tests that notice each: docs/FAULTS.md. All of them, or those whose names begin like this.
planted *NAMES:
    scripts/planted {{NAMES}}

# Changes what decides about money and rights, one thing at a time, and sees that a unit test notices: docs/MUTANTS.md.
# `just mutants --changed` does so in the lines that are not committed.
mutants *ARGS:
    scripts/mutants {{ARGS}}

# The README's figures, measured on the release binary.
figures:
    scripts/figures

# Formatting.
fmt:
    cargo fmt --all

# What CI refuses.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, bans and sources of the dependencies; `cargo deny check` adds the advisories.
deny:
    cargo deny --workspace check licenses bans sources

# Writes schema.graphql as the code says it.
schema:
    cargo build --bin megilance
    scripts/schema --write

# Writes docs/RULES.md: each rule with a number, and its test.
rules:
    scripts/rules --write

# A release's schema is what the next ones are compared with: in the commit that is tagged.
baseline:
    cp schema.graphql tests/peers/baseline/schema.graphql
    echo '[]' > tests/peers/baseline/breaking.json

# Accepts changed snapshots (mails, error bodies) after a look at each.
review:
    cargo insta review

# Everything CI does, in its order.
ci:
    .ci/run
