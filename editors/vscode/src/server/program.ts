/** Choose the program that serves the editor: a setting, the selected Python, or the PATH. */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** A program and its arguments, to be started without a shell. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** The Python that runs it, where that is known: `pip` of it can install mimgraph. */
  readonly python?: string;
}

/** What a choice depends on. */
export interface Surroundings {
  /** The setting `mimgraph.path`. */
  readonly path: string;
  /** The Python that is selected for the workspace; none in a workspace that is not trusted. */
  readonly interpreter: string | undefined;
  readonly workspaceFolder: string | undefined;
  readonly home: string;
  /** Return the absolute path of a program on the PATH. */
  find(name: string): string | undefined;
}

/** The arguments of a Python. `-P`: a module in the working directory must not stand in for ours. */
const MODULE = ["-P", "-m", "mimgraph", "lsp"];

/** A path that names a Python, where one of mimgraph was asked for: it is clear what is meant. */
const PYTHON = /(^|[/\\])python[\d.]*(\.exe)?$/;

/** Return the program to start; undefined if there is none. */
export function chosenProgram(given: Surroundings): Program | undefined {
  const path = expanded(given.path.trim(), given);
  if (path) {
    const command = isAbsolute(path) ? path : (given.find(path) ?? path);
    return PYTHON.test(path) ? ofPython(command) : { command, args: ["lsp"] };
  }
  if (given.interpreter) {
    return ofPython(given.interpreter);
  }
  const installed = given.find("mimgraph");
  if (installed) {
    return { command: installed, args: ["lsp"] };
  }
  const python = given.find("python3") ?? given.find("python");
  return python ? ofPython(python) : undefined;
}

function ofPython(python: string): Program {
  return { command: python, args: MODULE, python };
}

/** Return a path with `~` and `${workspaceFolder}` replaced. */
function expanded(path: string, given: Surroundings): string {
  const folder = given.workspaceFolder;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what users write
  const placed = folder ? path.replaceAll("${workspaceFolder}", () => folder) : path;
  return placed.replace(/^~(?=[/\\])/, () => given.home);
}

/**
 * Return where a program lies on the PATH, with the names that a system gives its programs.
 *
 * Entries that are no absolute path are passed over: they would mean the folder that is open.
 */
export function onPath(
  name: string,
  path: string,
  isProgram: (file: string) => boolean,
  windows: boolean,
): string | undefined {
  const names = windows ? [`${name}.exe`] : [name];
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .flatMap((folder) => names.map((one) => join(folder, one)))
    .find(isProgram);
}

/** Return whether a file is one that may be run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
