/** Show the state of the server beside the language of a spec. */

import * as vscode from "vscode";
import { LANGUAGES } from "../specs.ts";

const RESTART = { command: "mimgraph.restartServer", title: "Restart" };
const OUTPUT = { command: "mimgraph.showOutput", title: "Show output" };

/** The item among the language's that says how the server does. */
export class Status implements vscode.Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem("mimgraph.server", [
    ...LANGUAGES,
  ]);

  constructor() {
    this.item.name = "mimgraph";
    this.stopped();
  }

  starting(): void {
    this.show("mimgraph", "starting the language server", OUTPUT);
    this.item.busy = true;
  }

  running(version: string, program: string): void {
    this.show(`mimgraph ${version}`, program || "the language server runs", RESTART);
  }

  stopped(): void {
    this.show("mimgraph", "the language server is not running", RESTART);
  }

  failed(message: string): void {
    this.show("mimgraph", message, RESTART);
    this.item.severity = vscode.LanguageStatusSeverity.Error;
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(text: string, detail: string, command: vscode.Command): void {
    this.item.busy = false;
    this.item.severity = vscode.LanguageStatusSeverity.Information;
    this.item.text = text;
    this.item.detail = detail;
    this.item.command = command;
  }
}
