// Compiles SandboxUsdc.sol into SandboxUsdc.json (abi and deployment bytecode), which the Rust crate embeds.
//   node build.mjs          write the file
//   node build.mjs --check  fail if the committed file is not what the source compiles to
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const source = "SandboxUsdc.sol";
const target = here("SandboxUsdc.json");

const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { [source]: { content: readFileSync(here(source), "utf8") } },
      settings: {
        optimizer: { enabled: true, runs: 200 },
        evmVersion: "cancun",
        // No metadata hash: the bytecode then depends on the code alone, not on comments.
        metadata: { bytecodeHash: "none", appendCBOR: false },
        outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
      },
    }),
  ),
);

for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if (output.errors?.length) process.exit(1);

const { abi, evm } = output.contracts[source].SandboxUsdc;
const built =
  JSON.stringify({ compiler: solc.version(), abi, bytecode: `0x${evm.bytecode.object}` }, null, 2) + "\n";

if (process.argv.includes("--check")) {
  let committed = "";
  try {
    committed = readFileSync(target, "utf8");
  } catch {
    // Missing counts as stale.
  }
  if (committed !== built) {
    console.error("SandboxUsdc.json is stale: run `npm ci && npm run build` in sandbox/token and commit the result");
    process.exit(1);
  }
} else {
  writeFileSync(target, built);
}
