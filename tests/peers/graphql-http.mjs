// The audits of GraphQL over HTTP, from the reference implementation: node graphql-http.mjs http://127.0.0.1:8080
import assert from "node:assert/strict";
import { auditServer } from "graphql-http";
import { check, finish, parameters } from "./report.mjs";

const [base] = parameters("BASE_URL");
// A release of the package that audits less would otherwise go unnoticed.
const AUDITS = 61;

const results = await auditServer({ url: new URL("/graphql", base).href });
for (const result of results) {
  await check(`${result.id} ${result.name}`, async () => {
    if (result.status === "ok") return;
    const { status, headers } = result.response ?? {};
    const body = await result.response?.text().catch(() => "(body already read)");
    assert.fail(`${result.status}: ${result.reason}\n${status} ${headers?.get("content-type")}\n${body}`);
  });
}
await check(`all ${AUDITS} audits were made`, () => assert.equal(results.length, AUDITS));
finish();
