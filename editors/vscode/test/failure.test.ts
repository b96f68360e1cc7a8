/** What is said of a server that did not start names the cause, and its buttons help. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { type Ending, failure } from "../src/server/failure.ts";

const PYTHON = { command: "/v/bin/python", args: ["-m"], python: "/v/bin/python" };
const PROGRAM = { command: "/v/bin/mimgraph", args: ["lsp"] };
const PYGLS = "error: the language server needs pygls, which is not installed\n";

const CASES: [Ending, RegExp, string[]][] = [
  [{ program: undefined, stderr: "" }, /no Python/, ["selectInterpreter", "openSettings"]],
  [{ program: PROGRAM, fault: "ENOENT", stderr: "" }, /no such program/, ["openSettings"]],
  [{ program: PROGRAM, fault: "EACCES", stderr: "" }, /EACCES/, ["openSettings"]],
  [
    { program: PYTHON, exitCode: 2, stderr: PYGLS },
    /without its language server/,
    ["install", "selectInterpreter", "openSettings"],
  ],
  [{ program: PROGRAM, exitCode: 2, stderr: PYGLS }, /pip install/, ["openSettings"]],
  [
    { program: PROGRAM, exitCode: 2, stderr: "error: invalid choice: 'lsp' (choose from 'check')" },
    /too old/,
    ["openSettings"],
  ],
  [
    { program: PYTHON, exitCode: 2, stderr: "Unknown option: -P" },
    /3\.11/,
    ["selectInterpreter", "openSettings"],
  ],
  [{ program: PYTHON, exitCode: 1, stderr: "KeyError" }, /code 1/, ["showOutput"]],
  [{ program: PYTHON, exitCode: null, stderr: "" }, /did not answer/, ["showOutput"]],
];

for (const [ending, message, remedies] of CASES) {
  test(`a failure: ${message.source}, ${ending.program?.command}`, () => {
    const found = failure(ending);
    assert.match(found.message, message);
    assert.deepEqual(found.remedies, remedies);
  });
}

test("a Python says that it has no mimgraph in these words", (context) => {
  const args = ["-I", "-S", "-m", "mimgraph", "lsp"];
  const { status, stderr, error } = spawnSync("python3", args, { encoding: "utf8" });
  if (error) {
    context.skip("there is no Python");
    return;
  }
  const found = failure({ program: PYTHON, exitCode: status, stderr });
  assert.match(found.message, /not installed/);
});
