/** Say why the server did not start, and what helps. */

import type { Program } from "./program.ts";

/** What can be done about a failure; each is a button. */
export type Remedy = "install" | "selectInterpreter" | "openSettings" | "showOutput";

export interface Failure {
  readonly message: string;
  readonly remedies: readonly Remedy[];
}

/** What is known of a server that ended before it answered. */
export interface Ending {
  readonly program: Program | undefined;
  /** The code of the system, such as ENOENT, if the program could not be started. */
  readonly fault?: string | undefined;
  readonly exitCode?: number | null;
  readonly stderr: string;
}

/** Return the message and the buttons for a server that did not start. */
export function failure(ending: Ending): Failure {
  const { program, stderr } = ending;
  if (program === undefined) {
    return {
      message: "mimgraph needs Python 3.11 or newer, and there is no Python on the PATH.",
      remedies: ["selectInterpreter", "openSettings"],
    };
  }
  const name = program.command;
  if (ending.fault) {
    const why = ending.fault === "ENOENT" ? "there is no such program" : ending.fault;
    return { message: `mimgraph cannot start ${name}: ${why}.`, remedies: ["openSettings"] };
  }
  if (/No module named '?mimgraph\b/.test(stderr)) {
    return missing(program, `mimgraph is not installed for ${name}.`);
  }
  if (/needs pygls/.test(stderr)) {
    return missing(program, `The mimgraph of ${name} is installed without its language server.`);
  }
  if (/invalid choice: '?lsp\b/.test(stderr)) {
    return missing(program, `The mimgraph of ${name} is too old: it has no language server.`);
  }
  if (/unknown option -P|Unknown option: -P/i.test(stderr)) {
    return {
      message: `mimgraph needs Python 3.11 or newer, and ${name} is older.`,
      remedies: ["selectInterpreter", "openSettings"],
    };
  }
  const code = ending.exitCode ?? undefined;
  const how = code === undefined ? "did not answer" : `ended with code ${code}`;
  return { message: `The mimgraph server ${how}.`, remedies: ["showOutput"] };
}

function missing(program: Program, message: string): Failure {
  return program.python
    ? { message, remedies: ["install", "selectInterpreter", "openSettings"] }
    : { message: `${message} Run: pip install 'mimgraph[editor]'`, remedies: ["openSettings"] };
}
