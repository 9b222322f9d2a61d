//! The names of all settings, each with what to do when it is missing or wrong.

/// A setting of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What to set it to.
    pub cure: &'static str,
}

macro_rules! settings {
    ($($name:ident = $cure:literal;)*) => {
        $(pub(super) const $name: Setting = Setting { name: stringify!($name), cure: $cure };)*

        /// Every setting that is read. `.env.example` explains each.
        pub const ALL: &[Setting] = &[$($name),*];
    };
}

settings! {
    DATABASE_URL = "Give postgres://user:password@host/database, or sqlite:///absolute/path/megilance.db?mode=rwc.";
    JWT_SECRET = "Give at least 32 random bytes, the same in every process: openssl rand -base64 48";
    PUBLIC_URL = "Give the address that people reach the service at, without a path: https://api.example.com";
    LISTEN_ADDR = "Give the address and port to listen on: 0.0.0.0:8080";
    CORS_ORIGINS = "Give the other sites whose pages may call the API, with commas: https://app.example.com,https://admin.example.com";
    GRAPHIQL = "Give true to serve GraphiQL at /, or false.";
    GRAPHQL_INTROSPECTION = "Give true to let the schema be asked for, or false.";
    TRUSTED_PROXIES = "Give how many proxies of yours stand before this server and write X-Forwarded-For, 0 to 10.";

    BLOCKCHAIN_PROVIDER_URL = "Give your node's JSON-RPC address: https://rpc.example.com/your-key";
    BLOCKCHAIN_PROVIDER_URL_2 = "Give the JSON-RPC address of a second node of the same chain, of another provider; or leave it out.";
    CHAIN_ID = "Give the number of the chain that the node is on: 8453 is Base, 1 is Ethereum.";
    USDC_CONTRACT_ADDRESS = "Give the address of Circle's USDC contract on that chain: 0x and 40 hexadecimal digits.";
    CHAIN_CONFIRMATIONS = "Give how many blocks make a deposit count, 1 to 1000: 12; or more from an amount on: 12,1000:24,5000:64";
    CHAIN_FINALIZED_ABOVE = "Give the amount in whole USDC from which on a deposit's block has to be final: 10000; or off.";
    PAYOUT_APPROVAL_ABOVE = "Give an amount of USDC: a payout of more needs a second administrator. 10000 when left out.";
    TREASURY_KEYSTORE = "Give the path of the treasury's keystore file (geth account new), and TREASURY_PASSWORD with it.";
    TREASURY_PASSWORD = "Give the password that opens TREASURY_KEYSTORE.";
    TREASURY_PRIVATE_KEY = "Give the treasury's private key, 32 bytes in hexadecimal; or TREASURY_KEYSTORE and TREASURY_PASSWORD, which is safer.";
    WALLET_REST_HOURS = "Give how many hours a new payout wallet rests, 0 to 720.";

    CIRCLE_API_KEY = "Give Circle's API key, and CIRCLE_API_URL with it: then Circle pays out. Leave both out to pay on the chain.";
    CIRCLE_API_URL = "Give https://api.circle.com, or https://api-sandbox.circle.com to try it, and CIRCLE_API_KEY with it.";

    S3_BUCKET = "Give the bucket's name.";
    AWS_REGION = "Give the bucket's region: eu-central-1. Most other servers take us-east-1.";
    AWS_ACCESS_KEY_ID = "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither: then the machine's role is used.";
    AWS_SECRET_ACCESS_KEY = "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither: then the machine's role is used.";
    AWS_SESSION_TOKEN = "Give it only beside temporary keys.";
    S3_ENDPOINT = "Leave it out for AWS; else give the server's address: https://s3.example.com";
    S3_PATH_STYLE = "Give true when the bucket's name goes into the path (most servers other than AWS), or false.";

    SMTP_URL = "Give smtps://user:password@host:465, or smtp://user:password@host:587?tls=required.";
    MAIL_FROM = "Give the sender of all mails: MegiLance <no-reply@example.com>";

    OPENAI_API_KEY = "Give the key of OpenAI, or of a server that speaks as it does; or leave it out: everything but drafts works without.";
    OPENAI_BASE_URL = "Leave it out for OpenAI; else give the address that /embeddings and /chat/completions are joined to: https://llm.example.com/v1";
    OPENAI_EMBEDDING_MODEL = "Give the name of the model that makes vectors of texts, or leave it out: text-embedding-3-small.";
    OPENAI_CHAT_MODEL = "Give the name of the model that writes drafts, or leave it out: gpt-4o-mini.";
    OPENAI_DAILY_EMBEDDINGS = "Give how many texts a day the assistant is asked the meaning of, 0 to 1000000000; 0 ranks matches by score alone, 50000 when left out.";
    OPENAI_DAILY_DRAFTS = "Give how many drafts a day it is asked for, 0 to 1000000000; 0 for none, 1000 when left out.";

    SENTRY_DSN = "Give the DSN of your Sentry project, or leave it out.";
    RUST_LOG = "Give what is logged, such as info,api=debug, or leave it out.";
}

/// Names that DESIGN.md has given out and that later versions will read. Set now, they change nothing, and the log
/// says so.
pub const RESERVED: &[&str] = &["ADMIN_ADDR"];
