// What the sandbox's pages share: building elements, asking the server, copying.

/** Makes an element. Text is always text: nothing that came over the wire is read as markup. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const find = (selector) => document.querySelector(selector);

/** Asks the server. With a body it is a POST of JSON. Throws what the server says is wrong. */
export async function ask(path, body) {
  const request = { headers: { accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    request.method = "POST";
    request.headers["content-type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new Error("The server does not answer.");
  }
  const text = await response.text();
  let answer;
  try {
    answer = text === "" ? {} : JSON.parse(text);
  } catch {
    answer = { error: text };
  }
  if (!response.ok) {
    throw new Error(reason(answer) ?? `The server answered ${response.status} ${response.statusText}`);
  }
  return answer;
}

function reason(answer) {
  const said = answer?.error?.message ?? answer?.error ?? answer?.message;
  return typeof said === "string" && said !== "" ? said : undefined;
}

/** A button that copies, and says so for a moment. */
export function copyButton(text) {
  const button = make("button", { type: "button", className: "quiet", textContent: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Not allowed here (plain HTTP on another name, say): the text can be selected by hand.
      button.textContent = "Select it";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

/** Shows names and values as a list, each value with its copy button. */
export function values(entries) {
  const rows = entries.map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const shown = make("dd", {}, make("code", { textContent: text }), copyButton(text));
    return make("div", {}, make("dt", { textContent: name }), shown);
  });
  return make("dl", { className: "values" }, ...rows);
}

/** `usdcAddress` as people write it: USDC address. */
export function spaced(name) {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const known = words.replace(/\b(rpc|url|usdc|smtp)\b/g, (word) => word.toUpperCase());
  return known.charAt(0).toUpperCase() + known.slice(1);
}

/** Runs a form's task when it is sent, and shows its outcome in the box below the form. */
export function onSend(form, box, task) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit], button:not([type])");
    button.disabled = true;
    try {
      const [title, content] = await task();
      show(box, false, title, content);
    } catch (error) {
      show(box, true, "That did not work", make("p", { textContent: error.message }));
    } finally {
      button.disabled = false;
    }
  });
}

function show(box, failed, title, content) {
  box.classList.toggle("failed", failed);
  box.replaceChildren(make("h3", { textContent: title }), content);
  box.hidden = false;
}
