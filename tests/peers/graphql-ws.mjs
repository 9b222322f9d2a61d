// A graphql-transport-ws client that is not ours: node graphql-ws.mjs http://127.0.0.1:8080 TOKEN
import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { check, finish, parameters } from "./report.mjs";

const [base, token] = parameters("BASE_URL", "TOKEN");
const url = new URL("/graphql/ws", base.replace(/^http/, "ws")).href;
const Authorization = `Bearer ${token}`;
const PROTOCOL = "graphql-transport-ws";
const SECONDS = 5;

await check("connects with a token, pings and is answered", async () => {
  let pong;
  const ponged = new Promise((resolve) => (pong = resolve));
  const client = connect({ Authorization }, { keepAlive: 200, on: { pong: (received) => received && pong() } });
  await within(ponged, "no pong");
  await client.dispose();
});

await check("answers a query over the socket", async () => {
  const client = connect({ Authorization });
  const result = await within(first(client, "{ viewer { id displayName } }"), "no answer");
  assert.equal(result.errors, undefined, JSON.stringify(result.errors));
  assert.ok(result.data.viewer?.id, "the token's owner is the viewer");
  await client.dispose();
});

await check("without a token the viewer is nobody", async () => {
  const client = connect(undefined);
  const result = await within(first(client, "{ viewer { id } }"), "no answer");
  assert.deepEqual(result.data, { viewer: null });
  await client.dispose();
});

await check("subscribes, stays subscribed and completes on demand", async () => {
  const client = connect({ Authorization });
  const seen = await listen(client, "subscription { notificationReceived { __typename } }", 1000);
  assert.deepEqual(seen, []);
  await client.dispose();
});

await check("a subscription without a token is refused", async () => {
  const client = connect(undefined);
  const seen = await listen(client, "subscription { notificationReceived { __typename } }", 2000);
  assert.ok(seen.length > 0, "it was let in");
  assert.match(JSON.stringify(seen), /UNAUTHENTICATED/);
  await client.dispose();
});

await check("an invalid document is an error message, and the socket lives on", async () => {
  const client = connect({ Authorization });
  const seen = await listen(client, "subscription { thereIsNoSuchField }", 2000);
  assert.ok(seen.length > 0 && !seen.some((it) => "code" in it && it.code >= 4000), JSON.stringify(seen));
  const result = await within(first(client, "{ __typename }"), "no answer");
  assert.deepEqual(result.data, { __typename: "Query" });
  await client.dispose();
});

await check("a forged token is refused at connection_init with 4403", async () => {
  const { code } = await closed([{ type: "connection_init", payload: { Authorization: "Bearer not-a-token" } }]);
  assert.equal(code, 4403);
});

await check("subscribing before connection_init closes with 4401", async () => {
  const { code } = await closed([{ type: "subscribe", id: "1", payload: { query: "{ __typename }" } }]);
  assert.equal(code, 4401);
});

await check("a second connection_init closes with 4429", async () => {
  const { code } = await closed([{ type: "connection_init" }, { type: "connection_init" }]);
  assert.equal(code, 4429);
});

await check("a message that is none closes with 4400", async () => {
  const { code } = await closed(["this is not JSON"]);
  assert.equal(code, 4400);
});

await check("the same id twice closes with 4409", async () => {
  const subscribe = { type: "subscribe", id: "1", payload: { query: "subscription { notificationReceived { __typename } }" } };
  const { code } = await closed([{ type: "connection_init", payload: { Authorization } }], [subscribe, subscribe]);
  assert.equal(code, 4409);
});

await check("another subprotocol gets no connection that speaks it", async () => {
  const socket = new WebSocket(url, "graphql-ws");
  const outcome = await within(
    new Promise((resolve) => {
      socket.on("open", () => resolve("open"));
      socket.on("error", () => resolve("refused"));
      socket.on("close", () => resolve("refused"));
    }),
    "neither opened nor refused",
  );
  socket.terminate();
  assert.equal(outcome, "refused");
});

finish();

function connect(connectionParams, options = {}) {
  return createClient({ url, webSocketImpl: WebSocket, connectionParams, lazy: !options.keepAlive, retryAttempts: 0, onNonLazyError: () => {}, ...options });
}

/** The first result of an operation. */
function first(client, query) {
  return new Promise((resolve, reject) => {
    client.subscribe({ query }, { next: resolve, error: reject, complete: () => reject(new Error("completed without a result")) });
  });
}

/** Everything that a subscription says in that time: results, errors, the socket's end. */
async function listen(client, query, milliseconds) {
  const seen = [];
  const said = (it) => seen.push(it instanceof Error ? { message: it.message } : (it?.reason !== undefined ? { code: it.code, reason: it.reason } : it));
  const unsubscribe = client.subscribe({ query }, { next: said, error: said, complete: () => {} });
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  unsubscribe();
  return seen;
}

/** Sends messages by hand, some of them after the server's first answer, and waits for the server to hang up. */
function closed(messages, afterwards = []) {
  const socket = new WebSocket(url, PROTOCOL);
  const send = (it) => socket.send(typeof it === "string" ? it : JSON.stringify(it));
  socket.on("open", () => messages.forEach(send));
  socket.once("message", () => afterwards.forEach(send));
  const end = new Promise((resolve, reject) => {
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
    socket.on("error", reject);
  });
  return within(end, "the server did not close").finally(() => socket.terminate());
}

function within(promise, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${SECONDS} s`)), SECONDS * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
