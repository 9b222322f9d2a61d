// The mailbox: a list that follows the server, and one mail opened beside it.
// The address is kept in `?to=`, the opened mail in `#id`: a reload, the back button and a shared link all work.

import { ask, copyButton, find, make } from "./sandbox.js";

const EVERY_MS = 2000;
const SHOWN = 200;

const finder = find("#finder");
const list = find("#mails");
const reader = find("#mail");

let mails = [];
let opened = null; // the id in the reader, so that polling does not reload what is being read
let shown = "";

finder.elements.to.value = new URLSearchParams(location.search).get("to") ?? "";

const chosenId = () => decodeURIComponent(location.hash.slice(1));

function when(receivedAt) {
  const time = new Date(receivedAt);
  const sameDay = time.toDateString() === new Date().toDateString();
  const text = sameDay
    ? time.toLocaleTimeString()
    : time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return make("time", { dateTime: receivedAt, title: receivedAt, textContent: text });
}

const addresses = (to) => [to].flat().join(", ");

// The list ------------------------------------------------------------------

function item(mail) {
  const line = make("span", { className: "faint small" }, when(mail.receivedAt));
  if (mail.deliveries > 1) {
    line.append(` · delivered ${mail.deliveries} times`);
  }
  const link = make("a", { href: `#${encodeURIComponent(mail.id)}` },
    make("span", { className: "subject", textContent: mail.subject || "(no subject)" }),
    make("span", { className: "small", textContent: addresses(mail.to) }),
    line);
  if (mail.id === chosenId()) {
    link.setAttribute("aria-current", "true");
  }
  return make("li", {}, link);
}

function drawList() {
  const to = finder.elements.to.value.trim();
  const items = mails.slice(0, SHOWN).map(item);
  if (items.length === 0) {
    const text = to === "" ? "No mails yet." : `No mails to ${to} yet.`;
    items.push(make("li", { className: "empty", textContent: text }));
  }
  list.replaceChildren(...items);
  const older = mails.length > SHOWN ? `, the newest ${SHOWN} shown` : "";
  find("#count").textContent = `${mails.length} ${mails.length === 1 ? "mail" : "mails"}${older}`;
}

// One mail --------------------------------------------------------------------

/** The links of a mail's HTML and text, each once. Only web links: no other scheme is made clickable. */
function linksOf(mail) {
  const links = new Set();
  // A document made this way runs nothing and loads nothing.
  const parsed = new DOMParser().parseFromString(mail.html ?? "", "text/html");
  for (const anchor of parsed.querySelectorAll("a[href]")) {
    links.add(anchor.getAttribute("href").trim());
  }
  for (const [link] of (mail.text ?? "").matchAll(/https?:\/\/[^\s<>"]+/g)) {
    links.add(link.replace(/[.,;:!?)\]]+$/, ""));
  }
  return [...links].filter((link) => /^https?:\/\//i.test(link));
}

function linkList(links) {
  const rows = links.map((link) =>
    make("li", {}, make("a", { href: link, target: "_blank", rel: "noopener noreferrer", textContent: link }),
      copyButton(link)));
  return make("div", { className: "links" },
    make("h2", { textContent: links.length === 1 ? "Link" : "Links" }),
    make("ul", {}, ...rows));
}

function paper(html) {
  const frame = make("iframe", { className: "paper", title: "The mail as HTML", referrerPolicy: "no-referrer" });
  // Empty: no scripts, no forms, no pop-ups, no origin. Set before the content is.
  frame.setAttribute("sandbox", "");
  frame.srcdoc = html;
  return frame;
}

function headers(mail) {
  const lines = (mail.headers ?? []).map(({ name, value }) => `${name}: ${value}`);
  return make("pre", { className: "plain", textContent: lines.join("\n") });
}

function tabs(mail) {
  const views = [["Text", () => make("pre", { className: "plain", textContent: mail.text })]];
  if (mail.html) {
    views.unshift(["HTML", () => paper(mail.html)]);
  }
  if (mail.headers?.length) {
    views.push(["Headers", () => headers(mail)]);
  }
  const panel = make("div", { role: "tabpanel", tabIndex: 0 });
  const bar = make("div", { className: "tabs", role: "tablist", ariaLabel: "Views of this mail" });
  const buttons = views.map(([name, view]) => {
    const button = make("button", { type: "button", role: "tab", textContent: name });
    button.addEventListener("click", () => {
      for (const other of buttons) {
        other.setAttribute("aria-selected", String(other === button));
      }
      panel.replaceChildren(view());
    });
    return button;
  });
  bar.append(...buttons);
  buttons[0].click();
  return [bar, panel];
}

function drawMail() {
  const id = chosenId();
  const mail = mails.find((one) => one.id === id);
  find("#mailbox").classList.toggle("reading", mail !== undefined);
  if (mail === undefined) {
    opened = null;
    reader.replaceChildren(make("p", { className: "empty", textContent: "Choose a mail to read it." }));
    return;
  }
  if (opened === id) {
    return;
  }
  opened = id;
  const back = make("a", { className: "back", href: "#", textContent: "← All mails" });
  const head = make("header", {},
    make("h2", { textContent: mail.subject || "(no subject)" }),
    make("p", { className: "small", textContent: `To ${addresses(mail.to)}` }),
    make("p", { className: "small faint" }, mail.from ? `From ${mail.from} · ` : "", when(mail.receivedAt)));
  const links = linksOf(mail);
  reader.replaceChildren(back, head, ...(links.length > 0 ? [linkList(links)] : []), ...tabs(mail));
}

// Following the server -----------------------------------------------------------

async function refresh() {
  const to = finder.elements.to.value.trim();
  const trouble = find("#trouble");
  try {
    const query = to === "" ? "" : `?to=${encodeURIComponent(to)}`;
    const answer = await ask(`/sandbox/mail/api${query}`);
    if (to !== finder.elements.to.value.trim()) {
      return; // somebody typed meanwhile: this is the answer to an older question
    }
    trouble.hidden = true;
    const signature = JSON.stringify([to, answer.map((mail) => [mail.id, mail.deliveries])]);
    if (signature !== shown) {
      shown = signature;
      mails = answer;
      drawList();
      drawMail();
    }
  } catch (error) {
    trouble.textContent = `${error.message} Trying again.`;
    trouble.hidden = false;
  }
}

async function follow() {
  if (!document.hidden) {
    await refresh();
  }
  setTimeout(follow, EVERY_MS);
}

finder.addEventListener("submit", (event) => event.preventDefault());
finder.addEventListener("input", () => {
  const to = finder.elements.to.value.trim();
  const query = to === "" ? "" : `?to=${encodeURIComponent(to)}`;
  history.replaceState(null, "", `${location.pathname}${query}${location.hash}`);
  refresh();
});
window.addEventListener("hashchange", () => {
  drawList();
  drawMail();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());

follow();
