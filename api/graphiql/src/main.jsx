import "./workers.js";
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./style.css";

import { createRoot } from "react-dom/client";
import { readConfig } from "./config.js";
import { installExamples } from "./examples.js";
import { Page } from "./page.jsx";

const config = readConfig();
installExamples(config.tabs);
createRoot(document.getElementById("graphiql")).render(<Page config={config} />);
