import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { ToolbarButton } from "@graphiql/react";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { webSocketUrl } from "./config.js";
import { forgetExamples } from "./examples.js";
import { WELCOME } from "./welcome.js";

const PLUGINS = [explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];

/** @param {{ config: import("./config.js").Config }} props */
export function Page({ config }) {
  const hasExamples = config.tabs.length > 0;
  return (
    <GraphiQL
      fetcher={fetcherFor(config)}
      plugins={PLUGINS}
      defaultQuery={WELCOME}
      defaultEditorToolsVisibility
      isHeadersEditorEnabled
      // The examples carry the demo accounts' tokens. Without them the page is a real server's, and keeps no token.
      shouldPersistHeaders={hasExamples}
      showPersistHeadersSettings
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <a className="graphiql-logo-link" href="/">
          MegiLance
        </a>
      </GraphiQL.Logo>
      <GraphiQL.Toolbar>
        {({ prettify, merge, copy }) => (
          <>
            {prettify}
            {merge}
            {copy}
            {hasExamples && <ResetButton />}
          </>
        )}
      </GraphiQL.Toolbar>
    </GraphiQL>
  );
}

/**
 * Queries and mutations by POST, subscriptions by graphql-transport-ws. The toolkit hands the open tab's headers to
 * `connection_init` as its payload, so the header `Authorization` authenticates both.
 */
function fetcherFor(config) {
  return createGraphiQLFetcher({
    url: config.endpoint,
    subscriptionUrl: webSocketUrl(config.subscriptionEndpoint),
    // The API has neither @defer nor @stream, so nothing needs to be asked for as multipart.
    enableIncrementalDelivery: false,
  });
}

function ResetButton() {
  const reset = () => {
    forgetExamples();
    window.location.reload();
  };
  return (
    <ToolbarButton onClick={reset} label="Reset to examples (your own tabs stay)">
      <svg className="graphiql-toolbar-icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" aria-hidden="true">
        <path d="M3 2.5v4h4M3.4 6.2a5.3 5.3 0 1 1-.6 3.6" strokeWidth="1.2" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
    </ToolbarButton>
  );
}
