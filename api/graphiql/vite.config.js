import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

export default defineConfig({
  // The server answers the page at `/` and everything it loads below `/graphiql/`.
  base: "/graphiql/",
  esbuild: { jsx: "automatic", legalComments: "none" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // Content-Security-Policy allows no inline script, and the polyfill would be one.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4000,
  },
  plugins: [compress()],
});

/** Replaces every file of the finished bundle by `<file>.gz`: the form in which build.rs embeds it. */
function compress() {
  let folder;
  return {
    name: "megilance-compress",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle(error) {
      if (error) return;
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const file = join(entry.parentPath, entry.name);
        await writeFile(`${file}.gz`, gzipSync(await readFile(file), { level: constants.Z_BEST_COMPRESSION }));
        await rm(file);
      }
    },
  };
}
