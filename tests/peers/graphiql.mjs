// GraphiQL in Chromium with the network closed: node graphiql.mjs http://127.0.0.1:8080 SCREENSHOT_FOLDER
//
// Wants a fresh `megilance dev`: it runs every example tab as it is, in order, and most can be run only once.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Client, until } from "./client.mjs";
import { check, finish, parameters } from "./report.mjs";

const [base, folder] = parameters("BASE_URL", "SCREENSHOT_FOLDER");
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SECONDS = 20;
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  // Chromium's own sandbox does not start as root, which CI is. The only pages opened are ours.
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
context.setDefaultTimeout(SECONDS * 1000);

const outside = [];
await context.route(
  (url) => url.protocol.startsWith("http") && !LOOPBACK.has(url.hostname),
  (route) => {
    outside.push(route.request().url());
    return route.abort();
  },
);

const violations = [];
await context.exposeFunction("reportViolation", (violation) => violations.push(violation));
await context.addInitScript(() => {
  document.addEventListener("securitypolicyviolation", (event) =>
    window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
  );
});

const complaints = [];
const frames = [];
const page = await context.newPage();
page.on("pageerror", (error) => complaints.push(`uncaught ${error.message}`));
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("websocket", (socket) => {
  if (!LOOPBACK.has(new URL(socket.url()).hostname)) outside.push(socket.url());
  const keep = (direction) => (frame) => frames.push({ direction, url: socket.url(), ...JSON.parse(String(frame.payload)) });
  socket.on("framesent", keep("sent"));
  socket.on("framereceived", keep("received"));
});

let pictures = 0;
const picture = (name) =>
  page.screenshot({ path: join(folder, `${String((pictures += 1)).padStart(2, "0")}-${name}.png`) });

const queryEditor = page.locator(".graphiql-query-editor .monaco-editor");
const tab = (index) => page.locator(`#graphiql-session-tab-${index}`);
const editors = () =>
  page.evaluate(() => {
    const { tabs } = JSON.parse(localStorage.getItem("graphiql:tabState"));
    return tabs.map(({ id, query, headers }) => ({ id, query, headers }));
  });

let config;
await check("the page opens, with its title and icon", async () => {
  const response = await page.goto(base);
  assert.equal(response.status(), 200);
  for (const header of ["content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy"]) {
    assert.ok(response.headers()[header], header);
  }
  assert.doesNotMatch(response.headers()["content-security-policy"], /script-src[^;]*unsafe/);
  await queryEditor.waitFor();
  assert.equal(await page.title(), "MegiLance GraphQL");
  const icon = await page.locator('link[rel="icon"]').getAttribute("href");
  assert.equal((await context.request.get(new URL(icon, base).href)).status(), 200);
  config = JSON.parse(await page.locator("#megilance-config").textContent());
  assert.ok(config.tabs.length > 0, "the server sent no example tabs");
  await page.locator(".graphiql-query-editor .mtk1").first().waitFor();
  await picture("open");
});

await check("the explorer, the documentation and the history are there", async () => {
  for (const [plugin, content] of [
    ["Documentation Explorer", "Root Types"],
    ["History", "History"],
    ["GraphiQL Explorer", "proposalCount"],
  ]) {
    await page.getByRole("button", { name: `Show ${plugin}` }).click();
    await page.locator(".graphiql-plugin").getByText(content).first().waitFor();
    await picture(plugin.toLowerCase().replaceAll(" ", "-"));
  }
  await page.getByRole("button", { name: "Hide GraphiQL Explorer" }).click();
});

await check("the header editor holds the token", async () => {
  const index = config.tabs.findIndex((it) => it.headers);
  await tab(index).click();
  await page.getByRole("button", { name: "Headers", exact: true }).click();
  await page.locator(".graphiql-editor-tool").getByText("Bearer").first().waitFor();
  await picture("headers");
  await page.getByRole("button", { name: "Variables", exact: true }).click();
});

for (const [index, example] of config?.tabs.entries() ?? []) {
  await check(`tab ${index + 1}: ${example.title}`, async () => {
    await open(index, example);
    const isSubscription = /^subscription\b/m.test(example.query);
    const operations = [...example.query.matchAll(/^(?:query|mutation) (\w+)/gm)].map(([, name]) => name);
    if (isSubscription) await watch(example);
    else if (operations.length === 1) await ask(example);
    // A day: one after the other, as the menu of the button lists them.
    else for (const operation of operations) await ask(example, operation);
    await picture(example.title.toLowerCase().replaceAll(" ", "-"));
    // The same button stops a running subscription.
    if (isSubscription) await page.locator(".graphiql-execute-button").click();
  });
}

await check("the language workers run: an unknown field is underlined", async () => {
  await page.getByRole("button", { name: "New tab" }).click();
  await write("query Mine { thereIsNoSuchField }");
  await page.locator(".squiggly-error").first().waitFor();
  assert.ok(page.workers().length > 0, "no worker was started");
  for (const worker of page.workers()) assert.ok(worker.url().startsWith(new URL("/graphiql/", base).href), worker.url());
  await picture("unknown-field");
});

await check("tabs and edits outlive a reload", async () => {
  await tab(0).click();
  await write("query Edited { __typename }");
  await page.waitForFunction(() => localStorage.getItem("graphiql:tabState").includes("Edited"));
  await reload();
  const tabs = await editors();
  assert.equal(tabs.length, config.tabs.length + 1);
  assert.match(tabs[0].query, /Edited/);
  assert.match(tabs.at(-1).query, /Mine/);
  config.tabs.forEach((example, index) => assert.equal(tabs[index].headers || undefined, example.headers, example.title));
  await queryEditor.getByText("Edited").waitFor();
});

await check("an example that changed on the server is refreshed, the user's tabs stay", async () => {
  await page.evaluate(() => {
    const seen = JSON.parse(localStorage.getItem("megilance:examples"));
    for (const id of Object.keys(seen)) seen[id] = "another database";
    localStorage.setItem("megilance:examples", JSON.stringify(seen));
  });
  await reload();
  await areExamplesAndMine();
});

await check("a closed example comes back by the reset button", async () => {
  await tab(1).click();
  await page.locator(".graphiql-tab-close").nth(1).click();
  await page.waitForFunction((count) => JSON.parse(localStorage.getItem("graphiql:tabState")).tabs.length === count, config.tabs.length);
  await reload();
  assert.equal((await editors()).length, config.tabs.length, "it stays closed over a reload");
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: /^Reset to examples/ }).click()]);
  await queryEditor.waitFor();
  await areExamplesAndMine();
  await picture("reset");
});

await check("the dark theme", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await reload();
  await picture("dark");
});

await check("the link in a mail leads to a page that proves the address", async () => {
  const client = new Client(base);
  const person = { email: "newcomer@example.com", password: "plum-ferry-anchor-42", displayName: "New Comer", role: "CLIENT" };
  const { session } = await client.mutate("accountRegister", person, "session { accessToken }");
  client.token = session.accessToken;
  const mail = await until("the mail", async () => {
    const answer = await fetch(new URL(`/sandbox/mail/api?to=${person.email}`, base));
    return (await answer.json())[0];
  });
  const link = /http\S*\/verify\?token=\S+/.exec(mail.text)[0];
  const reader = await context.newPage();
  await reader.goto(link);
  await reader.getByRole("button", { name: "Prove this address" }).click();
  await reader.getByText("the address is proven").waitFor();
  await reader.screenshot({ path: join(folder, "21-a-mailed-link.png") });
  const { viewer } = await client.ask("{ viewer { emailVerifiedAt } }");
  assert.ok(viewer.emailVerifiedAt);
});

await check("no request left the machine", () => assert.deepEqual(outside, []));
await check("the Content-Security-Policy was not violated", () => assert.deepEqual(violations, []));
await check("the console has no errors", () => assert.deepEqual(complaints, []));

await browser.close();
finish();

/** Opens a tab. GraphiQL reads a new text 100 ms later; until then, it would run it by the last tab's operation name. */
async function open(index, example) {
  await tab(index).click();
  await page.waitForFunction((query) => localStorage.getItem("graphiql:query") === query, example.query);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Runs a query or mutation, by its name where there are several, and looks at the answer. */
async function ask(example, operation) {
  const answered = page.waitForResponse((response) => {
    if (new URL(response.url()).pathname !== config.endpoint) return false;
    const sent = response.request().postDataJSON();
    return sent?.query?.trim() === example.query.trim() && (!operation || sent.operationName === operation);
  });
  await page.locator(".graphiql-execute-button").click();
  if (operation) await page.getByRole("menuitem", { name: operation, exact: true }).click();
  const response = await answered;
  const body = await response.json();
  assert.equal(response.status(), 200, `${operation ?? ""} ${JSON.stringify(body)}`);
  hasNoErrors(body);
  await page.locator(".result-window").getByText('"data"').first().waitFor();
}

/** Runs a subscription to a payment, pays it from the sandbox's wallet, and waits for the news. */
async function watch(example) {
  frames.length = 0;
  await page.locator(".graphiql-execute-button").click();
  const [init] = await framesLike((frame) => frame.type === "connection_init");
  assert.equal(new URL(init.url).pathname, config.subscriptionEndpoint);
  assert.equal(init.payload?.Authorization, JSON.parse(example.headers).Authorization);
  await framesLike((frame) => frame.type === "subscribe");
  const payment = await context.request.post(new URL("/sandbox/wallet/pay", base).href, {
    data: { paymentId: JSON.parse(example.variables).paymentId },
  });
  assert.ok(payment.ok(), `${payment.status()} ${await payment.text()}`);
  const news = await framesLike((frame) => frame.type === "next" || frame.type === "error");
  for (const frame of news) {
    assert.equal(frame.type, "next", JSON.stringify(frame));
    hasNoErrors(frame.payload);
  }
  await page.locator(".result-window").getByText('"data"').first().waitFor();
}

async function framesLike(wanted) {
  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end) {
    const found = frames.filter(wanted);
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${SECONDS} s in vain; the socket said ${JSON.stringify(frames)}`);
}

/** Neither GraphQL errors nor, at any depth, `userErrors`. */
function hasNoErrors(body) {
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  assert.ok(body.data, "no data");
  JSON.stringify(body.data, (key, value) => {
    if (key === "userErrors") assert.deepEqual(value, []);
    return value;
  });
}

/** Replaces what the query editor holds. */
async function write(text) {
  await queryEditor.click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(text);
}

async function reload() {
  await page.reload();
  await queryEditor.waitFor();
  await page.locator(".graphiql-query-editor .view-line span span").first().waitFor();
}

/** The tabs are the server's examples, untouched, and then the one this test wrote. */
async function areExamplesAndMine() {
  const tabs = await editors();
  assert.deepEqual(tabs.slice(0, -1).map((it) => it.query), config.tabs.map((it) => it.query));
  assert.match(tabs.at(-1).query, /Mine/);
}
