/** A command reads the text of the editor, and says what was wrong in one line. */

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run, said, sourceOf } from "../src/commands/run.ts";

const NODE = process.execPath;
/** Stands in for mimgraph: prints its arguments and its input, or fails as mimgraph does. */
const STAND_IN = `
const [name, ...words] = process.argv.slice(2);
if (name === "fail") {
  console.error("error[unknown-layer]: no layer is called 'Liner'");
  console.error("  --> model.yaml:4:1");
  process.exit(1);
}
process.stdin.on("data", (data) => words.push(String(data)));
process.stdin.on("end", () => console.log(JSON.stringify([name, ...words])));
`;

const folder = mkdtempSync(join(tmpdir(), "mimgraph-"));
const script = join(folder, "stand_in.cjs");
writeFileSync(script, STAND_IN);
const program = { command: NODE, args: [script, "lsp"] };
const path = join(folder, "model.yaml");

test("a saved file is given by its path", async () => {
  const spec = { text: "a: 1", path, isDirty: false };
  const { stdout, fault } = await run(program, ["draw", "-o", "x.svg"], spec);
  assert.equal(fault, undefined);
  assert.deepEqual(JSON.parse(stdout), ["draw", path, "-o", "x.svg"]);
});

test("a text that is not saved is given as it stands", async () => {
  const { stdout } = await run(program, ["emit"], { text: "a: 1", path, isDirty: true });
  assert.deepEqual(JSON.parse(stdout), ["emit", "-", "a: 1"]);
});

test("what was wrong is the message of the first error", async () => {
  const { fault } = await run(program, ["fail"], { text: "", path: undefined, isDirty: false });
  assert.equal(fault, "no layer is called 'Liner'");
});

test("a program that is not there is a fault, and no exception", async () => {
  const spec = { text: "a: 1", path: undefined, isDirty: false };
  const { fault } = await run({ command: join(folder, "none"), args: ["lsp"] }, ["emit"], spec);
  assert.match(fault ?? "", /ENOENT/);
});

test("a name that could mean Python code is never given", () => {
  const at = (name: string) => sourceOf({ text: "", path: `/work/${name}`, isDirty: false });
  assert.equal(at("model.yaml"), "/work/model.yaml");
  assert.equal(at("evil.py:x.yaml"), undefined);
});

test("without a message, that of the system is shown", () => {
  assert.equal(said("\n", new Error("killed")), "killed");
});
