//! What goes over the wire: the headers and the two parts of a mail.

use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use url::Url;

use super::OutgoingMail;
use crate::ports::PortError;

/// The mail with all its headers. Nothing in it can break out of its header line.
pub(super) fn build(mail: &OutgoingMail, from: &Mailbox) -> Result<Message, PortError> {
    let to: Mailbox = mail.to.parse().map_err(|_| super::refused("the address is not one".to_owned()))?;
    if mail.subject.chars().any(char::is_control) {
        return Err(super::refused("the subject is more than one line".to_owned()));
    }
    if !mail.message_id.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'<' | b'>')) {
        return Err(super::refused("the Message-ID has a character that it must not have".to_owned()));
    }
    let mut message = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(mail.subject.clone())
        .message_id(Some(format!("<{}>", mail.message_id)));
    if let Some(url) = &mail.unsubscribe_url {
        // A URL in its normal form is one ASCII word: it may be long, but needs no encoding.
        let url =
            Url::parse(url).map_err(|_| super::refused("the unsubscribe link is not a URL".to_owned()))?;
        message = message
            .raw_header(raw("List-Unsubscribe", format!("<{url}>")))
            .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    message
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(|error| super::refused(format!("the mail cannot be written: {error}")))
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> OutgoingMail {
        OutgoingMail {
            to: "Ada <ada@example.com>".to_owned(),
            subject: "Meilenstein bezahlt: 12,50 USDC für Zoë".to_owned(),
            html: "<p>Hello, Zoë</p>".to_owned(),
            text: "Hello, Zoë".to_owned(),
            message_id: "01hzy.payment-completed@megilance.example".to_owned(),
            unsubscribe_url: Some(format!("https://megilance.example/unsubscribe?token={}", "a".repeat(120))),
        }
    }

    fn from() -> Mailbox {
        "MegiLance <no-reply@megilance.example>".parse().unwrap()
    }

    #[test]
    fn a_mail_has_both_parts_and_its_headers() {
        let text = String::from_utf8(build(&mail(), &from()).unwrap().formatted()).unwrap();
        assert!(text.is_ascii(), "any server takes it");
        assert!(text.contains("Content-Type: multipart/alternative;"), "{text}");
        let (plain, html) = (text.find("text/plain").unwrap(), text.find("text/html").unwrap());
        assert!(plain < html, "the best part comes last");
        let token = "a".repeat(120);
        for line in [
            "From: MegiLance <no-reply@megilance.example>\r\n",
            "To: Ada <ada@example.com>\r\n",
            "Message-ID: <01hzy.payment-completed@megilance.example>\r\n",
            &format!("List-Unsubscribe: <https://megilance.example/unsubscribe?token={token}>\r\n"),
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert!(text.contains("\r\nDate: "));
        let without = OutgoingMail { unsubscribe_url: None, ..mail() };
        let text = String::from_utf8(build(&without, &from()).unwrap().formatted()).unwrap();
        assert!(!text.contains("List-Unsubscribe"));
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        for bad in [
            OutgoingMail { to: "ada@example.com\r\nBcc: eve@example.com".to_owned(), ..mail() },
            OutgoingMail { to: "nobody".to_owned(), ..mail() },
            OutgoingMail { subject: "a\r\nBcc: eve@example.com".to_owned(), ..mail() },
            OutgoingMail { message_id: "a@b>\r\nBcc: eve@example.com".to_owned(), ..mail() },
            OutgoingMail { unsubscribe_url: Some("not a url".to_owned()), ..mail() },
        ] {
            assert!(matches!(build(&bad, &from()), Err(PortError::Refused { port: "mail", .. })), "{bad:?}");
        }
        let url = "https://megilance.example/u?a=\r\nBcc: eve@example.com".to_owned();
        let odd = OutgoingMail { unsubscribe_url: Some(url), ..mail() };
        let text = String::from_utf8(build(&odd, &from()).unwrap().formatted()).unwrap();
        assert!(!text.contains("\nBcc"), "{text}");
    }
}
