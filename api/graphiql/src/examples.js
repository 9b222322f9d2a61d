// GraphiQL keeps its tabs in localStorage and looks at `defaultTabs` on the very first visit only. The example tabs have
// to follow the server instead: a fresh data folder means other ids and other tokens. So before GraphiQL starts, its
// stored tabs are brought up to date here. Ours are known by their id; every other tab is the user's and is kept.

const TABS = "graphiql:tabState";
const SEEN = "megilance:examples";
const ID_PREFIX = "example:";

/** Brings GraphiQL's stored tabs up to date with the examples that the server sent. */
export function installExamples(examples, storage = window.localStorage) {
  if (examples.length === 0) return;
  const state = mergeTabs(readJson(storage, TABS), examples, readJson(storage, SEEN) ?? {});
  storage.setItem(TABS, JSON.stringify(state));
  storage.setItem(SEEN, JSON.stringify(fingerprints(examples)));

  // GraphiQL keeps the open editors a second time, and opens one more tab when they match none of the stored ones.
  const active = state.tabs[state.activeTabIndex];
  for (const editor of ["query", "variables", "headers"]) {
    if (active[editor]) storage.setItem(`graphiql:${editor}`, active[editor]);
    else storage.removeItem(`graphiql:${editor}`);
  }
}

/**
 * Makes the next `installExamples` bring every example back as the server has it, closed ones too. The tabs themselves
 * are left alone: GraphiQL writes them with a delay and could undo it.
 */
export function forgetExamples(storage = window.localStorage) {
  storage.removeItem(SEEN);
}

/**
 * Examples first, in the server's order, then the user's own tabs. An example that is still the same on the server keeps
 * the user's edits, and stays closed when it was closed; its headers are always the server's, because tokens expire.
 */
export function mergeTabs(stored, examples, seen) {
  const old = Array.isArray(stored?.tabs) ? stored.tabs : [];
  const byId = new Map(old.map((tab) => [tab.id, tab]));
  const tabs = [];
  for (const example of examples) {
    const id = idOf(example);
    const known = byId.get(id);
    if (seen[id] !== fingerprint(example)) tabs.push(tabOf(example));
    else if (known) tabs.push({ ...known, headers: example.headers ?? known.headers ?? null });
  }
  tabs.push(...old.filter((tab) => !String(tab.id).startsWith(ID_PREFIX)));
  if (tabs.length === 0) tabs.push(tabOf(examples[0]));

  const activeId = old[stored?.activeTabIndex]?.id;
  const activeTabIndex = Math.max(0, tabs.findIndex((tab) => tab.id === activeId));
  return { tabs, activeTabIndex };
}

function tabOf(example) {
  const operationName = /^\s*(?:query|mutation|subscription)\s+(\w+)/m.exec(example.query)?.[1] ?? null;
  return {
    id: idOf(example),
    // GraphiQL renames a tab after its operation as soon as it is touched, so it is called that from the start.
    title: operationName ?? example.title,
    query: example.query,
    variables: example.variables ?? null,
    headers: example.headers ?? null,
    operationName,
    response: null,
  };
}

function fingerprints(examples) {
  return Object.fromEntries(examples.map((example) => [idOf(example), fingerprint(example)]));
}

/** Headers are left out: they may hold a new token at every visit, which is no reason to throw edits away. */
function fingerprint({ query, variables }) {
  return JSON.stringify([query, variables ?? null]);
}

function idOf(example) {
  return ID_PREFIX + example.title;
}

function readJson(storage, key) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}
