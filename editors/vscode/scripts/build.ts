/** Bundle the extension into one file, and write the licences of the packages that are in it. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const { metafile } = await build({
  entryPoints: ["src/extension.ts"],
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
  minify: true,
  metafile: true,
  outfile: "out/extension.cjs",
  logLevel: "warning",
});

const PACKAGE = /^(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//;
const folders = new Set(
  Object.keys(metafile.inputs).flatMap((path) => PACKAGE.exec(path)?.[1] ?? []),
);

/** Return the name, version and licence of a package; a package without a licence may not be shipped. */
function licence(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) {
    throw new Error(`${name} has no licence`);
  }
  return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
}

const texts = [...folders].sort().map(licence);
writeFileSync("out/THIRD_PARTY_LICENCES.txt", texts.join(`\n${"-".repeat(80)}\n\n`));
console.log(`bundled ${folders.size} packages`);
