/** The program that serves is the one that the user named, and never one that lies in the folder. */

import assert from "node:assert/strict";
import { delimiter } from "node:path";
import { test } from "node:test";
import { chosenProgram, onPath, type Surroundings } from "../src/server/program.ts";

const NONE: Surroundings = {
  path: "",
  interpreter: undefined,
  workspaceFolder: "/work",
  home: "/home/me",
  find: () => undefined,
};
const EVERYTHING = (name: string): string => `/bin/${name}`;

const CASES: [string, Partial<Surroundings>, string | undefined][] = [
  ["nothing is installed", {}, undefined],
  ["a path", { path: "/opt/mimgraph", find: EVERYTHING }, "/opt/mimgraph lsp"],
  ["a path in the home", { path: "~/v/mimgraph" }, "/home/me/v/mimgraph lsp"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what users write
  ["a path in the folder", { path: "${workspaceFolder}/v/mimgraph" }, "/work/v/mimgraph lsp"],
  ["a path of a Python", { path: "/v/bin/python3.12" }, "/v/bin/python3.12 -P -m mimgraph lsp"],
  ["a name", { path: " mimgraph ", find: EVERYTHING }, "/bin/mimgraph lsp"],
  ["a name that is nowhere", { path: "mimgraph" }, "mimgraph lsp"],
  [
    "the selected Python",
    { interpreter: "/v/bin/python", find: EVERYTHING },
    "/v/bin/python -P -m mimgraph lsp",
  ],
  ["the PATH", { find: EVERYTHING }, "/bin/mimgraph lsp"],
  [
    "a Python of the PATH",
    { find: (name) => (name === "python3" ? "/bin/python3" : undefined) },
    "/bin/python3 -P -m mimgraph lsp",
  ],
];

for (const [name, given, expected] of CASES) {
  test(`the program: ${name}`, () => {
    const found = chosenProgram({ ...NONE, ...given });
    assert.equal(found && [found.command, ...found.args].join(" "), expected);
  });
}

const PLACES: [string, boolean, string[], string | undefined][] = [
  ["/a:/b", false, ["/b/mimgraph"], "/b/mimgraph"],
  ["/a:/b", false, ["/a/mimgraph", "/b/mimgraph"], "/a/mimgraph"],
  [".:/b", false, ["mimgraph", "./mimgraph", "/b/mimgraph"], "/b/mimgraph"],
  [":bin", false, ["/mimgraph", "bin/mimgraph"], undefined],
  ["/a", true, ["/a/mimgraph", "/a/mimgraph.exe"], "/a/mimgraph.exe"],
];

for (const [path, windows, files, expected] of PLACES) {
  test(`on the PATH ${path}${windows ? " of Windows" : ""}`, () => {
    const isProgram = (file: string): boolean => files.includes(file);
    const found = onPath("mimgraph", path.replaceAll(":", delimiter), isProgram, windows);
    assert.equal(found, expected);
  });
}
