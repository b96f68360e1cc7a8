"""A client of the YAML language server that editors use: JSON-RPC over stdio."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 60  # seconds to wait for an answer


class Editor:
    """An editor with a server; a document is opened as a whole and known by its path."""

    def __init__(self, command: list[str], root: Path) -> None:
        self.command = command
        self.root = root
        self.numbers = itertools.count(1)
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.reports: queue.Queue[dict[str, Any]] = queue.Queue()

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self.server = subprocess.Popen(self.command, stdin=pipe, stdout=pipe)
        threading.Thread(target=self._listen, daemon=True).start()
        capabilities = {"textDocument": {"hover": {"contentFormat": ["markdown"]}}}
        root = self.root.as_uri()
        self._ask("initialize", processId=None, rootUri=root, capabilities=capabilities)
        self._send(method="initialized", params={})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.server.kill()
        self.server.wait()

    def open(self, path: Path, text: str) -> list[dict[str, Any]]:
        """Open a document, and return its diagnostics."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        while True:
            report = self.reports.get(timeout=PATIENCE)
            if report["uri"] == path.as_uri():
                return list(report["diagnostics"])

    def change(self, path: Path, version: int, change: dict[str, Any]) -> list[dict[str, Any]]:
        """Change a document, and return the diagnostics of the new version."""
        document = {"uri": path.as_uri(), "version": version}
        params = {"textDocument": document, "contentChanges": [change]}
        self._send(method="textDocument/didChange", params=params)
        while True:
            report = self.reports.get(timeout=PATIENCE)
            if report["uri"] == path.as_uri() and report["version"] == version:
                return list(report["diagnostics"])

    def hints(self, path: Path) -> list[dict[str, Any]]:
        """Return the inlay hints of a whole document."""
        ends = ({"line": line, "character": 0} for line in (0, 10**6))
        range_ = dict(zip(("start", "end"), ends, strict=True))
        document = {"uri": path.as_uri()}
        return list(self._ask("textDocument/inlayHint", textDocument=document, range=range_))

    def completion(self, path: Path, line: int, character: int) -> dict[str, dict[str, Any]]:
        """Return the completions at a place, by label."""
        found = self._ask("textDocument/completion", **_place(path, line, character))
        return {item["label"]: item for item in found["items"]}

    def hover(self, path: Path, line: int, character: int) -> str:
        """Return the hover text at a place."""
        found = self._ask("textDocument/hover", **_place(path, line, character))
        return str(found["contents"]["value"])

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self.numbers)
        self._send(id=number, method=method, params=params)
        while True:
            answer = self.answers.get(timeout=PATIENCE)
            if answer["id"] == number:
                return answer["result"]

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def _listen(self) -> None:
        """Sort the messages of the server: answers, diagnostics, and requests, which get no settings."""
        out = self.server.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            while out.readline().strip():
                pass
            message = json.loads(out.read(length))
            if message.get("method") == "textDocument/publishDiagnostics":
                self.reports.put(message["params"])
            elif "method" not in message:
                self.answers.put(message)
            elif "id" in message:
                items = message.get("params", {}).get("items", [])
                self._send(id=message["id"], result=[None for _ in items])


def _place(path: Path, line: int, character: int) -> dict[str, Any]:
    return {
        "textDocument": {"uri": path.as_uri()},
        "position": {"line": line, "character": character},
    }
