//! One conversation with one client (RFC 5321).

use std::io;
use std::sync::Arc;

use smtp_proto::request::receiver::{DataReceiver, LineReceiver, RequestReceiver};
use smtp_proto::{
    AUTH_PLAIN, EXT_8BIT_MIME, EXT_AUTH, EXT_ENHANCED_STATUS_CODES, EXT_PIPELINING, EXT_SIZE, EXT_SMTP_UTF8,
    EhloResponse, Error as Syntax, MAIL_SMTPUTF8, MailFrom, Request,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Shared;
use super::{Fault, lines};

/// The name that the server gives itself.
const NAME: &str = "sandbox.localhost";

/// How many recipients a message may have (RFC 5321, 4.5.3.1.8 asks for at least this many).
const RECIPIENTS: usize = 100;

/// How many mistakes a client may make before it is sent away.
const MISTAKES: u32 = 20;

/// A session and what it has heard so far.
pub(super) struct Session {
    stream: TcpStream,
    shared: Arc<Shared>,
    /// What was read and not yet understood.
    inbox: Vec<u8>,
    receiver: RequestReceiver,
    greeted: bool,
    transaction: Option<Transaction>,
    mistakes: u32,
}

/// A message between `MAIL` and the end of its data.
struct Transaction {
    from: String,
    utf8: bool,
    to: Vec<String>,
}

/// Why a session ends.
enum End {
    /// The client said `QUIT`, is gone, or is dropped by a fault.
    Quiet,
    /// The server sends the client away with this reply.
    Reply(&'static str),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Quiet
    }
}

impl Session {
    /// A session that has not said a word yet.
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        Self {
            stream,
            shared,
            inbox: Vec::new(),
            receiver: RequestReceiver::default(),
            greeted: false,
            transaction: None,
            mistakes: 0,
        }
    }

    /// Talks until one side ends it.
    pub(super) async fn run(mut self) {
        if let Err(End::Reply(last_words)) = self.converse().await {
            let _ = self.reply(last_words).await;
        }
    }

    async fn converse(&mut self) -> Result<(), End> {
        let _ = self.stream.set_nodelay(true);
        if self.shared.has(Fault::RefuseConnections) {
            return Err(End::Quiet);
        }
        self.reply(&format!("220 {NAME} ESMTP keeps mail, delivers none")).await?;
        loop {
            let request = self.request().await?;
            if self.shared.has(Fault::RefuseConnections) {
                return Err(End::Quiet);
            }
            match request {
                Ok(request) => self.answer(request).await?,
                Err(error) => self.mistake(&syntax_reply(&error)).await?,
            }
        }
    }

    async fn answer(&mut self, request: Request<String>) -> Result<(), End> {
        match request {
            Request::Ehlo { .. } => self.ehlo().await,
            Request::Helo { .. } => {
                self.greeted = true;
                self.transaction = None;
                self.reply(&format!("250 {NAME}")).await
            }
            Request::Mail { from } => self.mail(from).await,
            Request::Rcpt { to } => self.rcpt(to.address).await,
            Request::Data => self.data().await,
            Request::Rset => {
                self.transaction = None;
                self.reply("250 2.0.0 forgotten").await
            }
            Request::Noop { .. } => self.reply("250 2.0.0 fine").await,
            Request::Help { .. } => self.reply("214 2.0.0 see RFC 5321").await,
            Request::Vrfy { .. } => self.reply("252 2.5.0 send it, any address is taken").await,
            Request::Auth { mechanism, initial_response } => self.auth(mechanism, &initial_response).await,
            Request::Quit => Err(End::Reply("221 2.0.0 bye")),
            _ => self.mistake("502 5.5.1 not implemented").await,
        }
    }

    async fn ehlo(&mut self) -> Result<(), End> {
        self.greeted = true;
        self.transaction = None;
        let mut response = EhloResponse::new(NAME);
        response.capabilities =
            EXT_8BIT_MIME | EXT_AUTH | EXT_ENHANCED_STATUS_CODES | EXT_PIPELINING | EXT_SIZE | EXT_SMTP_UTF8;
        response.auth_mechanisms = AUTH_PLAIN;
        response.size = self.shared.max_message;
        let mut text = Vec::new();
        response.write(&mut text)?;
        Ok(self.stream.write_all(&text).await?)
    }

    async fn mail(&mut self, from: MailFrom<String>) -> Result<(), End> {
        let utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if !self.greeted {
            return self.mistake("503 5.5.1 say EHLO first").await;
        }
        if self.transaction.is_some() {
            return self.mistake("503 5.5.1 one message at a time").await;
        }
        if from.size > self.shared.max_message {
            return self.reply("552 5.3.4 the message is too large").await;
        }
        if !utf8 && !from.address.is_ascii() {
            return self.reply("553 5.6.7 this address needs SMTPUTF8").await;
        }
        self.transaction = Some(Transaction { from: from.address, utf8, to: Vec::new() });
        self.reply("250 2.1.0 sender taken").await
    }

    async fn rcpt(&mut self, address: String) -> Result<(), End> {
        let temporarily_down = self.shared.has(Fault::TempFailRcpt);
        let Some(transaction) = &mut self.transaction else {
            return self.mistake("503 5.5.1 say MAIL first").await;
        };
        let reply = if temporarily_down {
            "451 4.3.0 try later"
        } else if transaction.to.len() >= RECIPIENTS {
            "452 4.5.3 too many recipients"
        } else if !transaction.utf8 && !address.is_ascii() {
            "553 5.6.7 this address needs SMTPUTF8"
        } else {
            if !transaction.to.contains(&address) {
                transaction.to.push(address);
            }
            "250 2.1.5 recipient taken"
        };
        self.reply(reply).await
    }

    async fn data(&mut self) -> Result<(), End> {
        let Some(transaction) = self.transaction.take_if(|it| !it.to.is_empty()) else {
            return self.mistake("503 5.5.1 say RCPT first").await;
        };
        self.reply("354 end with a dot on a line").await?;
        let Some(message) = self.message().await? else {
            return self.reply("552 5.3.4 the message is too large").await;
        };
        if let Err(fault) = lines::check(&message) {
            return self.reply(&format!("554 5.6.0 {fault}")).await;
        }
        let mailbox = self.shared.mailbox.clone();
        let Transaction { from, to, .. } = transaction;
        let kept = tokio::task::spawn_blocking(move || mailbox.deliver(from, to, &message)).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::error!(?kept, "the sandbox could not keep a mail");
            return self.reply("451 4.3.0 the message could not be kept").await;
        }
        if self.shared.has(Fault::DropAfterData) {
            return Err(End::Quiet);
        }
        self.reply("250 2.6.0 message kept").await
    }

    /// Takes any name and password: this server guards nothing.
    async fn auth(&mut self, mechanism: u64, initial: &str) -> Result<(), End> {
        if mechanism != AUTH_PLAIN {
            return self.mistake("504 5.5.4 only PLAIN is known").await;
        }
        if initial.is_empty() {
            self.reply("334 ").await?;
            if self.line().await? == b"*" {
                return self.mistake("501 5.7.0 cancelled").await;
            }
        }
        self.reply("235 2.7.0 welcome, whoever you are").await
    }

    /// Waits for the next command.
    async fn request(&mut self) -> Result<Result<Request<String>, Syntax>, End> {
        loop {
            if self.inbox.is_empty() {
                self.fill().await?;
            }
            let mut bytes = self.inbox.iter();
            let request = self.receiver.ingest(&mut bytes).map(Request::into_owned);
            let left = bytes.len();
            match request {
                // The receiver has kept the part of a line that came.
                Err(Syntax::NeedsMoreData { .. }) => self.inbox.clear(),
                // Where the next command starts is anybody's guess.
                Err(Syntax::ResponseTooLong) => return Err(End::Reply("500 5.5.2 line too long")),
                understood => {
                    self.keep_last(left);
                    return Ok(understood);
                }
            }
        }
    }

    /// Reads a message up to its dot, with the stuffed dots taken out. `None`: it was too large, and is read past.
    async fn message(&mut self) -> Result<Option<Vec<u8>>, End> {
        let mut receiver = DataReceiver::new();
        let mut message = Vec::new();
        let mut too_large = false;
        // The receiver looks for a dot behind a line's end: the first line stands behind one as well.
        receiver.ingest(&mut b"\r\n".iter(), &mut message);
        message.clear();
        loop {
            if self.inbox.is_empty() {
                self.fill().await?;
            }
            let mut bytes = self.inbox.iter();
            let complete = receiver.ingest(&mut bytes, &mut message);
            let left = bytes.len();
            self.keep_last(left);
            if message.len() > self.shared.max_message {
                too_large = true;
            }
            if complete {
                return Ok((!too_large).then_some(message));
            }
            if too_large {
                message.clear();
            }
        }
    }

    /// Reads one line that is not a command.
    async fn line(&mut self) -> Result<Vec<u8>, End> {
        let mut receiver = LineReceiver::new(());
        loop {
            if self.inbox.is_empty() {
                self.fill().await?;
            }
            let mut bytes = self.inbox.iter();
            let complete = receiver.ingest(&mut bytes);
            let left = bytes.len();
            self.keep_last(left);
            if complete {
                return Ok(receiver.buf);
            }
        }
    }

    async fn fill(&mut self) -> Result<(), End> {
        let (stop, idle) = (self.shared.stop.clone(), self.shared.idle);
        let mut chunk = [0; 8_192];
        let read = tokio::time::timeout(idle, self.stream.read(&mut chunk));
        let count = match stop.run_until_cancelled(read).await {
            None => return Err(End::Reply("421 4.3.2 shutting down")),
            Some(Err(_)) => return Err(End::Reply("421 4.4.2 idle for too long")),
            Some(Ok(count)) => count?,
        };
        if count == 0 {
            return Err(End::Quiet);
        }
        self.inbox.extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(())
    }

    fn keep_last(&mut self, left: usize) {
        let understood = self.inbox.len().saturating_sub(left);
        self.inbox.drain(..understood);
    }

    async fn mistake(&mut self, reply: &str) -> Result<(), End> {
        self.mistakes += 1;
        self.reply(reply).await?;
        if self.mistakes >= MISTAKES {
            return Err(End::Reply("421 4.7.0 too many mistakes"));
        }
        Ok(())
    }

    async fn reply(&mut self, line: &str) -> Result<(), End> {
        Ok(self.stream.write_all(format!("{line}\r\n").as_bytes()).await?)
    }
}

fn syntax_reply(error: &Syntax) -> String {
    match error {
        Syntax::InvalidSenderAddress => "501 5.1.7 not an address".to_owned(),
        Syntax::InvalidRecipientAddress => "501 5.1.3 not an address".to_owned(),
        Syntax::SyntaxError { syntax } => format!("501 5.5.2 it is: {syntax}"),
        Syntax::InvalidParameter { param } => format!("501 5.5.4 bad parameter {param}"),
        Syntax::UnsupportedParameter { param } => format!("555 5.5.4 unknown parameter {param}"),
        _ => "500 5.5.1 unknown command".to_owned(),
    }
}
