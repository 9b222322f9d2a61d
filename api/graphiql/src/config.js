/**
 * What the server put into the page: a JSON data block, which is never executed, in place of the placeholder comment
 * in index.html.
 *
 * @typedef {{ title: string, query: string, variables?: string, headers?: string }} Example
 * @typedef {{ endpoint: string, subscriptionEndpoint: string, tabs: Example[] }} Config
 */

/** @returns {Config} */
export function readConfig() {
  const block = document.getElementById("megilance-config");
  const given = block ? JSON.parse(block.textContent) : {};
  return { endpoint: "/graphql", subscriptionEndpoint: "/graphql/ws", tabs: [], ...given };
}

/** The absolute `ws:` or `wss:` address of a path on this server. */
export function webSocketUrl(path) {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
