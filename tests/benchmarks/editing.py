"""Costs of the language server: a keystroke until diagnostics and hints are new, its start, its memory."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.case import Case, Cost, clocked, fixed, process
from tests.benchmarks.large_specs import chain

if TYPE_CHECKING:
    from tests.fuzz.session import Session

WARM = 4  # keystrokes before those that are measured
PAGE = os.sysconf("SC_PAGE_SIZE")
EDITS = 10_000
CHANGES = (  # what is replaced by what
    ("one node changed", "64}", "64, bias: false}"),
    ("a size changed", "64}", "65}"),
    ("a node came between", "n1000: {layer: Linear, from: n999", "new: {layer: ReLU, from: n999}\n  n1000: {layer: Linear, from: new"),
    ("a line break came between", "\n", "\n\n"),
)  # fmt: skip


def opened(nodes: int) -> Session:
    """Return a session with a spec of so many nodes."""
    from tests.fuzz.session import Session

    return asyncio.run(_opened(partial(Session, Path("/nowhere/model.yaml"), chain(nodes))))


async def _opened(open_it: Callable[[], Session]) -> Session:
    return open_it()


def type_and_show(session: Session, start: int, end: int, text: str) -> list[Any]:
    """Type a text, and return the new diagnostics and hints of the whole text as an editor gets them."""
    from lsprotocol import types

    from mimgraph.editor.server.shown_diagnostics import by_file

    async def run() -> list[Any]:
        session.edit(start, end, text)
        whole = types.Range(types.Position(0, 0), types.Position(10**6, 0))
        params = types.InlayHintParams(types.TextDocumentIdentifier(session.uri), whole)
        found = by_file(session.document)
        return [found, session.send(types.TEXT_DOCUMENT_INLAY_HINT, params)]

    return asyncio.run(run())


def keystroke(nodes: int, text: str) -> Cost:
    """Return the cost of typing a text in the middle of a spec; every second time it is deleted.

    Garbage is collected between keystrokes, as the server does.
    """
    session = opened(nodes)
    at = session.file.text.index(f"\n  n{nodes // 2}: ") + (1 if text == "\n" else len("\n  n1"))
    typed = False

    def step() -> None:
        nonlocal typed
        type_and_show(session, at, at + typed * len(text), "" if typed else text)
        typed = not typed

    for _ in range(WARM):
        step()
    measured = clocked(step)

    def cost() -> float:
        gc.disable()
        try:
            return measured()
        finally:
            gc.enable()

    return cost


def against_check(nodes: int, text: str) -> tuple[Cost, Cost]:
    import mimgraph as mg

    return keystroke(nodes, text), clocked(lambda: mg.loads(chain(nodes)))


def against_limit(nodes: int, text: str, seconds: float) -> tuple[Cost, Cost]:
    return keystroke(nodes, text), fixed(seconds)


def check_again(nodes: int, old: str, new: str) -> tuple[Cost, Cost]:
    """Return the cost of a check after one node in the middle of a spec changed, and of one of the whole text.

    Every second time the node is changed back.
    """
    from mimgraph.editor.analysis import analyse
    from mimgraph.editor.document.open_spec import OpenSpec
    from mimgraph.source import SourceFile

    text = chain(nodes)
    at = text.index(f"\n  n{nodes // 2}: ")
    other = text[:at] + text[at:].replace(old, new, 1)
    assert other != text
    spec, turn = OpenSpec("model.yaml", text), 0
    spec.analyse()

    def step() -> None:
        nonlocal turn
        turn += 1
        spec.file.become(other if turn % 2 else text)
        spec.analyse()

    step()
    return clocked(step), clocked(lambda: analyse(SourceFile("model.yaml", text)))


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

    command = (sys.executable, "-m", "mimgraph", "lsp")
    return process(*command, given=text, answer=b'"capabilities"')


def growth() -> float:
    """Return the bytes by which a process grows over so many keystrokes, once it is warm."""
    session = opened(50)

    def edit(count: int) -> None:
        at = session.file.text.index("\n  n25: ") + len("\n  n2")
        for turn in range(count):
            typed = turn % 2
            type_and_show(session, at, at + typed, "" if typed else "x")
        gc.collect()

    edit(EDITS // 10)
    before = _memory()
    edit(EDITS)
    return max(_memory() - before, 1.0)


def _memory() -> float:
    """Return the bytes that the process has in memory."""
    return float(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def cases() -> Iterator[Case]:
    for nodes, seconds in ((200, 0.016), (2_000, 0.1)):
        for what, text in (("a keystroke", "x"), ("a line break", "\n")):
            name = f"{what}, {nodes:,} nodes"
            yield Case(name, "check of the same text", partial(against_check, nodes, text))
            yield Case(name, "a limit", partial(against_limit, nodes, text, seconds), at_most=1.0)
    for what, old, new in CHANGES:
        yield Case(
            f"check again after {what}, 2,000 nodes",
            "all anew",
            partial(check_again, 2_000, old, new),
            at_most=0.1,
            rounds=10,
        )
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
