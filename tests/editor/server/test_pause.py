"""A spec is checked after a pause without changes; a request has the newest text at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from lsprotocol import types

from mimgraph.editor.server import published
from tests.fuzz.session import Session

SPEC = """\
inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
outputs: a
"""
OP = SPEC.index("Linear")


def session(path: Path) -> tuple[Session, list[types.PublishDiagnosticsParams]]:
    """Return a session with an open spec that is checked, and what is published from now on."""
    found = Session(path, SPEC)
    seen: list[types.PublishDiagnosticsParams] = []
    found.server.published.now()
    found.server.text_document_publish_diagnostics = seen.append  # type: ignore[method-assign]
    return found, seen


def in_loop(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> Callable[[Callable[[Session, list[types.PublishDiagnosticsParams]], None]], None]:
    """Return a function that runs a test in an event loop whose pause does not end by itself."""
    monkeypatch.setattr(published, "PAUSE", 3600)

    async def started(run: Callable[..., None]) -> None:
        run(*session(path))

    return lambda run: asyncio.run(started(run))


def test_each_change_begins_the_pause_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(session: Session, seen: list[types.PublishDiagnosticsParams]) -> None:
        timer = None
        for _ in range(3):
            session.edit(OP, OP + 1, "M")
            last, timer = timer, session.server.published.timer
            assert timer is not None and not timer.cancelled()
            assert last is None or (last is not timer and last.cancelled())
        assert not seen
        session.server.published.now()  # the pause ends
        (found,) = seen
        assert found.version == 4
        assert [one.code for one in found.diagnostics] == ["unknown-layer"]
        assert session.server.published.timer is None

    in_loop(monkeypatch, tmp_path / "a.yaml")(run)


def test_a_request_waits_for_no_pause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(session: Session, seen: list[types.PublishDiagnosticsParams]) -> None:
        session.edit(OP, OP + len("Linear, from: x, out_features: 4"), "ReLU, from: x")
        at = types.HoverParams(types.TextDocumentIdentifier(session.uri), types.Position(2, 14))
        hover = session.send(types.TEXT_DOCUMENT_HOVER, at)
        assert "layer `ReLU`" in hover.contents.value
        assert not seen

    in_loop(monkeypatch, tmp_path / "a.yaml")(run)


def test_what_is_closed_is_not_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(session: Session, seen: list[types.PublishDiagnosticsParams]) -> None:
        session.edit(OP, OP + 1, "M")
        timer = session.server.published.timer
        which = types.TextDocumentIdentifier(session.uri)
        session.send(types.TEXT_DOCUMENT_DID_CLOSE, types.DidCloseTextDocumentParams(which))
        assert timer is not None and timer.cancelled()
        assert session.server.published.timer is None
        assert [one.diagnostics for one in seen] == [[]]

    in_loop(monkeypatch, tmp_path / "a.yaml")(run)


def test_the_pause_ends(tmp_path: Path) -> None:
    async def run() -> None:
        found, seen = session(tmp_path / "a.yaml")
        is_told = asyncio.Event()
        found.server.text_document_publish_diagnostics = (  # type: ignore[method-assign]
            lambda params: (seen.append(params), is_told.set())[1]
        )
        found.edit(OP, OP + 1, "M")
        await is_told.wait()
        assert [one.version for one in seen] == [2]

    asyncio.run(run())
