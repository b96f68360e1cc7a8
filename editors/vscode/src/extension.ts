/** Start the language server when a spec is open, and bring the commands. */

import * as vscode from "vscode";
import { checkPython } from "./commands/python.ts";
import { draw, emit } from "./commands/specs.ts";
import { Previews } from "./preview.ts";
import { Connection } from "./server/connection.ts";
import { onInterpreterChange } from "./server/interpreter.ts";
import { Status } from "./server/status.ts";
import { looksLikeSpec } from "./specs.ts";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("mimgraph", { log: true });
  const status = new Status();
  const connection = new Connection(output, status);
  const previews = new Previews(connection);
  context.subscriptions.push(
    output,
    status,
    connection,
    previews,
    vscode.commands.registerCommand("mimgraph.showPreview", () => previews.show()),
    vscode.commands.registerCommand("mimgraph.restartServer", () => connection.restart()),
    vscode.commands.registerCommand("mimgraph.showOutput", () => output.show()),
    vscode.commands.registerCommand("mimgraph.emitSource", () => emit(connection)),
    vscode.commands.registerCommand("mimgraph.drawPicture", () => draw(connection)),
    vscode.commands.registerCommand("mimgraph.checkPythonFile", () => checkPython(connection)),
    ...starters(connection),
    ...markers(),
    ...restarters(connection),
  );
  context.subscriptions.push(
    await onInterpreterChange(() => connection.wanted && void connection.restart()),
  );
}

/** Start the server once a document looks like a spec. */
function starters(connection: Connection): vscode.Disposable[] {
  const look = (document: vscode.TextDocument): void => {
    if (!connection.wanted && looksLikeSpec(document.languageId, document.getText())) {
      void connection.running();
    }
  };
  vscode.workspace.textDocuments.forEach(look);
  return [
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.workspace.onDidChangeTextDocument((event) => look(event.document)),
  ];
}

/** Let the menus know whether a spec is active: a spec has a button that shows its preview. */
function markers(): vscode.Disposable[] {
  const mark = (): void => {
    const document = vscode.window.activeTextEditor?.document;
    const isSpec = document && looksLikeSpec(document.languageId, document.getText());
    void vscode.commands.executeCommand("setContext", "mimgraph.isSpec", isSpec === true);
  };
  mark();
  return [
    vscode.window.onDidChangeActiveTextEditor(mark),
    vscode.workspace.onDidOpenTextDocument(mark),
  ];
}

/** Restart the server where another program may be meant. */
function restarters(connection: Connection): vscode.Disposable[] {
  const again = (): void => {
    if (connection.wanted) {
      void connection.restart();
    }
  };
  return [
    vscode.workspace.onDidChangeConfiguration(
      (event) => event.affectsConfiguration("mimgraph.path") && again(),
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(again),
  ];
}
