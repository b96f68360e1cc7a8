/** Stand between the editor and the server, where VS Code has a better way than a plain client. */

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import { CHECK, guarded } from "../commands/python.ts";
import { beside } from "../preview.ts";

/** The command of the lens "draw", which writes a file for a program outside the editor. */
const DRAW = "mimgraph.draw";

/** Return what is done in place of, or around, requests of either side. */
export function middleware(output: vscode.LogOutputChannel): Middleware {
  return {
    ...beside,
    executeCommand(command, args, next) {
      switch (command) {
        case CHECK:
          return guarded(() => next(command, args), output);
        case DRAW:
          return vscode.commands.executeCommand("mimgraph.showPreview");
        default:
          return next(command, args);
      }
    },
  };
}
