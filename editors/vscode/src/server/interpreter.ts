/** Ask the Python extension, if there is one, which interpreter is selected. */

import * as vscode from "vscode";

const EXTENSION = "ms-python.python";

/** The part of the Python extension's interface that is used here. */
interface PythonExtension {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  const found = vscode.extensions.getExtension<PythonExtension>(EXTENSION);
  return found?.activate();
}

/** Return the path of the interpreter of a workspace, undefined if none is selected or trusted. */
export async function selectedInterpreter(resource?: vscode.Uri): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) {
    return undefined; // an environment in the folder is a program of the folder
  }
  const python = await pythonExtension();
  if (python === undefined) {
    return undefined;
  }
  const path = python.environments.getActiveEnvironmentPath(resource);
  const environment = await python.environments.resolveEnvironment(path);
  return environment?.executable.uri?.fsPath;
}

/** Call back when another interpreter is selected. */
export async function onInterpreterChange(changed: () => void): Promise<vscode.Disposable> {
  const python = await pythonExtension();
  return (
    python?.environments.onDidChangeActiveEnvironmentPath(changed) ??
    new vscode.Disposable(() => undefined)
  );
}
