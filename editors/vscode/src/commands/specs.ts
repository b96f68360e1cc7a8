/** The commands on a spec: emit its source, and draw it into a file. */

import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import type { Connection } from "../server/connection.ts";
import { looksLikeSpec } from "../specs.ts";
import { run, type Spec } from "./run.ts";

/** The pictures that mimgraph writes, by the name in the dialog. */
const PICTURES = {
  SVG: ["svg"],
  PNG: ["png"],
  PDF: ["pdf"],
  "Page with search and folds": ["html"],
  Mermaid: ["mmd"],
  Graphviz: ["dot"],
};

/** Return the spec of the active editor; say so if there is none. */
export function activeSpec(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document && looksLikeSpec(document.languageId, document.getText())) {
    return document;
  }
  void vscode.window.showInformationMessage(
    "Open a spec first: a YAML file with inputs and nodes.",
  );
  return undefined;
}

/** Show the source of the model in a new document. */
export async function emit(connection: Connection): Promise<void> {
  const document = activeSpec();
  const source = document && (await done(connection, ["emit"], document));
  if (source !== undefined) {
    const shown = await vscode.workspace.openTextDocument({ content: source, language: "python" });
    await vscode.window.showTextDocument(shown, vscode.ViewColumn.Beside);
  }
}

/** Draw the model into a file that the user names. */
export async function draw(connection: Connection): Promise<void> {
  const document = activeSpec();
  if (!document) {
    return;
  }
  const stem = basename(document.fileName).replace(/(\.mim)?\.\w+$/, "");
  const target = await vscode.window.showSaveDialog({
    filters: PICTURES,
    ...(document.isUntitled
      ? {}
      : { defaultUri: vscode.Uri.file(join(dirname(document.fileName), `${stem}.svg`)) }),
  });
  if (target && (await done(connection, ["draw", "-o", target.fsPath], document)) !== undefined) {
    const message = `${basename(target.fsPath)} is drawn.`;
    if ((await vscode.window.showInformationMessage(message, "Open")) === "Open") {
      await vscode.env.openExternal(target);
    }
  }
}

/** Run a command, and return what it prints; show what was wrong, and return undefined then. */
async function done(
  connection: Connection,
  words: readonly string[],
  document: vscode.TextDocument,
): Promise<string | undefined> {
  const program = await connection.program();
  if (program === undefined) {
    return undefined;
  }
  const { stdout, fault } = await run(program, words, specOf(document));
  if (fault === undefined) {
    return stdout;
  }
  void vscode.window.showErrorMessage(fault);
  return undefined;
}

function specOf(document: vscode.TextDocument): Spec {
  return {
    text: document.getText(),
    path: document.uri.scheme === "file" ? document.uri.fsPath : undefined,
    isDirty: document.isDirty,
  };
}
