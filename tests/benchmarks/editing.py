"""Costs of the language server: a keystroke until diagnostics and hints are new, its start, its memory."""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.case import Case, Cost, clocked, fixed, process
from tests.benchmarks.large_specs import chain
from tests.conftest import ROOT

WARM = 6  # keystrokes before those that are measured
KEYS = 6  # keystrokes that are measured together
PAGE = os.sysconf("SC_PAGE_SIZE")
EDITS = 10_000
SERVER = (sys.executable, "-m", "mimgraph", "lsp")
PATH = Path("/nowhere/model.yaml")
TYPED = {"a keystroke": "x", "a line break": "\n", "an open bracket": "["}


def keystroke(nodes: int, text: str) -> Cost:
    """Return the processor time of a live server for a text typed in the middle of a spec, from the message
    to the new diagnostics and hints; every second time it is deleted.

    The server waits for the pause and collects garbage as for an editor; its cost is the mean of some keystrokes, as
    garbage is not collected at each of them.
    """
    from tests.helpers.language_server import Editor

    editor = Editor([*SERVER], ROOT)
    editor.__enter__()
    atexit.register(editor.__exit__, None, None, None)
    spec = chain(nodes)
    editor.open(PATH, spec)
    before = spec[: spec.index(f"\n  n{nodes // 2}: ")]
    line = before.count("\n") + 1
    start = {"line": line, "character": 0 if text == "\n" else len("  n1")}
    behind = {"line": line + 1, "character": 0} if text == "\n" else {**start, "character": 5}
    version = 1

    def step() -> None:
        nonlocal version
        version += 1
        is_typed = version % 2 == 0
        span = {"start": start, "end": start if is_typed else behind}
        editor.change(PATH, version, {"range": span, "text": text if is_typed else ""})
        assert editor.hints(PATH)

    for _ in range(WARM):
        step()

    def cost() -> float:
        began = _processor_time(editor.server.pid)
        for _ in range(KEYS):
            step()
        return (_processor_time(editor.server.pid) - began) / KEYS

    return cost


def _processor_time(process: int) -> float:
    """Return the processor time that the main thread of a process has had."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def against_check(nodes: int, text: str) -> tuple[Cost, Cost]:
    import mimgraph as mg

    return keystroke(nodes, text), clocked(lambda: mg.loads(chain(nodes)))


def against_limit(nodes: int, text: str, seconds: float) -> tuple[Cost, Cost]:
    return keystroke(nodes, text), fixed(seconds)


def message(method: str, number: int | None, params: Any) -> bytes:
    """Return a message of the protocol."""
    content = {"jsonrpc": "2.0", "method": method, "params": params}
    body = json.dumps(content if number is None else {**content, "id": number}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def start() -> Cost:
    """Return the processor time of a server that starts, answers and ends."""
    text = b"".join(
        (
            message("initialize", 1, {"processId": None, "rootUri": None, "capabilities": {}}),
            message("initialized", None, {}),
            message("shutdown", 2, None),
            message("exit", None, None),
        )
    )

    return process(*SERVER, given=text, answer=b'"capabilities"')


def growth() -> float:
    """Return the bytes by which a process grows over so many keystrokes, once it is warm."""
    return asyncio.run(_growth())


async def _growth() -> float:
    from lsprotocol import types

    from tests.fuzz.session import Session

    session = Session(PATH, chain(50))
    whole = types.Range(types.Position(0, 0), types.Position(10**6, 0))
    params = types.InlayHintParams(types.TextDocumentIdentifier(session.uri), whole)

    def edit(count: int) -> None:
        at = session.file.text.index("\n  n25: ") + len("\n  n2")
        for turn in range(count):
            typed = turn % 2
            session.edit(at, at + typed, "" if typed else "x")
            session.server.published.now()
            session.send(types.TEXT_DOCUMENT_INLAY_HINT, params)
        gc.collect()

    edit(EDITS // 10)
    before = _memory()
    edit(EDITS)
    return max(_memory() - before, 1.0)


def _memory() -> float:
    """Return the bytes that the process has in memory."""
    return float(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def cases() -> Iterator[Case]:
    for nodes, seconds in ((200, 0.016), (2_000, 0.12)):
        for what, text in TYPED.items():
            name = f"{what}, {nodes:,} nodes"
            yield Case(
                name, "check of the same text", partial(against_check, nodes, text), rounds=5
            )
            limit = partial(against_limit, nodes, text, seconds)
            yield Case(name, "a limit", limit, at_most=1.0, rounds=5)
    yield Case(
        "start of the language server",
        "a limit",
        lambda: (start(), fixed(0.5)),
        at_most=1.0,
        rounds=5,
    )
    yield Case(
        f"growth of the server over {EDITS:,} keystrokes",
        "a limit",
        lambda: (growth, fixed(8e6)),
        at_most=1.0,
        rounds=1,
        unit="MB",
    )
