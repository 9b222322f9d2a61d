use std::sync::Arc;
use std::time::Duration;

use lettre::message::MultiPart;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use sandbox::smtp::{Fault, Smtp, SmtpConfig, SmtpError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// 2026-01-02T03:04:05.678Z
const NOW: u64 = 1_767_323_045_678;

fn config(root: &TempDir) -> SmtpConfig {
    SmtpConfig::new(root.path().join("mail"), Arc::new(|| NOW))
}

async fn start() -> (TempDir, Smtp) {
    let root = tempfile::tempdir().unwrap();
    let smtp = Smtp::start(config(&root)).await.unwrap();
    (root, smtp)
}

type Mailer = AsyncSmtpTransport<Tokio1Executor>;

fn mailer(smtp: &Smtp) -> Mailer {
    Mailer::from_url(&smtp.url()).unwrap().build()
}

fn message(to: &str, id: &str) -> Message {
    Message::builder()
        .from("MegiLance <no-reply@megilance.example>".parse().unwrap())
        .to(to.parse().unwrap())
        .message_id(Some(format!("<{id}>")))
        .subject("Bestätigen Sie Ihre Adresse")
        .multipart(MultiPart::alternative_plain_html(
            "Hallo Ünal\n.\n..a line of dots\nhttps://megilance.example/verify?token=abc".to_owned(),
            "<p>Hallo <b>Ünal</b></p>".to_owned(),
        ))
        .unwrap()
}

#[tokio::test]
async fn a_mail_is_read_as_it_was_written() {
    let (_root, smtp) = start().await;
    let mail = message("Ada <Ada@Example.org>", "1@megilance");
    mailer(&smtp).send(mail).await.unwrap();

    let mailbox = smtp.mailbox();
    let [mail] = mailbox.list(Some("ada@EXAMPLE.org")).try_into().unwrap();
    assert_eq!(mail.from, "no-reply@megilance.example");
    assert_eq!(mail.to, ["Ada@Example.org"]);
    assert_eq!(mail.subject, "Bestätigen Sie Ihre Adresse");
    let text = "Hallo Ünal\n.\n..a line of dots\nhttps://megilance.example/verify?token=abc";
    assert_eq!(mail.text.trim_end(), text);
    let html = mail.html.as_deref().map(str::trim_end);
    assert_eq!(html, Some("<p>Hallo <b>Ünal</b></p>"));
    assert_eq!(mail.message_id.as_deref(), Some("1@megilance"));
    assert_eq!(mail.received_at, "2026-01-02T03:04:05.678Z");
    assert_eq!(mail.deliveries, 1);
    let from = mail.headers.iter().find(|header| header.name == "From");
    assert!(from.unwrap().value.contains("MegiLance"));
    assert_eq!(mailbox.get(&mail.id), Some(mail));
    assert!(mailbox.list(Some("da@example.org")).is_empty());
    assert!(mailbox.get("../1").is_none());
}

#[tokio::test]
async fn mails_outlive_the_server_newest_first() {
    let (root, smtp) = start().await;
    let mailer1 = mailer(&smtp);
    for id in ["1@x", "2@x", "3@x"] {
        mailer1.send(message("a@x.org", id)).await.unwrap();
    }
    let before = smtp.mailbox().list(None);
    drop(smtp);
    // What a crash between message and envelope leaves behind.
    std::fs::write(root.path().join("mail/half.eml"), "Subject: half\r\n").unwrap();
    std::fs::write(root.path().join("mail/half.json.part"), "{").unwrap();

    let smtp = Smtp::start(config(&root)).await.unwrap();
    assert_eq!(smtp.mailbox().list(None), before);
    assert_eq!(before[0].message_id.as_deref(), Some("3@x"));
    assert!(!root.path().join("mail/half.eml").exists());
    mailer(&smtp).send(message("a@x.org", "4@x")).await.unwrap();
    let newest = &smtp.mailbox().list(None)[0];
    assert_eq!(newest.message_id.as_deref(), Some("4@x"));

    smtp.mailbox().clear().unwrap();
    assert!(smtp.mailbox().list(None).is_empty());
    let files = std::fs::read_dir(root.path().join("mail")).unwrap();
    assert_eq!(files.count(), 0);
}

#[tokio::test]
async fn one_message_for_one_recipient_is_one_mail() {
    let (root, smtp) = start().await;
    let mailer1 = mailer(&smtp);
    for to in ["a@x.org", "a@x.org", "b@x.org"] {
        mailer1.send(message(to, "same@x")).await.unwrap();
    }
    mailer1.send(message("a@x.org", "other@x")).await.unwrap();
    for _ in 0..2 {
        let deliveries = |to| {
            let mails = smtp.mailbox().list(Some(to)).into_iter();
            mails.map(|mail| mail.deliveries).collect::<Vec<_>>()
        };
        assert_eq!(deliveries("a@x.org"), [1, 2]);
        assert_eq!(deliveries("b@x.org"), [1]);
    }
    drop(smtp);
    let smtp = Smtp::start(config(&root)).await.unwrap();
    assert_eq!(smtp.mailbox().list(Some("a@x.org"))[1].deliveries, 2);
}

#[tokio::test]
async fn any_name_and_password_do() {
    let (_root, smtp) = start().await;
    let mailer = Mailer::from_url(&smtp.url())
        .unwrap()
        .credentials(Credentials::new("any".to_owned(), "thing".to_owned()))
        .build();
    mailer.send(message("a@x.org", "1@x")).await.unwrap();
    assert_eq!(smtp.mailbox().list(None).len(), 1);
}

#[tokio::test]
async fn faults_come_and_go() {
    let (_root, smtp) = start().await;
    let mailer = mailer(&smtp);
    let mail = || message("a@x.org", "1@x");

    smtp.set_fault(Some(Fault::RefuseConnections));
    mailer.send(mail()).await.unwrap_err();
    smtp.set_fault(Some(Fault::TempFailRcpt));
    let later = mailer.send(mail()).await.unwrap_err();
    assert!(later.is_transient(), "{later}");
    assert!(smtp.mailbox().list(None).is_empty());
    smtp.set_fault(Some(Fault::DropAfterData));
    mailer.send(mail()).await.unwrap_err();
    smtp.set_fault(None);
    mailer.send(mail()).await.unwrap();
    let [mail] = smtp.mailbox().list(None).try_into().unwrap();
    assert_eq!(mail.deliveries, 2);
}

/// A client that says what it is told to.
struct Raw(BufReader<TcpStream>);

impl Raw {
    async fn connect(smtp: &Smtp) -> Self {
        let stream = TcpStream::connect(smtp.address()).await.unwrap();
        let mut raw = Self(BufReader::new(stream));
        assert!(raw.reply().await.starts_with("220 "));
        raw
    }

    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(text.as_ref()).await.unwrap();
    }

    /// Says a line and checks how the reply begins.
    async fn say(&mut self, line: &str, reply: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        let got = self.reply().await;
        assert!(got.starts_with(reply), "{line}: {got}");
        got
    }

    async fn start_data(&mut self) {
        self.say("MAIL FROM:<a@x.org>", "250 ").await;
        self.say("RCPT TO:<b@x.org>", "250 ").await;
        self.say("DATA", "354 ").await;
    }

    async fn is_closed(&mut self) -> bool {
        self.0.read_to_end(&mut Vec::new()).await.is_ok_and(|n| n == 0)
    }
}

#[tokio::test]
async fn commands_come_in_order() {
    let (_root, smtp) = start().await;
    let mut raw = Raw::connect(&smtp).await;
    raw.say("MAIL FROM:<a@x.org>", "503 ").await;
    let ehlo = raw.say("EHLO client.example", "250-").await;
    for extension in ["8BITMIME", "SIZE 10485760", "SMTPUTF8", "AUTH PLAIN", "PIPELINING"] {
        assert!(ehlo.contains(extension), "{ehlo}");
    }
    raw.say("RCPT TO:<b@x.org>", "503 ").await;
    raw.say("DATA", "503 ").await;
    raw.say("MAIL FROM:<a@x.org> SIZE=10485761", "552 ").await;
    raw.say("MAIL FROM:<ä@x.org>", "553 ").await;
    raw.say("MAIL FROM:<ä@x.org> SMTPUTF8", "250 ").await;
    raw.say("MAIL FROM:<a@x.org>", "503 ").await;
    raw.say("DATA", "503 ").await;
    raw.say("RCPT TO:<ö@x.org>", "250 ").await;
    raw.say("RSET", "250 ").await;
    raw.say("DATA", "503 ").await;
    raw.say("NOOP", "250 ").await;
    raw.say("NONSENSE", "500 ").await;
    raw.say("MAIL FROM:nobody", "501 ").await;
    raw.say("AUTH LOGIN", "504 ").await;
    raw.say("AUTH PLAIN", "334 ").await;
    raw.say("AGEAYg==", "235 ").await;
    raw.say("HELO client.example", "250 ").await;
    raw.say("QUIT", "221 ").await;
    assert!(raw.is_closed().await);
}

#[tokio::test]
async fn dots_are_unstuffed_and_commands_may_come_at_once() {
    let (_root, smtp) = start().await;
    let mut raw = Raw::connect(&smtp).await;
    raw.send("EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@x.org>\r\nrcpt to:<c@x.org>\r\nDATA\r\n").await;
    for expected in ["250-", "250 ", "250 ", "250 ", "354 "] {
        assert!(raw.reply().await.starts_with(expected));
    }
    // Byte by byte, so that every state of the reader meets the end of a packet.
    for byte in b"..Subject: x\r\nSubject: dots\r\n\r\n..\r\n...a\r\nb.\r\n.\r\n" {
        raw.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(raw.reply().await.starts_with("250 "));
    let [mail] = smtp.mailbox().list(Some("c@x.org")).try_into().unwrap();
    assert_eq!(mail.from, "");
    assert_eq!(mail.text, ".\n..a\nb.\n");
    // The shortest message of all.
    raw.start_data().await;
    raw.say(".", "250 ").await;
    raw.say("QUIT", "221 ").await;
    assert_eq!(smtp.mailbox().list(None).len(), 2);
}

#[tokio::test]
async fn bad_messages_are_refused_and_the_session_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let small = SmtpConfig { max_message: 4_000, ..config(&root) };
    let smtp = Smtp::start(small).await.unwrap();
    let mut raw = Raw::connect(&smtp).await;
    raw.say("EHLO c", "250-").await;
    let long_line = "a".repeat(999);
    let too_large = "0123456789\r\n".repeat(400);
    let cases = [
        (too_large.as_str(), "552 "),
        (&long_line, "554 "),
        ("bare\nline feed", "554 "),
        // A bare LF before the dot does not end a message: no second message can be smuggled in.
        ("x\n.\nMAIL FROM:<evil@x.org>", "554 "),
    ];
    for (body, reply) in cases {
        raw.start_data().await;
        raw.say(&format!("{body}\r\n."), reply).await;
    }
    raw.start_data().await;
    raw.say("Subject: fine\r\n\r\nx\r\n.", "250 ").await;
    assert_eq!(smtp.mailbox().list(None).len(), 1);
}

#[tokio::test]
async fn clients_that_misuse_the_server_are_sent_away() {
    let root = tempfile::tempdir().unwrap();
    let impatient = SmtpConfig { idle: Duration::from_millis(200), ..config(&root) };
    let smtp = Smtp::start(impatient).await.unwrap();
    let mut raw = Raw::connect(&smtp).await;
    for _ in 0..20 {
        raw.say("NONSENSE", "500 ").await;
    }
    assert!(raw.reply().await.starts_with("421 "));
    assert!(raw.is_closed().await);

    let mut silent = Raw::connect(&smtp).await;
    assert!(silent.reply().await.starts_with("421 "));
    assert!(silent.is_closed().await);

    let mut endless = Raw::connect(&smtp).await;
    endless.send("N".repeat(4_095)).await;
    endless.send("N".repeat(4_095)).await;
    assert!(endless.reply().await.starts_with("500 "));
}

#[tokio::test]
async fn stopping_ends_sessions_with_a_word() {
    let (root, smtp) = start().await;
    let mut raw = Raw::connect(&smtp).await;
    smtp.shutdown().await;
    assert!(raw.reply().await.starts_with("421 "));
    assert!(raw.is_closed().await);
    assert!(TcpStream::connect(smtp.address()).await.is_err());

    let everywhere = SmtpConfig { listen: ([0, 0, 0, 0], 0).into(), ..config(&root) };
    let refused = Smtp::start(everywhere).await.unwrap_err();
    assert!(matches!(refused, SmtpError::NotLoopback(_)));
}
