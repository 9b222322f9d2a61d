// What changed in the schema since the last release, by graphql-inspector: node inspect.mjs. A breaking change fails,
// unless baseline/breaking.json says why it had to be; removing what the last release had deprecated is not one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CriticalityLevel, DiffRule, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";
import { check, finish } from "./report.mjs";

const text = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const released = text("baseline/schema.graphql");
/** `[{ change, path, reason }]`: graphql-inspector's name of the change, where it is, and why it may be. */
const allowed = JSON.parse(text("baseline/breaking.json"));

const changes = await diff(buildSchema(released), buildSchema(text("../../schema.graphql")), [
  DiffRule.ignoreDescriptionChanges,
  DiffRule.suppressRemovalOfDeprecatedField,
]);
const at = (level) => changes.filter((it) => it.criticality.level === level);
const breaking = at(CriticalityLevel.Breaking);
const isAllowed = (it) => allowed.some(({ change, path }) => change === it.type && path === it.path);
console.log(`since the last release: ${at(CriticalityLevel.NonBreaking).length} additions, ${at(CriticalityLevel.Dangerous).length} dangerous, ${breaking.length} breaking changes`);
for (const it of at(CriticalityLevel.Dangerous)) console.log(`      dangerous: ${it.message}`);

await check("nothing that clients rely on broke since the last release", () => {
  const broken = breaking.filter((it) => !isAllowed(it)).map((it) => `${it.type} ${it.path}: ${it.message}`);
  assert.deepEqual(broken, []);
});

await check("what is allowed to break has a reason, and did break", () => {
  for (const { change, path, reason } of allowed) {
    assert.ok(reason?.length > 10, `${change} ${path} has no reason`);
    assert.ok(breaking.some((it) => it.type === change && it.path === path), `${change} ${path} is not so: take it off the list`);
  }
});

await check("the baseline is the schema of the last release", () => {
  const [, version] = /^version = "(.+)"$/m.exec(text("../../Cargo.toml"));
  const tagged = ofTag(`v${version}`);
  // Not tagged: before the first release, right before the next one, or a clone without tags.
  if (tagged === undefined) return console.log(`      there is no tag v${version} here: the baseline in the repository is what counts`);
  assert.equal(tagged, released, `tests/peers/baseline/schema.graphql is not that of v${version}: see "Working on it" in the README`);
});

finish();

function ofTag(tag) {
  try {
    const cwd = new URL("../..", import.meta.url);
    return execFileSync("git", ["show", `refs/tags/${tag}:schema.graphql`], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}
