/** Offer what helps when the server does not start, as buttons of a message. */

import * as vscode from "vscode";
import type { Failure, Remedy } from "./failure.ts";
import type { Program } from "./program.ts";

const TITLES: Record<Remedy, string> = {
  install: "Install mimgraph",
  selectInterpreter: "Select Interpreter",
  openSettings: "Open Settings",
  showOutput: "Show Output",
};

/** Show a failure with its buttons, and do what is chosen. */
export async function offer(
  found: Failure,
  program: Program | undefined,
  output: vscode.LogOutputChannel,
  again: () => Promise<unknown>,
): Promise<void> {
  const remedies = found.remedies.filter(isPossible);
  const titles = remedies.map((remedy) => TITLES[remedy]);
  const title = await vscode.window.showErrorMessage(found.message, ...titles);
  const remedy = remedies.find((one) => TITLES[one] === title);
  switch (remedy) {
    case "install":
      if (program?.python && (await installed(program.python))) {
        await again();
      }
      break;
    case "selectInterpreter":
      await vscode.commands.executeCommand("python.setInterpreter");
      break;
    case "openSettings":
      await openSettings("mimgraph.path");
      break;
    case "showOutput":
      output.show();
      break;
  }
}

/** Open the settings at one that names a program; in a remote window that is one of the remote. */
async function openSettings(query: string): Promise<void> {
  const tab = vscode.env.remoteName === undefined ? "openSettings" : "openRemoteSettings";
  await vscode.commands.executeCommand(`workbench.action.${tab}`, { query });
}

function isPossible(remedy: Remedy): boolean {
  const python = vscode.extensions.getExtension("ms-python.python");
  return remedy !== "selectInterpreter" || python !== undefined;
}

/** Install mimgraph with its language server, in a terminal that shows it; return whether it could. */
async function installed(python: string): Promise<boolean> {
  const task = new vscode.Task(
    { type: "mimgraph.install" },
    vscode.TaskScope.Workspace,
    "Install mimgraph",
    "mimgraph",
    new vscode.ProcessExecution(python, ["-m", "pip", "install", "--upgrade", "mimgraph[editor]"]),
  );
  const run = await vscode.tasks.executeTask(task);
  return new Promise((resolve) => {
    const listener = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution === run) {
        listener.dispose();
        resolve(event.exitCode === 0);
      }
    });
  });
}
