// All mutants at once: everything that cargo-mutants lists goes into one build, each as an arm of its function's body, behind a
// switch that the environment variable MUTANT turns; then the tests run once for each. A build a mutant takes hours, this minutes.
//   node scripts/mutants.mjs CARGO_MUTANTS FOLDER
// leaves what cargo-mutants would in FOLDER/mutants.out: caught.txt, missed.txt, timeout.txt, unviable.txt. What cannot stand beside
// its original (a function that answers `impl Trait` has one type) goes through cargo-mutants itself.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";

function groupBy(all, key) {
  const groups = new Map();
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

const [tool, folder] = process.argv.slice(2);
// What is changed while this runs changes nothing here: the files are copied once, and those that are built from there each time.
const [pristine, tree, found] = ["pristine", "tree", "mutants.out"].map((name) => join(folder, name));
const PATIENCE = 60_000;

copy();
const config = readFileSync(join(pristine, ".cargo/mutants.toml"), "utf8");
const [, listed] = /additional_cargo_test_args = (\[[^\]]*\])/.exec(config);
const args = JSON.parse(listed.replace(/,\s*\]/, "]"));
const filters = args.slice(args.indexOf("--") + 1);

const list = execFileSync(tool, ["mutants", "--dir", pristine, "--list", "--json"], { maxBuffer: 1 << 28, encoding: "utf8" });
const mutants = JSON.parse(list).map((mutant, at) => {
  // Bodies of one function that answers `impl Trait` would have to be of one type.
  const verdict = /\bimpl /.test(mutant.function.return_type) ? "alone" : null;
  return { ...mutant, number: at + 1, verdict };
});
const packages = [...new Set(mutants.map((mutant) => mutant.package))];

/** Functions that are no longer `const`, since they call one that has a switch in it: by file, the lines of errors. */
const loosened = new Map();

function copy() {
  rmSync(pristine, { recursive: true, force: true });
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { encoding: "utf8" });
  for (const file of files.split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(pristine, file)), { recursive: true });
    cpSync(file, join(pristine, file));
  }
}

/** Where a function's body begins: the first brace outside of its parameters. */
function bodyOf(text) {
  let depth = 0;
  for (let at = text.indexOf("fn "); at < text.length; at += 1) {
    if ("([".includes(text[at])) depth += 1;
    else if (")]".includes(text[at])) depth -= 1;
    else if (text[at] === "{" && depth === 0) return at;
  }
  throw new Error(`no body: ${text}`);
}

/** Writes a file with its mutants in it; the lines of each, and of each original, afterwards. */
function place(file, its) {
  const text = [...readFileSync(join(pristine, file), "utf8")];
  const starts = [0];
  text.forEach((char, at) => char === "\n" && starts.push(at + 1));
  const offset = ({ line, column }) => starts[line - 1] + column - 1;
  const range = ({ start, end }) => [offset(start), offset(end)];
  const functions = [...groupBy(its, (mutant) => range(mutant.function.span).join())];
  functions.sort(([one], [other]) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
  const [placed, pieces] = [[], []];
  let [lines, done] = [1, 0];
  const put = (piece) => {
    pieces.push(piece);
    lines += piece.split("\n").length - 1;
  };
  const slice = (from, to) => text.slice(from, to).join("");
  for (const [key, group] of functions) {
    const [from, to] = key.split(",").map(Number);
    if (from < done) throw new Error(`${file}: a function within another`);
    const body = from + bodyOf(slice(from, to));
    put(slice(done, from));
    put(`${slice(from, body).replace(/\bconst (?=(async |unsafe )*fn )/, "")}{ match crate::mutant() {\n`);
    for (const mutant of group) {
      const [start, end] = range(mutant.span);
      const first = lines;
      put(`${mutant.number} => ${slice(body, start)}${mutant.replacement}${slice(end, to)}\n`);
      placed.push({ first, last: lines - 1, mutants: [mutant] });
    }
    const first = lines;
    put(`_ => ${slice(body, to)}\n`);
    placed.push({ first, last: lines - 1, mutants: group, original: true });
    put("} }");
    done = to;
  }
  put(slice(done));
  writeFileSync(join(tree, file), pieces.join(""));
  return placed;
}

const SWITCH = `
pub(crate) fn mutant() -> usize {
    static PICKED: std::sync::LazyLock<usize> =
        std::sync::LazyLock::new(|| std::env::var("MUTANT").map_or(0, |number| number.parse().unwrap()));
    *PICKED
}
`;

function write() {
  rmSync(tree, { recursive: true, force: true });
  cpSync(pristine, tree, { recursive: true });
  const left = mutants.filter((mutant) => mutant.verdict === null);
  const byFile = [...groupBy(left, (mutant) => mutant.file)];
  const placed = new Map(byFile.map(([file, its]) => [file, place(file, its)]));
  for (const name of packages) {
    const root = join(tree, name, "src/lib.rs");
    writeFileSync(root, readFileSync(root, "utf8") + SWITCH);
  }
  for (const [file, errors] of loosened) {
    const text = readFileSync(join(tree, file), "utf8").split("\n");
    for (const line of errors) {
      const at = text.slice(0, line).findLastIndex((row) => row.includes("const fn "));
      text[at] = text[at].replace("const fn ", "fn ");
    }
    writeFileSync(join(tree, file), text.join("\n"));
  }
  return placed;
}

/** Builds; the test programs by package, or the errors. */
function build() {
  const wanted = packages.flatMap((name) => ["-p", name]);
  const run = spawnSync("cargo", ["test", ...wanted, "--lib", "--no-run", "--message-format=json"], {
    cwd: tree,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told = run.stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const messages = told.filter((one) => one.reason === "compiler-message").map((one) => one.message);
  const errors = messages.filter((message) => message.level === "error" && message.spans.length > 0);
  if (run.status !== 0 && errors.length === 0) throw new Error("the tree does not build");
  const made = told.filter((one) => one.executable);
  return { errors, programs: run.status === 0 ? new Map(made.map((one) => [one.target.name, one.executable])) : null };
}

/** Takes what does not compile out of the next build. Of a function whose original does not compile any more, all of it. */
function sort(errors, placed) {
  const met = errors.map((error) => {
    const span = error.spans.find((one) => one.is_primary) ?? error.spans[0];
    const on = (one) => one.first <= span.line_start && span.line_start <= one.last;
    return { error, span, file: span.file_name, here: (placed.get(span.file_name) ?? []).find(on) };
  });
  // Where the original does not compile, what is said of its mutants may come of their standing together.
  met.sort((one, other) => Number(other.here?.original ?? false) - Number(one.here?.original ?? false));
  for (const { error, span, file, here } of met) {
    if (here) {
      for (const mutant of here.mutants) mutant.verdict ??= here.original ? "alone" : "unviable";
    } else if (error.code?.code === "E0015") {
      loosened.set(file, [...(loosened.get(file) ?? []), span.line_start]);
    } else {
      throw new Error(`nobody knows which mutant this comes from: ${error.rendered}`);
    }
  }
}

/** Runs the tests with one mutant, or with none. */
function test(programs, { number, package: name }) {
  return new Promise((resolve, reject) => {
    // A failure that proptest kept would be found again by every later mutant.
    const env = { ...process.env, MUTANT: String(number), PROPTEST_FAILURE_PERSISTENCE: "off" };
    const run = spawn(programs.get(name), filters, { cwd: join(tree, name), env, stdio: "ignore" });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      run.kill("SIGKILL");
    }, PATIENCE);
    run.on("error", reject);
    run.on("exit", (code, signal) => {
      clearTimeout(timer);
      // A panic in a test, an abort (no stack left), a timeout: anything else that ends a program is no verdict on it.
      if (late) resolve("timeout");
      else if (code === 0) resolve("missed");
      else if (code === 101 || signal === "SIGABRT" || signal === "SIGSEGV") resolve("caught");
      else reject(new Error(`mutant ${number}: the tests end by ${signal ?? code}`));
    });
  });
}

let programs = null;
while (!programs) {
  const placed = write();
  const built = build();
  sort(built.errors, placed);
  programs = built.programs;
}
const lanes = Array.from({ length: availableParallelism() }, (_, lane) => lane);
for (const name of packages) {
  // As busy as it will be.
  const asItIs = await Promise.all(lanes.map(() => test(programs, { number: 0, package: name })));
  if (asItIs.some((verdict) => verdict !== "missed")) throw new Error(`${name}: its tests fail as it is`);
}
const queue = mutants.filter((mutant) => mutant.verdict === null);
console.log(`mutants: ${queue.length} of ${mutants.length} stand in one build`);
const work = lanes.map(async () => {
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    mutant.verdict = await test(programs, mutant);
    if (mutant.verdict !== "caught") console.log(`${mutant.verdict}: ${mutant.name}`);
  }
});
await Promise.all(work);

const alone = mutants.filter((mutant) => mutant.verdict === "alone");
if (alone.length > 0) {
  const names = alone.map((mutant) => `^${mutant.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`).join("|");
  // The fields of structs in the files of the configuration come whatever the names, so it is left out.
  const files = [...new Set(alone.map((mutant) => mutant.file))].flatMap((file) => ["--file", file]);
  const asked = ["--no-config", "--dir", pristine, "--minimum-test-timeout", "60", "--output", folder, "--jobs", "1", "--re", names, ...files];
  const run = spawnSync(tool, ["mutants", ...asked, "--", ...args], { stdio: "inherit" });
  if (![0, 2, 3].includes(run.status)) throw new Error("cargo-mutants gives no verdict");
  for (const verdict of ["caught", "missed", "timeout", "unviable"]) {
    const told = readFileSync(join(found, `${verdict}.txt`), "utf8").split("\n");
    for (const mutant of alone.filter((one) => told.includes(one.name))) mutant.verdict = verdict;
  }
}
rmSync(found, { recursive: true, force: true });
mkdirSync(found, { recursive: true });
for (const verdict of ["caught", "missed", "timeout", "unviable"]) {
  const names = mutants.filter((mutant) => mutant.verdict === verdict).map((mutant) => `${mutant.name}\n`);
  writeFileSync(join(found, `${verdict}.txt`), names.join(""));
}
for (const [file, its] of groupBy(mutants, (mutant) => mutant.file)) {
  const count = (...verdicts) => its.filter((mutant) => verdicts.includes(mutant.verdict)).length;
  console.log(`| \`${file}\` | ${its.length} | ${count("unviable")} | ${count("caught", "timeout")} | ${count("missed")} |`);
}
const none = mutants.filter((mutant) => mutant.verdict === null || mutant.verdict === "alone");
if (none.length > 0) throw new Error(`${basename(tool)} gave no verdict on ${none.map((mutant) => mutant.name)}`);
