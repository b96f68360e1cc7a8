/** Keep one language server for the window: start, restart and stop it, and say so. */

import { type ChildProcess, spawn } from "node:child_process";
import { homedir } from "node:os";
import * as vscode from "vscode";
import { State } from "vscode-languageclient/node";
import { SpecClient } from "./client.ts";
import { type Ending, failure } from "./failure.ts";
import { selectedInterpreter } from "./interpreter.ts";
import { chosenProgram, isProgram, onPath, type Program } from "./program.ts";
import { offer } from "./remedies.ts";
import type { Status } from "./status.ts";

/** How much of what the server writes to standard error is kept, to say why it ended. */
const KEPT = 20_000;

/** The server of this window, and the client that talks to it. */
export class Connection implements vscode.Disposable {
  private readonly output: vscode.LogOutputChannel;
  private readonly status: Status;
  private readonly starts = new vscode.EventEmitter<void>();
  /** Tells of each start of a server, also of one that follows a crash. */
  readonly onStarted = this.starts.event;
  private client: Promise<SpecClient | undefined> | undefined;
  private ending: Ending = { program: undefined, stderr: "" };

  constructor(output: vscode.LogOutputChannel, status: Status) {
    this.output = output;
    this.status = status;
  }

  /** Return whether the server was asked for. */
  get wanted(): boolean {
    return this.client !== undefined;
  }

  /** Return the client of a running server, which is started if need be; undefined if it cannot. */
  running(): Promise<SpecClient | undefined> {
    this.client ??= this.started();
    return this.client;
  }

  /** Return the program of a running server, which other commands of mimgraph run by, too. */
  async program(): Promise<Program | undefined> {
    return (await this.running()) && this.ending.program;
  }

  /** Stop the server and start it anew, with the settings of now. */
  async restart(): Promise<SpecClient | undefined> {
    await this.dispose();
    return this.running();
  }

  async dispose(): Promise<void> {
    const client = await this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.output.warn(`the server did not end by itself: ${error}`);
    }
  }

  private async started(): Promise<SpecClient | undefined> {
    this.status.starting();
    const program = await chosen();
    this.ending = { program, stderr: "" };
    if (program === undefined) {
      return this.failed();
    }
    this.output.info(`starting ${[program.command, ...program.args].join(" ")}`);
    const client = new SpecClient(() => this.launched(program), this.output);
    client.onDidChangeState(({ newState }) => this.changed(client, program, newState));
    try {
      await client.start();
    } catch {
      return this.failed(); // the client has logged it
    }
    return client;
  }

  /** Start the process; without a shell, so that no name in a path is read as a command. */
  private launched(program: Program): Promise<ChildProcess> {
    const server = spawn(program.command, program.args, { cwd: homedir(), shell: false });
    this.ending = { program, stderr: "" };
    server.stderr.on("data", (data: Buffer) => {
      const stderr = (this.ending.stderr + data.toString()).slice(-KEPT);
      this.ending = { ...this.ending, stderr };
    });
    server.on("exit", (exitCode) => {
      this.ending = { ...this.ending, exitCode };
    });
    return new Promise((resolve, reject) => {
      server.once("spawn", () => resolve(server));
      server.once("error", (error: NodeJS.ErrnoException) => {
        this.ending = { ...this.ending, fault: error.code ?? error.message };
        reject(error);
      });
    });
  }

  private changed(client: SpecClient, program: Program, state: State): void {
    if (state === State.Running) {
      client.hasRun = true;
      setImmediate(() => this.starts.fire()); // when the start itself is done
      this.status.running(client.initializeResult?.serverInfo?.version ?? "", program.command);
    } else if (state === State.Stopped && client.hasRun) {
      this.status.stopped();
    }
  }

  private failed(): undefined {
    const found = failure(this.ending);
    this.output.error(found.message);
    this.status.failed(found.message);
    void offer(found, this.ending.program, this.output, () => this.restart());
    return undefined;
  }
}

/** Return the program that the settings, the selected Python or the PATH name. */
async function chosen(): Promise<Program | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  const windows = process.platform === "win32";
  return chosenProgram({
    path: vscode.workspace.getConfiguration("mimgraph", folder?.uri).get("path", ""),
    interpreter: await selectedInterpreter(folder?.uri).catch(() => undefined),
    workspaceFolder: folder?.uri.fsPath,
    home: homedir(),
    find: (name) => onPath(name, process.env.PATH ?? "", isProgram, windows),
  });
}
