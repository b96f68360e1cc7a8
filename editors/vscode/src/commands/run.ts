/** Run a command of mimgraph on a document, as it stands in the editor. */

import { execFile } from "node:child_process";
import { basename, dirname } from "node:path";
import type { Program } from "../server/program.ts";

/** A text in an editor, and the file it is of. */
export interface Spec {
  readonly text: string;
  /** The path of the file; undefined for a text that has none yet. */
  readonly path: string | undefined;
  readonly isDirty: boolean;
}

export interface Result {
  readonly stdout: string;
  /** What was wrong; undefined if all went well. */
  readonly fault: string | undefined;
}

/** The bytes that a command may print. */
const LIMIT = 64 << 20;

/** Run a command, such as `["emit"]`, on a spec; without a shell. */
export function run(program: Program, words: readonly string[], spec: Spec): Promise<Result> {
  const [name, ...options] = words;
  const source = sourceOf(spec);
  const args = [...program.args.slice(0, -1), name ?? "", source ?? "-", ...options];
  const folder = spec.path === undefined ? {} : { cwd: dirname(spec.path) };
  return new Promise((resolve) => {
    const child = execFile(
      program.command,
      args,
      { ...folder, maxBuffer: LIMIT, shell: false },
      (error, stdout, stderr) =>
        resolve({ stdout, fault: error ? said(stderr, error) : undefined }),
    );
    child.stdin?.on("error", () => undefined); // it ended before it read all
    child.stdin?.end(source === undefined ? spec.text : "");
  });
}

/**
 * Return the path to give to mimgraph, undefined if it reads the text from standard input.
 *
 * A path with a colon in its name may mean Python code, which would run.
 */
export function sourceOf(spec: Spec): string | undefined {
  const { path, isDirty } = spec;
  return path === undefined || isDirty || basename(path).includes(":") ? undefined : path;
}

/** Return what a command says went wrong: its first line, which is the message. */
export function said(stderr: string, error: Error): string {
  const line = stderr.split(/\r?\n/).find((one) => one.trim() !== "");
  return (line ?? error.message).replace(/^error(\[[\w-]+\])?: /, "");
}
