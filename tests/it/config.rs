//! The settings: everything that is wrong is named in one run, with its cure, and no secret is shown.

use std::collections::{BTreeMap, BTreeSet};

use api::config::{ALL, Config, Problems, RESERVED};
use domain::{money::Usdc, settings::AssistantBudget};
use secrecy::ExposeSecret as _;

/// Settings with which a production process starts.
fn good() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("DATABASE_URL", "postgres://megilance:pw@db.internal/megilance"),
        ("JWT_SECRET", "q7mF0z2Vb9xKfR4uHs8LwYc1TnJd6GaEoPi3"),
        ("PUBLIC_URL", "https://api.megilance.test"),
        ("LISTEN_ADDR", "0.0.0.0:8080"),
        ("BLOCKCHAIN_PROVIDER_URL", "https://rpc.test/canary-key"),
        ("CHAIN_ID", "8453"),
        ("USDC_CONTRACT_ADDRESS", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        ("TREASURY_PRIVATE_KEY", "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"),
        ("S3_BUCKET", "files"),
        ("AWS_REGION", "eu-central-1"),
        ("SMTP_URL", "smtps://user:pw@mail.test:465"),
        ("MAIL_FROM", "MegiLance <no-reply@megilance.test>"),
    ])
}

fn read(values: &BTreeMap<&str, &str>) -> Result<Config, Problems> {
    Config::read(&|name| values.get(name).map(|value| (*value).to_owned()))
}

/// What is said when these settings are changed; an empty value takes one away.
fn wrong(changes: &[(&'static str, &'static str)]) -> BTreeMap<&'static str, String> {
    let mut values = good();
    values.extend(changes.iter().copied());
    let Problems(problems) = read(&values).expect_err("something is wrong");
    problems.into_iter().map(|problem| (problem.setting, problem.wrong)).collect()
}

#[test]
fn good_settings_are_taken_with_the_documented_defaults() {
    let config = read(&good()).expect("nothing is wrong");
    assert_eq!(config.settings.confirmations, 12);
    assert_eq!(config.settings.wallet_rest.as_secs(), 24 * 3600);
    assert_eq!((config.graphiql, config.forwarded_hops), (false, 0));
    assert!(config.settings.introspection);
    assert!(config.storage.credentials.is_none() && !config.storage.path_style);
    assert_eq!(config.settings.public_url.as_str(), "https://api.megilance.test/");
    let shown = format!("{config:?}");
    for secret in ["q7mF0z", "7a28b5", "pw@", "canary"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

#[test]
fn without_any_setting_all_missing_ones_are_named_at_once() {
    let Problems(problems) = Config::read(&|_| None).expect_err("everything is missing");
    let named: BTreeSet<_> = problems.iter().map(|problem| problem.setting).collect();
    assert_eq!(named, good().into_keys().collect());
    let told = Problems(problems.clone()).to_string();
    for problem in &problems {
        assert_eq!(problem.wrong, "is missing");
        assert!(told.contains(problem.setting) && told.contains(problem.cure), "{told}");
    }
}

#[test]
fn every_unsafe_setting_is_named_in_one_run_and_none_is_shown() {
    let changes = [
        ("DATABASE_URL", "sqlite::memory:"),
        ("JWT_SECRET", "hunter2hunter2"),
        ("PUBLIC_URL", "http://api.megilance.test"),
        ("TREASURY_PRIVATE_KEY", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
        ("SMTP_URL", "smtp://user:hunter2@mail.test:25"),
        ("S3_ENDPOINT", "http://s3.megilance.test"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("SENTRY_DSN", "nonsense"),
        ("CHAIN_CONFIRMATIONS", "0"),
    ];
    let problems = wrong(&changes);
    let expected: BTreeSet<_> = changes
        .iter()
        .map(|(name, _)| if *name == "AWS_ACCESS_KEY_ID" { "AWS_SECRET_ACCESS_KEY" } else { *name })
        .collect();
    assert_eq!(problems.keys().copied().collect::<BTreeSet<_>>(), expected);
    let told = format!("{problems:?}");
    for (_, value) in changes.iter().filter(|(_, value)| value.len() > 8 && !value.starts_with("AKID")) {
        assert!(!told.contains(value), "{value} is shown");
    }
}

#[test]
fn a_secret_from_a_tutorial_is_no_secret() {
    for secret in [
        "changeme-changeme-changeme-changeme-123",
        "your-256-bit-secret-your-256-bit-secret",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "MySuperSecretPasswordForMegiLance2026!!",
    ] {
        assert!(wrong(&[("JWT_SECRET", secret)])["JWT_SECRET"].contains("unsafe"), "{secret}");
    }
    // A development key is fine on a development chain.
    let mut local = good();
    local.insert("CHAIN_ID", "31337");
    local.insert("TREASURY_PRIVATE_KEY", "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    local.insert("PUBLIC_URL", "http://127.0.0.1:8080");
    local.insert("SMTP_URL", "smtp://127.0.0.1:2525");
    local.insert("S3_ENDPOINT", "http://127.0.0.1:8333");
    let config = read(&local).expect("loopback needs no TLS");
    assert!(config.storage.path_style);
}

#[test]
fn the_treasury_has_one_key() {
    let both = wrong(&[("TREASURY_KEYSTORE", "/nowhere"), ("TREASURY_PASSWORD", "x")]);
    assert!(both["TREASURY_PRIVATE_KEY"].contains("leave out one"));
    let half = wrong(&[("TREASURY_KEYSTORE", "/nowhere"), ("TREASURY_PRIVATE_KEY", "")]);
    assert_eq!(half["TREASURY_PASSWORD"], "is missing");
    let changes =
        [("TREASURY_KEYSTORE", "/nowhere"), ("TREASURY_PASSWORD", "hunter2"), ("TREASURY_PRIVATE_KEY", "")];
    let problems = wrong(&changes);
    assert!(problems.contains_key("TREASURY_KEYSTORE") && !format!("{problems:?}").contains("hunter2"));
}

#[test]
fn temporary_aws_keys_are_left_to_the_sdk() {
    let mut values = good();
    values.extend([("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
    let keys = read(&values).expect("two keys").storage.credentials;
    assert_eq!(
        keys.map(|(id, key)| (id, key.expose_secret().to_owned())),
        Some(("a".to_owned(), "b".to_owned()))
    );
    values.insert("AWS_SESSION_TOKEN", "c");
    assert!(read(&values).expect("three keys").storage.credentials.is_none());
}

#[test]
fn an_assistant_is_there_with_its_key() {
    assert!(read(&good()).expect("nothing is wrong").assistant.is_none());
    let mut values = good();
    values.insert("OPENAI_API_KEY", "sk-canary");
    let config = read(&values).expect("a key is enough");
    assert!(!format!("{config:?}").contains("canary"));
    let assistant = config.assistant.expect("an assistant");
    assert_eq!(assistant.base_url.as_str(), "https://api.openai.com/v1");
    assert_eq!(assistant.api_key.expose_secret(), "sk-canary");
    let models = (assistant.embedding_model.as_str(), assistant.chat_model.as_str());
    assert_eq!(models, ("text-embedding-3-small", "gpt-4o-mini"));

    values.extend([("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1"), ("OPENAI_CHAT_MODEL", "ours")]);
    let assistant = read(&values).expect("loopback needs no TLS").assistant.expect("an assistant");
    assert_eq!((assistant.base_url.as_str(), &*assistant.chat_model), ("http://127.0.0.1:11434/v1", "ours"));

    assert_eq!(read(&values).expect("the usual").settings.assistant_budget, AssistantBudget::default());
    values.extend([("OPENAI_DAILY_EMBEDDINGS", "0"), ("OPENAI_DAILY_DRAFTS", "1000000000")]);
    let budget = read(&values).expect("both are set").settings.assistant_budget;
    assert_eq!(budget, AssistantBudget { embeddings: 0, drafts: 1_000_000_000 });
    for (name, bad) in [("OPENAI_DAILY_EMBEDDINGS", "-1"), ("OPENAI_DAILY_DRAFTS", "1000000001")] {
        let problems = wrong(&[("OPENAI_API_KEY", "sk-canary"), (name, bad)]);
        assert_eq!(problems.into_keys().collect::<Vec<_>>(), [name], "{bad}");
    }

    for unsafe_url in
        ["http://llm.test/v1", "https://user:pw@llm.test/v1", "https://llm.test/v1?key=x", "nonsense"]
    {
        let problems = wrong(&[("OPENAI_API_KEY", "sk-canary"), ("OPENAI_BASE_URL", unsafe_url)]);
        assert_eq!(problems.into_keys().collect::<Vec<_>>(), ["OPENAI_BASE_URL"], "{unsafe_url}");
    }
    let broken = wrong(&[("OPENAI_API_KEY", "sk canary")]);
    assert!(broken["OPENAI_API_KEY"].contains("no key") && !format!("{broken:?}").contains("canary"));
    for alone in [
        ("OPENAI_BASE_URL", "https://llm.test/v1"),
        ("OPENAI_CHAT_MODEL", "ours"),
        ("OPENAI_DAILY_DRAFTS", "9"),
    ] {
        assert_eq!(wrong(&[alone])["OPENAI_API_KEY"], format!("is missing beside {}", alone.0));
    }
}

#[test]
fn large_deposits_need_more() {
    let mut values = good();
    let settings = read(&values).expect("good").settings;
    assert_eq!((settings.confirmations, &settings.large_deposits.tiers[..]), (12, &[][..]));
    assert_eq!(settings.large_deposits.finalized_from, Usdc::whole(10_000));
    values.extend([("CHAIN_CONFIRMATIONS", "6,1000:24,5000:64"), ("CHAIN_FINALIZED_ABOVE", "off")]);
    let settings = read(&values).expect("good").settings;
    let tiers = [(Usdc(1_000_000_000), 24), (Usdc(5_000_000_000), 64)];
    assert_eq!((settings.confirmations, &settings.large_deposits.tiers[..]), (6, &tiers[..]));
    assert_eq!(settings.large_deposits.finalized_from, None);
    for bad in ["0", "1001", "x", "12,1000", "12,1000:6", "12,1000:24,1000:30", "12,0:24", "12,1.5:24"] {
        assert!(wrong(&[("CHAIN_CONFIRMATIONS", bad)]).contains_key("CHAIN_CONFIRMATIONS"), "{bad}");
    }
    for bad in ["0", "-1", "never"] {
        assert!(wrong(&[("CHAIN_FINALIZED_ABOVE", bad)]).contains_key("CHAIN_FINALIZED_ABOVE"), "{bad}");
    }
}

/// A second node is on the same chain, and its address, which may hold a key, is shown as little as the first one's.
#[test]
fn a_second_node_is_as_secret_as_the_first() {
    let mut values = good();
    assert!(read(&values).expect("one is enough").witness.is_none());
    values.insert("BLOCKCHAIN_PROVIDER_URL_2", "https://rpc-2.test/canary-key-2");
    let config = read(&values).expect("two nodes");
    assert_eq!(config.witness.as_ref().map(|second| second.chain_id), Some(8453));
    assert!(!format!("{config:?}").contains("canary-key-2"));
    assert!(wrong(&[("BLOCKCHAIN_PROVIDER_URL_2", "rpc-2")]).contains_key("BLOCKCHAIN_PROVIDER_URL_2"));
}

#[test]
fn circle_pays_with_both_of_its_settings_or_not_at_all() {
    assert!(read(&good()).expect("nothing is wrong").circle.is_none());
    let key = ("CIRCLE_API_KEY", "LIVE_API_KEY:canary:canary");
    let url = ("CIRCLE_API_URL", "https://api.circle.com");
    let mut values = good();
    values.extend([key, url]);
    let config = read(&values).expect("both are there");
    assert!(!format!("{config:?}").contains("canary"));
    let circle = config.circle.expect("Circle pays");
    assert_eq!((circle.api_url.as_str(), circle.api_key.expose_secret()), ("https://api.circle.com/", key.1));

    assert!(wrong(&[key])["CIRCLE_API_URL"].contains("missing"));
    assert!(wrong(&[url])["CIRCLE_API_KEY"].contains("missing"));
    assert!(wrong(&[key, ("CIRCLE_API_URL", "http://api.circle.com")])["CIRCLE_API_URL"].contains("https"));
    let split = wrong(&[("CIRCLE_API_KEY", "hunter2 hunter2 hunter2"), url]);
    assert!(split.contains_key("CIRCLE_API_KEY") && !format!("{split:?}").contains("hunter2"));
    // Gnosis has no place among Circle's chains.
    assert!(wrong(&[key, url, ("CHAIN_ID", "100")])["CIRCLE_API_KEY"].contains("CHAIN_ID"));
}

/// `.env.example` names every setting that is read, and no other.
#[test]
fn the_example_and_the_reader_agree() {
    let example = include_str!("../../.env.example");
    let documented: Vec<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name)
        .filter(|name| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
        .collect();
    let set: BTreeSet<&str> = documented.iter().copied().collect();
    assert_eq!(set.len(), documented.len(), "a setting is documented twice");
    let read: BTreeSet<&str> =
        ALL.iter().map(|setting| setting.name).chain(RESERVED.iter().copied()).collect();
    assert_eq!(set, read);
    // What must be there stands in it uncommented.
    for name in good().into_keys().filter(|name| !name.starts_with("TREASURY")) {
        assert!(example.lines().any(|line| line.starts_with(&format!("{name}="))), "{name}");
    }
}
