/** A document that looks like a spec starts the server; other YAML and JSON does not. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { looksLikeSpec } from "../src/specs.ts";

const CASES: [string, string, boolean][] = [
  ["mimgraph", "", true],
  ["yaml", "inputs: {x: [1]}\nnodes:\n", true],
  ["yaml", "'inputs' : {x: [1]}\r\n\"nodes\":\r\n", true],
  ["yaml", "{inputs: {}, nodes: {}}", false], // typed on: the keys come to lines of their own
  ["yaml", '{"inputs": {}, "nodes": {}}', true],
  ["yaml", "inputs: {}\noutputs: {}\nruns: {using: composite}\n", false], // an action of GitHub
  ["yaml", "graph:\n  inputs: 1\n  nodes: 2\n", false],
  ["json", '{"inputs": {}, "nodes": {}}', true],
  ["json", '{"name": "a package"}', false],
  ["python", "inputs: int\nnodes: int\n", false],
];

for (const [language, text, expected] of CASES) {
  test(`${language} ${JSON.stringify(text)}`, () => {
    assert.equal(looksLikeSpec(language, text), expected);
  });
}

test("every spec of the gallery looks like one", () => {
  const folder = new URL("../../../specs/", import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  assert.ok(names.length > 0);
  for (const name of names) {
    assert.ok(looksLikeSpec("yaml", readFileSync(new URL(name, folder), "utf8")), name);
  }
});
