/** Make the client that talks to one server process: what it is given, and what a crash does. */

import * as vscode from "vscode";
import {
  CloseAction,
  type CloseHandlerResult,
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";
import { LANGUAGES } from "../specs.ts";
import { middleware } from "./middleware.ts";

/** How often a server that crashes is started again within three minutes. */
const RESTARTS = 4;

/** A client that shows no message about a start that fails: `Connection` knows what helps. */
export class SpecClient extends LanguageClient {
  /** Whether the server has answered once. */
  hasRun = false;

  constructor(server: ServerOptions, output: vscode.LogOutputChannel) {
    super("mimgraph", "mimgraph", server, {
      ...options(output),
      errorHandler: {
        error: (...given) => again.error(...given),
        closed: () => (this.hasRun ? again.closed() : GIVE_UP),
      },
    });
    const again = this.createDefaultErrorHandler(RESTARTS);
  }

  override error(message: string, data?: unknown, show?: boolean | "force"): void {
    super.error(message, data, this.hasRun ? show : false);
  }
}

const GIVE_UP: CloseHandlerResult = { action: CloseAction.DoNotRestart, handled: true };

function options(output: vscode.LogOutputChannel): LanguageClientOptions {
  return {
    // of a Python file the server keeps the text, and runs it when the user asks
    documentSelector: [...LANGUAGES, "python"].flatMap((language) =>
      ["file", "untitled"].map((scheme) => ({ language, scheme })),
    ),
    middleware: middleware(output),
    outputChannel: output,
    synchronize: { configurationSection: "mimgraph" },
    initializationOptions: () => vscode.workspace.getConfiguration("mimgraph"),
    initializationFailedHandler: () => false,
  };
}
