/** Show the picture of a spec beside its text: the page that the server serves to this machine. */

import { basename } from "node:path";
import * as vscode from "vscode";
import { ExecuteCommandRequest, type WindowMiddleware } from "vscode-languageclient/node";
import { activeSpec } from "./commands/specs.ts";
import { framed } from "./frame.ts";
import type { Connection } from "./server/connection.ts";

/** The command of the server that returns the address of a preview. */
const PREVIEW = "mimgraph.preview";
/** The notification that tells it where the cursor is. */
const CURSOR = "mimgraph/cursor";

/** The panels of previews, by the URI of their specs. */
export class Previews implements vscode.Disposable {
  private readonly connection: Connection;
  private readonly panels = new Map<string, vscode.WebviewPanel>();
  private readonly listeners: vscode.Disposable[];
  /** Where the server was told that the cursor is. */
  private at = "";

  constructor(connection: Connection) {
    this.connection = connection;
    this.listeners = [
      connection.onStarted(() => this.panels.forEach((_, uri) => void this.load(uri))),
      vscode.window.onDidChangeTextEditorSelection((event) => void this.follow(event.textEditor)),
      vscode.workspace.onDidOpenTextDocument((document) => {
        const uri = document.uri.toString();
        if (this.panels.has(uri)) {
          setImmediate(() => void this.load(uri)); // the client tells the server of it first
        }
      }),
    ];
  }

  /** Show the preview of the active spec. */
  async show(): Promise<void> {
    const document = activeSpec();
    if (document === undefined) {
      return;
    }
    const uri = document.uri.toString();
    const known = this.panels.get(uri);
    if (known) {
      known.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      "mimgraph.preview",
      `Preview ${basename(document.fileName)}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, retainContextWhenHidden: true }, // the scripts are those of the frame
    );
    this.panels.set(uri, panel);
    panel.onDidDispose(() => this.panels.delete(uri));
    if (!(await this.load(uri))) {
      panel.dispose();
    }
  }

  dispose(): void {
    for (const one of [...this.listeners, ...this.panels.values()]) {
      one.dispose();
    }
  }

  /** Load the page of a preview into its panel; return whether the server has it. */
  private async load(uri: string): Promise<boolean> {
    const address = await this.address(uri);
    const panel = this.panels.get(uri);
    if (!address || !panel) {
      return false;
    }
    const outside = await vscode.env.asExternalUri(vscode.Uri.parse(address));
    panel.webview.html = framed(outside.toString(true), panel.title);
    return true;
  }

  /** Return the address of a preview; undefined if the server is missing, or too old for it. */
  private async address(uri: string): Promise<string | undefined> {
    const client = await this.connection.running();
    try {
      const request = { command: PREVIEW, arguments: [uri, false] };
      return (await client?.sendRequest(ExecuteCommandRequest.type, request)) ?? undefined;
    } catch (error) {
      void vscode.window.showErrorMessage(`mimgraph cannot show the preview: ${error}`);
      return undefined;
    }
  }

  /** Tell the server of the line of the cursor, if a preview may show it. */
  private async follow(editor: vscode.TextEditor): Promise<void> {
    const uri = editor.document.uri.toString();
    const position = editor.selection.active;
    const at = `${uri}:${position.line}`;
    if (this.panels.size > 0 && this.at !== at) {
      this.at = at;
      const client = await this.connection.running();
      await client?.sendNotification(CURSOR, { textDocument: { uri }, position });
    }
  }
}

/**
 * Return how a line is shown that the server asks for: in the editor that has its file already.
 *
 * Else it would cover the preview that was clicked.
 */
export const beside: { window: WindowMiddleware } = {
  window: {
    async showDocument(params, _token, next) {
      const uri = vscode.Uri.parse(params.uri);
      const { selection } = params;
      if (params.external || !selection) {
        return next(params, _token);
      }
      const editors = vscode.window.visibleTextEditors;
      const shown = editors.find((one) => one.document.uri.toString() === uri.toString());
      const { line, character } = selection.start;
      const at = new vscode.Position(line, character);
      await vscode.window.showTextDocument(uri, {
        selection: new vscode.Range(at, at),
        viewColumn: shown?.viewColumn ?? editors[0]?.viewColumn ?? vscode.ViewColumn.One,
      });
      return { success: true };
    },
  },
};
