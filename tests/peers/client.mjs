// A plain GraphQL client: HTTP for questions, a WebSocket for news. It knows nothing of megilance but its conventions.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

/** The connection broke before an answer came: nobody knows whether the server did it. */
export class Lost extends Error {}

/** The server said why not, in `userErrors`. */
export class Refused extends Error {
  constructor(name, userErrors) {
    super(`${name}: ${userErrors.map(({ code, field, message }) => `${code} ${field ?? ""} ${message}`).join("; ")}`);
    this.userErrors = userErrors;
  }
}

/** A person's client. Anonymous until it has a token. */
export class Client {
  constructor(base) {
    this.base = base;
    this.token = undefined;
  }

  /** Asks, and gives the data. GraphQL errors and statuses from 500 on are thrown. */
  async ask(query, variables = {}) {
    const { status, body } = await this.post({ query, variables });
    if (body.errors) throw new Error(`${status} ${JSON.stringify(body.errors)}`);
    return body.data;
  }

  /** Calls a mutation of one `input`, and gives its payload; `userErrors` are thrown as Refused. */
  async mutate(name, input, selection) {
    const payload = await this.attempt(name, input, selection);
    if (payload.userErrors.length > 0) throw new Refused(name, payload.userErrors);
    return payload;
  }

  /** Calls a mutation, and gives its payload, `userErrors` and all. */
  async attempt(name, input, selection) {
    const type = `${name[0].toUpperCase()}${name.slice(1)}Input`;
    const data = await this.ask(
      `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} userErrors { code field message } } }`,
      { input },
    );
    return data[name];
  }

  async post(question) {
    const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    let response, text;
    try {
      response = await fetch(new URL("/graphql", this.base), {
        method: "POST",
        headers,
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(20_000),
      });
      text = await response.text();
    } catch (error) {
      throw new Lost(`${error.message}: ${error.cause?.message ?? ""}`);
    }
    if (response.status === 429) {
      const seconds = Number(response.headers.get("retry-after") ?? 1);
      await sleep(seconds * 1000);
      return this.post(question);
    }
    if (response.status >= 500) throw new Error(`HTTP ${response.status}: ${text}`);
    return { status: response.status, body: JSON.parse(text) };
  }

  /** Subscribes, and waits until `wanted` says yes to what comes. Comes back by itself when the socket breaks. */
  async watch(query, variables, wanted, { seconds = 60 } = {}) {
    const socket = createClient({
      url: new URL("/graphql/ws", this.base.replace(/^http/, "ws")).href,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${this.token}` },
      retryAttempts: Infinity,
      retryWait: () => sleep(200),
      shouldRetry: () => true,
    });
    let last;
    try {
      return await new Promise((resolve, reject) => {
        const late = () => reject(new Error(`waited ${seconds} s in vain; last came ${JSON.stringify(last)}`));
        setTimeout(late, seconds * 1000).unref();
        socket.subscribe(
          { query, variables },
          {
            next: ({ data, errors }) => {
              if (errors) return reject(new Error(JSON.stringify(errors)));
              last = data;
              if (wanted(data)) resolve(data);
            },
            // A socket that is closed for good has a code instead of words.
            error: (error) =>
              reject(error?.code ? new Lost(`the socket closed with ${error.code}`) : new Error(JSON.stringify(error?.message ?? error))),
            complete: () => reject(new Error(`the subscription ended; last came ${JSON.stringify(last)}`)),
          },
        );
      });
    } finally {
      await socket.dispose();
    }
  }
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks again and again until there is an answer. */
export async function until(what, ask, { seconds = 30, every = 200 } = {}) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(every);
  }
}
