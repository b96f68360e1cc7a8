/** Check the graphs of a Python file, which runs it: only when the user asks, and trusts the folder. */

import * as vscode from "vscode";
import type { Connection } from "../server/connection.ts";

/** The command of the server; its lens above the import of mimgraph runs it, too. */
export const CHECK = "mimgraph.checkPython";

/** What the server says of a run. */
interface Run {
  readonly summary: string;
  readonly output: string;
}

/** Check the Python file of the active editor. */
export async function checkPython(connection: Connection): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "python") {
    void vscode.window.showInformationMessage("Open a Python file first.");
  } else if (await connection.running()) {
    await vscode.commands.executeCommand(CHECK, document.uri.toString());
  }
}

/** Run the check of the server, if the folder is trusted, and report what it found. */
export async function guarded(
  check: () => vscode.ProviderResult<unknown>,
  output: vscode.LogOutputChannel,
): Promise<unknown> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      "This folder is not trusted: checking the graphs of a Python file runs the file.",
    );
    return undefined;
  }
  const run = (await withProgress(check)) as Run | null | undefined;
  if (run) {
    void report(run, output);
  }
  return run;
}

function withProgress<T>(work: () => vscode.ProviderResult<T>): Thenable<T | null | undefined> {
  const location = vscode.ProgressLocation.Window;
  const title = "mimgraph: running the Python file";
  return vscode.window.withProgress({ location, title }, async () => work());
}

async function report(run: Run, output: vscode.LogOutputChannel): Promise<void> {
  const buttons = run.output ? ["Show Output"] : [];
  const chosen = await vscode.window.showInformationMessage(`mimgraph: ${run.summary}`, ...buttons);
  if (chosen) {
    output.info(run.output);
    output.show();
  }
}
